"""How does a body become what it was before its Content-Encoding, without trusting the peer?

Goals: every coding a crawler meets (gzip, deflate, br, zstd, and stacks of them), fed as bytes arrive;
memory bounded *while* decoding, because 34 bytes of brotli can stand for ten megabytes.

Plan: each coding is a stage whose ``pump(data)`` yields its output in pieces. Stages are nested, so a
stacked bomb is never expanded between two of them, and every stage counts what it yields: the first
to pass the limit ends the body.

Known limits: check sums (CRC-32, Adler-32) are not compared, as in browsers; the transport has its own.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from typing import Protocol

import brotli
import zstandard

from crawler.errors import BodyTooLarge, DecodingError

PIECE = 65_536
"""Most bytes one step of a stage yields (zstd: see `_Zstd`)."""

MAX_STACK = 5
"""Most codings of one body; curl stops at five as well."""

ACCEPT_ENCODING = b"gzip, deflate, br, zstd"
"""What a request accepts when its body will be decoded here."""


class _Stage(Protocol):
    complete: bool  # its stream has properly ended

    def pump(self, data: bytes) -> Iterator[bytes]: ...


class _Inflate:
    """Deflate data (RFC 1951) after a wrapper of its own, which subclasses strip."""

    name = "deflate"

    def __init__(self) -> None:
        self.complete = False
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        self._held: bytes | None = b""  # the wrapper so far; None once inside the stream
        self._after = b""

    def pump(self, data: bytes) -> Iterator[bytes]:
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


class _Gunzip(_Inflate):
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


class _Brotli:
    """RFC 7932; windows above 16 MB ("large window") stay refused, which is the library's default."""

    def __init__(self) -> None:
        self.complete = False
        self._decompressor = brotli.Decompressor()

    def pump(self, data: bytes) -> Iterator[bytes]:
        if self.complete:
            return
        process, finished = self._decompressor.process, self._decompressor.is_finished
        try:
            piece = process(data, output_buffer_limit=PIECE)
            while piece:
                yield piece
                piece = process(b"", output_buffer_limit=PIECE)
        except brotli.error as error:
            raise DecodingError(f"the body is not valid br: {error}") from error
        self.complete = finished()


class _Zstd:
    """RFC 8878, one or more frames, windows up to 8 MB (RFC 9659, 3).

    The library expands all it is given at once. One block of at least 4 bytes stands for at most
    128 KiB, so slices of `SLICE` bytes expand to at most 2 MB.
    """

    SLICE = 64

    def __init__(self) -> None:
        self.complete = False
        self._start()

    def _start(self) -> None:
        self._frame = zstandard.ZstdDecompressor(max_window_size=8 * 2**20).decompressobj()

    def pump(self, data: bytes) -> Iterator[bytes]:
        position = 0
        while position < len(data):
            if self.complete:
                self.complete = False
                self._start()
            chunk = data[position : position + self.SLICE]
            position += len(chunk)
            try:
                piece = self._frame.decompress(chunk)
            except zstandard.ZstdError as error:
                raise DecodingError(f"the body is not valid zstd: {error}") from error
            if piece:
                yield piece
            if self._frame.eof:
                self.complete = True
                position -= len(self._frame.unused_data)


_STAGES: dict[bytes, Callable[[], _Stage]] = {
    b"gzip": _Gunzip,
    b"x-gzip": _Gunzip,
    b"deflate": _Inflate,
    b"br": _Brotli,
    b"zstd": _Zstd,
}


def codings(values: list[bytes]) -> list[bytes]:
    """Return the codings of all Content-Encoding lines in the order in which they were applied."""
    tokens = (token.strip().lower() for value in values for token in value.split(b","))
    return [token for token in tokens if token and token != b"identity"]


class Decoder:
    """Undo ``encodings`` (as `codings` returns them) and count the decoded bytes against ``limit``.

    ``limit`` is in bytes, 0 for none. ``left`` holds the codings that are not known here: like the
    first of them, all applied before stay on the body. ``lenient`` accepts a stream that ends early
    and then sets ``truncated``.
    """

    def __init__(self, encodings: list[bytes], limit: int, *, lenient: bool = False) -> None:
        self.left = list(encodings)
        self.truncated = False
        self._limit = limit
        self._lenient = lenient
        self._fed = False
        self._stages: list[_Stage] = []
        self._counts: list[int] = []
        while self.left and self.left[-1] in _STAGES:
            if len(self._stages) == MAX_STACK:
                raise DecodingError(f"the body has more than {MAX_STACK} codings")
            self._stages.append(_STAGES[self.left.pop()]())
            self._counts.append(0)

    def __repr__(self) -> str:
        return f"<Decoder of {len(self._stages)} codings, counts {self._counts}>"

    def feed(self, data: bytes) -> bytes:
        """Return what ``data`` decodes to, which may be nothing yet.

        Raises DecodingError, and BodyTooLarge once more than ``limit`` bytes came out.
        """
        if not data:
            return b""
        self._fed = True
        return b"".join(self._through(0, data)) if self._stages else data

    def finish(self) -> bytes:
        """Return what is left at the end of the body; raise DecodingError if a stream has not ended.

        A body without a byte is complete: HEAD, 304 and careless servers name a coding all the same.
        """
        if self._fed and not all(stage.complete for stage in self._stages):
            if not self._lenient:
                raise DecodingError("the compressed body ends early")
            self.truncated = True
        return b""

    def _through(self, level: int, data: bytes) -> Iterator[bytes]:
        last = level + 1 == len(self._stages)
        for piece in self._stages[level].pump(data):
            self._counts[level] += len(piece)
            if self._limit and self._counts[level] > self._limit:
                raise BodyTooLarge(f"the decoded body is larger than {self._limit} bytes")
            if last:
                yield piece
            else:
                yield from self._through(level + 1, piece)
