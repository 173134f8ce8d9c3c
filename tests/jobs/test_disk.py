"""Does a crawl whose disk is full or read-only say so, keep what it has, and go on when there is room?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.jobs.disks import SmallDisk
from tests.jobs.running import OUTPUTS, job_state, read_paths, run
from tests.jobs.web import Web

pytestmark = pytest.mark.process

needs_disks = pytest.mark.skipif(SmallDisk.problem() is not None, reason=SmallDisk.problem() or "")


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(pages=300, seed=3, slow=0.01) as web:
        yield web


@needs_disks
@pytest.mark.parametrize(
    ("full", "room"), [("jobs", 600_000), ("out", 30_000), pytest.param("both", 600_000, marks=pytest.mark.slow)]
)
def test_a_full_disk_ends_the_crawl_clearly_and_a_resume_finishes_it(
    tmp_path: Path, web: Web, full: str, room: int
) -> None:
    log = tmp_path / "log.txt"
    with SmallDisk(tmp_path / "small", room) as disk:
        places = {name: disk.folder / name if full in (name, "both") else tmp_path / name for name in ("jobs", "out")}
        places["out"].mkdir()
        store = ["-s", f"JOB_DIR={places['jobs']}"]
        outputs = [argument for name in OUTPUTS for argument in ("-O", str(places["out"] / name))]
        status, said = run("crawl", "walk", "--job", "k", "-a", f"base={web.base}", *store, *outputs, log=log)
        assert status == 1, said[-3000:]
        assert "Traceback" not in said, said[-3000:]
        guilty = [places["jobs"] / "k.sqlite"] if full == "jobs" else []
        guilty += [places["out"] / name for name in OUTPUTS] if full != "jobs" else []
        guilty += [places["jobs"] / "k.sqlite"] if full == "both" else []
        assert any(str(path) in said for path in guilty), said[-3000:]
        assert "disk is full" in said or "No space left" in said, said[-3000:]
        before = job_state(places["jobs"] / "k.sqlite")
        assert 0 < before.done <= 300  # a fast machine may be through before the feeds are

        status, said = run("resume", "k", *store, log=log)  # still full: it may not even begin
        assert status in (1, 2), said[-3000:]
        assert "Traceback" not in said, said[-3000:]
        assert job_state(places["jobs"] / "k.sqlite").done >= before.done

        disk.free()
        asked = len(web.log)
        status, said = run("resume", "k", *store, log=log)
        assert status == 0, said[-3000:]
        for name in OUTPUTS:
            assert Counter(read_paths(places["out"] / name)) == Counter(web.paths), name
        # What was committed was not fetched again (redirects and first failures are asked for twice).
        assert len(web.log) - asked < 1.6 * (300 - before.done) + 60


@needs_disks
def test_a_read_only_folder_of_jobs_is_named_before_anything_is_fetched(tmp_path: Path, web: Web) -> None:
    with SmallDisk(tmp_path / "small", 2**20) as disk:
        disk.read_only()
        for folder in (disk.folder, disk.folder / "jobs"):
            arguments = ("crawl", "walk", "-a", f"base={web.base}", "-s", f"JOB_DIR={folder}")
            status, said = run(*arguments, log=tmp_path / "log.txt")
            assert status not in (0, 130), said
            assert str(folder) in said, said
            assert "Traceback" not in said, said
    assert not web.log
