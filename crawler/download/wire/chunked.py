"""What does a chunked body hold, and where does it end?

llhttp reads the chunks, after a head of our own: so it knows of no HEAD, no Content-Length and no
keep-alive, and an error after the last chunk can only mean that more came than belongs to the body. What it
cannot read are chunk lines that end in LF alone, which curl and browsers take: those are for LineFeedChunks.
"""

from __future__ import annotations

from functools import partial

from httptools import HttpParserError, HttpResponseParser

from crawler.download.wire.line_feed_chunks import LineFeedChunks
from crawler.errors import HeadTooLarge, TruncatedBody

# "close" makes llhttp report bytes after the last chunk instead of reading them as another response.
_HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
# llhttp takes chunk extensions and trailers of any length without a call, so what is not body is counted:
# one-byte chunks cost 5 bytes a byte, and 16 leaves room for short extensions.
_OVERHEAD_PER_BYTE = 16


class ChunkedBody:
    """Feed it what comes after the head; ``complete`` once the last chunk and the trailers are in.

    ``excess``: bytes followed that belong to no body. ``spare`` is how many bytes may be other than body.
    """

    def __init__(self, *, spare: int = 65_536) -> None:
        self.spare = spare
        self._overhead = 0
        self._body_size = 0
        self._first_line = b""
        self._reader: StrictChunks | LineFeedChunks | None = None

    @property
    def complete(self) -> bool:
        """Whether the body is over."""
        return self._reader is not None and self._reader.complete

    @property
    def excess(self) -> bool:
        """Whether more came than the body, or may have: the connection is not to be used again."""
        return self._reader is not None and self._reader.excess

    @property
    def failure(self) -> TruncatedBody | None:
        """What is wrong with a chunk."""
        return None if self._reader is None or self._reader.problem is None else TruncatedBody(self._reader.problem)

    def feed(self, data: bytes) -> bytes:
        """Return the body bytes in ``data``, up to a broken chunk, which sets ``failure``. Raises HeadTooLarge."""
        reader = self._reader
        self._overhead += len(data)
        if reader is None:
            data = self._first_line + data
            end = data.find(b"\n")
            if end >= 0:
                self._reader = reader = StrictChunks() if data[end - 1 : end] == b"\r" else LineFeedChunks(self.spare)
            else:
                self._first_line = data
        body = b"" if reader is None else reader.feed(data)
        self._body_size += len(body)
        self._overhead -= len(body)
        if self._overhead > self.spare + _OVERHEAD_PER_BYTE * self._body_size:
            raise HeadTooLarge(f"chunk extensions or trailers are longer than {self.spare} bytes (HEADER_MAX_LINE)")
        return body

    def ends_here(self) -> bool:
        """Tell whether the body is complete although the connection ended before the trailers did.

        It is once the chunk of size zero has come (RFC 9112 section 8).
        """
        return self._reader is not None and self._reader.ends_here()


class StrictChunks:
    """Chunks as llhttp reads them. ``problem`` says what is wrong with one.

    Nothing is wrong with a body whose chunk of size zero has come: what follows it that is no trailer is
    ``excess``.
    """

    __slots__ = ("_in_chunk", "_parser", "_pieces", "complete", "excess", "on_body", "on_chunk_header", "problem")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        # After a chunk's size there is data, so an empty piece stays the last only where the size is zero.
        self.on_chunk_header = partial(self._pieces.append, b"")
        self.complete = False
        self.excess = False
        self.problem: str | None = None
        self._in_chunk = True
        self._parser = HttpResponseParser(self)
        # A Content-Length among the trailers means nothing, and is no reason to lose the page; blanks after a
        # chunk's size are sent, and can mean nothing else.
        self._parser.set_dangerous_leniencies(lenient_chunked_length=True, lenient_spaces_after_chunk_size=True)
        self._parser.feed_data(_HEAD)

    def on_message_complete(self) -> None:
        self.complete = True

    def feed(self, data: bytes) -> bytes:
        """Return the body bytes in ``data``."""
        pieces = self._pieces
        broken: HttpParserError | None = None
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            broken = error
        if pieces:
            self._in_chunk = pieces[-1] != b""
        # A large chunk comes in many reads, and joining would copy each.
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        if broken is not None:
            if self.complete or not self._in_chunk:
                self.complete = self.excess = True
            else:
                self.problem = f"broken chunk: {broken}"
        return body

    def ends_here(self) -> bool:
        """See ChunkedBody. Line ends complete what waits for nothing but trailers; to a chunk they are data."""
        return not self._in_chunk and self.feed(b"\r\n\r\n") == b"" and self.complete
