"""Who holds a new connection until the protocol that will use it is known?

A gate reads what proxies answer, then hands the transport over. Gates stack: TLS puts another one inside.
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure
from zope.interface import implementer

from crawler.errors import ProxyError

# No answer that a gate reads is longer.
_MAX_HELD = 65_536


@implementer(IHandshakeListener)
class Gate(Protocol):
    """Reads exact amounts until ``hand_over``."""

    def __init__(self) -> None:
        self.secured: Deferred[None] = Deferred()
        self._held = b""
        self._wanted: int | Callable[[bytes], int] = 0
        self._reading: Deferred[bytes] | None = None
        self._lost: Failure | None = None

    def __repr__(self) -> str:
        return f"<Gate held={len(self._held)} lost={self._lost is not None}>"

    def handshakeCompleted(self) -> None:
        """TLS beneath this gate is established; nothing about the peer is verified by that."""
        self.secured.callback(None)

    def read(self, wanted: int | Callable[[bytes], int]) -> Deferred[bytes]:
        """Return so many bytes, or up to the offset a function finds (-1: not yet); fails if the connection is lost."""
        self._reading = Deferred()
        reading = self._reading
        self._wanted = wanted
        if self._lost is not None:
            self._reading = None
            reading.errback(self._lost)
        else:
            self._try_read()
        return reading

    def write(self, data: bytes) -> None:
        """Send these bytes."""
        transport: Any = self.transport
        transport.write(data)

    def dataReceived(self, data: bytes) -> None:
        self._held += data
        self._try_read()

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._lost = reason
        reading, self._reading = self._reading, None
        if reading is not None and not reading.called:
            reading.errback(reason)
        if not self.secured.called:
            self.secured.addErrback(lambda _: None)
            self.secured.errback(reason)

    def _try_read(self) -> None:
        reading, wanted = self._reading, self._wanted
        if reading is None:
            return
        enough = wanted if isinstance(wanted, int) else wanted(self._held)
        end = enough if enough <= len(self._held) else -1
        if end < 0 and len(self._held) <= _MAX_HELD:
            return
        self._reading = None
        if reading.called:
            return
        if end < 0:
            reading.errback(Failure(ProxyError(f"the proxy's answer is longer than {_MAX_HELD} bytes", sent=False)))
            return
        found, self._held = self._held[:end], self._held[end:]
        reading.callback(found)

    def hand_over(self, protocol: Any) -> None:
        """Let ``protocol`` have the connection and every byte not read so far."""
        # On the instance, so that the transport calls the new protocol directly.
        self.dataReceived = protocol.dataReceived  # type: ignore[method-assign]
        self.connectionLost = protocol.connectionLost  # type: ignore[method-assign]
        transport: Any = self.transport
        if isinstance(transport, Connection):
            # The endpoint's wrapper would otherwise stand between them for every read.
            transport.protocol = protocol
        protocol.makeConnection(transport)
        held, self._held = self._held, b""
        if held:
            protocol.dataReceived(held)
        if self._lost is not None:
            protocol.connectionLost(self._lost)

    def abort(self) -> None:
        """Cut the connection off."""
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()


class GateFactory(Factory):
    """Builds one gate for each connection."""

    noisy = False

    def buildProtocol(self, addr: Any) -> Gate:
        return Gate()
