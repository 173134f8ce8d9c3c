"""Has a crawl on many processes every item once, whatever dies?

When each request reached the site, and how soon the crawl recovers, a busy machine changes: bench/cluster_kills.py
looks at that. That gaps and limits hold over all workers is shown in virtual time (tests/engine/test_workers.py) and by
the model (tests/cluster/model).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster.kills.chaos import SiteProcess
from tests.cluster.kills.storm import Storm

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.usefixtures("program")]


def test_four_workers_and_a_second_machine_under_a_storm(tmp_path: Path) -> None:
    with SiteProcess(tmp_path, pages=800, seed=1) as site:
        storm = Storm(site, tmp_path)
        storm.run(kills=30, patience=240)
        assert storm.wrong() == []
        assert storm.done["kill_server"] > 0, storm.done
        assert sum(storm.done.values()) > 10, storm.done
