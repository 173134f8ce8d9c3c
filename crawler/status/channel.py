"""How are the connections of a status page kept?

By Twisted's HTTP/1.1, with bounds for everything that a client could let grow: the head, the body while it is read,
the time until a request is whole, the connections. Twisted's access log is left out: the first request has the token.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, HTTPFactory, Request

from crawler.status.asked import TEXT, Refused
from crawler.status.complaints import Complaints
from crawler.status.exchange import HEADERS, Answering, Exchange, reason_of

MAX_HEAD = 16384
MAX_HEADERS = 64
MAX_CONNECTIONS = 128
SECONDS = 30.0
"""How long a request may take to arrive, and a connection may have none."""

LINGER_SECONDS = 2.0
"""How long a client that is sent away has to read why, and one that reads at the end of the crawl to read that."""

FLUSH_SECONDS = 20.0
"""How long a client has to read the last answer of its connection."""


class Channel(HTTPChannel):
    """A connection. Its time-out is that of a whole request, however slowly its bytes trickle."""

    maxHeaders = MAX_HEADERS  # noqa: N815 (Twisted's name)
    totalHeadersSize = MAX_HEAD  # noqa: N815 (Twisted's name)
    requestFactory: type[Request] = Exchange  # noqa: N815 (Twisted's name)
    factory: Site
    transport: Any

    def __init__(self) -> None:
        super().__init__()
        self._begun = False
        self._ending = False

    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        """Take the connection, or send it away."""
        super().connectionMade()
        connections = self.factory.connections
        connections.add(self)
        if len(connections) > 2 * MAX_CONNECTIONS:  # those that were sent away and linger are bounded too
            self.drop()
        elif len(connections) > MAX_CONNECTIONS:
            kind = f"a connection beyond {MAX_CONNECTIONS}"
            self.refuse(Refused(503, "there are too many connections; close other windows of this page", kind=kind))

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Read on."""
        self._begun = True
        if not self._ending:
            super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Read a line of a head, unless the client was sent away in the midst of what came with it."""
        if not self._ending:
            super().lineReceived(line)

    def headerReceived(self, line: bytes) -> bool:  # noqa: N802 (Twisted's name)
        """Read a header; a Content-Length of thousands of digits is no number to Python, and no error of the crawl."""
        try:
            return bool(super().headerReceived(line))
        except ValueError:
            self._respondToBadRequestAndDisconnect()
            return False

    def rawDataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Read a part of a body, unless the client was sent away."""
        if not self._ending:
            super().rawDataReceived(data)

    def resetTimeout(self) -> None:  # noqa: N802 (Twisted's name)
        """Let bytes that arrive win no time."""

    def requestDone(self, request: Request) -> None:  # noqa: N802 (Twisted's name)
        """Wait for the next one."""
        self._begun = False
        super().requestDone(request)

    def timeoutConnection(self) -> None:  # noqa: N802 (Twisted's name)
        """End a request that is too slow, a connection that is not used, or one that does not end by itself."""
        if self._ending:
            self.drop()
        elif self._begun:
            said = f"the request was not there after {SECONDS:g} seconds"
            self.refuse(Refused(408, said, kind="a request that came too slowly"))
        else:
            self.loseConnection()

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Refuse a line that is too long."""
        self._respondToBadRequestAndDisconnect()

    def _respondToBadRequestAndDisconnect(self) -> None:  # noqa: N802 (Twisted's name)
        if not self._ending:
            said = f"this is no request of HTTP/1.1 of at most {MAX_HEADERS} headers and {MAX_HEAD} bytes of them"
            self.refuse(Refused(400, said, kind="a malformed request or one with a large head"))

    def refuse(self, refused: Refused) -> None:
        """Say why, read nothing more, and close: at once for a client that reads, else a little later.

        To close while it still sends would make its system throw away what it was told (a reset, RFC 9112 §9.6).
        """
        self.factory.complaints.refused(refused)
        body = f"{refused.said}\n".encode()
        lines = [f"{name}: {value}" for name, value in (*HEADERS, ("Content-Type", TEXT), ("Connection", "close"))]
        head = "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode()
        self.transport.write(b"HTTP/1.1 %d %b\r\n%b" % (refused.status, reason_of(refused.status), head + body))
        self._linger(LINGER_SECONDS)
        self.transport.loseWriteConnection()

    def loseConnection(self) -> None:  # noqa: N802 (Twisted's name)
        """Close once what was written is sent, but wait for that no longer than some seconds."""
        self._linger(FLUSH_SECONDS)
        super().loseConnection()

    def end(self) -> None:
        """Close, as the crawl is over and waits for that."""
        self.loseConnection()
        self._linger(LINGER_SECONDS)

    def drop(self) -> None:
        """Close at once, whatever is left to be sent."""
        self.transport.abortConnection()

    def _linger(self, seconds: float) -> None:
        self._ending = True
        self.setTimeout(seconds)

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 (Twisted's name)
        """It is gone."""
        super().connectionLost(reason)
        self.factory.lost(self)


class Site(HTTPFactory):
    """The connections of a status page; ``answering`` answers their requests, and is set once it is known where."""

    protocol = Channel  # type: ignore[assignment]  # Twisted's is a function: it knows HTTP/2
    noisy = False
    answering: Answering

    def __init__(self, complaints: Complaints, reactor: Any) -> None:
        super().__init__(timeout=SECONDS, reactor=reactor)
        self.complaints = complaints
        self.connections: set[Channel] = set()
        self._empty: Deferred[None] | None = None

    def logPrefix(self) -> str:  # noqa: N802 (Twisted's name)
        """Return how Twisted's log calls this."""
        return "The status page"

    def startFactory(self) -> None:  # noqa: N802 (Twisted's name)
        """Begin no access log, and keep no time for one."""

    def stopFactory(self) -> None:  # noqa: N802 (Twisted's name)
        """There is no access log to be closed."""

    def lost(self, channel: Channel) -> None:
        """Forget a connection."""
        self.connections.discard(channel)
        if self._empty is not None and not self.connections:
            self._empty.callback(None)
            self._empty = None

    def close(self) -> Deferred[None]:
        """End the connections; fires once there is none."""
        closed: Deferred[None] = Deferred()
        self._empty = closed
        for channel in [*self.connections]:
            channel.end()
        if not self.connections and not closed.called:
            self._empty = None
            closed.callback(None)
        return closed
