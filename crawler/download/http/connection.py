"""What have connections of every version of HTTP in common?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.protocol import Protocol as TwistedProtocol

from crawler.download.net.deadlines import FOREVER, Deadlines
from crawler.download.wire.head import HeadLimits, ResponseHead
from crawler.errors import FetchError, TruncatedBody

# How long a connection may take to close before it is cut off (a TLS peer need not answer close_notify).
_CLOSING_SECONDS = 5.0


class Call(Protocol):
    """One exchange, as a connection sees it. ``payload`` is what to send, ``body_source`` what to send after it.

    ``due``: the time of the clock at which the whole exchange must be over.
    """

    method: str
    payload: bytes
    body_source: Any
    due: float

    def on_head(self, head: ResponseHead, raw: bytes) -> bool:
        """The head is complete; False: do not read the body. May raise FetchError."""

    def on_body(self, data: bytes) -> None:
        """Some bytes of the body, transfer coding removed. May raise FetchError."""

    def on_end(self, flag: str | None) -> None:
        """The response is complete, or ended for the reason ``flag`` ("stopped", "dataloss")."""

    def on_error(self, error: FetchError, *, stale: bool) -> None:
        """It failed. ``stale``: the connection was used before and the peer closed it without a byte."""

    def on_truncated(self, error: TruncatedBody) -> None:
        """The body ended early."""


class Owner(Protocol):
    """Where a connection goes when it is not in use."""

    def give_back(self, connection: Any) -> None:
        """The connection is ready for another exchange."""

    def lost(self, connection: Any) -> None:
        """The connection is gone."""

    def leaving(self, connection: Any) -> None:
        """The connection takes no more exchanges, but goes on with those it has."""


class BaseConnection(TwistedProtocol):
    """Who is at the other end, since when nothing came, and how a connection ends.

    ``idle_until``: when an idle connection is closed; ``active``: when bytes came last, both by ``clock``.
    """

    multiplexes = False
    protocol_name = ""
    route: Any = None
    handshake: Any = None
    certificate: Any = None
    ip_address: Any = None
    remote = ""
    exchanges = 0
    idle_until = FOREVER
    idle_seconds: int | None = None
    active = 0.0

    def __init__(
        self,
        owner: Owner,
        *,
        limits: HeadLimits,
        read_timeout: float,
        clock: Callable[[], float],
        deadlines: Deadlines,
    ) -> None:
        self.owner = owner
        self._limits = limits
        self._read_timeout = read_timeout or FOREVER
        self._clock = clock
        self._deadlines = deadlines
        self._closing = False

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.remote = getattr(transport.getPeer(), "host", "") or ""
        try:
            self.ip_address = ipaddress.ip_address(self.remote.partition("%")[0])
        except ValueError:
            self.ip_address = None

    def due(self) -> float:
        """When something must have happened; see Deadlines."""
        return self.idle_until

    def expire(self, now: float) -> None:
        """The time is up; see Deadlines."""
        self.abort()

    def close(self) -> None:
        """Close in an orderly way; cut off if that takes long."""
        transport: Any = self.transport
        if self._closing or transport is None:
            return
        self._closing = True
        self.idle_until = self._clock() + _CLOSING_SECONDS
        self._say_goodbye()
        transport.loseConnection()
        self._deadlines.watch(self)

    def _say_goodbye(self) -> None:
        """Send what the protocol wants said before the end."""

    def abort(self) -> None:
        """Cut the connection off now."""
        self._closing = True
        self.idle_until = FOREVER
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    def _remember_session(self) -> None:
        if self.handshake is not None and self.exchanges:
            self.handshake.remember()
