"""How does a process that looks after workers speak with the server?

Its calls are not numbered: each may be made twice. They are made in a thread of their own, in order, and hide outages
as a worker's do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred

from crawler.storage.cluster.address import Address
from crawler.storage.cluster.client import Connection
from crawler.storage.thread import StoreThread

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Line:
    """The way to a job on a server. ``key`` is what the job's keys begin with."""

    def __init__(self, reactor: ReactorBase, connection: Connection, key: str) -> None:
        self.connection = connection
        self.key = key
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

    def close(self) -> None:
        """End; calls that wait for the server are given up."""
        self.connection.close()
        self._thread.stop()
