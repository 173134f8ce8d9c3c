"""How does a downloader for a scheme over TCP keep the whole contract of the seam?

``TcpDownloader`` is its base: a subclass says in ``converse`` what is said on one connection. Kept for it are what
its name resolves to and whether that may be dialled, the time-outs of the connection and of each read, an end at once
when the fetch is cancelled or the downloader closed, the limits of the body and the file it may lie in, what the
exchange watches, and that every failure is a FetchError which knows its request and whether anything was sent. The
time-out of the whole fetch is kept by TimedDownloader, around every downloader that a setting names.
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.error import ConnectionClosed, ConnectionDone
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure

from crawler.config.schema import CoreSettings
from crawler.download.body import Body
from crawler.download.net.deadlines import FOREVER
from crawler.download.net.failures import not_connected
from crawler.download.net.interfaces import ConnectionProtocol, Reactor
from crawler.download.net.network import Network
from crawler.download.net.stream import Stream
from crawler.download.rules import FetchRules
from crawler.download.seam import Exchange, Head
from crawler.errors import BadResponse, ConnectionLost, FetchCancelled, FetchError, FetchTimeout
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import split

# Bytes of a peer's that may lie here before they are asked for.
_MOST_UNREAD = 65_536


class TcpConnection(Stream):
    """A connection that is read by lines, by numbers of bytes, or to its end.

    A read fails with FetchTimeout when nothing came for ``read_timeout`` seconds (0: never).
    """

    def __init__(self, exchange: Exchange, network: Network, *, read_timeout: float) -> None:
        super().__init__()
        self._exchange = exchange
        self._clock = network.clock
        self._deadlines = network.deadlines
        self._read_timeout = read_timeout or FOREVER
        self._active = 0.0
        self._answered = False
        self._paused = False

    def write(self, data: bytes) -> None:
        """Send these bytes."""
        self._exchange.sent = True
        super().write(data)

    def read(self, wanted: int | Callable[[bytearray], int]) -> Deferred[bytes]:
        """Return so many bytes, or up to the offset a function finds (-1: not yet)."""
        if self._paused:
            self._pause(False)
        self._active = self._clock()
        reading = super().read(wanted)
        if not reading.called:
            self._deadlines.watch(self)
        return reading

    def dataReceived(self, data: bytes) -> None:
        self._active = self._clock()
        self._answered = True
        super().dataReceived(data)
        # A peer that sends more than is asked for waits.
        if self._reading is None and not (self._paused or self._aborted) and self.unread > _MOST_UNREAD:
            self._pause(True)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._deadlines.forget(self)
        super().connectionLost(reason)

    def due(self) -> float:
        """See Deadlines."""
        return FOREVER if self._reading is None else self._active + self._read_timeout

    def expire(self, now: float) -> None:
        """See Deadlines."""
        reading, self._reading = self._reading, None
        if reading is not None and not reading.called:
            phase = "read" if self._answered else "first byte"
            reading.errback(Failure(FetchTimeout(f"nothing came for {self._read_timeout:g} s", phase=phase)))

    def _pause(self, paused: bool) -> None:
        self._paused = paused
        (self.transport.pauseProducing if paused else self.transport.resumeProducing)()

    async def line(self) -> bytes:
        """Return the next line without its end; raises ConnectionLost if the peer closes before it."""
        return (await self.read(_end_of_line)).rstrip(b"\r\n")

    async def rest(self) -> AsyncGenerator[bytes, None]:
        """Yield what comes, in pieces, until the peer closes the connection."""
        while True:
            try:
                yield await self.read(_whatever_is_there)
            except ConnectionDone:
                return


def _end_of_line(held: bytearray) -> int:
    return held.find(b"\n") + 1 or -1


def _whatever_is_there(held: bytearray) -> int:
    return len(held) or -1


class TcpFetch:
    """One fetch over TCP. ``url`` has the parts of the request's URL; ``port`` is that of the URL or the scheme."""

    def __init__(self, downloader: TcpDownloader, request: Request, exchange: Exchange) -> None:
        self.request = request
        self.exchange = exchange
        self.url = split(request.normal_url)
        self.port = self.url.port or downloader.port
        self._downloader = downloader
        self._connected: ConnectionProtocol | None = None
        self._began = 0.0
        self._head: Head
        self._body: Body | None = None

    async def connect(self) -> TcpConnection:
        """Connect to the host of the URL. Raises FetchError."""
        downloader = self._downloader
        read_timeout = downloader.settings.DOWNLOAD_READ_TIMEOUT
        connection = TcpConnection(self.exchange, downloader.network, read_timeout=read_timeout)
        await self.dial(connection)
        return connection

    async def dial(self, protocol: ConnectionProtocol) -> None:
        """Connect to the host of the URL with a protocol of one's own. Raises FetchError."""
        factory = Factory.forProtocol(lambda: protocol)
        factory.noisy = False
        network = self._downloader.network
        dialling = network.dialler.dial(self.url.host, self.port, factory, bind_address=network.bind_address)
        try:
            await dialling
        except Exception as error:
            raise not_connected(error, self.url.host, self.port) from error
        self._connected = protocol
        self._began = network.clock()
        self.exchange.remote = protocol.transport.getPeer().host

    async def answer(
        self,
        headers: Mapping[str, str],
        body: bytes | AsyncGenerator[bytes, None],
        *,
        status: int = 200,
        reason: str = "OK",
    ) -> Response:
        """Return the response with this body, which may come in pieces. Raises FetchError."""
        wanted = self.begin(headers, status=status, reason=reason)
        if isinstance(body, bytes):
            body = _whole(body)
        async with aclosing(body):
            while wanted and (piece := await anext(body, None)) is not None:
                wanted = self.receive(piece)
        return self.response()

    def begin(self, headers: Mapping[str, str], *, status: int = 200, reason: str = "OK") -> bool:
        """Say what the response is, as far as is known; tell whether its body is wanted."""
        fields = Headers(headers)
        self._head = Head(status, reason.encode("latin-1"), fields, self._downloader.protocol)
        self._body = body = Body(self.request, self.exchange, self._downloader.rules)
        body.limit(self.request.meta)
        body.expect(fields)
        if self.exchange.on_head is not None and self.exchange.on_head(self.request, self._head) is False:
            body.end("stopped")
        return not body.ended

    def receive(self, data: bytes) -> bool:
        """Take a piece of the body; tell whether more is wanted. Raises FetchError."""
        assert self._body is not None, "begin() comes first"
        self._body.feed(data)
        return not self._body.ended

    def response(self, *, status: int | None = None, reason: str | None = None) -> Response:
        """Return the response, with the status if that turned out to be another. Raises FetchError."""
        body, self._body = self._body, None
        assert body is not None, "begin() comes first"
        if not body.ended:
            body.end()
        content, file = body.result()
        return Response(
            self.request.url,
            status or self._head.status,
            self._head.headers,
            content,
            flags=body.flags,
            request=self.request,
            protocol=self._head.protocol,
            latency=self._downloader.network.clock() - self._began,
            body_file=file,
            reason=self._head.reason.decode("latin-1") if reason is None else reason,
        )

    def end(self) -> None:
        """Leave nothing open: no connection, and no file of a body that did not become a response."""
        if self._body is not None:
            self._body.discard()
        if isinstance(self._connected, Stream):
            self._connected.abort()
        elif self._connected is not None and self._connected.transport is not None:
            self._connected.transport.abortConnection()


async def _whole(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


class TcpDownloader:
    """A Downloader (see crawler.download.seam) of which only ``converse`` is missing."""

    port = 0
    """The port of a URL that names none."""
    protocol = ""
    """What ``response.protocol`` says."""

    def __init__(
        self, settings: CoreSettings, *, reactor: Reactor, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.settings = settings
        self.rules = FetchRules(settings)
        self.network = Network(settings, reactor, clock=clock)
        self._under_way: set[Deferred[Response]] = set()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self._under_way)} under way>"

    async def converse(self, fetch: TcpFetch) -> Response:
        """Connect, ask and answer. Whatever a URL could smuggle into a command is to be refused before.

        What is raised is made a FetchError by ``explain``; the connection is cut off at the end.
        """
        raise NotImplementedError

    def explain(self, cause: BaseException) -> FetchError:
        """Return the FetchError for what ``converse`` raised."""
        if isinstance(cause, FetchError):
            return cause
        if isinstance(cause, CancelledError):
            return FetchCancelled("the fetch was cancelled")
        said = f"the {self.protocol} exchange failed: {str(cause) or type(cause).__name__}"
        if isinstance(cause, ConnectionClosed):
            return ConnectionLost(said)
        return BadResponse(said) if isinstance(cause, ValueError) else FetchError(said)

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        fetching = Deferred.fromCoroutine(self._fetch(request, exchange or Exchange()))
        self._under_way.add(fetching)

        def ended(result: Response | Failure) -> Response | Failure:
            self._under_way.discard(fetching)
            return result

        return fetching.addBoth(ended)

    async def _fetch(self, request: Request, exchange: Exchange) -> Response:
        fetch: TcpFetch | None = None
        try:
            if request.problem is not None:
                raise FetchError(request.problem)
            fetch = TcpFetch(self, request, exchange)
            return await self.converse(fetch)
        except Exception as cause:
            error = self.explain(cause)
            error.request, error.sent = request, exchange.sent
            if error is cause:
                raise
            raise error from cause
        finally:
            if fetch is not None:
                fetch.end()

    def close(self) -> Deferred[None]:
        """See crawler.download.seam.Downloader."""
        for fetching in list(self._under_way):
            fetching.cancel()
        self.network.close()
        return succeed(None)
