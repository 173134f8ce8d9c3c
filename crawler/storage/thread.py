"""In which thread does the store's blocking work run, and how does its result come back?

One thread that takes calls in the order in which they were made. Twisted's thread pool would do, but its
way there and back costs more than a small commit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from crawler.errors import StoreError

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

Ts = TypeVarTuple("Ts")
T = TypeVar("T")
_Call = tuple[Callable[[], Any], "Deferred[Any]"]


class StoreThread:
    """A thread called ``name`` whose results are handed to ``reactor.callFromThread``."""

    def __init__(self, reactor: ReactorBase, name: str) -> None:
        self._reactor = reactor
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        # A daemon: a process that ends in the middle of a commit is what the job file is made for.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self.open = False

    def __repr__(self) -> str:
        return f"<StoreThread {self._thread.name} {'open' if self.open else 'closed'}>"

    def start(self) -> None:
        """Begin to take calls."""
        self.open = True
        self._thread.start()

    def run(self, function: Callable[[*Ts], T], *arguments: *Ts) -> Deferred[T]:
        """Call it in the thread; fails with what it raises, or with StoreError when the thread was stopped."""
        if not self.open:
            return fail(StoreError(f"{self._thread.name} is closed"))
        deferred: Deferred[T] = Deferred()
        self._calls.put((partial(function, *arguments), deferred))
        return deferred

    def stop(self) -> None:
        """Take no more calls, and wait until those that were made have ended. Their results are not waited for."""
        if self.open:
            self.open = False
            self._calls.put(None)
            self._thread.join()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            function, deferred = call
            try:
                result = function()
            except BaseException:
                result = Failure()
            self._reactor.callFromThread(deferred.callback, result)
            del call, function, deferred, result  # nothing of it is kept while the thread waits
