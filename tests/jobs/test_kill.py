"""Is a crawl that is killed at any moment finished by a resume, with every item exactly once?"""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.jobs.running import OUTPUTS, end, read_paths, start, wait_for
from tests.jobs.web import Asked, Web

pytestmark = pytest.mark.process

# How long after its answer a page may still be uncommitted when the process is killed: the group's
# waiting time and the commit, with much room for a machine that is busy with other tests.
UNCOMMITTED_SECONDS = 10.0


def crawl_until_done(
    web: Web, folder: Path, *, kills: int, seed: int, settings: list[str] | None = None
) -> list[float]:
    """Run the job, killing it ``kills`` times at random moments; return when (monotonic seconds)."""
    rng = random.Random(seed)
    log = folder / "log.txt"
    store = ["-s", f"JOB_DIR={folder / 'jobs'}", *(settings or [])]
    outputs = [argument for name in OUTPUTS for argument in ("-O", str(folder / name))]

    def go_on() -> subprocess.Popen[bytes]:
        if (folder / "jobs" / "k.sqlite").exists():
            return start("resume", "k", *store[:2], log=log)
        return start("crawl", "walk", "--job", "k", "-a", f"base={web.base}", *store, *outputs, log=log)

    process = go_on()
    killed: list[float] = []
    share = web.pages / (kills + 1)
    while len(killed) < kills:
        if rng.random() < 0.3:
            time.sleep(rng.random() * 0.6)  # at any moment: while it starts, or resumes
        else:
            goal = len({asked.path for asked in web.log}) + rng.random() * share
            wait_for(
                lambda goal=goal, process=process: process.poll() is not None or len({a.path for a in web.log}) >= goal
            )
        if process.poll() is not None:
            break
        killed.append(time.monotonic())
        end(process, signal.SIGKILL)
        process = go_on()
    status = process.wait(120)
    assert status == 0, log.read_text()[-3000:]
    return killed


def refetched(log: list[Asked]) -> list[tuple[str, Asked, Asked]]:
    """Return the pages asked for again after a good answer."""
    last: dict[str, Asked] = {}
    again = []
    for asked in log:
        if asked.path.startswith("/p/") and asked.path in last and last[asked.path].ended is not None:
            again.append((asked.path, last[asked.path], asked))
        last[asked.path] = asked
    return again


def check(web: Web, folder: Path, killed: list[float]) -> None:
    for name in OUTPUTS:
        counts = Counter(read_paths(folder / name))
        assert set(counts) == web.paths, f"{name}: {len(web.paths - set(counts))} pages are missing"
        assert max(counts.values()) == 1, f"{name}: some pages are there twice"
    fails = {path for path in web.paths if int(path[3:]) % 9 == 4}
    for path, before, again in refetched(web.log):
        if path in fails:
            continue  # asked for again because its first answer was a 503
        assert before.ended is not None
        assert any(
            before.ended <= kill + 0.1
            and kill - before.ended < UNCOMMITTED_SECONDS < again.began - before.ended + UNCOMMITTED_SECONDS
            for kill in killed
        ), f"{path} was fetched again, {again.began - before.ended:.2f} s after its answer, though it was not in flight"


@pytest.mark.parametrize("seed", [1])
def test_a_crawl_killed_again_and_again_has_every_item_once(tmp_path: Path, seed: int) -> None:
    with Web(pages=2000, seed=seed) as web:
        killed = crawl_until_done(web, tmp_path, kills=24, seed=seed)
        assert len(killed) >= 20
        check(web, tmp_path, killed)


def test_sigterm_and_double_interrupts_leave_a_resumable_job(tmp_path: Path) -> None:
    with Web(pages=400, seed=5) as web:
        log, store = tmp_path / "log.txt", ["-s", f"JOB_DIR={tmp_path / 'jobs'}"]
        outputs = [argument for name in OUTPUTS for argument in ("-O", str(tmp_path / name))]
        process = start("crawl", "walk", "--job", "k", "-a", f"base={web.base}", *store, *outputs, log=log)
        killed = []
        for number, signals in enumerate(([signal.SIGTERM], [signal.SIGINT, signal.SIGINT], [signal.SIGINT])):
            goal = 100 * (number + 1)
            wait_for(lambda goal=goal: len({asked.path for asked in web.log}) >= goal)
            for each in signals:
                process.send_signal(each)
                time.sleep(0.02)
            killed.append(time.monotonic())
            assert process.wait(30) == 130, log.read_text()[-3000:]
            for name in OUTPUTS:
                read_paths(tmp_path / name)  # a stopped crawl leaves valid files
            process = start("resume", "k", *store, log=log)
        assert process.wait(60) == 0, log.read_text()[-3000:]
        check(web, tmp_path, killed)
