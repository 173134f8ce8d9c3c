"""What stands in for the network, for a crawl, and for servers whose answers a test writes down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from crawler.config.settings import Settings
from crawler.notices.notice import Notice, notice
from crawler.notices.places import Place, Server, places_of
from crawler.notices.sending import send

NAUGHTY = (
    "a\r\nBcc: all@example.com\r\n\r\nQUIT :\n.\n\0\x01ACTION waves\x01\x02bold\x0304red\u2028next\u202eright to left"
    "\ufffe\ud800<b>&amp;]]></body><script> `ü漢\U0001f577"
)
"""What a page may say to be more than text on some way."""


WALL = 1.7e9
"""Seconds since the epoch when a test begins."""


class Wall(Clock):
    """Virtual time that is the wall's, too."""

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return WALL + self.seconds()


# ruff: noqa: N815 - the names are those of Twisted's interfaces


class Transport(StringTransport):
    """Notes that TLS was begun, and ends its connection when it is told to."""

    secure = False

    def startTLS(self, context: Any) -> None:
        """Be secure from now on."""
        self.secure = True

    def loseConnection(self) -> None:
        super().loseConnection()
        if self.protocol.connected:
            self.protocol.connected = 0
            self.protocol.connectionLost(Failure(ConnectionDone()))

    abortConnection = loseConnection


class MemoryNetwork:
    """Connections to nobody: a test says what comes. ``statuses`` are the answers of hooks."""

    def __init__(self, *statuses: int) -> None:
        self.clock = Wall()
        self.statuses = list(statuses)
        self.posted: list[tuple[str, bytes]] = []
        self.transports: list[Transport] = []
        self.error: Exception | None = None

    @property
    def transport(self) -> Transport:
        """The last connection."""
        return self.transports[-1]

    def said(self) -> str:
        """Return what was sent since this was last asked."""
        data = self.transport.value()
        self.transport.clear()
        return data.decode()

    def hears(self, text: str) -> None:
        """Let the server say something."""
        self.transport.protocol.dataReceived(text.replace("\n", "\r\n").encode())

    def later(self, seconds: float) -> Deferred[None]:
        passed: Deferred[None] = Deferred(lambda _: call.cancel())
        call = self.clock.callLater(seconds, passed.callback, None)
        return passed

    def tls(self, server: Server) -> Any:
        return object()

    def connect(self, server: Server, factory: IProtocolFactory, tls: Any) -> Deferred[Any]:
        if self.error is not None:
            return fail(self.error)
        protocol: Any = factory.buildProtocol(None)  # type: ignore[arg-type]  # nowhere
        transport = Transport()
        transport.protocol = protocol
        self.transports.append(transport)
        protocol.makeConnection(transport)
        return succeed(protocol)

    async def post(self, url: str, body: bytes) -> int:
        self.posted.append((url, body))
        return self.statuses.pop(0) if self.statuses else 200

    async def services(self, domain: str) -> list[tuple[str, int]]:
        return []

    async def close(self) -> None:
        """Nothing is open."""


def core(**settings: Any) -> Any:
    """Return settings as a crawl has them."""
    return Settings.load(None, None, {}, script=settings).core


def place(entry: Mapping[str, Any], **settings: Any) -> Place:
    """Return the place that an entry of NOTICES names."""
    return places_of([entry], core(**settings), {})[0]


def told(title: str = "shop: first ValueError in parse", *lines: str) -> Notice:
    """Return a notice."""
    return notice("error", "errors", title, lines)


class Sending:
    """A notice on its way. ``outcome`` is None until it is sent ("sent") or failed (the error)."""

    begun: ClassVar[list[Sending]] = []

    def __init__(self, network: Any, to: Place, what: Notice) -> None:
        self.outcome: Any = None
        self.begun.append(self)
        self.deferred = Deferred.fromCoroutine(send(to, what, network, wall=WALL, spider="shop", job="shop-1"))
        self.deferred.addCallbacks(lambda _: "sent", lambda failure: failure.value).addCallback(self._over)

    def _over(self, outcome: Any) -> None:
        self.outcome = outcome
