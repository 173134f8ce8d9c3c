"""Is a new job made whole or not at all, and is a job that has gone meanwhile told from a new one?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import JobInUse, StoreError
from crawler.storage import schema
from crawler.storage.jobfile import JobFile
from crawler.storage.jobs import job_path, list_jobs, read_job, remove_job
from crawler.storage.lock import JobLock
from tests.storage.support import Codec, Stores

DESCRIPTION = {"spider": "books"}


def dying_at(step: int) -> Iterator[Callable[..., Any]]:
    """Make of each function one that ends the process instead at the given call of any of them."""
    calls = 0

    def dying(function: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == step:
                os._exit(9)
            return function(*arguments, **more)

        return called

    while True:
        yield dying


def make(path: Path, step: int) -> None:
    """Make a job in a process that dies at a step of it."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    dying = next(dying_at(step))

    class Connection(schema.sqlite3.Connection):
        execute = dying(schema.sqlite3.Connection.execute)
        executemany = dying(schema.sqlite3.Connection.executemany)

    connect = schema.sqlite3.connect
    schema.sqlite3.connect = lambda *given, **more: connect(*given, factory=Connection, **more)  # type: ignore[assignment,misc]
    Path.rename = dying(Path.rename)  # type: ignore[method-assign]
    try:
        JobFile(path, Codec()).open(DESCRIPTION)
    finally:
        os._exit(0)


@pytest.mark.process
@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_kill_while_a_job_is_made_leaves_a_whole_job_or_none(tmp_path: Path) -> None:
    there = []
    for step in range(1, 70):
        path = job_path(tmp_path, f"job{step}")
        make(path, step)
        there.append(path.exists())
        if there[-1]:
            job = read_job(path)
            assert (job.state, job.description["spider"]) == ("stopped", "books"), step
        file = JobFile(path, Codec())
        assert file.open(DESCRIPTION).is_new is not there[-1], step
        file.close(None)
        remove_job(path)
    assert there[0] is False
    assert there[-1] is True
    assert there == sorted(there)
    assert list(tmp_path.iterdir()) == []


def test_a_resumed_job_must_be_there(sqlite: Stores, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No such file"):
        sqlite.open(resume=True)
    assert list_jobs(tmp_path) == []


def test_a_job_that_another_process_finished_meanwhile_is_not_resumed(sqlite: Stores) -> None:
    sqlite.finish(sqlite.open(), ended=True)
    with pytest.raises(StoreError, match="finished by another process"):
        sqlite.open(resume=True)
    assert read_job(sqlite.path).state == "finished"


def test_a_lock_on_a_job_that_is_just_removed_keeps_others_out(sqlite: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite.finish(sqlite.open())
    opening = os.open

    def removed_meanwhile(path: Any, *arguments: Any) -> int:
        descriptor = opening(path, *arguments)
        monkeypatch.setattr(os, "open", opening)
        remove_job(sqlite.path)
        return descriptor

    monkeypatch.setattr(os, "open", removed_meanwhile)
    mine = JobLock(sqlite.path)
    mine.acquire()
    try:
        with pytest.raises(JobInUse):
            JobLock(sqlite.path).acquire()
    finally:
        mine.release()


@pytest.mark.process
@pytest.mark.filterwarnings("ignore:.*fork")
def test_what_is_left_of_another_job_does_not_get_into_a_new_one(tmp_path: Path) -> None:
    """Its log would be taken for the new file's: a kill within `jobs rm`, or an `rm` of the one file, leaves it."""
    path = job_path(tmp_path, "k")
    child = os.fork()
    if not child:
        JobFile(path, Codec()).open({"spider": "old"})
        os._exit(0)
    os.waitpid(child, 0)
    assert path.with_name("k.sqlite-wal").stat().st_size > 0
    path.unlink()
    file = JobFile(path, Codec())
    assert file.open({"spider": "new"}).is_new
    assert file.job()["spider"] == "new"
    file.close(None)
    assert read_job(path).description["spider"] == "new"
