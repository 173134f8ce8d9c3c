"""What passes over one of the Agent's connections, and is the head of each answer small enough?

Twisted's Agent bounds neither the number nor the size of a response's header lines together, keeps no raw
heads and does not say whom it talks to. A wrapper between the transport and its protocol does.
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.protocol import connectionDone
from twisted.internet.ssl import Certificate
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from twisted.web.client import URI
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from crawler.config.schema import CoreSettings
from crawler.download.http.connection import Route
from crawler.download.http.opener import ConnectionOpener
from crawler.download.net.failures import not_connected
from crawler.download.net.network import Network
from crawler.download.net.preamble import Preamble
from crawler.download.net.tls import Handshake
from crawler.errors import HeadTooLarge


class WatchedConnection(ProtocolWrapper):
    """One connection. ``heard()`` is called at each arrival, ``head`` grows until the head is complete."""

    def __init__(self, factory: WrappingFactory[WatchedConnection], limit: int, wrapped: IProtocol) -> None:
        super().__init__(factory, wrapped)
        self._limit = limit
        self.heard: Callable[[], None] = _nobody
        self.sent = bytearray()
        self.head = bytearray()
        self.uses = 0
        self.certificate: Certificate | None = None
        self.handshake: Handshake | None = None
        self._in_head = True
        self._interim = 0
        self._problem: Failure | None = None

    def begin(self, heard: Callable[[], None]) -> None:
        """Another exchange begins."""
        self.heard = heard
        self.uses += 1
        self.sent = bytearray()
        self.head = bytearray()
        self._in_head = True
        self._interim = 0

    def end(self) -> None:
        """The exchange has ended: nobody listens now."""
        self.heard = _nobody

    @property
    def remote(self) -> str:
        """The address that was dialled."""
        transport: Any = self.transport
        return str(getattr(transport.getPeer(), "host", "")) if self.transport is not None else ""

    def write(self, data: bytes) -> None:
        self._sending(data)
        super().write(data)  # type: ignore[no-untyped-call]  # Twisted's

    def writeSequence(self, data: Iterable[bytes]) -> None:
        for piece in data:
            self._sending(piece)
        super().writeSequence(data)  # type: ignore[no-untyped-call]  # Twisted's

    def _sending(self, data: bytes) -> None:
        if not self.sent.endswith(b"\r\n\r\n"):
            self.sent += data[: data.find(b"\r\n\r\n") + 4] if b"\r\n\r\n" in data else data

    def dataReceived(self, data: bytes) -> None:
        self.heard()
        if self._in_head and not self._read_head(data):
            return
        super().dataReceived(data)  # type: ignore[no-untyped-call]  # Twisted's

    def _read_head(self, data: bytes) -> bool:
        head = self.head
        head += data
        while (end := _end_of_head(head)) >= 0:
            if head[9:10] != b"1" or head[9:12] == b"101":
                self._in_head = False
                del head[end:]
                return self._is_small(end)
            # An interim response: any number of them must fit in the limit together.
            self._interim += end
            del head[:end]
        return self._is_small(len(head))

    def _is_small(self, size: int) -> bool:
        limit = self._limit
        if self._interim + size <= limit:
            return True
        error = HeadTooLarge(f"the head of the response is larger than {limit} bytes (HEADER_MAX_TOTAL)")
        self._problem = Failure(error)
        self.abortConnection()
        return False

    def abortConnection(self) -> None:
        """Close at once (ITCPTransport)."""
        if self.transport is not None:
            self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(self._problem or reason)  # type: ignore[no-untyped-call]  # Twisted's


def _end_of_head(data: bytearray) -> int:
    ends = [found + len(mark) for mark in (b"\r\n\r\n", b"\n\n", b"\n\r\n") if (found := data.find(mark)) >= 0]
    return min(ends, default=-1)


def _nobody() -> None:
    pass


class AgentOpener(ConnectionOpener):
    """Makes connections as the fast downloader does, for the Agent: each is a WatchedConnection.

    The owner is the factory of the Agent's protocol.
    """

    def __init__(self, settings: CoreSettings, network: Network) -> None:
        super().__init__(settings, network)
        self._http2 = False

    def _connection(self, owner: Any, preamble: Preamble) -> Any:
        watching: Any = WrappingFactory(owner)
        watching.noisy = False
        return WatchedConnection(watching, self._terms.limits.total, owner.buildProtocol(None))


@implementer(IAgentEndpointFactory)
class RouteEndpoint:
    """The endpoint of a route, and the factory that gives it to the Agent."""

    def __init__(self, opener: AgentOpener, route: Route) -> None:
        self._opener = opener
        self._route = route

    def endpointForURI(self, uri: URI) -> RouteEndpoint:
        """Return the endpoint, whatever the URL (IAgentEndpointFactory)."""
        return self

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect (IStreamClientEndpoint); fails with a FetchError."""
        opening = self._opener.open(self._route, factory)
        return opening.addCallbacks(lambda watched: watched.wrappedProtocol, self._explain)

    def _explain(self, failure: Failure) -> Failure:
        route = self._route
        return Failure(not_connected(failure.value, route.host, route.port, route.proxy))
