"""How does one HTTP/2 connection carry many exchanges at once?

The states and frames are h2's (RFC 9113). Known limits: no server push (refused by our settings), no
priorities. GOAWAY never reaches h2, which would end the streams that the peer still answers.
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from h2 import events
from h2.errors import ErrorCodes
from h2.exceptions import DenialOfServiceError, H2Error
from twisted.python.failure import Failure

from crawler.download.http.connection import Call
from crawler.download.http2.exchanges import StreamCarrier
from crawler.download.http2.stream import Stream, as_text, response_head
from crawler.download.wire.head import BY_CLOSE, BY_LENGTH
from crawler.errors import BadResponse, ConnectionLost, FetchError, FetchTimeout, HeadTooLarge, TruncatedBody
from crawler.model.url import shortened

# What a peer may send on all streams together before we say that we read it.
_CONNECTION_WINDOW = 16_777_216
_MAX_FRAME = 16_384
_GOAWAY = 7
# HEADERS and CONTINUATION, whose every byte costs work.
_OF_HEADS = (1, 9)


class Http2Connection(StreamCarrier):
    """An HTTP/2 connection with the face of an HttpConnection, shared by the calls of its route."""

    _held = b""

    def __repr__(self) -> str:
        return f"<Http2Connection to {self.remote} exchanges={self.exchanges} streams={len(self._streams)}>"

    def connectionMade(self) -> None:
        super().connectionMade()
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW - 65_535)
        self._flush()

    @property
    def accepts(self) -> bool:
        """Whether another exchange may begin."""
        return not self._closing and not self._leaving

    def unused(self) -> None:
        """See BaseConnection; others may be under way."""
        if not (self._streams or self._queued):
            super().unused()

    def due(self) -> float:
        """See Deadlines."""
        if self._closing or not self._streams:
            return self.idle_until
        return min(self._due_of(stream) for stream in (*self._streams.values(), *self._queued))

    def expire(self, now: float) -> None:
        """See Deadlines."""
        if self._closing:
            self.abort()
            return
        if not self._streams:
            self.close()
            return
        for stream in [each for each in (*self._streams.values(), *self._queued) if self._due_of(each) <= now]:
            if stream.call.due <= now:
                error = FetchTimeout("the whole fetch took too long (DOWNLOAD_TIMEOUT)", phase="total")
            else:
                phase = "read" if stream.answered else "first byte"
                error = FetchTimeout(f"no answer for {self._read_timeout:g} s", phase=phase)
            # A peer that answers none of its exchanges gets no further one.
            self._leaving = self._leaving or self._answered <= now - self._read_timeout
            self._give_up(stream, error)

    def _say_goodbye(self) -> None:
        self._h2.close_connection()
        self._flush()

    def fail(self, error: FetchError) -> None:
        """End every exchange with an error, and the connection with them."""
        self.abort()
        for stream in self._take_all():
            self._tell(stream, error)

    def cancel(self, call: Call) -> None:
        """Drop one exchange; the others go on."""
        for stream in [each for each in (*self._streams.values(), *self._queued) if each.call is call]:
            self._drop(stream)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._closing = True
        self._remember_session()
        streams = self._take_all()
        self.owner.lost(self)
        why = "closed" if reason is None else f"lost: {reason.getErrorMessage().rstrip('.')}"
        for stream in streams:
            if stream.head is None:
                error = ConnectionLost(f"the connection was {why} without an answer")
                stream.call.on_error(error, stale=stream.number != 1)
            else:
                stream.call.on_truncated(TruncatedBody(f"the connection was {why} in the middle of the body"))

    def _take_all(self) -> list[Stream]:
        streams = [*self._streams.values(), *self._queued]
        self._streams.clear()
        self._queued.clear()
        for stream in streams:
            if stream.source is not None:
                stream.source.stop()
        return streams

    def dataReceived(self, data: bytes) -> None:
        self.active = self._clock()
        self._held += data
        try:
            self._read_frames()
        except DenialOfServiceError as error:
            self.fail(HeadTooLarge(f"HTTP/2: {error}"))
        except FetchError as error:
            self.fail(error)
        except (H2Error, ValueError, IndexError) as error:
            self.fail(BadResponse(f"HTTP/2: {type(error).__name__}: {shortened(str(error))}"))
        if not self._closing:
            self._flush()

    def _read_frames(self) -> None:
        """Give h2 the whole frames that are there, but for GOAWAY."""
        held, start, position = self._held, 0, 0
        while len(held) - position >= 9:
            length = int.from_bytes(held[position : position + 3], "big")
            if length > _MAX_FRAME:
                raise ValueError(f"a frame of {length} bytes")
            end = position + 9 + length
            if len(held) < end:
                break
            self._spare_frames -= 1 + (length // 1024 if held[position + 3] in _OF_HEADS else 0)
            if self._spare_frames < 0:
                raise BadResponse("HTTP/2: a flood of frames that carry nothing of a body")
            if held[position + 3] == _GOAWAY:
                self._take(held[start:position])
                self._peer_leaves(held[position + 9 : end])
                start = end
            position = end
        self._held = held[position:]
        self._take(held[start:position])

    def _take(self, data: bytes) -> None:
        if data and not self._closing:
            for event in self._h2.receive_data(data):
                self._act(event)

    def _act(self, event: events.Event) -> None:
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        if isinstance(event, events.WindowUpdated | events.RemoteSettingsChanged):
            for each in [stream] if stream is not None else list(self._streams.values()):
                if each.pending:
                    self.pump(each)
        elif isinstance(event, events.DataReceived) and stream is None:
            # The exchange is over for us; the window of the connection is the others'.
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
        elif stream is None:
            return
        elif isinstance(event, events.ResponseReceived):
            self._on_head(stream, event.headers)
        elif isinstance(event, events.DataReceived):
            self._on_data(stream, event)
        elif isinstance(event, events.StreamEnded):
            self._on_end(stream)
        elif isinstance(event, events.StreamReset):
            self._on_reset(stream, event.error_code)

    def _on_head(self, stream: Stream, fields: list[tuple[bytes, bytes]]) -> None:
        stream.active = self._answered = self._clock()
        try:
            head = response_head(fields, stream.call.method, self._limits)
            stream.head = head
            stream.answered = True
            if stream.call.on_head(head, as_text(head)) is False and stream.number in self._streams:
                self._drop(stream)
                stream.call.on_end("stopped")
        except FetchError as error:
            self._give_up(stream, error)

    def _on_data(self, stream: Stream, event: events.DataReceived) -> None:
        self._answered = self._clock()
        if not stream.paused:
            stream.active = self._clock()
        try:
            self._received(stream, event.data)
        except FetchError as error:
            self._give_up(stream, error)
        self._acknowledge(stream, event.flow_controlled_length or 0)

    def _on_end(self, stream: Stream) -> None:
        head = stream.head
        self._drop(stream)
        if head is not None and head.framing == BY_LENGTH and stream.received < head.length:
            message = f"the server ended the stream after {stream.received} of {head.length} bytes"
            stream.call.on_truncated(TruncatedBody(message))
        elif head is None:
            stream.call.on_error(BadResponse("HTTP/2: the stream ended without a head"), stale=False)
        else:
            stream.call.on_end(None)

    def _on_reset(self, stream: Stream, code: int | None) -> None:
        self._forget(stream)
        name = ErrorCodes(code).name if code in list(ErrorCodes) else str(code)
        if code == ErrorCodes.HTTP_1_1_REQUIRED:
            self.route.http2 = False
            self._leaving = True
            self.owner.leaving(self)
        unprocessed = code in (ErrorCodes.REFUSED_STREAM, ErrorCodes.HTTP_1_1_REQUIRED)
        if stream.head is not None and stream.head.framing in (BY_LENGTH, BY_CLOSE):
            stream.call.on_truncated(TruncatedBody(f"the server reset the stream ({name})"))
        else:
            error = ConnectionLost(f"the server reset the stream ({name})", sent=not unprocessed)
            stream.call.on_error(error, stale=unprocessed)
        self._rest()

    def _peer_leaves(self, payload: bytes) -> None:
        """Act on GOAWAY (RFC 9113 section 6.8): what is above the last stream was not touched by the peer."""
        last = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
        self._leaving = True
        self.owner.leaving(self)
        untouched = [each for each in self._streams.values() if each.number > last] + self._queued
        self._queued.clear()
        for stream in untouched:
            self._forget(stream)
            error = ConnectionLost("the server stopped taking requests on this connection (GOAWAY)", sent=False)
            stream.call.on_error(error, stale=True)
        self._rest()
