"""Who holds a new connection until the protocol that will use it is known?

A preamble reads what proxies answer, then hands the transport over. Preambles stack: TLS puts another one inside.
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IHandshakeListener
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from crawler.download.net.stream import Stream
from crawler.errors import FetchError, ProxyError


@implementer(IHandshakeListener)
class Preamble(Stream):
    """Reads exact amounts until ``hand_over``."""

    def __init__(self) -> None:
        super().__init__()
        self.secured: Deferred[None] = Deferred()

    def handshakeCompleted(self) -> None:
        """TLS beneath this preamble is established; nothing about the peer is verified by that."""
        self.secured.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        if not self.secured.called:
            self.secured.addErrback(lambda _: None)
            self.secured.errback(reason)

    def _too_long(self, size: int) -> FetchError:
        return ProxyError(f"the proxy's answer is longer than {size} bytes", sent=False)

    def hand_over(self, protocol: TwistedProtocol) -> None:
        """Let ``protocol`` have the connection and every byte not read so far."""
        # On the instance, so that the transport calls the new protocol directly.
        self.dataReceived = protocol.dataReceived  # type: ignore[method-assign]
        self.connectionLost = protocol.connectionLost  # type: ignore[method-assign]
        if isinstance(self.transport, Connection):
            # The endpoint's wrapper would otherwise stand between them for every read.
            self.transport.protocol = protocol
        protocol.makeConnection(self.transport)
        held, self._held = bytes(self._held), bytearray()
        if held:
            protocol.dataReceived(held)
        if self._lost is not None:
            protocol.connectionLost(self._lost)


class PreambleFactory(Factory[Preamble]):
    """Builds one preamble for each connection."""

    noisy = False

    def buildProtocol(self, addr: IAddress | None) -> Preamble:
        return Preamble()
