"""What is shown of a job that many workers do, by what its server knows."""

from __future__ import annotations

import pytest

from crawler.commands.cluster import looking
from crawler.commands.cluster.looking import ServerReader
from crawler.errors import StoreError
from crawler.storage.cluster import library
from crawler.storage.cluster.calls import Calls
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobcalls import JobCalls
from crawler.storage.cluster.library import LibraryJobs
from crawler.storage.cluster.private import PrivateServer
from crawler.storage.cluster.wire import Fact, Finish, Tell, Turn
from crawler.storage.codec import Codec
from tests.cluster.simulated import KEY, child

pytestmark = pytest.mark.process

encode = Codec().encode


class Working:
    """A worker that makes its turns by hand."""

    def __init__(self, connection: Connection, called: str) -> None:
        self._calls = Calls(connection, KEY, called.upper(), called)
        self.joined = self._calls.join()
        self._number = 0

    def turn(self, **told: object) -> Turn:
        self._number += 1
        return self._calls.turn(self._number, Turn(**told))  # type: ignore[arg-type,return-value]

    def stats(self, pages: int, **more: int) -> Fact:
        return Fact("stats", encode({"response_received_count": pages, **more, "": {}}))


@pytest.fixture
def jobs(connection: Connection) -> LibraryJobs:
    library.load(connection)
    jobs = LibraryJobs(connection, "crawler")
    jobs.make("job", {"spider": "shop", "command": {"settings": {"HTTP_AUTH": "me:secret"}}}, wall=1e9, library="x")
    JobCalls(connection, KEY).create(())
    return jobs


@pytest.fixture(autouse=True)
def each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let hosts be read with each look."""
    monkeypatch.setattr(looking, "PAUSES", 0)


def test_hosts_are_read_less_often_the_longer_that_takes(jobs: LibraryJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "PAUSES", 1_000_000)
    worker = Working(jobs.connection, "w1")
    worker.turn(room=1)
    read = ServerReader(jobs, "job")
    assert read().hosts == []
    worker.turn(finishes=[Finish(-1, children=[child(1, "a")], count=1)])
    shown = read()
    assert (shown.hosts, shown.now.totals.queued) == ([], 1)
    assert [row.name for row in ServerReader(jobs, "job")().hosts] == ["a"]


def test_totals_are_sums_and_each_worker_is_shown(jobs: LibraryJobs) -> None:
    one, two = Working(jobs.connection, "w1"), Working(jobs.connection, "w2")
    one.turn(room=1)
    one.turn(finishes=[Finish(-1, children=[child(1, "a"), child(2, "a"), child(3, "b")], count=3, ended=True)])
    read = ServerReader(jobs, "job")
    one.turn(wants=["a"], facts=[one.stats(10, **{"request_failed_count": 1, "request_failed/FetchTimeout": 1})])
    two.turn(wants=["b"], facts=[two.stats(5), Fact("throttle:b", encode([1, 2.0]), "b")])
    read()
    one.turn(
        tells=[Tell("a", 5000, False, 4, 1500)],
        takes=[("a", 1)],
        facts=[one.stats(20, **{"request_failed_count": 1, "request_failed/FetchTimeout": 1})],
    )
    shown = read()
    assert (shown.now.totals.pages, shown.now.totals.queued, shown.now.totals.failed) == (25, 3, 1)
    assert (shown.now.job.state, shown.now.job.cluster) == ("running", jobs.connection.address.url)
    assert [(each.kind, each.count) for each in shown.errors] == [("FetchTimeout", 1)]
    first, second = shown.workers
    assert (first.name, first.pages, first.hosts, first.state, bool(first.machine)) == ("w1", 20, 1, "running", True)
    assert first.rate > second.rate == 0
    hosts = {row.name: row for row in shown.hosts}
    assert (hosts["a"].queued, hosts["a"].why, hosts["a"].delay, hosts["a"].concurrency) == (2, "delay", 1.5, 4)
    assert 4.0 < (hosts["a"].seconds or 0.0) <= 5.0
    assert hosts["b"].throttle == "1 at once, 2.0 s apart"
    assert [setting.value for setting in shown.settings] == ["***"]
    JobCalls(jobs.connection, KEY).stop("shutdown")
    assert read().now.job.state == "stopping"


def test_errors_of_all_workers_are_added_with_their_lines(jobs: LibraryJobs) -> None:
    for name, count, last in (("w1", 2, 5.0), ("w2", 3, 4.0)):
        worker = Working(jobs.connection, name)
        row = ["KeyError in parse", count, f"http://{name}/", f"shop.py:{count} in parse: x", "KeyError: 'x'", last]
        worker.turn(facts=[worker.stats(7), Fact("kinds", encode([row]))])
    [error] = ServerReader(jobs, "job")().errors
    assert (error.count, error.url, error.where) == (5, "http://w1/", "shop.py:2 in parse: x")


def test_a_worker_that_left_is_shown_as_gone(jobs: LibraryJobs) -> None:
    worker = Working(jobs.connection, "w1")
    worker.turn(facts=[worker.stats(7)])
    worker.turn(leave=True)
    [gone] = ServerReader(jobs, "job")().workers
    assert (gone.state, gone.pages) == ("gone", 7)


def test_what_is_told_live_reaches_all_workers_also_those_that_join_later(jobs: LibraryJobs) -> None:
    calls = JobCalls(jobs.connection, KEY)
    worker = Working(jobs.connection, "w1")
    calls.tell({"live:DOWNLOAD_DELAY": b"2", "notices": b"told"})
    assert worker.turn().facts == [("live:DOWNLOAD_DELAY", b"2")]  # type: ignore[attr-defined]
    assert worker.turn().facts == []  # type: ignore[attr-defined]
    assert Working(jobs.connection, "w2").joined.facts == [("live:DOWNLOAD_DELAY", b"2")]
    assert calls.told("notices", "live:DOWNLOAD_DELAY", "no") == {"notices": b"told", "live:DOWNLOAD_DELAY": b"2"}


def test_a_server_that_is_away_is_told_of_and_not_waited_for(server: PrivateServer) -> None:
    away = Connection(server.address, library=library.SOURCE, patience=0.0)
    away.open()
    library.load(away)
    LibraryJobs(away, "other").make("job", {"spider": "shop"}, wall=1e9, library="x")
    read = ServerReader(LibraryJobs(away, "other"), "job")
    read()
    away.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
    with pytest.raises(StoreError):
        read()
    away.close()
