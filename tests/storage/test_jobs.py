"""Are jobs listed, named and removed as users expect?"""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from crawler.errors import JobInUse, UsageError
from crawler.storage.jobs import (
    check_name,
    console_socket,
    find_job,
    job_path,
    list_jobs,
    make_folder,
    new_job,
    remove_job,
    status_file,
)
from tests.storage.support import Stores, begin


def test_names_that_leave_the_folder_are_refused(tmp_path: Path) -> None:
    for name in ("", ".", "..", "../x", "a/b", ".hidden", "a\0b", "x" * 101, "-rf", "a b", "x.sqlite"):
        with pytest.raises(UsageError, match="name of a job"):
            check_name(name)
    assert job_path(tmp_path, "books-1.2_x") == tmp_path / "books-1.2_x.sqlite"


def test_new_jobs_are_made_from_the_spider_and_free(tmp_path: Path) -> None:
    first, lock = new_job(tmp_path, "my spider/x", 0.0)
    assert first.startswith("my-spider-x-19")
    assert new_job(tmp_path, "my spider/x", 0.0)[0] == first + "-2"  # the first is taken, though nothing is made yet
    lock.release()
    job_path(tmp_path, first).touch()
    assert new_job(tmp_path, "my spider/x", 0.0)[0] == first + "-3"
    assert new_job(tmp_path, "..", 0.0)[0].startswith("job-")


def test_the_folder_of_jobs_and_the_one_it_is_made_in_are_private(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / ".crawler" / "jobs")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent)] == [0o700, 0o700]


def test_jobs_are_listed_with_their_state_and_the_last_changed_first(sqlite: Stores, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "jobs")
    assert list_jobs(folder) == list_jobs(tmp_path / "none") == []
    old = sqlite.open(path=job_path(folder, "old"), description={"spider": "books", "arguments": {"pages": 3}})
    begin(sqlite, old, "http://a/1", "http://a/2")
    [job] = list_jobs(folder)
    assert (job.name, job.state, job.done, job.queued) == ("old", "running", 0, 2)
    with pytest.raises(JobInUse):
        remove_job(job.path)
    sqlite.finish(old)
    new = sqlite.open(path=job_path(folder, "new"))
    begin(sqlite, new)
    sqlite.finish(new, ended=True)
    job_path(folder, "broken").write_bytes(b"x" * 5000)
    jobs = {job.name: job for job in list_jobs(folder)}
    assert {name: job.state for name, job in jobs.items()} == {"old": "stopped", "new": "finished", "broken": "damaged"}
    assert "damaged" in jobs["broken"].problem
    assert jobs["old"].description["spider"] == "books"
    assert jobs["old"].description["arguments"] == {"pages": 3}
    assert jobs["old"].reason == "test"
    assert [job.name for job in list_jobs(folder) if job.name != "broken"] == ["new", "old"]


def test_a_removed_job_leaves_nothing(sqlite: Stores, tmp_path: Path) -> None:
    store = sqlite.open(path=job_path(tmp_path, "x"))
    sqlite.finish(store)
    status_file(tmp_path, "x").touch()  # as a killed crawl leaves it
    console_socket(tmp_path, "x").touch()
    remove_job(find_job(tmp_path, "x").path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UsageError, match="no job 'x'"):
        find_job(tmp_path, "x")
