"""How does a process that looks after workers speak with the server?

Its calls are not numbered: each may be made twice. They are made in a thread of their own, in order, and hide outages
as a worker's do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from msgspec import Struct
from twisted.internet.defer import Deferred

from crawler.storage.cluster.address import Address
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.jobcalls import JobCalls
from crawler.storage.codec import Codec
from crawler.storage.thread import StoreThread

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class State(Struct, frozen=True):
    """A crawl of many workers at one moment.

    ``queued`` requests wait on the server, ``taken`` ones are at workers, ``done`` ones have ended, of which some
    ``failed`` or were ``dropped``; ``items`` were committed, ``errors`` were counted by all. ``workers`` are alive.
    ``stats`` are what each that there ever was has told: its name, whether it lives, its stats. ``stopping`` is the
    reason for which the crawl is to stop, "" if it goes on; ``over``: nothing is left.
    """

    queued: int = 0
    taken: int = 0
    done: int = 0
    failed: int = 0
    dropped: int = 0
    items: int = 0
    errors: int = 0
    workers: int = 0
    stats: list[tuple[str, bool, Mapping[str, Any]]] = []
    stopping: str = ""
    over: bool = False


class Line:
    """The way to a job on a server. ``key`` is what the job's keys begin with; ``calls`` block, for ``run``."""

    def __init__(self, reactor: ReactorBase, connection: Connection, key: str) -> None:
        self.connection = connection
        self.key = key
        self.calls = JobCalls(connection, key)
        self._codec = Codec()
        self._thread = StoreThread(reactor, f"the line to {connection.address.url}")
        self._thread.start()

    def __repr__(self) -> str:
        return f"<Line to {self.key} at {self.address.url}>"

    @property
    def address(self) -> Address:
        """Where the server is."""
        return self.connection.address

    def run(self, function: Callable[[*Ts], T], *arguments: *Ts) -> Deferred[T]:
        """Call it in the thread of the line."""
        return self._thread.run(function, *arguments)

    def state(self) -> Deferred[State]:
        """Return how far the crawl is. Who asks keeps the job's time going: leases end, though no worker be left."""
        return self.run(self._state)

    def bury(self, identity: str, blamed: int) -> Deferred[None]:
        """Tell that a worker is dead, and which request was to blame (0: none)."""
        return self.run(self.calls.bury, identity, blamed)

    def stop(self, reason: str) -> Deferred[None]:
        """Let all workers stop."""
        return self.run(self.calls.stop, reason)

    def finish(self, reason: str) -> Deferred[None]:
        """Keep why the crawl ended."""
        return self.run(self.calls.finish, reason)

    def tell(self, facts: Mapping[str, Any]) -> Deferred[None]:
        """Keep facts, plain values, None for one that is gone; those of "live:" reach all workers."""
        encode = self._codec.encode
        return self.run(self.calls.tell, {name: b"" if each is None else encode(each) for name, each in facts.items()})

    def told(self, prefix: str) -> Deferred[dict[str, Any]]:
        """Return the facts whose names begin so."""
        return self.run(self._told, prefix)

    def _told(self, prefix: str) -> dict[str, Any]:
        return {name: self._codec.decode(value) for name, value in self.calls.told_of(prefix).items() if value}

    def close(self) -> None:
        """End; calls that wait for the server are given up."""
        self.connection.close()
        self._thread.stop()

    def _state(self) -> State:
        found = self.calls.state()
        return State(
            queued=found.queued,
            taken=found.taken,
            done=found.done,
            failed=found.failed,
            dropped=found.dropped,
            items=found.items,
            errors=sum(self._codec.decode(each.value) for each in found.errors),
            workers=found.workers,
            stats=[(each.called, bool(each.alive), self._codec.decode(each.value)) for each in found.stats],
            stopping=found.stopping,
            over=bool(found.over),
        )
