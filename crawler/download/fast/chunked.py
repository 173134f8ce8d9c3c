"""What does a chunked body hold, and where does it end?

llhttp reads the chunks, after a head of our own: so it knows of no HEAD, no Content-Length and no
keep-alive, and an error after the last chunk can only mean that more came than belongs to the body.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpResponseParser

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

    __slots__ = ("_body_size", "_overhead", "_parser", "_pieces", "complete", "excess", "failure", "on_body", "spare")

    def __init__(self, *, spare: int = 65_536) -> None:
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self.complete = False
        self.excess = False
        self.failure: TruncatedBody | None = None
        self.spare = spare
        self._overhead = 0
        self._body_size = 0
        self._parser = HttpResponseParser(self)
        # A Content-Length among the trailers means nothing, and is no reason to lose the page.
        self._parser.set_dangerous_leniencies(lenient_chunked_length=True)
        self._parser.feed_data(_HEAD)

    def on_message_complete(self) -> None:
        self.complete = True

    def feed(self, data: bytes) -> bytes:
        """Return the body bytes in ``data``, up to a broken chunk, which sets ``failure``. Raises HeadTooLarge."""
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            if self.complete:
                self.excess = True
            else:
                self.failure = TruncatedBody(f"broken chunk: {error}")
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._body_size += len(body)
        self._overhead += len(data) - len(body)
        if self._overhead > self.spare + _OVERHEAD_PER_BYTE * self._body_size:
            raise HeadTooLarge(f"chunk extensions or trailers are longer than {self.spare} bytes (HEADER_MAX_LINE)")
        return body
