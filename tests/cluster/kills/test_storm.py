"""Has a crawl on many processes every item once, and is it polite, whatever dies?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.kills.chaos import SiteProcess
from tests.cluster.kills.storm import Storm

pytestmark = pytest.mark.slow


def test_one_process_under_a_storm(tmp_path: Path) -> None:
    """What the checks of the cluster say of a crawl without one."""
    with SiteProcess(tmp_path, pages=800, seed=1) as site:
        storm = Storm(site, tmp_path, kind="alone")
        storm.run(kills=12, patience=90)
        assert storm.problems() == []
        assert sum(storm.done.values()) >= 10
