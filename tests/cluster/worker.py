"""A worker's store alone, on a real server: what stands for its engine is here."""

from __future__ import annotations

import itertools
import queue
import secrets
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from crawler.errors import RequestError
from crawler.frontier.host import Entry, Key
from crawler.frontier.store import START, Committed, Finished, Grant, Report, Resumed, Told
from crawler.storage.cluster import library
from crawler.storage.cluster.address import Address
from crawler.storage.cluster.calls import Calls
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobcalls import JobCalls
from crawler.storage.cluster.store import ClusterStore
from crawler.storage.codec import Codec
from tests.storage.support import Spider, offer

LEASE = 3.0
KEY = "test:job"


class Reactor(Clock):
    """Stands for the reactor, in real time: it turns while a test waits for something."""

    def __init__(self) -> None:
        super().__init__()
        self._calls: queue.Queue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.Queue()
        self._since = time.monotonic()

    def callFromThread(self, function: Callable[..., None], *arguments: Any) -> None:
        self._calls.put((function, arguments))

    def turn(self) -> None:
        """Do what is due."""
        try:
            function, arguments = self._calls.get(timeout=0.002)
            function(*arguments)
        except queue.Empty:
            pass
        self.advance(time.monotonic() - self._since - self.seconds())


class Holder:
    """Stands for the engine's Holding: wishes for hosts, and keeps what it is told."""

    def __init__(self) -> None:
        self.next = Report(room=4)
        self.room = 4
        self.grants: dict[str, Grant] = {}
        self.heard: list[tuple[Any, ...]] = []
        self.facts: dict[str, Any] = {}

    def report(self) -> Report:
        report, self.next = self.next, Report(room=self.room)
        return report

    def granted(self, grants: Sequence[Grant], facts: dict[str, Any]) -> None:
        self.facts.update(facts)
        for grant in grants:
            self.grants[grant.host] = grant

    def doomed(self, entry: Entry, error: RequestError) -> None:
        self.heard.append(("doomed", entry, error))

    def changed_facts(self, facts: dict[str, Any]) -> None:
        self.facts.update(facts)

    def asked(self, host: str, permits: int) -> None:
        self.heard.append(("asked", host, permits))

    def stored(self, host: str, count: int, first: Key | None) -> None:
        self.heard.append(("stored", host, count))

    def start(self, count: int, digests: list[int]) -> None:
        self.heard.append(("start", count, digests))

    def hungry(self, workers: int) -> None:
        self.heard.append(("hungry", workers))

    def behind(self, behind: bool) -> None: ...

    def stop(self, reason: str) -> None:
        self.heard.append(("stop", reason))

    def fenced(self) -> None:
        self.heard.append(("fenced",))

    def over(self, reason: str) -> None:
        self.heard.append(("over", reason))

    def idle(self) -> None:
        self.heard.append(("idle",))

    def lost(self, error: BaseException) -> None:
        self.heard.append(("lost", error))

    def was_told(self, word: str) -> bool:
        """Tell whether this was heard."""
        return any(heard[0] == word for heard in self.heard)


class Workers:
    """Workers of one job, all in this process; ``job`` makes the calls of their starter."""

    def __init__(self, address: Address) -> None:
        self.reactor = Reactor()
        self.address = address
        self.connection = Connection(address, lease=LEASE, library=library.SOURCE)
        self.connection.open()
        library.load(self.connection)
        self.spider = Spider()
        self.job = JobCalls(self.connection, KEY)
        self.job.create(["out.jl"])
        self._numbers = itertools.count(1)
        self.made: list[Worker] = []

    def worker(self, address: Address | None = None, *, lease: float = LEASE) -> Worker:
        """Let one more join."""
        worker = self.made_worker(address, lease=lease)
        worker.resumed = worker.wait(worker.store.open())
        worker.wait(worker.store.claim(START, []))  # it has made a call, so the first that joins runs start()
        return worker

    def made_worker(self, address: Address | None = None, *, lease: float = LEASE) -> Worker:
        """Make one more, that has not joined yet."""
        connection = Connection(address or self.address, lease=lease, library=library.SOURCE)
        connection.open()
        worker = Worker(self, connection, f"w{next(self._numbers)}", lease)
        self.made.append(worker)
        return worker

    def wait(self, deferred: Deferred[Any]) -> Any:
        """Return a Deferred's result, or raise its error."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        self.until(lambda: bool(results))
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return results[0]

    def until(self, done: Callable[[], bool], seconds: float = 20.0) -> None:
        """Let the reactor turn until something is so."""
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, "it did not come to that"
            self.reactor.turn()

    def items(self) -> list[Any]:
        """Return what was committed."""
        return [Codec(Spider()).decode(data) for _, data in self.job.outbox(0, 10_000).rows]

    def close(self) -> None:
        for worker in self.made:
            worker.wait(worker.store.finish(ended=False, reason="test"))
        self.connection.close()


class Worker:
    """One worker. ``holder`` is what its store tells and asks, ``resumed`` what it has found."""

    resumed: Resumed

    def __init__(self, workers: Workers, connection: Connection, name: str, lease: float) -> None:
        self.workers = workers
        self.name = name
        self.identity = secrets.token_hex(16)
        self.holder = Holder()
        self.blamed: list[int] = []
        calls = Calls(connection, KEY, self.identity, name, lease=lease)
        blame: Any = SimpleNamespace(running=self.blamed.append)
        reactor: Any = workers.reactor
        self.store = ClusterStore(calls, reactor=reactor, codec=Codec(workers.spider), lease=lease, blame=blame)
        self.store.listen(self.holder)

    def wait(self, deferred: Deferred[Any]) -> Any:
        """Return a Deferred's result, or raise its error."""
        return self.workers.wait(deferred)

    def starts(self, *urls: str, ended: bool = True, **fields: Any) -> Committed:
        """Commit these as the results of start(), which is this worker's."""
        self.workers.until(lambda: self.holder.was_told("start"))
        children = [offer(url, **fields) for url in urls]
        done = Finished(START, children=children, start_count=len(urls), start_ended=ended)
        [answer] = self.wait(self.store.commit([done]))
        committed: Committed = answer
        return committed

    def takes(self, host: str, count: int = 16) -> list[Entry]:
        """Return the next requests of a host, once it is granted."""
        self.workers.until(lambda: host in self.holder.grants)
        return [entry for entry, _ in self.wait(self.store.lease(host, count, None))]

    def tells(self, **fields: Any) -> None:
        """Let the next report say this, and wait until it is told."""
        self.holder.next = report = Report(**fields)
        self.store.look()
        self.workers.until(lambda: self.holder.next is not report)
        self.wait(self.store.claim(START, []))

    def gives_up(self, host: str, *returned: Entry, wait: float = 0.0) -> None:
        """Let a host go, with these requests of it, and wish for no other."""
        self.holder.room = 0
        del self.holder.grants[host]
        told = [Told(host, wait, False, 8, 0.0)]
        self.tells(told=told, held=[(host, 0)], returned=[(entry, 0.0) for entry in returned], room=0)
