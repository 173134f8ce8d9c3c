"""Which connection does an exchange go out on?

Goals: no handshake where a connection lies idle; no connection open for longer than somebody may want it; and
every call gets exactly one of ``begin`` and ``refuse``, whatever happens while its connection is being made.

Plan: a call takes an idle connection of its route, the latest used first (it is the least likely to be closed by the
peer), else the one that HTTP/2 shares, else a new one. While nobody knows yet whether a server speaks HTTP/2, one
connection is opened and the other calls of the route wait for it (``route.waiting``), since each would open one that
a shared one makes useless. When it is there they are put on it, or open one each; when it failed, they fail as it
did, unless its own call was only cancelled or out of time, which says nothing of the server: then the next one opens.
A call that is given up while its connection is made leaves it to the pool: ``call.opening`` is None by then, which
is how the end of the opening knows.

Idle connections stand in two places, each in the order of use: in their route's list, to be taken, and in ``_idle``,
to find the one unused for longest, of all routes, when there are too many. What enters or leaves one place enters or
leaves the other, but for a shared connection, which stands in ``_idle`` alone and is found by ``route.shared``.

Known limits: how many may be busy at once is not decided here; the frontier has done that. An idle connection that
the peer closed in the same moment is noticed when the exchange on it fails (see rules.py). A route is forgotten
with its last connection, and so is whether its server speaks HTTP/2.
"""

from __future__ import annotations

from collections.abc import Hashable

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.config.schema import CoreSettings
from crawler.download.http.connection import BaseConnection, Call, Route
from crawler.download.http.opener import ConnectionOpener
from crawler.download.net.deadlines import FOREVER
from crawler.download.net.failures import not_connected
from crawler.download.net.network import Network
from crawler.errors import FetchCancelled, FetchTimeout

# Connections kept idle beyond those in use; far below the usual limit of 1,024 open files.
_LEAST_IDLE = 128


class _Opening:
    """A connection being made for a call, and how long that may take."""

    def __init__(self, pool: Pool, call: Call, until: float) -> None:
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
            proxy = call.route.proxy
            via = "" if proxy is None else f" through the proxy {proxy.label}"
            message = f"no connection to {call.route.host}{via} in time ({setting})"
            call.refuse(FetchTimeout(message, phase=phase, sent=False))


class Pool:
    """All connections of one downloader."""

    def __init__(
        self,
        settings: CoreSettings,
        network: Network,
        opener: ConnectionOpener,
    ) -> None:
        self.deadlines = network.deadlines
        self.clock = network.clock
        self.http2 = settings.HTTP2_ENABLED
        self.routes: dict[Hashable, Route] = {}
        self._opener = opener
        self._connect_timeout = settings.DOWNLOAD_CONNECT_TIMEOUT or FOREVER
        self._idle_seconds = settings.KEEP_ALIVE_SECONDS
        self._max_idle = max(_LEAST_IDLE, 2 * settings.CONCURRENT_REQUESTS)
        self._max_idle_per_route = max(settings.CONCURRENT_REQUESTS_PER_DOMAIN, 1)
        # Idle connections of all routes, the one unused for longest first.
        self._idle: dict[BaseConnection, None] = {}
        self._connections: set[BaseConnection] = set()
        self._closed: Deferred[None] | None = None

    def __repr__(self) -> str:
        return f"<Pool routes={len(self.routes)} connections={len(self._connections)} idle={len(self._idle)}>"

    def __len__(self) -> int:
        return len(self._connections)

    def send(self, call: Call, now: float) -> None:
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

    def open_for(self, call: Call) -> None:
        """Put the call on a new connection, or on one that is shared."""
        route = call.route
        if self._closed is not None:
            call.refuse(FetchCancelled("the downloader is closed", sent=False))
            return
        shared = route.shared
        if shared is not None and shared.accepts:
            self._idle.pop(shared, None)
            call.begin(shared, self.clock())
            return
        opening = _Opening(self, call, self.clock() + self._connect_timeout)
        if route.waiting is not None:
            call.opening = Deferred()
            call.opening.addErrback(lambda _: None)
            route.waiting.append(opening)
            self.deadlines.watch(opening)
            return
        if route.secure and route.http2 is None and self.http2:
            route.waiting = []
        route.connections += 1
        self.routes[route.key] = route
        call.opening = deferred = self._opener.open(route, self)
        self.deadlines.watch(opening)
        deferred.addCallbacks(self._opened, self._not_opened, callbackArgs=(opening,), errbackArgs=(opening,))

    def _opened(self, connection: BaseConnection, opening: _Opening) -> None:
        self.deadlines.forget(opening)
        call = opening.call
        route = call.route
        connection.route = route
        self._connections.add(connection)
        self.deadlines.watch(connection)
        if route.http2 is not False:
            route.http2 = connection.multiplexes
        if connection.multiplexes:
            route.shared = connection
        if call.opening is None:
            # The call was given up in the meantime, the connection is as good as any.
            self.give_back(connection)
        else:
            call.opening = None
            call.begin(connection, self.clock())
        waiting, route.waiting = route.waiting or [], None
        for each in waiting:
            self.deadlines.forget(each)
            if each.call.opening is not None:
                each.call.opening = None
                self.open_for(each.call)

    def _not_opened(self, failure: Failure, opening: _Opening) -> None:
        self.deadlines.forget(opening)
        route = opening.call.route
        waiting, route.waiting = route.waiting or [], None
        self._release(route)
        given_up = opening.call.opening is None
        for each in [opening, *waiting]:
            self.deadlines.forget(each)
            call = each.call
            if call.opening is None:
                continue
            call.opening = None
            if given_up:
                # The first was cancelled or out of time, which says nothing about the others.
                self.open_for(call)
            else:
                call.refuse(not_connected(failure.value, route.host, route.port, route.proxy))
        self._check_closed()

    def leaving(self, connection: BaseConnection) -> None:
        """A shared connection takes no more exchanges."""
        if connection.route.shared is connection:
            connection.route.shared = None
            self._idle.pop(connection, None)

    def give_back(self, connection: BaseConnection) -> None:
        """See connection.Owner."""
        route = connection.route
        shared = connection.multiplexes
        full = (route.shared is not connection) if shared else len(route.idle) >= self._max_idle_per_route
        if self._closed is not None or full or not self._idle_seconds:
            connection.close()
            return
        seconds = self._idle_seconds
        if connection.idle_seconds is not None:
            # A peer that says when it closes is asked nothing in its last second.
            seconds = min(seconds, max(connection.idle_seconds - 1, 0))
        since = connection.active if connection.active != FOREVER else self.clock()
        connection.idle_until = since + seconds
        if not shared:
            route.idle.append(connection)
        self._idle[connection] = None
        if connection.idle_until < self.deadlines.wake:
            self.deadlines.hasten(connection.idle_until)
        if len(self._idle) > self._max_idle:
            oldest = next(iter(self._idle))
            self._drop_idle(oldest)
            oldest.close()

    def lost(self, connection: BaseConnection) -> None:
        """See connection.Owner."""
        self.deadlines.forget(connection)
        if connection in self._idle:
            self._drop_idle(connection)
        if connection in self._connections:
            if connection.multiplexes:
                self.leaving(connection)
            self._connections.discard(connection)
            self._release(connection.route)
        self._check_closed()

    def _drop_idle(self, connection: BaseConnection) -> None:
        del self._idle[connection]
        if not connection.multiplexes:
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
