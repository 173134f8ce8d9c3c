"""Which connection does an exchange go out on?

An idle one of its route, the latest used first (it is the least likely to be closed by the peer); else a
new one. How many may be busy at once is not decided here: the frontier has done that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.download.fast.deadlines import Deadlines
from crawler.download.fast.failures import translate
from crawler.download.fast.route import Route
from crawler.errors import FetchCancelled, FetchError, FetchTimeout


class PooledCall(Protocol):
    """A call as the pool sees it (see connection.Call for the rest)."""

    route: Route
    due: float
    opening: Deferred[Any] | None

    def begin(self, connection: Any, now: float) -> None:
        """Go out on this connection."""

    def refuse(self, error: FetchError) -> None:
        """There is no connection for it."""


class Opener(Protocol):
    """What makes connections."""

    def open(self, route: Route, owner: Any) -> Deferred[Any]:
        """Connect, through proxies and with TLS; fails with any exception."""


class _Opening:
    """A connection being made for a call, and how long that may take."""

    def __init__(self, pool: Pool, call: PooledCall, until: float) -> None:
        self.pool = pool
        self.call = call
        self.until = min(until, call.due)

    def due(self) -> float:
        return self.until

    def expire(self, now: float) -> None:
        call = self.call
        phase = "total" if call.due <= now else "connect"
        setting = "DOWNLOAD_TIMEOUT" if phase == "total" else "DOWNLOAD_CONNECT_TIMEOUT"
        opening, call.opening = call.opening, None
        self.pool.deadlines.forget(self)
        if opening is not None:
            opening.cancel()
            error = FetchTimeout(f"no connection to {call.route.host} in time ({setting})", phase=phase, sent=False)
            call.refuse(error)


class Pool:
    """All connections of one downloader. ``clock`` is monotonic; times in seconds."""

    def __init__(
        self,
        *,
        opener: Opener,
        deadlines: Deadlines,
        clock: Callable[[], float],
        connect_timeout: float,
        idle_seconds: float,
        max_idle: int,
        max_idle_per_route: int,
        spool_folder: str | None = None,
    ) -> None:
        self.deadlines = deadlines
        self.clock = clock
        self.spool_folder = spool_folder
        self.routes: dict[Any, Route] = {}
        self._opener = opener
        self._connect_timeout = connect_timeout or float("inf")
        self._idle_seconds = idle_seconds
        self._max_idle = max_idle
        self._max_idle_per_route = max_idle_per_route
        # Idle connections of all routes, the one unused for longest first.
        self._idle: dict[Any, None] = {}
        self._connections: set[Any] = set()
        self._closed: Deferred[None] | None = None

    def __repr__(self) -> str:
        return f"<Pool routes={len(self.routes)} connections={len(self._connections)} idle={len(self._idle)}>"

    def send(self, call: PooledCall, now: float) -> None:
        """Put the call on a connection; it is told of everything that follows."""
        idle = call.route.idle
        while idle:
            connection = idle.pop()
            del self._idle[connection]
            if connection.idle_until > now:
                call.begin(connection, now)
                return
            connection.close()
        self.open_for(call)

    def open_for(self, call: PooledCall) -> None:
        """Put the call on a new connection."""
        route = call.route
        if self._closed is not None:
            call.refuse(FetchCancelled("the downloader is closed", sent=False))
            return
        route.connections += 1
        opening = _Opening(self, call, self.clock() + self._connect_timeout)
        call.opening = deferred = self._opener.open(route, self)
        self.deadlines.watch(opening)
        deferred.addCallbacks(self._opened, self._not_opened, callbackArgs=(opening,), errbackArgs=(opening,))

    def _opened(self, connection: Any, opening: _Opening) -> None:
        self.deadlines.forget(opening)
        call = opening.call
        connection.route = call.route
        self._connections.add(connection)
        self.deadlines.watch(connection)
        if call.opening is None:
            # The call was given up in the meantime, the connection is as good as any.
            self.give_back(connection)
            return
        call.opening = None
        call.begin(connection, self.clock())

    def _not_opened(self, failure: Failure, opening: _Opening) -> None:
        self.deadlines.forget(opening)
        call = opening.call
        self._release(call.route)
        if call.opening is not None:
            call.opening = None
            call.refuse(translate(failure, call.route))
        self._check_closed()

    def forget(self, call: PooledCall) -> None:
        """The call was cancelled; one that waits for a shared connection is dropped from the queue."""

    def give_back(self, connection: Any) -> None:
        """See connection.Owner."""
        route = connection.route
        if self._closed is not None or len(route.idle) >= self._max_idle_per_route or not self._idle_seconds:
            connection.close()
            return
        seconds = self._idle_seconds
        if connection.idle_seconds is not None:
            # A peer that says when it closes is asked nothing in its last second.
            seconds = min(seconds, max(connection.idle_seconds - 1, 0))
        connection.idle_until = connection.active + seconds
        route.idle.append(connection)
        self._idle[connection] = None
        if len(self._idle) > self._max_idle:
            oldest = next(iter(self._idle))
            self._drop_idle(oldest)
            oldest.close()

    def lost(self, connection: Any) -> None:
        """See connection.Owner."""
        self.deadlines.forget(connection)
        if connection in self._idle:
            self._drop_idle(connection)
        if connection in self._connections:
            self._connections.discard(connection)
            self._release(connection.route)
        self._check_closed()

    def _drop_idle(self, connection: Any) -> None:
        del self._idle[connection]
        connection.route.idle.remove(connection)

    def _release(self, route: Route) -> None:
        route.connections -= 1
        if route.connections <= 0:
            self.routes.pop(route.key, None)

    def close(self) -> Deferred[None]:
        """Close idle connections, cut off busy ones; fires when all are gone."""
        if self._closed is None:
            self._closed = Deferred()
            for connection in list(self._connections):
                if connection in self._idle:
                    self._drop_idle(connection)
                    connection.close()
                else:
                    connection.fail(FetchCancelled("the downloader was closed"))
            self._check_closed()
        closed: Deferred[None] = Deferred()
        self._closed.addCallback(lambda _: closed.callback(None))
        return closed

    def _check_closed(self) -> None:
        if self._closed is not None and not self._connections and not self._closed.called:
            self.deadlines.stop()
            self._closed.callback(None)
