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

    __slots__ = ("_body_size", "_overhead", "_parser", "_pieces", "complete", "excess", "on_body", "spare")

    def __init__(self, *, spare: int = 65_536, bare_line_feeds: bool = False) -> None:
        self._pieces: list[bytes] = []
        self.on_body = self._pieces.append
        self.complete = False
        self.excess = False
        self.spare = spare
        self._overhead = 0
        self._body_size = 0
        self._parser = HttpResponseParser(self)
        if bare_line_feeds:
            self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)
        self._parser.feed_data(_HEAD)

    def on_message_complete(self) -> None:
        self.complete = True

    def feed(self, data: bytes) -> bytes:
        """Return the body bytes in ``data``. Raises HeadTooLarge, or TruncatedBody (a broken chunk)."""
        failure: HttpParserError | None = None
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            failure = error
        body = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        if failure is not None:
            if not self.complete:
                raise TruncatedBody(f"broken chunk: {failure}") from failure
            self.excess = True
        self._body_size += len(body)
        self._overhead += len(data) - len(body)
        if self._overhead > self.spare + _OVERHEAD_PER_BYTE * self._body_size:
            raise HeadTooLarge(f"chunk extensions or trailers are longer than {self.spare} bytes (HEADER_MAX_LINE)")
        return body
