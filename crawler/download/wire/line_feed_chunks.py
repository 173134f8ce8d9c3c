"""What do chunks hold whose lines end in LF alone?

Written for the few servers that send them; Chromium and curl read them in the same way. Everything but the
line ends is as strict as RFC 9112 section 7.1: a size is hexadecimal digits, and what follows a chunk's data
is a line end.
"""

from __future__ import annotations

import re

from crawler.errors import HeadTooLarge

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n\0]*)?\r?\n").fullmatch

# What is to come next.
_A_SIZE, _DATA, _END_OF_DATA, _TRAILERS = range(4)


class LineFeedChunks:
    """See chunked.ChunkedBody, which has the same face and counts what is not body."""

    def __init__(self, longest_line: int) -> None:
        self._longest_line = longest_line
        self.complete = False
        self.excess = False
        self.problem: str | None = None
        self._held = b""
        self._expected = _A_SIZE
        self._left = 0

    def feed(self, data: bytes) -> bytes:
        """Return the body bytes in ``data``. Raises HeadTooLarge for a line that does not end."""
        held = self._held + data
        position = 0
        pieces: list[bytes] = []
        while self.problem is None and not self.complete:
            if self._expected == _DATA:
                piece = held[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                if self._left:
                    break
                self._expected = _END_OF_DATA
            end = held.find(b"\n", position) + 1
            if not end:
                break
            self._line(held[position:end])
            position = end
        self._held = held[position:]
        if len(self._held) > self._longest_line:
            # It is looked through again with each piece that comes.
            raise HeadTooLarge(f"a chunk extension is longer than {self._longest_line} bytes (HEADER_MAX_LINE)")
        # A proxy on the way may have read this otherwise, so the connection is not to be used again.
        self.excess = self.complete
        return b"".join(pieces)

    def _line(self, line: bytes) -> None:
        if self._expected == _TRAILERS:
            self.complete = line in (b"\n", b"\r\n")
        elif self._expected == _END_OF_DATA:
            self._expected = _A_SIZE
            if line not in (b"\n", b"\r\n"):
                self.problem = f"broken chunk: {line[:40]!r} after its data"
        else:
            match = _SIZE(line)
            if match is None:
                self.problem = f"broken chunk: {line[:40]!r} is no size"
                return
            self._left = int(match[1], 16)
            self._expected = _DATA if self._left else _TRAILERS

    def ends_here(self) -> bool:
        """See ChunkedBody."""
        return self._expected == _TRAILERS
