"""How is a feed compressed so that it can be cut at a mark and continued by another process?

Goals: a kill costs nothing that was marked; a mark every few items does not double the size; any tool reads
the result. So members (gzip, RFC 1952) or frames (zstd, RFC 8878) are closed at about 1 MB of output, and at
a mark the open one is only flushed to a byte boundary. After a kill the file is cut to the mark, ``mend``
gives the few bytes that end the unfinished member there, and a new member follows:

    gzip   an empty last block (03 00), then CRC-32 and size of what the member holds: these are in the mark
    zstd   an empty last raw block (01 00 00); the frames carry no checksum, for its state cannot be saved

bzip2 and xz cannot be flushed in the middle: what is written at once is a member (stream) of its own, so there is
never an open one.

Known limits: a file whose crawl was killed ends in an unfinished member until the job is resumed or closed; where few
items come at a time, .bz2 and .xz compress little.
"""

from __future__ import annotations

import bz2
import io
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeAlias

import zstandard

MEMBER_SIZE = 1_000_000
_CHUNK = 1 << 16
# No file name and no time: the same items give the same bytes.
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


Member: TypeAlias = list[int] | bool | None
"""What must be known of a member that is not complete; None: there is none."""


class Compressor:
    """Bytes in, bytes for the file out; here as they are."""

    def write(self, data: bytes) -> bytes:
        """Return the bytes for the file, flushed, so that a mark may be set behind them."""
        return data

    def end(self) -> bytes:
        """Return the bytes that complete the open member, if one is open."""
        return b""

    def state(self) -> Member:
        """Return what ``mend`` needs about the open member, in plain values; None if none is open."""
        return None

    def mend(self, state: Member) -> bytes:
        """Return the bytes that complete a member another process left open."""
        return b""


class Gzip(Compressor):
    """Members of gzip."""

    def __init__(self) -> None:
        self._deflate: zlib._Compress | None = None
        self._crc = self._size = self._written = 0

    def write(self, data: bytes) -> bytes:
        """See Compressor."""
        out = b""
        if self._deflate is None:
            self._deflate = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
            self._crc = self._size = self._written = 0
            out = _GZIP_HEAD
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        out += self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._written += len(out)
        if self._written >= MEMBER_SIZE:
            out += self.end()
        return bytes(out)

    def end(self) -> bytes:
        """See Compressor."""
        if self._deflate is None:
            return b""
        out: bytes = self._deflate.flush(zlib.Z_FINISH) + _gzip_tail(self._crc, self._size)
        self._deflate = None
        return out

    def state(self) -> Member:
        """See Compressor."""
        return None if self._deflate is None else [self._crc, self._size]

    def mend(self, state: Member) -> bytes:
        """See Compressor."""
        return b"\x03\x00" + _gzip_tail(*state) if isinstance(state, list) else b""


def _gzip_tail(crc: int, size: int) -> bytes:
    return crc.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")


class Zstandard(Compressor):
    """Frames of zstd."""

    def __init__(self) -> None:
        self._frame: zstandard.ZstdCompressionObj | None = None
        self._written = 0

    def write(self, data: bytes) -> bytes:
        """See Compressor."""
        if self._frame is None:
            self._frame = zstandard.ZstdCompressor(level=3, write_checksum=False).compressobj()
            self._written = 0
        out: bytes = self._frame.compress(data) + self._frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        self._written += len(out)
        return out + self.end() if self._written >= MEMBER_SIZE else out

    def end(self) -> bytes:
        """See Compressor."""
        if self._frame is None:
            return b""
        out: bytes = self._frame.flush()
        self._frame = None
        return out

    def state(self) -> Member:
        """See Compressor."""
        return None if self._frame is None else True

    def mend(self, state: Member) -> bytes:
        """See Compressor."""
        return b"" if state is None else b"\x01\x00\x00"


class Bzip2(Compressor):
    """Streams of bzip2, each of what was written at once."""

    def write(self, data: bytes) -> bytes:
        """See Compressor."""
        return bz2.compress(data)


_SMALLEST, _USUAL = 1 << 12, 1 << 23  # liblzma's own limits of a dictionary, and of preset 6


class Xz(Compressor):
    """Streams of xz, each of what was written at once."""

    def write(self, data: bytes) -> bytes:
        """See Compressor. The dictionary is no larger than the data: it is what takes memory and time."""
        size = max(_SMALLEST, min(len(data), _USUAL))
        return lzma.compress(data, filters=[{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": size}])


class _Decoder(Protocol):
    """What zlib, bz2, lzma and zstandard have in common."""

    eof: bool
    unused_data: bytes

    def decompress(self, data: bytes, /) -> bytes:
        """Return what can be decoded of all that was given."""


COMPRESSORS: dict[str, type[Compressor]] = {
    "": Compressor, ".gz": Gzip, ".zst": Zstandard, ".bz2": Bzip2, ".xz": Xz
}  # fmt: skip
_DECODERS: dict[str, Callable[[], Any]] = {
    ".gz": lambda: zlib.decompressobj(31),
    ".zst": lambda: zstandard.ZstdDecompressor().decompressobj(),
    ".bz2": bz2.BZ2Decompressor,
    ".xz": lzma.LZMADecompressor,
}
_INVALID = (zlib.error, zstandard.ZstdError, lzma.LZMAError, OSError)  # OSError: says bz2


def decompressed(descriptor: int, length: int, suffix: str) -> Iterator[bytes]:
    """Yield the content of the first ``length`` bytes of an open file, in pieces; an open last member is fine.

    The file's own position is not used. Raises ValueError if the bytes are not what the suffix says.
    """
    place = 0
    decoder: _Decoder | None = None
    while place < length:
        data = os.pread(descriptor, min(_CHUNK, length - place), place)
        if not data:
            break
        place += len(data)
        if not suffix:
            yield data
            continue
        while data:
            if decoder is None:
                decoder = _DECODERS[suffix]()
            try:
                content = decoder.decompress(data)
            except _INVALID as error:
                raise ValueError(f"is not valid {suffix}: {error}") from error
            if content:
                yield content
            data = decoder.unused_data
            if decoder.eof:
                decoder = None
            elif data:
                raise ValueError(f"is not valid {suffix}")


class Readable(io.RawIOBase):
    """Pieces of bytes as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        """See io.IOBase."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """See io.RawIOBase."""
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count
