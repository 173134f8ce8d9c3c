"""Where does blocking work run?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, TypeVarTuple

from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase

Ts = TypeVarTuple("Ts")
T = TypeVar("T")


class Pool(Protocol):
    """A few threads of one owner."""

    def run(self, call: Callable[[*Ts], T], *args: *Ts) -> Deferred[T]:
        """Call it in one of the threads."""

    def stop(self) -> Deferred[None]:
        """End the threads; fires when what still ran in them has ended."""


Pools = Callable[[str, int], Pool]
"""Makes a Pool from its owner's name and its number of threads."""


class DaemonThreads(ThreadPool):
    """Threads that do not keep the process from its end."""

    # Whoever closes a pool waits for its threads; one that hangs for ever shall not keep the process from its end.
    threadFactory = staticmethod(partial(Thread, daemon=True))  # type: ignore[assignment]  # noqa: N815


class ReactorPool:
    """Real threads, whose results come back in the reactor's thread."""

    def __init__(self, reactor: Any, name: str, size: int) -> None:
        self._reactor = reactor
        self._pool = DaemonThreads(minthreads=0, maxthreads=size, name=name)
        self._stopped = False
        self._pool.start()

    def run(self, call: Callable[[*Ts], T], *args: *Ts) -> Deferred[T]:
        """Call it in one of the threads."""
        return deferToThreadPool(self._reactor, self._pool, call, *args)

    def stop(self) -> Deferred[None]:
        """End the threads; fires when what still ran in them has ended, at once if they were ended before."""
        if self._stopped:
            return succeed(None)
        self._stopped = True
        ended: Deferred[None] = Deferred()

        def join() -> None:
            self._pool.stop()
            self._reactor.callFromThread(ended.callback, None)

        # Joined here, a blocking item would hold the reactor: no timer, and no second Ctrl-C.
        Thread(target=join, name=f"end of {self._pool.name}", daemon=True).start()
        return ended


def reactor_pools(reactor: ReactorBase) -> Pools:
    """Return the maker of pools whose threads report to this reactor."""
    return lambda name, size: ReactorPool(reactor, name, size)


class InlinePool:
    """No thread at all: for tests whose time is virtual."""

    def __init__(self, name: str, size: int) -> None:
        pass

    def run(self, call: Callable[[*Ts], T], *args: *Ts) -> Deferred[T]:
        """Call it now."""
        deferred: Deferred[Any] = maybeDeferred(call, *args)
        result: Any = deferred.result
        is_waiting = isinstance(result, Deferred)
        return succeed(result) if is_waiting else deferred

    def stop(self) -> Deferred[None]:
        """Nothing to end."""
        return succeed(None)
