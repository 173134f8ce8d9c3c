"""Has a crawl on many processes every item once, and is it polite, whatever dies?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.kills.chaos import SiteProcess
from tests.cluster.kills.storm import Storm

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("program")]


def test_four_workers_and_a_second_machine_under_a_storm(tmp_path: Path) -> None:
    with SiteProcess(tmp_path, pages=800, seed=1) as site:
        storm = Storm(site, tmp_path)
        storm.run(kills=30, patience=120)
        assert storm.problems() == []
        assert storm.done["kill_server"] == 3, storm.done
        assert sum(storm.done.values()) >= 25, storm.done
