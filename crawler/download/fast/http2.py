"""How does one HTTP/2 connection carry many exchanges at once?

The states and frames are h2's (RFC 9113). Known limits: no server push (refused by our settings), no
priorities. GOAWAY never reaches h2, which would end the streams that the peer still answers.
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import DenialOfServiceError, H2Error
from h2.settings import SettingCodes, Settings
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from crawler.download.fast.deadlines import FOREVER, Deadlines
from crawler.download.fast.head import BY_CLOSE, BY_LENGTH, HeadLimits
from crawler.download.fast.http2_stream import Stream, StreamUpload, as_text, request_fields, response_head
from crawler.errors import BadResponse, ConnectionLost, FetchError, FetchTimeout, HeadTooLarge, TruncatedBody

# What a peer may send before we say that we read it: per stream, and on all of them together.
_STREAM_WINDOW = 1_048_576
_CONNECTION_WINDOW = 16_777_216
_MAX_FRAME = 16_384
_GOAWAY = 7
# Until the peer has said otherwise, and beyond what it allows; RFC 9113 section 5.1.2 recommends at least 100.
_MOST_STREAMS = 100
_CLOSING_SECONDS = 5.0


class Http2Connection(Protocol):
    """An HTTP/2 connection with the face of an HttpConnection, shared by the calls of its route."""

    multiplexes = True
    protocol_name = "h2"
    idle_seconds: int | None = None

    def __init__(
        self,
        owner: Any,
        *,
        limits: HeadLimits,
        read_timeout: float,
        clock: Callable[[], float],
        deadlines: Deadlines,
    ) -> None:
        self.owner = owner
        self.route: Any = None
        self.idle_until = FOREVER
        self.exchanges = 0
        self.remote = ""
        self.ip_address: Any = None
        self.certificate: Any = None
        self.handshake: Any = None
        self.active = clock()
        self._limits = limits
        self._read_timeout = read_timeout or FOREVER
        self._clock = clock
        self._deadlines = deadlines
        self._streams: dict[int, Stream] = {}
        # Exchanges above the number the peer takes at once, in the order they came.
        self._queued: list[Stream] = []
        self._held = b""
        self._closing = False
        self._leaving = False
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None))
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: limits.total,
            },
        )

    def __repr__(self) -> str:
        return f"<Http2Connection to {self.remote} exchanges={self.exchanges} streams={len(self._streams)}>"

    # Life

    def connectionMade(self) -> None:
        transport: Any = self.transport
        self.remote = getattr(transport.getPeer(), "host", "") or ""
        try:
            self.ip_address = ipaddress.ip_address(self.remote.partition("%")[0])
        except ValueError:
            self.ip_address = None
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW - 65_535)
        self._flush()

    @property
    def accepts(self) -> bool:
        """Whether another exchange may begin."""
        return not self._closing and not self._leaving

    def due(self) -> float:
        """See Deadlines."""
        if self._closing or not self._streams:
            return self.idle_until
        return min(self._due_of(stream) for stream in (*self._streams.values(), *self._queued))

    def _due_of(self, stream: Stream) -> float:
        return min(float(stream.call.due), stream.active + self._read_timeout)

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
            # A peer that says nothing at all gets no further exchange.
            self._leaving = self._leaving or self.active + self._read_timeout <= now
            self._give_up(stream, error)

    def close(self) -> None:
        """Say goodbye and close; cut off if that takes long."""
        transport: Any = self.transport
        if self._closing or transport is None:
            return
        self._closing = True
        self.idle_until = self._clock() + _CLOSING_SECONDS
        self._h2.close_connection()
        self._flush()
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
        """End every exchange with an error, and the connection with them."""
        self.abort()
        for stream in self._take_all():
            self._tell(stream, error)

    def cancel(self, call: Any) -> None:
        """Drop one exchange; the others go on."""
        for stream in [each for each in (*self._streams.values(), *self._queued) if each.call is call]:
            self._drop(stream)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self._closing = True
        if self.handshake is not None and self.exchanges:
            self.handshake.remember()
        streams = self._take_all()
        self.owner.lost(self)
        why = "closed" if reason is None else f"lost: {reason.getErrorMessage()}"
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

    # Sending

    def send(self, call: Any, now: float) -> None:
        """Begin an exchange, or let it wait for its turn."""
        stream = Stream(0, call, now)
        self.exchanges += 1
        self.idle_until = FOREVER
        due = self._due_of(stream)
        if due < self._deadlines.wake:
            self._deadlines.hasten(due)
        if len(self._streams) < self._room():
            self._begin(stream)
        else:
            self._queued.append(stream)

    def _room(self) -> int:
        return min(self._h2.remote_settings.max_concurrent_streams, _MOST_STREAMS)

    def _begin(self, stream: Stream) -> None:
        call = stream.call
        fields, body = request_fields(call.payload, self.route.secure)
        number = stream.number = self._h2.get_next_available_stream_id()
        self._streams[number] = stream
        source = call.body_source
        self._h2.send_headers(number, fields, end_stream=not body and source is None)
        if body:
            stream.pending += body
        if source is not None:
            stream.finished = False
            stream.source = source
            source.framed = False
            source.start(StreamUpload(self, stream), lambda error: self._uploaded(stream, error))
        if body:
            self.pump(stream)
        self._flush()

    def _uploaded(self, stream: Stream, error: FetchError | None) -> None:
        stream.source = None
        stream.finished = True
        if error is not None:
            self._give_up(stream, error)
        elif stream.number in self._streams:
            if stream.pending:
                self.pump(stream)
            else:
                self._h2.end_stream(stream.number)
                self._flush()

    def pump(self, stream: Stream) -> None:
        """Send what the peer's window allows."""
        while stream.pending and stream.number in self._streams:
            size = min(
                self._h2.local_flow_control_window(stream.number), self._h2.max_outbound_frame_size, len(stream.pending)
            )
            if size <= 0:
                break
            last = stream.finished and size == len(stream.pending)
            self._h2.send_data(stream.number, bytes(stream.pending[:size]), end_stream=last)
            del stream.pending[:size]
            stream.active = self._clock()
        self._flush()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        transport: Any = self.transport
        if data and transport is not None:
            transport.write(data)

    def pause(self, call: Any) -> None:
        """Let the peer send no more on this exchange than its window."""
        for stream in self._streams.values():
            if stream.call is call:
                stream.paused = True
                stream.active = FOREVER

    def resume(self, call: Any) -> None:
        """Open the window again."""
        for stream in list(self._streams.values()):
            if stream.call is call and stream.paused:
                stream.paused = False
                stream.active = self._clock()
                self._acknowledge(stream, 0)

    # Receiving

    def dataReceived(self, data: bytes) -> None:
        self.active = self._clock()
        self._held += data
        try:
            self._read_frames()
        except DenialOfServiceError as error:
            self.fail(HeadTooLarge(f"HTTP/2: {error}"))
        except (H2Error, ValueError, IndexError) as error:
            self.fail(BadResponse(f"HTTP/2: {type(error).__name__}: {error}"))
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

    def _act(self, event: Any) -> None:
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

    def _on_head(self, stream: Stream, fields: Any) -> None:
        stream.active = self._clock()
        try:
            head = response_head(fields, stream.call.method, self._limits)
            stream.head = head
            stream.answered = True
            if stream.call.on_head(head, as_text(head)) is False and stream.number in self._streams:
                self._drop(stream)
                stream.call.on_end("stopped")
        except FetchError as error:
            self._give_up(stream, error)

    def _on_data(self, stream: Stream, event: Any) -> None:
        if not stream.paused:
            stream.active = self._clock()
        try:
            if event.data:
                stream.call.on_body(event.data)
        except FetchError as error:
            self._give_up(stream, error)
        self._acknowledge(stream, event.flow_controlled_length or 0)

    def _acknowledge(self, stream: Stream, size: int) -> None:
        stream.unread += size
        if not stream.paused and stream.unread:
            self._h2.acknowledge_received_data(stream.unread, stream.number)
            stream.unread = 0
            self._flush()

    def _on_end(self, stream: Stream) -> None:
        head = stream.head
        self._drop(stream)
        if head is None:
            stream.call.on_error(BadResponse("HTTP/2: the stream ended without a head"), stale=False)
        else:
            # h2 has compared Content-Length with what came.
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

    # Ends

    def _forget(self, stream: Stream) -> None:
        if stream.number:
            self._streams.pop(stream.number, None)
        elif stream in self._queued:
            self._queued.remove(stream)
        source, stream.source = stream.source, None
        if source is not None:
            source.stop()

    def _drop(self, stream: Stream) -> None:
        """End an exchange on our side; a peer that is not done with it is told so."""
        self._forget(stream)
        try:
            if self._h2.streams[stream.number].open:
                self._h2.reset_stream(stream.number, ErrorCodes.CANCEL)
        except (KeyError, H2Error):
            pass  # it is closed on both sides already
        self._flush()
        self._rest()

    def _give_up(self, stream: Stream, error: FetchError) -> None:
        if stream.number in self._streams or stream in self._queued:
            self._drop(stream)
            self._tell(stream, error)

    @staticmethod
    def _tell(stream: Stream, error: FetchError) -> None:
        if isinstance(error, TruncatedBody):
            stream.call.on_truncated(error)
        else:
            stream.call.on_error(error, stale=False)

    def _rest(self) -> None:
        while self._queued and not self._closing and len(self._streams) < self._room():
            self._begin(self._queued.pop(0))
        if self._streams or self._closing:
            return
        if self._leaving:
            self.close()
        else:
            self.owner.give_back(self)
