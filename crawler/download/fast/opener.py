"""How does a route get a connection: directly, through TLS, through a proxy?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory

from crawler.download.fast.connection import HttpConnection
from crawler.download.fast.deadlines import Deadlines
from crawler.download.fast.dial import Dialler
from crawler.download.fast.head import HeadLimits
from crawler.download.fast.route import Route


class ConnectionOpener:
    """Makes HttpConnections (see pool.Opener)."""

    def __init__(
        self,
        dialler: Dialler,
        *,
        limits: HeadLimits,
        read_timeout: float,
        clock: Callable[[], float],
        deadlines: Deadlines,
    ) -> None:
        self._dialler = dialler
        self._limits = limits
        self._read_timeout = read_timeout
        self._clock = clock
        self._deadlines = deadlines

    def open(self, route: Route, owner: Any) -> Deferred[Any]:
        """See pool.Opener."""
        factory = Factory.forProtocol(lambda: self._connection(owner))  # type: ignore[arg-type]  # any callable does
        factory.noisy = False
        return self._dialler.dial(route.host, route.port, factory, bind_address=route.bind_address)

    def _connection(self, owner: Any) -> HttpConnection:
        return HttpConnection(
            owner,
            limits=self._limits,
            read_timeout=self._read_timeout,
            clock=self._clock,
            deadlines=self._deadlines,
        )
