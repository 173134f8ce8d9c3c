"""Jobs on a server: made whole or not at all, found, refused while somebody works on them, removed."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import msgspec
import pytest

from crawler.errors import JobInUse, UsageError
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobs import FINISHED, Progress, ServerJobs, check_library

pytestmark = pytest.mark.process

SHOP = {"spider": "shop", "command": {"arguments": {"a": "ü"}}, "workers": 4}


class Jobs(ServerJobs):
    """Jobs that are as far as a test says."""

    told: dict[str, Progress] = {}

    def progress(self, key: str) -> Progress:
        return self.told.get(key.rpartition(":")[2], Progress())


def jobs_of(connection: Connection, prefix: str = "crawler", **progress: Progress) -> ServerJobs:
    jobs = Jobs(connection, prefix)
    jobs.told = progress
    return jobs


@pytest.fixture
def jobs(connection: Connection) -> ServerJobs:
    return jobs_of(
        connection, run=Progress(workers=2, queued=5), end=Progress(done=3, items=2, over=True, stopped=FINISHED)
    )


def make(jobs: ServerJobs, name: str | None, *, wall: float = 1000.0) -> str:
    return jobs.make(name, SHOP, wall=wall, library="crawler_1")


def test_a_job_is_found_as_it_was_made(jobs: ServerJobs) -> None:
    make(jobs, "end")
    make(jobs, "run", wall=2000.0)
    run, end = jobs.list()
    assert (run.name, run.state, run.queued, run.created) == ("run", "running", 5, 2000.0)
    assert (end.name, end.state, end.done, end.items) == ("end", "finished", 3, 2)
    assert jobs.find("end") == end
    assert end.description == {**SHOP, "library": "crawler_1"}
    assert end.url == jobs.connection.address.url


def test_a_job_is_finished_when_its_feeds_are_closed(connection: Connection) -> None:
    reasons = {"killed": "", "again": "shutdown", "end": FINISHED}
    over = {name: Progress(over=True, stopped=reason) for name, reason in reasons.items()}
    jobs = jobs_of(connection, **over)
    assert [jobs.find(make(jobs, name)).state for name in over] == ["stopped", "stopped", "finished"]


def test_names_of_jobs(jobs: ServerJobs) -> None:
    first, second = make(jobs, None), make(jobs, None)
    assert first.startswith("shop-1970")
    assert second == f"{first}-2"
    with pytest.raises(UsageError, match=f"there is a job {first} at unix://.* already; take another name"):
        make(jobs, first)
    with pytest.raises(UsageError, match=f"no job 'none' at unix://.*; there are {first}"):
        jobs.find("none")
    with pytest.raises(UsageError, match="cannot be the name of a job"):
        make(jobs, "a:b")


def test_projects_have_their_own(jobs: ServerJobs) -> None:
    make(jobs, "one")
    other = jobs_of(jobs.connection, "other")
    assert other.list() == []
    make(other, "one")
    other.remove("one")
    assert [job.name for job in jobs.list()] == ["one"]


def test_a_removed_job_leaves_nothing_and_others_stay(jobs: ServerJobs) -> None:
    command = jobs.connection.command
    make(jobs, "old")
    make(jobs, "old-2")
    for number in range(3000):
        command("SET", f"{jobs.key('old')}:q:{number}", "x")
    kept = command("KEYS", "crawler:old-2:*")
    jobs.remove("old")
    assert sorted(command("KEYS", "*")) == sorted([*kept, b"crawler:jobs"])
    assert command("SMEMBERS", "crawler:jobs") == {b"old-2"} or [b"old-2"]


def test_a_job_that_is_worked_on_is_not_removed(jobs: ServerJobs) -> None:
    make(jobs, "run")
    with pytest.raises(JobInUse, match="job run is in use by 2 workers; stop them first"):
        jobs.remove("run")
    make(jobs, "mine")
    starter = jobs.starter("mine", 5.0)
    starter.acquire()
    with pytest.raises(JobInUse, match=r"in use by process .* on "):
        jobs.remove("mine")
    assert jobs.find("mine").state == "running"
    jobs.remove("mine", starter=starter)
    assert [job.name for job in jobs.list()] == ["run"]


def test_a_second_starter_is_refused_as_soon_as_the_first_is_seen_to_live(jobs: ServerJobs) -> None:
    make(jobs, "one")
    first = jobs.starter("one", 60.0)
    first.acquire()
    over = threading.Event()
    connection = Connection(jobs.connection.address)
    connection.open()
    mine = jobs_of(connection).starter("one", 60.0)

    def renew() -> None:
        while not over.wait(0.1):
            assert first.renew()

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        began = time.monotonic()
        with pytest.raises(JobInUse, match="the job one is in use by process"):
            mine.acquire()
        assert time.monotonic() - began < 20
    finally:
        over.set()
        thread.join()
    assert not mine.renew()
    first.release()
    mine.acquire()
    assert not first.renew()
    connection.close()


def test_a_starter_that_died_here_or_elsewhere_is_followed(jobs: ServerJobs) -> None:
    make(jobs, "one")
    source = (
        "import sys\nfrom crawler.storage.cluster.address import parse\n"
        "from crawler.storage.cluster.client import Connection\n"
        "from crawler.storage.cluster.jobs import Starter\n"
        "connection = Connection(parse(sys.argv[1]))\nconnection.open()\n"
        "Starter(connection, 'one', sys.argv[2], 300.0).acquire()\n"
    )
    key = f"{jobs.key('one')}:starter"
    subprocess.run([sys.executable, "-c", source, jobs.connection.address.url, key], check=True)
    began = time.monotonic()
    starter = jobs.starter("one", 60.0)
    starter.acquire()
    assert time.monotonic() - began < 20
    jobs.connection.command("SET", key, "12@elsewhere/x 1", "PX", 300)
    starter.acquire()
    assert time.monotonic() - began < 30
    starter.release()
    assert jobs.connection.command("EXISTS", key) == 0


def test_other_versions_are_named(jobs: ServerJobs) -> None:
    make(jobs, "one")
    key = f"{jobs.key('one')}:about"
    about = msgspec.json.decode(jobs.connection.command("GET", key))
    jobs.connection.command("SET", key, msgspec.json.encode({**about, "form": 7}))
    with pytest.raises(UsageError, match=r"job one: it was made by another version .*its form is 7, here it is 1"):
        jobs.find("one")
    assert [job.state for job in jobs.list()] == ["damaged"]
    jobs.connection.command("SET", key, b"\xff")
    assert "cannot be read" in jobs.list()[0].problem
    make(jobs, "two")
    with pytest.raises(UsageError, match="its functions are crawler_1, here they are crawler_2"):
        check_library(jobs.find("two"), "crawler_2")
    check_library(jobs.find("two"), "crawler_1")
