"""In which form is a page kept in the cache's file?"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
import zstandard

from crawler.model.cached import CachedPage

VERSION = 1
SCHEMA = """
create table if not exists pages (
    key blob not null, variant blob not null, url text not null, facts blob not null, body blob not null,
    size integer not null, received real not null, primary key (key, variant)
) without rowid;
create index if not exists pages_by_time on pages (received);
create table if not exists total
    (one integer primary key check (one = 1), bytes integer not null, pages integer not null);
insert or ignore into total values (1, 0, 0);
create trigger if not exists pages_in after insert on pages begin
    update total set bytes = bytes + new.size, pages = pages + 1; end;
create trigger if not exists pages_out after delete on pages begin
    update total set bytes = bytes - old.size, pages = pages - 1; end;
"""

Row = tuple[bytes, bytes, str, bytes, bytes, int, float]
"""The columns of the table ``pages``."""

# Beside its body a page costs about so many bytes.
_OVERHEAD = 256
_LARGEST_BODY = 2**31
# Pages are of a few kB, and are written once: the fastest level is 5 % larger and takes half the time.
_LEVEL = 1

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CachedPage).decode


class DamagedPage(Exception):
    """A row that cannot be read."""


class CachedRows:
    """Turns pages into rows, in the thread that writes, and rows into pages, in the one that reads."""

    def __init__(self) -> None:
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL)
        self._decompress = zstandard.ZstdDecompressor().decompress

    def bodies(self, pages: Sequence[CachedPage]) -> list[bytes]:
        """Return the compressed bodies.

        All at once: each call gives the interpreter's lock away, and a thread waits 5 ms for it while the
        reactor is busy.
        """
        if not any(page.body for page in pages):  # multi_compress_to_buffer refuses nothing but nothing
            return [self._compressor.compress(b"")] * len(pages)
        made = self._compressor.multi_compress_to_buffer([page.body for page in pages])
        return [made[place].tobytes() for place in range(len(made))]

    def row(self, key: bytes, page: CachedPage, body: bytes) -> Row:
        """Return a page and its compressed body as it is kept."""
        facts = _encode(msgspec.structs.replace(page, body=b""))
        variant = blake2b(_encode((page.vary, page.said)), digest_size=8).digest()
        return key, variant, page.url, facts, body, len(body) + len(facts) + _OVERHEAD, page.received

    def page(self, facts: bytes, body: bytes) -> CachedPage:
        """Return a page that was kept; raises DamagedPage."""
        try:
            page = _decode(facts)
            page.body = self._decompress(body, max_output_size=_LARGEST_BODY)
        except (msgspec.MsgspecError, zstandard.ZstdError, TypeError) as error:
            raise DamagedPage(str(error)) from error
        return page
