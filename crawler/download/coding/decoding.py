"""How does a body become what it was before its Content-Encoding, without trusting the peer?

Goals: every coding a crawler meets (gzip, deflate, br, zstd, and stacks of them), fed as bytes arrive;
memory bounded *while* decoding, because 34 bytes of brotli can stand for ten megabytes.

Plan: each coding is a layer whose ``pump(data)`` yields its output in pieces. Layers are nested, so a
stacked bomb is never expanded between two of them, and every layer counts what it yields: the first
to pass the limit ends the body.

Known limits: check sums (CRC-32, Adler-32) are not compared, as in browsers; the transport has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import brotli
import zstandard

from crawler.download.coding.inflate import PIECE, Gunzip, Inflate
from crawler.errors import BodyTooLarge, DecodingError, FetchError

MAX_STACK = 5
"""Most codings of one body; curl stops at five as well."""

ACCEPT_ENCODING = b"gzip, deflate, br, zstd"
"""What a request accepts when its body will be decoded here."""


class _Layer(Protocol):
    complete: bool  # its stream has properly ended

    def pump(self, data: bytes) -> Iterator[bytes]: ...


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


_LAYERS: dict[bytes, Callable[[], _Layer]] = {
    b"gzip": Gunzip,
    b"x-gzip": Gunzip,
    b"deflate": Inflate,
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
    and then sets ``truncated``; ``cut`` gives what comes up to the limit, roughly, and then sets ``full``.
    """

    def __init__(self, encodings: list[bytes], limit: int, *, lenient: bool = False, cut: bool = False) -> None:
        self.left = list(encodings)
        self.truncated = False
        self.full = False
        self._cut = cut
        self._limit = limit
        self._lenient = lenient
        self._fed = False
        self._layers: list[_Layer] = []
        self._counts: list[int] = []
        while self.left and self.left[-1] in _LAYERS:
            if len(self._layers) == MAX_STACK:
                raise DecodingError(f"the body has more than {MAX_STACK} codings")
            self._layers.append(_LAYERS[self.left.pop()]())
            self._counts.append(0)

    def __repr__(self) -> str:
        return f"<Decoder of {len(self._layers)} codings, counts {self._counts}>"

    def feed(self, data: bytes) -> bytes:
        """Return what ``data`` decodes to, which may be nothing yet.

        Raises DecodingError, and BodyTooLarge once more than ``limit`` bytes came out.
        """
        if not data:
            return b""
        self._fed = True
        if not self._layers:
            return data
        try:
            return b"".join(self._through(0, data))
        except FetchError as error:
            # Who keeps the error keeps the frames of its traceback: without the decoders' windows of megabytes.
            self._layers.clear()
            if error.__cause__ is not None:
                error.__cause__.__traceback__ = None
            raise error.with_traceback(None) from error.__cause__

    def finish(self) -> bytes:
        """Return what is left at the end of the body; raise DecodingError if a stream has not ended.

        A body without a byte is complete: HEAD, 304 and careless servers name a coding all the same.
        """
        if self._fed and not all(layer.complete for layer in self._layers):
            if not self._lenient:
                raise DecodingError("the compressed body ends early")
            self.truncated = True
        return b""

    def _through(self, level: int, data: bytes) -> Iterator[bytes]:
        last = level + 1 == len(self._layers)
        for piece in self._layers[level].pump(data):
            self._counts[level] += len(piece)
            if self._limit and self._counts[level] > self._limit:
                if not self._cut:
                    raise BodyTooLarge(f"the decoded body is larger than {self._limit} bytes")
                self.full = True
            if last:
                yield piece
            else:
                yield from self._through(level + 1, piece)
            if self.full:
                return
