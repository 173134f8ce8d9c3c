"""``crawler jobs --serve``: what the page of all jobs is told, and how often a disk is read for it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Awaitable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from crawler.commands.looking.folder import Folder
from crawler.commands.serving import MAX_OPEN, READ_SECONDS, JobsPage
from crawler.config.schema import CoreSettings
from crawler.status.asked import Asked, Refused
from crawler.status.complaints import Complaints
from crawler.storage import history
from crawler.storage.values import Values
from crawler.threads import InlinePool
from tests.commands.conftest import command, environment

DAY = 86_400.0


def finished_run(folder: Path, number: int, items: int, *, spider: str = "shop") -> str:
    """Leave a finished run in the history of a folder of jobs, as its crawl does; return its job's name."""
    stats = {"response_received_count": items + 1, "item_scraped_count": items, "spider_exceptions/count": 2}
    run = history.Run(f"{spider}-{number}", spider, number * DAY, number * DAY + 90, items + 1, 0, items)
    run.description = {"spider": spider}
    history.write(folder, run, history.Kept((), facts=[("stats", Values().encode(stats))]))
    return run.job


@pytest.fixture
def core(tmp_path: Path) -> CoreSettings:
    (tmp_path / "jobs").mkdir()
    return CoreSettings(JOB_DIR=str(tmp_path / "jobs"))


def answer(page: JobsPage, path: str, method: str = "GET") -> Any:
    """Ask, and return what comes; raises what is refused."""
    route = page(path)
    assert route is not None, path
    found = route.answer(Asked(method, path))
    if isinstance(found, Awaitable):
        told: list[Any] = []
        ensureDeferred(_awaited(found)).addBoth(told.append)
        if hasattr(told[0], "raiseException"):
            told[0].raiseException()
        return told[0]
    return found


async def _awaited(found: Awaitable[Any]) -> Any:
    return await found


def test_each_job_is_told_with_what_came_of_it(core: CoreSettings) -> None:
    jobs = Path(core.JOB_DIR)
    for number, items in (1, 100), (2, 104), (3, 40):
        finished_run(jobs, number, items)
    (jobs / "broken.sqlite").write_bytes(b"no database, but a longer text than its head " * 10)
    rows = Folder(core).read()
    assert [(row.name, row.state, row.items, row.errors, row.seconds) for row in rows] == [
        ("shop-3", "finished", 40, 2, 90.0),
        ("shop-2", "finished", 104, 2, 90.0),
        ("shop-1", "finished", 100, 2, 90.0),
        ("broken", "damaged", 0, None, 0.0),
    ]
    assert "broken.sqlite" in rows[-1].message


def test_what_has_not_changed_is_read_once(core: CoreSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs, read = Path(core.JOB_DIR), list[str]()
    monkeypatch.setattr(
        "crawler.storage.history.read_run", lambda path, real=history.read_run: (read.append(path.name), real(path))[1]
    )
    folder = Folder(core)
    finished_run(jobs, 1, 100)
    folder.read()
    read.clear()
    finished_run(jobs, 2, 100)
    assert len(folder.read()) == 2
    assert {name.partition(".")[0] for name in read} == {"shop-2"}
    history.remove(history.runs(jobs, job="shop-1")[0].path)
    assert [row.name for row in folder.read()] == ["shop-2"]


def test_a_disk_is_read_once_a_second_at_most(core: CoreSettings) -> None:
    clock, pool = Clock(), Waiting()
    page = JobsPage(core, Complaints(), clock, pool)
    asked = [page("/api/jobs").answer(Asked("GET", "/api/jobs")) for _ in range(5)]  # type: ignore[union-attr]
    assert len(pool.calls) == 1
    pool.finish()
    assert [each.result for each in asked] == [[]] * 5
    answer(page, "/api/jobs")
    assert pool.calls == []
    clock.advance(READ_SECONDS)
    page("/api/jobs").answer(Asked("GET", "/api/jobs"))  # type: ignore[union-attr]
    assert len(pool.calls) == 1


class Waiting(InlinePool):
    """A pool whose thread is slow: it does what it was given when the test says so."""

    def __init__(self) -> None:
        self.calls: list[tuple[Deferred[Any], Any]] = []

    def run(self, call: Any, *args: Any) -> Deferred[Any]:
        self.calls.append((Deferred(), call))
        return self.calls[-1][0]

    def finish(self) -> None:
        calls, self.calls = self.calls, []
        for deferred, call in calls:
            deferred.callback(call())


def test_behind_each_job_is_its_page_which_only_shows(core: CoreSettings) -> None:
    name = finished_run(Path(core.JOB_DIR), 1, 100)
    page = JobsPage(core, Complaints(), Clock(), InlinePool("jobs", 1))
    now = answer(page, f"/jobs/{name}/api/now")
    assert (now.job.state, now.totals.items, now.control) == ("finished", 100, False)
    assert [run.items for run in answer(page, f"/jobs/{name}/api/history")] == [100]
    assert answer(page, f"/jobs/{name}/").body.startswith(b"<!doctype html>")
    with pytest.raises(Refused, match="only shows"):
        answer(page, f"/jobs/{name}/do", "POST")


@pytest.mark.parametrize("name", ["nosuch", "..", "../../etc/passwd", "a b", "x" * 300])
def test_a_job_that_is_not_there_is_refused_by_name(core: CoreSettings, name: str) -> None:
    page = JobsPage(core, Complaints(), Clock(), InlinePool("jobs", 1))
    if "/" in name:
        assert page(f"/jobs/{name}/api/now") is None
        return
    with pytest.raises(Refused) as refused:
        answer(page, f"/jobs/{name}/api/now")
    assert refused.value.status == 404
    assert name in refused.value.said


def test_so_many_jobs_are_kept_open(core: CoreSettings) -> None:
    page = JobsPage(core, Complaints(), Clock(), InlinePool("jobs", 1))
    for number in range(MAX_OPEN + 20):
        answer(page, f"/jobs/shop-{number}/")
    assert len(page) == MAX_OPEN


@pytest.mark.process
def test_the_command_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    finished_run(tmp_path / "jobs", 1, 100)
    serve = command("jobs", "--serve", "-s", f"JOB_DIR={tmp_path / 'jobs'}")
    with subprocess.Popen(serve, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url, _, token = process.stderr.readline().removeprefix("jobs page: ").strip().partition("?token=")
        with urlopen(Request(f"{url}api/jobs", headers={"Authorization": f"Bearer {token}"}), timeout=10) as response:
            assert [row["name"] for row in json.load(response)] == ["shop-1"]
        process.send_signal(signal.SIGINT)
        assert process.stderr.read().strip() == ""
        assert process.wait(10) == 0
