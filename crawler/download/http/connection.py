"""What have connections of every version of HTTP in common?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable, Hashable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.ssl import Certificate

from crawler.download.net.deadlines import FOREVER, Deadlines
from crawler.download.net.interfaces import ConnectionProtocol, Consumer
from crawler.download.net.proxy import Proxy
from crawler.download.net.tls import Handshake
from crawler.download.wire.head import HeadLimits, ResponseHead
from crawler.download.wire.request import Destination
from crawler.errors import FetchError, TruncatedBody, UnsupportedScheme
from crawler.model.request import Request
from crawler.model.url import is_http, shortened, split

# How long a connection may take to close before it is cut off (a TLS peer need not answer close_notify).
_CLOSING_SECONDS = 5.0


def address_of(text: str) -> IPv4Address | IPv6Address | None:
    """Return an IP address, None for what is none."""
    try:
        return ip_address(text.partition("%")[0])
    except ValueError:
        return None


class Route(Destination):
    """One way to one origin, with its idle connections, the latest last."""

    def __init__(self, key: Hashable, origin: str, proxy: Proxy | None, bind_address: str | None) -> None:
        parts = split(origin + "/")
        assert parts.port is not None
        # A tunnel through the proxy, or SOCKS, is as good as no proxy.
        plain = proxy is not None and parts.scheme == "http" and proxy.scheme in ("http", "https")
        secret = None if proxy is None else proxy.authorization
        super().__init__(parts.scheme, parts.host, parts.port, proxied=plain, authorization=secret)
        self.key = key
        self.host = parts.host
        self.port = parts.port
        self.secure = parts.scheme == "https"
        self.proxy = proxy
        self.bind_address = bind_address
        self.idle: list[BaseConnection] = []
        self.connections = 0
        # The connection that many exchanges share, if the peer speaks HTTP/2: None until the first connection
        # tells; the calls that come meanwhile wait for it, or each would open one.
        self.http2: bool | None = None
        self.shared: BaseConnection | None = None
        self.waiting: list[Any] | None = None

    def __repr__(self) -> str:
        via = f" via {self.proxy.label}" if self.proxy else ""
        return f"<Route {self.host}:{self.port}{via} connections={self.connections} idle={len(self.idle)}>"


def bind_address_of(request: Request, default: str | None) -> str | None:
    """Return the address that the connection for a request comes from. Raises FetchError for what is not HTTP."""
    if request.problem is not None:
        raise FetchError(request.problem, sent=False)
    if not is_http(request.normal_url):
        raise UnsupportedScheme(f"no downloader for this URL: {shortened(request.url)!r}", sent=False)
    address = request.meta.get("bindaddress") or default
    return address[0] if isinstance(address, tuple) else address


class Upload(Protocol):
    """Where the body of a request is written to."""

    @property
    def transport(self) -> Consumer:
        """What takes the bytes."""

    def progressed(self) -> None:
        """Some of them went out."""


class Source(Protocol):
    """A request's body that is made piece by piece."""

    length: int | None
    framed: bool

    def start(self, upload: Upload, done: Callable[[FetchError | None], None]) -> None:
        """Begin to write; ``done(None)`` when all of it was written."""

    def stop(self) -> None:
        """The exchange is over."""


class Call(Protocol):
    """One exchange, as pool and connection see it. ``payload`` is what to send, ``body_source`` what to send after it.

    ``due``: the time of the clock at which the whole exchange must be over.
    """

    route: Route
    opening: Deferred[BaseConnection] | None
    method: str
    payload: bytes
    body_source: Source | None
    due: float

    def begin(self, connection: BaseConnection, now: float) -> None:
        """Go out on this connection."""

    def refuse(self, error: FetchError) -> None:
        """There is no connection for it."""

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

    def give_back(self, connection: BaseConnection) -> None:
        """The connection is ready for another exchange."""

    def lost(self, connection: BaseConnection) -> None:
        """The connection is gone."""

    def leaving(self, connection: BaseConnection) -> None:
        """The connection takes no more exchanges, but goes on with those it has."""


class Terms(NamedTuple):
    """What all connections of a downloader keep to; ``read_timeout`` in seconds, 0 for none."""

    limits: HeadLimits
    read_timeout: float
    clock: Callable[[], float]
    deadlines: Deadlines


class BaseConnection(ConnectionProtocol):
    """Who is at the other end, since when nothing came, and how a connection ends.

    ``idle_until``: when an idle connection is closed; ``active``: when bytes came last, both by ``clock``.
    """

    multiplexes = False
    protocol_name = ""
    route: Route
    handshake: Handshake | None = None
    certificate: Certificate | None = None
    ip_address: IPv4Address | IPv6Address | None = None
    remote = ""
    exchanges = 0
    idle_until = FOREVER
    idle_seconds: int | None = None
    active = 0.0

    def __init__(self, owner: Owner, terms: Terms) -> None:
        self.owner = owner
        self._limits = terms.limits
        self._read_timeout = terms.read_timeout or FOREVER
        self._clock = terms.clock
        self._deadlines = terms.deadlines
        self._closing = False

    @property
    def accepts(self) -> bool:
        """Whether another exchange may begin on a shared connection."""
        return False

    def send(self, call: Call, now: float) -> None:
        """Begin an exchange. ``now`` is the clock's time."""
        raise NotImplementedError

    def unused(self) -> None:
        """The exchange that it was taken for does not begin."""
        self.owner.give_back(self)

    def cancel(self, call: Call) -> None:
        """Drop the exchange, if it is still under way."""
        raise NotImplementedError

    def fail(self, error: FetchError) -> None:
        """End every exchange with an error, and the connection with them."""
        raise NotImplementedError

    def pause(self, call: Call) -> None:
        """Read nothing of this exchange for now; silence is not counted meanwhile."""
        raise NotImplementedError

    def resume(self, call: Call) -> None:
        """Read again."""
        raise NotImplementedError

    def connectionMade(self) -> None:
        self.remote = getattr(self.transport.getPeer(), "host", "") or ""
        self.ip_address = address_of(self.remote)

    def due(self) -> float:
        """When something must have happened; see Deadlines."""
        return self.idle_until

    def expire(self, now: float) -> None:
        """The time is up; see Deadlines."""
        self.abort()

    def close(self) -> None:
        """Close in an orderly way; cut off if that takes long."""
        if self._closing or self.transport is None:
            return
        self._closing = True
        self.idle_until = self._clock() + _CLOSING_SECONDS
        self._say_goodbye()
        self.transport.loseConnection()
        self._deadlines.watch(self)

    def _say_goodbye(self) -> None:
        """Send what the protocol wants said before the end."""

    def abort(self) -> None:
        """Cut the connection off now."""
        self._closing = True
        self.idle_until = FOREVER
        if self.transport is not None:
            self.transport.abortConnection()

    def _remember_session(self) -> None:
        if self.handshake is not None and self.exchanges:
            self.handshake.remember()
