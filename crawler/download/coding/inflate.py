"""How is deflate data, bare or wrapped by zlib or gzip, expanded in pieces of bounded size?"""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator

from crawler.errors import DecodingError

PIECE = 65_536
"""Most bytes one step yields."""


class Inflate:
    """Deflate data (RFC 1951) after a wrapper of its own, which subclasses strip."""

    name = "deflate"

    def __init__(self) -> None:
        self.complete = False
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._held: bytes | None = b""  # the wrapper so far; None once inside the stream
        self._after = b""

    def pump(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next piece of coded data expands to, at most PIECE bytes a step; raise DecodingError."""
        while data:
            if self.complete:
                if not (data := self._next_member(data)):
                    return
                self.complete = False
                self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
                self._held = b""
            if self._held is not None:
                data = self._held + data
                if (length := self._wrapper(data)) is None:
                    self._held = data
                    return
                self._held = None
                data = data[length:]
            data = yield from self._run(data)

    def _run(self, data: bytes) -> Generator[bytes, None, bytes]:
        # zlib copies what it has not consumed at each call, so a large chunk goes in by slices.
        inflate = self._inflate
        for start in range(0, len(data), PIECE):
            rest = data[start : start + PIECE]
            while True:
                try:
                    piece = inflate.decompress(rest, PIECE)
                except zlib.error as error:
                    raise DecodingError(f"the body is not valid {self.name}: {error}") from error
                if piece:
                    yield piece
                if inflate.eof:  # first: unconsumed_tail may be a stale one then
                    self.complete = True
                    return inflate.unused_data + data[start + PIECE :]
                rest = inflate.unconsumed_tail
                if len(piece) < PIECE and not rest:
                    break
        return b""

    def _wrapper(self, data: bytes) -> int | None:
        """Return the length of the wrapper at the start of ``data``; None: more bytes are needed.

        HTTP's "deflate" is the zlib format (RFC 9110, 8.4.1.2), but some servers send the bare stream,
        so the two bytes of a zlib header (RFC 1950, 2.2; no preset dictionary) are optional.
        """
        if len(data) < 2:
            return None
        is_zlib = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0 and not data[1] & 0x20
        return 2 if is_zlib else 0

    def _next_member(self, data: bytes) -> bytes:
        """Return ``data`` from where another member begins, b"" if none does (so far)."""
        return b""


class Gunzip(Inflate):
    """RFC 1952: one or more members; what follows the last is ignored, as browsers do."""

    name = "gzip"

    def _wrapper(self, data: bytes) -> int | None:
        if data[:3] != b"\x1f\x8b\x08"[: len(data)]:
            raise DecodingError("the body is not valid gzip: it has no gzip header")
        if (end := self._header_end(data)) is None and len(data) > 2 * PIECE:
            raise DecodingError("the body is not valid gzip: its header does not end")
        return end

    def _header_end(self, data: bytes) -> int | None:
        if len(data) < 10:
            return None
        flags, position = data[3], 10
        if flags & 0x04:
            if len(data) < position + 2:
                return None
            position += 2 + int.from_bytes(data[position : position + 2], "little")
        for flag in (0x08, 0x10):  # file name, comment
            if flags & flag:
                position = data.find(b"\0", position) + 1
                if position == 0:
                    return None
        if flags & 0x02:
            position += 2
        return position if len(data) >= position else None

    def _next_member(self, data: bytes) -> bytes:
        # 8 bytes of check sum and size, then the magic number of another member, or something else.
        if len(self._after) >= 10:
            return b""  # decided: it was something else
        self._after += data
        if len(self._after) < 10 or self._after[8:10] != b"\x1f\x8b":
            return b""
        following, self._after = self._after[8:], b""
        return following
