"""How do exchanges begin, send and end on an HTTP/2 connection?"""

from __future__ import annotations

from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.exceptions import H2Error
from h2.settings import SettingCodes, Settings

from crawler.download.http.connection import BaseConnection, Call, Owner, Terms
from crawler.download.http2.stream import Stream, StreamUpload, request_fields
from crawler.download.net.deadlines import FOREVER
from crawler.download.wire.head import BY_LENGTH, NO_BODY
from crawler.errors import BadResponse, FetchError, TruncatedBody

# What a peer may send on one stream before we say that we read it.
_STREAM_WINDOW = 1_048_576
# Until the peer has said otherwise, and beyond what it allows; RFC 9113 section 5.1.2 recommends at least 100.
_MOST_STREAMS = 100
# Frames without a byte of any body (PING, SETTINGS, interim heads, empty DATA) that a peer may send at once, and
# what it may send more for each exchange and each piece of a body: each costs us far more work than the peer.
_EMPTY_FRAMES = 2000
_FRAMES_OF_AN_EXCHANGE = 100
_FRAMES_OF_A_PIECE = 10


class StreamCarrier(BaseConnection):
    """The sending half of an HTTP/2 connection, and the ends of its streams."""

    multiplexes = True
    protocol_name = "h2"

    def __init__(self, owner: Owner, terms: Terms) -> None:
        super().__init__(owner, terms)
        self.active = self._clock()
        self._streams: dict[int, Stream] = {}
        # Exchanges above the number the peer takes at once, in the order they came.
        self._queued: list[Stream] = []
        self._leaving = False
        # When the peer last said anything about an exchange; PING and SETTINGS are not an answer.
        self._answered = 0.0
        self._spare_frames = _EMPTY_FRAMES
        # h2 ends the connection over a field or a length that only one exchange is to blame for, so these are
        # looked at in stream.py and connection.py.
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding=None, validate_inbound_headers=False))
        self._h2.decoder.max_header_list_size = self._limits.total
        self._h2.local_settings = Settings(
            client=True,
            initial_values={
                SettingCodes.ENABLE_PUSH: 0,
                SettingCodes.INITIAL_WINDOW_SIZE: _STREAM_WINDOW,
                SettingCodes.MAX_HEADER_LIST_SIZE: self._limits.total,
            },
        )

    def _due_of(self, stream: Stream) -> float:
        return min(float(stream.call.due), stream.active + self._read_timeout)

    def send(self, call: Call, now: float) -> None:
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

    def _allow(self, frames: int) -> None:
        self._spare_frames = min(self._spare_frames + frames, _EMPTY_FRAMES)

    def _room(self) -> int:
        return min(self._h2.remote_settings.max_concurrent_streams, _MOST_STREAMS)

    def _begin(self, stream: Stream) -> None:
        call = stream.call
        fields, body = request_fields(call.payload, self.route.secure)
        number = stream.number = self._h2.get_next_available_stream_id()
        self._streams[number] = stream
        source = call.body_source
        self._allow(_FRAMES_OF_AN_EXCHANGE)
        self._h2.send_headers(number, fields, end_stream=not body and source is None)
        lengths: Any = self._h2.streams[number]
        lengths._initialize_content_length = lengths._track_content_length = lambda *_: None
        if body:
            stream.pending += body
        if source is not None:
            stream.finished = False
            stream.source = source
            source.framed = False
            stream.upload = StreamUpload(self, stream)
            source.start(stream.upload, lambda error: self._uploaded(stream, error))
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

    def _received(self, stream: Stream, data: bytes) -> None:
        """Pass on a piece of a body. Raises FetchError."""
        head = stream.head
        if not data or head is None or head.framing == NO_BODY:
            return
        self._allow(_FRAMES_OF_A_PIECE)
        stream.received += len(data)
        if head.framing == BY_LENGTH and stream.received > head.length:
            raise BadResponse(f"HTTP/2: the body is longer than its Content-Length of {head.length} bytes")
        stream.call.on_body(data)

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
            self._allow(_FRAMES_OF_A_PIECE)
        self._flush()
        if stream.upload is not None:
            stream.upload.sent()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and self.transport is not None:
            self.transport.write(data)

    def pause(self, call: Call) -> None:
        """Let the peer send no more on this exchange than its window."""
        for stream in self._streams.values():
            if stream.call is call:
                stream.paused = True
                stream.active = FOREVER

    def resume(self, call: Call) -> None:
        """Open the window again."""
        for stream in list(self._streams.values()):
            if stream.call is call and stream.paused:
                stream.paused = False
                stream.active = self._clock()
                self._acknowledge(stream, 0)

    def _acknowledge(self, stream: Stream, size: int) -> None:
        stream.unread += size
        if not stream.paused and stream.unread:
            self._h2.acknowledge_received_data(stream.unread, stream.number)
            stream.unread = 0
            self._flush()

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
