"""What does a resume say of a job file that is damaged, of another version, in use, or from another time?"""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crawler.storage import schema
from tests.jobs.running import end, job_state, read_paths, run, start, wait_for
from tests.jobs.web import Web

pytestmark = pytest.mark.process

PAGES = 300
SLOWLY = ("-s", "DOWNLOAD_DELAY=0.01")
"""So that much is left to do whenever a signal comes through."""


class Stopped:
    """A job stopped in its middle; ``copy()`` gives a test one of its own."""

    def __init__(self, web: Web, folder: Path) -> None:
        self.web = web
        self.file = folder / "jobs" / "k.sqlite"
        log = folder / "log.txt"
        store = ["-s", f"JOB_DIR={folder / 'jobs'}"]
        output = ["-O", str(folder / "out.jsonl")]
        process = start("crawl", "walk", "--job", "k", "-a", f"base={web.base}", *store, *output, *SLOWLY, log=log)
        wait_for(lambda: process.poll() is not None or len(web.log) > 120)
        assert end(process, signal.SIGTERM) == 130, log.read_text()
        assert 0 < job_state(self.file).done < PAGES
        self.output = folder / "out.jsonl"
        self.kept = self.output.read_bytes()

    def copy(self, folder: Path) -> Path:
        """Copy the job into the folder, and let its output be as it was when it stopped."""
        self.output.write_bytes(self.kept)
        folder.mkdir(exist_ok=True)
        return Path(shutil.copy(self.file, folder / "k.sqlite"))


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopped]:
    with Web(pages=PAGES, seed=4, slow=0.01) as web:
        yield Stopped(web, tmp_path_factory.mktemp("stopped"))


def resume(path: Path, *more: str) -> tuple[int, str]:
    return run(
        "resume", "k", "-s", f"JOB_DIR={path.parent}", "-s", "DOWNLOAD_DELAY=0", *more, log=path.parent / "log.txt"
    )


def overwrite(path: Path, first: int, last: int) -> None:
    """Put noise in the place of these bytes."""
    data = bytearray(path.read_bytes())
    data[first:last] = random.Random(first).randbytes(last - first)
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 + 100])


DAMAGES: dict[str, Callable[[Path], None]] = {
    "its header": lambda path: overwrite(path, 0, 100),
    "its middle": lambda path: overwrite(path, 4096, path.stat().st_size),
    "cut short": truncate,
    "emptied of tables": lambda path: path.write_bytes(path.read_bytes()[:4096]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_job_is_named_and_left_alone(tmp_path: Path, stopped: Stopped, damage: str) -> None:
    path = stopped.copy(tmp_path / "jobs")
    DAMAGES[damage](path)
    status, said = resume(path)
    assert status not in (0, 130), said
    assert "Traceback" not in said, said
    assert "job k is damaged" in said or f"{path} is damaged" in said, said
    assert stopped.output.read_bytes() == stopped.kept


@pytest.mark.parametrize(
    "place", [0, 3, *(pytest.param(place, marks=pytest.mark.slow) for place in (1, 2, 4, 5, 6, 7))]
)
def test_noise_anywhere_is_never_a_crash(tmp_path: Path, stopped: Stopped, place: int) -> None:
    path = stopped.copy(tmp_path / "jobs")
    size = path.stat().st_size
    first = 4096 + place * (size - 4096) // 8
    overwrite(path, first, first + 3000)
    status, said = resume(path)
    assert "Traceback" not in said, said
    assert status == 0 or "job k" in said or str(path) in said, said


@pytest.mark.parametrize("version", [schema.VERSION + 1, schema.VERSION - 1, 0])
def test_a_job_of_another_version_says_both(tmp_path: Path, stopped: Stopped, version: int) -> None:
    path = stopped.copy(tmp_path / "jobs")
    with closing(sqlite3.connect(path)) as sql:
        sql.execute(f"PRAGMA user_version = {version}")
    before = path.read_bytes()
    status, said = resume(path)
    assert status not in (0, 130), said
    assert f"version {version} of the job format" in said, said
    assert f"version {schema.VERSION}" in said, said
    assert path.read_bytes() == before


def test_waiting_times_from_a_clock_that_was_wrong_are_cut(tmp_path: Path, stopped: Stopped) -> None:
    path = stopped.copy(tmp_path / "jobs")
    with closing(sqlite3.connect(path)) as sql, sql:
        sql.execute("UPDATE requests SET not_before = ? WHERE state = 0", (time.time() + 10 * 365 * 86400,))
    limits = [f"{name}=0.2" for name in ("RETRY_AFTER_MAX", "RETRY_BACKOFF_MAX", "METAREFRESH_MAXDELAY")]
    status, said = resume(path, *[argument for limit in limits for argument in ("-s", limit)])
    assert status == 0, said
    assert Counter(read_paths(stopped.output)) == Counter(stopped.web.paths)


def test_a_second_process_is_refused_and_the_first_goes_on(tmp_path: Path, stopped: Stopped) -> None:
    path = stopped.copy(tmp_path / "jobs")
    slow, stopped.web.slow = stopped.web.slow, 1.0
    one = ("-s", "CONCURRENT_REQUESTS=1")
    first = start("resume", "k", "-s", f"JOB_DIR={path.parent}", *one, log=tmp_path / "first.txt")
    try:
        asked = len(stopped.web.log)
        wait_for(lambda: first.poll() is not None or len(stopped.web.log) > asked)
        status, said = resume(path)
        assert status not in (0, 130), said
        assert f"process {first.pid}" in said, said  # it holds the job, or already its output
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        assert first.wait(30) == 130
    finally:
        stopped.web.slow = slow
        if first.poll() is None:
            first.kill()
            first.wait()
    status, said = resume(path)
    assert status == 0, said
    assert Counter(read_paths(stopped.output)) == Counter(stopped.web.paths)


@pytest.mark.slow
def test_kills_while_a_resume_begins_and_while_a_job_closes(tmp_path: Path, stopped: Stopped) -> None:
    path = stopped.copy(tmp_path / "jobs")
    resumes = ("resume", "k", "-s", f"JOB_DIR={path.parent}", "-s", "DOWNLOAD_DELAY=0.05")
    for moment in (0.3, 0.45, 0.6, 0.75):
        process = start(*resumes, log=tmp_path / "log.txt")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(moment)
        end(process, signal.SIGKILL)
    for moment in (0.0, 0.01, 0.03, 0.1):
        process = start(*resumes, log=tmp_path / "log.txt")
        asked = len(stopped.web.log)
        wait_for(lambda process=process, asked=asked: process.poll() is not None or len(stopped.web.log) > asked)
        process.send_signal(signal.SIGTERM)
        time.sleep(moment)
        end(process, signal.SIGKILL)
    status, said = resume(path)
    assert status == 0, said
    assert Counter(read_paths(stopped.output)) == Counter(stopped.web.paths)
