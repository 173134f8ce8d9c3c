"""How does a response reach somebody who reads its body while it comes?"""

# ruff: noqa: N802, N815 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, ITransport
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers as TwistedHeaders
from twisted.web.iweb import UNKNOWN_LENGTH, IResponse
from zope.interface import implementer

from crawler.download.agent.upload import BodySource
from crawler.download.coding.decoding import Decoder
from crawler.download.http.connection import BaseConnection, Route, Source
from crawler.download.net.deadlines import FOREVER
from crawler.download.net.interfaces import Address, DelayedCall
from crawler.download.rules import may_go_out_again
from crawler.download.wire.head import BY_LENGTH, NO_BODY, ResponseHead
from crawler.errors import BodyTooLarge, FetchCancelled, FetchError, TruncatedBody

if TYPE_CHECKING:
    from crawler.download.http.downloader import FastDownloader

# What is read ahead of the reader, so that small answers nobody reads (redirects) still free their connection.
_READ_AHEAD = 65_536


class AgentRequest:
    """What a response says of its request (IClientRequest)."""

    def __init__(self, method: bytes, url: bytes, headers: TwistedHeaders | None) -> None:
        self.method = method
        self.absoluteURI = url
        self.headers = headers or TwistedHeaders()


class StreamedCall:
    """A Call (see connection.py) whose body goes to somebody while it comes."""

    opening: Deferred[BaseConnection] | None = None
    connection: BaseConnection | None = None
    response: AgentResponse | None = None
    request: AgentRequest | None = None

    def __init__(
        self, downloader: FastDownloader, route: Route, method: str, payload: bytes, source: BodySource | None
    ) -> None:
        rules = downloader.rules
        self.route = route
        self.method = method
        self.payload = payload
        self.body_source: Source | None = source
        self.pool = downloader.pool
        self.max_size = rules.max_size
        self.due = downloader.clock() + rules.timeout if rules.timeout else FOREVER
        self.deferred: Deferred[AgentResponse] = Deferred(self._cancel)
        self._decodes = rules.decode
        self._decoder: Decoder | None = None
        self._received = 0
        self._repeated = False
        self._reactor = downloader.reactor
        self._announcing: DelayedCall | None = None

    def begin(self, connection: BaseConnection, now: float) -> None:
        """See connection.Call."""
        self.connection = connection
        connection.send(self, now)

    def refuse(self, error: FetchError) -> None:
        """See connection.Call."""
        if not self.deferred.called:
            self.deferred.errback(Failure(error))

    def on_head(self, head: ResponseHead, raw: bytes) -> bool:
        """See connection.Call."""
        if self.max_size and head.framing == BY_LENGTH and head.length > self.max_size:
            raise BodyTooLarge(f"the body has {head.length} bytes, the limit is {self.max_size} (DOWNLOAD_MAXSIZE)")
        if self._decodes and head.encodings and head.framing != NO_BODY:
            self._decoder = Decoder(list(head.encodings), self.max_size)
        self.response = AgentResponse(self, head, self._decoder)
        # Whoever gets the response may send the next request at once; what came with the head is read first,
        # so that a small answer has freed its connection by then.
        self._announcing = self._reactor.callLater(0, self._announce)
        return True

    def _announce(self) -> None:
        announcing, self._announcing = self._announcing, None
        if announcing is not None and announcing.active():
            announcing.cancel()
        if not self.deferred.called:
            assert self.response is not None
            self.deferred.callback(self.response)

    def on_body(self, data: bytes) -> None:
        """See connection.Call."""
        self._received += len(data)
        if self.max_size and self._received > self.max_size:
            raise BodyTooLarge(f"the body is larger than {self.max_size} bytes (DOWNLOAD_MAXSIZE)")
        if self._decoder is not None:
            data = self._decoder.feed(data)
        if data and self.response is not None:
            self.response.received(data)

    def on_end(self, flag: str | None) -> None:
        """See connection.Call."""
        if self.response is None:
            return
        try:
            rest = b"" if self._decoder is None else self._decoder.finish()
        except FetchError as error:
            self.response.ended(Failure(error))
            self._announce()
            return
        if rest:
            self.response.received(rest)
        self.response.ended(Failure(ResponseDone("Response body fully received")))
        self._announce()

    def on_truncated(self, error: TruncatedBody) -> None:
        """See connection.Call."""
        self.on_error(error, stale=False)

    def on_error(self, error: FetchError, *, stale: bool) -> None:
        """See connection.Call."""
        streamed = self.body_source is not None
        if may_go_out_again(self.method, error, stale=stale, repeated=self._repeated, streamed=streamed):
            self._repeated = True
            self.connection = None
            self.pool.open_for(self)
        elif self.response is not None:
            self.response.ended(Failure(error))
            self._announce()
        else:
            self.refuse(error)

    @property
    def on_connection(self) -> BaseConnection:
        """The connection that the answer comes on."""
        assert self.connection is not None
        return self.connection

    def stop(self) -> None:
        """The reader wants no more."""
        if self.connection is not None:
            self.connection.cancel(self)

    def _cancel(self, _: Deferred[AgentResponse]) -> None:
        opening, self.opening = self.opening, None
        if opening is not None:
            opening.cancel()
        if self._announcing is not None and self._announcing.active():
            self._announcing.cancel()
        self.stop()


@implementer(IResponse)
class AgentResponse:
    """An IResponse. ``length`` is what will be delivered, UNKNOWN_LENGTH where decoding changes it."""

    previousResponse: IResponse | None = None

    def __init__(self, call: StreamedCall, head: ResponseHead, decoder: Decoder | None) -> None:
        self.version = (b"HTTP", 1, head.minor)
        self.code = head.status
        self.phrase = head.reason
        self.request = call.request
        self.headers = TwistedHeaders()
        hidden = () if decoder is None else (b"content-encoding", b"content-length")
        for name, value in head.raw:
            if name.lower() not in hidden:
                self.headers.addRawHeader(name, value)
        if decoder is not None and decoder.left:
            self.headers.setRawHeaders(b"Content-Encoding", [b", ".join(decoder.left)])
        self.length: int | str = head.length if head.framing in (NO_BODY, BY_LENGTH) else UNKNOWN_LENGTH
        if head.framing == NO_BODY:
            self.length = 0
        elif decoder is not None:
            self.length = UNKNOWN_LENGTH
        self._transport = ResponseTransport(call)
        self._held: list[bytes] = []
        self.unread = 0
        self._end: Failure | None = None
        self._reader: TwistedProtocol | None = None
        self._told = False

    def __repr__(self) -> str:
        return f"<AgentResponse {self.code} length={self.length}>"

    def setPreviousResponse(self, response: IResponse) -> None:
        """See IResponse."""
        self.previousResponse = response

    def deliverBody(self, protocol: TwistedProtocol) -> None:
        """See IResponse; once only."""
        if self._reader is not None:
            raise RuntimeError("the body of this response was delivered already")
        self._reader = protocol
        protocol.makeConnection(self._transport)
        held, self._held = self._held, []
        for data in held:
            if not self._told:
                protocol.dataReceived(data)
        if self._end is not None:
            self._tell(self._end)
        else:
            self._transport.resumeProducing()

    def received(self, data: bytes) -> None:
        """Some of the body came."""
        if self._reader is not None:
            self._reader.dataReceived(data)
            return
        self._held.append(data)
        self.unread += len(data)
        if self.unread > _READ_AHEAD:
            self._transport.pauseProducing()

    def ended(self, reason: Failure) -> None:
        """Nothing more comes."""
        self._transport.release()
        self._end = reason
        if self._reader is not None:
            self._tell(reason)

    def _tell(self, reason: Failure) -> None:
        if not self._told and self._reader is not None:
            self._told = True
            self._reader.connectionLost(reason)


@implementer(IPushProducer, ITransport)
class ResponseTransport:
    """What the reader of a body sees of the connection: it can pause and stop, as long as the body comes."""

    disconnecting = False

    def __init__(self, call: StreamedCall) -> None:
        self._call: StreamedCall | None = call
        self._paused = False

    def pauseProducing(self) -> None:
        """Read no more for now; the time-out between reads waits as well."""
        if self._call is not None and not self._paused:
            self._paused = True
            self._call.on_connection.pause(self._call)

    def resumeProducing(self) -> None:
        """Go on reading."""
        if self._call is not None and self._paused:
            self._paused = False
            self._call.on_connection.resume(self._call)

    def stopProducing(self) -> None:
        """Drop the rest of the body, and the connection with it."""
        self.loseConnection()

    def loseConnection(self) -> None:
        """As stopProducing; the reader hears of it."""
        call, self._call = self._call, None
        if call is not None:
            call.stop()
            if call.response is not None:
                call.response.ended(Failure(FetchCancelled("the reader of the body stopped")))

    abortConnection = loseConnection

    def release(self) -> None:
        """The body is over: give the connection back in working order."""
        self.resumeProducing()
        self._call = None

    def write(self, data: bytes) -> None:
        """A body's reader has nothing to send."""
        raise TypeError("the transport of a response body cannot be written to")

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """As write."""
        self.write(b"")

    def getPeer(self) -> Address | None:
        """The other end."""
        return None if self._call is None else self._call.on_connection.transport.getPeer()

    def getHost(self) -> Address | None:
        """This end."""
        return None if self._call is None else self._call.on_connection.transport.getHost()
