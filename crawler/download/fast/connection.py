"""How does one HTTP/1.1 connection carry one exchange after another?

It knows framing and nothing else: no pool, no limits on bodies, no decoding. Those belong to the call
(what is exchanged) and to the owner (where the connection goes afterwards).
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure

from crawler.download.fast.chunked import ChunkedBody
from crawler.download.fast.deadlines import FOREVER, Deadlines
from crawler.download.fast.head import (
    BY_CHUNKS,
    BY_CLOSE,
    BY_LENGTH,
    NO_BODY,
    HeadLimits,
    ResponseHead,
    check_growing,
    find_end,
    parse_head,
    parse_strict,
)
from crawler.errors import BadResponse, ConnectionLost, FetchError, FetchTimeout, HeadTooLarge, TruncatedBody

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

    def give_back(self, connection: HttpConnection) -> None:
        """The connection is ready for another exchange."""

    def lost(self, connection: HttpConnection) -> None:
        """The connection is gone."""


class HttpConnection(TwistedProtocol):
    """HTTP/1.1 over any transport; one exchange at a time."""

    multiplexes = False
    protocol_name = "HTTP/1.1"

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
        self.route: Any = None
        self.idle_until = FOREVER
        self.idle_seconds: int | None = None
        self.exchanges = 0
        self.remote = ""
        self.ip_address: Any = None
        self.certificate: Any = None
        self.handshake: Any = None
        self._limits = limits
        self._read_timeout = read_timeout or FOREVER
        self._clock = clock
        self._deadlines = deadlines
        self._call: Call | None = None
        self._reader: Callable[[bytes], None] = self._read_head
        self._held = bytearray()
        self._line_start = 0
        self._head_bytes = 0
        self._head: ResponseHead | None = None
        self._left = 0
        self._chunks: ChunkedBody | None = None
        self._received = False
        self._source: Any = None
        self.active = 0.0
        self._write_now: Callable[[bytes], Any] | None = None
        self._closing = False

    def __repr__(self) -> str:
        return f"<HttpConnection to {self.remote} exchanges={self.exchanges} busy={self._call is not None}>"

    # Life

    def connectionMade(self) -> None:
        transport: Any = self.transport
        peer = transport.getPeer()
        self.remote = getattr(peer, "host", "") or ""
        try:
            self.ip_address = ipaddress.ip_address(self.remote.partition("%")[0])
        except ValueError:
            self.ip_address = None
        # A plain socket is written to at once: going through the reactor's next turn costs two more
        # system calls and some 10 µs.
        if isinstance(transport, FileDescriptor):
            self._write_now = transport.writeSomeData

    def due(self) -> float:
        """When something must have happened; see Deadlines."""
        if self._closing:
            return self.idle_until
        call = self._call
        return self.idle_until if call is None else min(call.due, self.active + self._read_timeout)

    def expire(self, now: float) -> None:
        """The time is up: for the exchange, or for being idle."""
        call = self._call
        if self._closing:
            self.abort()
        elif call is None:
            self.close()
        elif call.due <= now:
            self.fail(FetchTimeout("the whole fetch took too long (DOWNLOAD_TIMEOUT)", phase="total"))
        elif self._received:
            self.fail(FetchTimeout(f"silence for {self._read_timeout:g} s while reading", phase="read"))
        else:
            self.fail(FetchTimeout(f"no answer for {self._read_timeout:g} s", phase="first byte"))

    def close(self) -> None:
        """Close in an orderly way; cut off if that takes long."""
        transport: Any = self.transport
        if self._closing or transport is None:
            return
        self._closing = True
        self.idle_until = self._clock() + _CLOSING_SECONDS
        transport.loseConnection()
        self._deadlines.watch(self)

    def abort(self) -> None:
        """Cut the connection off now."""
        self._closing = True
        self.idle_until = FOREVER
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    def fail(self, error: FetchError) -> None:
        """End the exchange with an error and the connection with it."""
        call, self._call = self._call, None
        self._stop_sending()
        self.abort()
        if call is not None:
            if isinstance(error, TruncatedBody):
                call.on_truncated(error)
            else:
                call.on_error(error, stale=False)

    def cancel(self, call: Call) -> None:
        """Drop the exchange if it is still this one; the connection cannot be used again."""
        if self._call is call:
            self._call = None
            self._stop_sending()
            self.abort()

    def connectionLost(self, reason: Failure | None = None) -> None:
        call, self._call = self._call, None
        self._closing = True
        self._stop_sending()
        if self.handshake is not None and self.exchanges:
            self.handshake.remember()
        self.owner.lost(self)
        if call is None:
            return
        clean = reason is not None and reason.check(ConnectionDone) is not None
        why = "closed" if clean or reason is None else f"lost: {reason.getErrorMessage()}"
        head = self._head
        if head is None:
            stale = self.exchanges > 1 and not self._received
            when = "in the middle of the head" if self._received else "without an answer"
            call.on_error(ConnectionLost(f"the connection was {why} {when}"), stale=stale)
        elif head.framing == BY_CLOSE and clean:
            call.on_end(None)
        elif head.framing == BY_LENGTH:
            got = head.length - self._left
            call.on_truncated(TruncatedBody(f"the connection was {why} after {got} of {head.length} bytes"))
        else:
            call.on_truncated(TruncatedBody(f"the connection was {why} in the middle of the body"))

    # Sending

    def send(self, call: Call, now: float) -> None:
        """Begin an exchange; the connection must be idle. ``now`` is the clock's time."""
        self._call = call
        self._reader = self._read_head
        self._head = None
        self._received = False
        self._head_bytes = 0
        self.active = now
        self.exchanges += 1
        due = min(call.due, now + self._read_timeout)
        if due < self._deadlines.wake:
            self._deadlines.hasten(due)
        payload = call.payload
        if self._write_now is not None and self._source is None:
            written = self._write_now(payload)
            if written == len(payload):
                payload = b""
            elif isinstance(written, int) and written > 0:
                payload = payload[written:]
        if payload:
            transport: Any = self.transport
            transport.write(payload)
        if call.body_source is not None:
            self._source = call.body_source
            call.body_source.start(self, self._sent)

    def pause(self, call: Call) -> None:
        """Read nothing for now; silence is not counted meanwhile."""
        transport: Any = self.transport
        transport.pauseProducing()
        self.active = FOREVER

    def resume(self, call: Call) -> None:
        """Read again."""
        transport: Any = self.transport
        self.active = self._clock()
        if not self._closing:
            transport.resumeProducing()

    def progressed(self) -> None:
        """Bytes of a streamed request body went out, so silence is measured from here."""
        self.active = self._clock()

    def _sent(self, error: FetchError | None) -> None:
        self._source = None
        self.active = self._clock()
        if error is not None and self._call is not None:
            self.fail(error)

    def _stop_sending(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.stop()

    # Receiving

    def dataReceived(self, data: bytes) -> None:
        if self._call is None:
            # An idle peer has nothing to say: a late answer here would be taken for the next one.
            if not self._closing:
                self.abort()
            return
        self.active = self._clock()
        self._received = True
        try:
            self._reader(data)
        except FetchError as error:
            self.fail(error)

    def _read_head(self, data: bytes) -> None:
        if not self._held:
            # Nearly every head comes in one piece and is as it should be.
            end = data.find(b"\r\n\r\n") + 4
            if end > 3:
                call = self._call
                raw = data[:end]
                head = parse_strict(raw, call.method, self._limits)  # type: ignore[union-attr]  # dataReceived checked
                if head is not None and head.status >= 200 and not self._head_bytes:
                    self._begin_body(head, raw, data[end:])
                    return
        self._read_difficult_head(data)

    def _read_difficult_head(self, data: bytes) -> None:
        """Read heads that come in pieces, after interim ones, or with faults."""
        held = self._held
        call = self._call
        assert call is not None
        while data:
            if held:
                scanned = len(held)
                held += data
                end = find_end(held, max(0, scanned - 3))
                if end >= 0:
                    data = bytes(held)
            else:
                # RFC 9112 section 2.2 has servers skip blank lines before a message; some send them, too.
                data = data.lstrip(b"\r\n") if data[0] in b"\r\n" else data
                end = find_end(data)
                if end < 0:
                    held += data
            if end < 0:
                self._line_start = held.rfind(b"\n", self._line_start) + 1 or self._line_start
                check_growing(held, self._line_start, self._limits)
                return
            held.clear()
            self._line_start = 0
            raw, data = data[:end], data[end:]
            self._head_bytes += end
            if self._head_bytes > self._limits.total:
                raise HeadTooLarge(f"the heads are longer than {self._limits.total} bytes (HEADER_MAX_TOTAL)")
            head = parse_head(raw, call.method, self._limits)
            if head.status >= 200:
                self._begin_body(head, raw, data)
                return
            if head.status == 101:
                raise BadResponse("the server switched to a protocol nobody asked for (101)")

    def _begin_body(self, head: ResponseHead, raw: bytes, rest: bytes) -> None:
        call = self._call
        assert call is not None
        self._head = head
        go_on = call.on_head(head, raw)
        if self._call is not call:
            return
        framing = head.framing
        if not go_on:
            self._finish("stopped", reusable=False)
        elif framing == BY_LENGTH:
            if len(rest) == head.length:
                if rest:
                    call.on_body(rest)
                    if self._call is not call:
                        return
                self._finish(None, reusable=True)
                return
            self._left = head.length
            self._reader = self._read_length
            self._read_length(rest)
        elif framing == NO_BODY:
            self._finish(None, reusable=not rest)
        elif framing == BY_CHUNKS:
            self._chunks = ChunkedBody(spare=self._limits.line)
            self._reader = self._read_chunked
            if rest:
                self._read_chunked(rest)
        else:
            self._reader = call.on_body
            if rest:
                call.on_body(rest)

    def _read_length(self, data: bytes) -> None:
        call = self._call
        assert call is not None
        left = self._left - len(data)
        if left < 0:
            data = data[:left]
        self._left = max(left, 0)
        if data:
            call.on_body(data)
        if left <= 0 and self._call is call:
            self._finish(None, reusable=left == 0)

    def _read_chunked(self, data: bytes) -> None:
        call, chunks = self._call, self._chunks
        assert call is not None
        assert chunks is not None
        body = chunks.feed(data)
        if body:
            call.on_body(body)
        if chunks.failure is not None:
            raise chunks.failure
        if chunks.complete and self._call is call:
            self._finish(None, reusable=not chunks.excess)

    def _finish(self, flag: str | None, *, reusable: bool) -> None:
        call, head = self._call, self._head
        assert call is not None
        assert head is not None
        self._call = None
        self._chunks = None
        if reusable and head.keep_alive and self._source is None and not self._closing:
            self.idle_seconds = head.keep_alive_seconds
            self.owner.give_back(self)
        else:
            self._stop_sending()
            if flag is None and head.framing != BY_CLOSE:
                self.close()
            else:
                self.abort()
        call.on_end(flag)
