"""What does an HTTP/1.1 connection make of the bytes it receives?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from crawler.download.http.connection import BaseConnection, Call, Owner, Terms
from crawler.download.wire.chunked import ChunkedBody
from crawler.download.wire.head import (
    BY_CHUNKS,
    BY_CLOSE,
    BY_LENGTH,
    NO_BODY,
    ResponseHead,
    check_growing,
    find_end,
    parse_head,
    parse_strict,
)
from crawler.errors import BadResponse, FetchError, HeadTooLarge, TruncatedBody


class Sending(Protocol):
    """A part of a request that is still being sent."""

    def stop(self) -> None:
        """The exchange is over."""


class ResponseReader(BaseConnection):
    """Reads one response after another, each for the call under way, which is told of its parts."""

    _call: Call | None = None
    _source: Sending | None = None
    _head: ResponseHead | None = None
    _chunks: ChunkedBody | None = None
    _line_start = 0
    _head_bytes = 0
    _left = 0
    _received = False

    def __init__(self, owner: Owner, terms: Terms) -> None:
        super().__init__(owner, terms)
        self._held = bytearray()
        self._reader: Callable[[bytes], None] = self._read_head

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
                if data[0] in b"\r\n":
                    size = len(data)
                    data = data.lstrip(b"\r\n")
                    self._count_head(size - len(data))
                end = find_end(data)
                if end < 0:
                    held += data
            if end < 0:
                # From where this piece begins: a long line that dribbles in is looked at once.
                self._line_start = held.rfind(b"\n", len(held) - len(data)) + 1 or self._line_start
                check_growing(held, self._line_start, self._limits)
                return
            held.clear()
            self._line_start = 0
            raw, data = data[:end], data[end:]
            self._count_head(end)
            head = parse_head(raw, call.method, self._limits)
            if head.status >= 200:
                self._begin_body(head, raw, data)
                return
            if head.status == 101:
                raise BadResponse("the server switched to a protocol nobody asked for (101)")

    def _count_head(self, size: int) -> None:
        """Bound what comes before the body: blank lines, interim responses and the head."""
        self._head_bytes += size
        if self._head_bytes > self._limits.total:
            raise HeadTooLarge(f"the heads are longer than {self._limits.total} bytes (HEADER_MAX_TOTAL)")

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

    def _stop_sending(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.stop()
