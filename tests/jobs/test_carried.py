"""Are requests that cannot be stored repeated with their parent, so that nothing is lost or doubled by a kill?"""

from __future__ import annotations

import random
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.jobs.running import end, read_paths, start, wait_for
from tests.jobs.web import Web

pytestmark = pytest.mark.process


def test_lambdas_and_inline_fetches_survive_kills(tmp_path: Path) -> None:
    rng = random.Random(3)
    log, out = tmp_path / "log.txt", tmp_path / "out.jsonl"
    store = ["-s", f"JOB_DIR={tmp_path / 'jobs'}"]
    with Web(pages=400, slow=0.02) as web:
        process = start(
            "crawl", "carry", "--job", "c", "-a", f"base={web.base}", *store, "-O", str(out), log=log
        )  # fmt: skip
        for kill in range(6):
            goal = len(web.log) + 30 + rng.randrange(40)
            wait_for(lambda goal=goal, process=process: process.poll() is not None or len(web.log) >= goal)
            how = signal.SIGKILL if kill % 3 else signal.SIGTERM
            assert end(process, how) in (-signal.SIGKILL, 130, 0), log.read_text()[-3000:]
            process = start("resume", "c", *store, log=log)
        assert process.wait(60) in (0, 2), log.read_text()[-3000:]
        counts = Counter(read_paths(out))
        assert set(counts) == web.paths
        assert max(counts.values()) == 1
        assert isinstance(process, subprocess.Popen)
