"""What does the file of a finished run look like inside?

A line that says what it is, then blocks: a byte for the kind, a length, and MessagePack compressed by Zstandard. So
writing and reading hold one block in memory. Whoever has more to keep of a run takes a kind of its own.

It is written aside and takes its name when it is on the disk: it is there whole or not at all.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

import msgspec
import zstandard
from msgspec import Struct

from crawler.errors import JobDamaged, StoreError
from crawler.storage.private import make_private_folder
from crawler.storage.schema import sync_folder

MAGIC = b"crawler history 1\n"
"""The number goes up with every change of the form."""

END = b"."
"""The kind of the last block, which is empty: a file without it was cut off."""

PAGES_A_BLOCK = 16_384
_LEVEL = 9
_LONGEST = 1 << 30
"""No block is longer; a length beyond it is of a damaged file."""

_HEAD = struct.Struct(">cI")
T = TypeVar("T")
_OUTCOMES = ("answered", "failed", "dropped")


class Page(NamedTuple):
    """A request that was accepted, and what became of it.

    ``fingerprints`` (unsigned) are those that it registered: none where another one's is the same, two after a
    redirect. ``outcome`` is "answered", "failed" or "dropped", ``reason`` says why not answered. ``status`` (or an
    error's name) and ``when`` (whole seconds since the epoch) are of the last attempt; "" and 0 if there was none.
    ``requests`` were yielded by its callback, before duplicates were taken out: 0 is a leaf. ``parent`` is the token of
    the request whose page it was found on (-1: start()); ``found_on`` is that page's URL, where it is another than the
    parent's own.
    """

    token: int
    url: str
    fingerprints: tuple[int, ...]
    outcome: str
    reason: str
    status: str
    items: int
    requests: int
    when: int
    parent: int
    found_on: str


class _Columns(Struct, array_like=True):
    """Pages by columns, since values of one kind beside each other become small.

    Of ``tokens``, ``parents`` and ``whens`` each is the difference from the one before.
    """

    tokens: list[int]
    parents: list[int]
    whens: list[int]
    urls: list[str]
    outcomes: bytes
    statuses: list[str]
    items: list[int]
    requests: list[int]
    counts: list[int]
    reasons: dict[int, str]
    found_on: dict[int, str]
    fingerprints: bytes


_encode = msgspec.msgpack.Encoder().encode
_columns = msgspec.msgpack.Decoder(_Columns).decode


class HistoryGone(StoreError):
    """The file was removed, as the end of another crawl does with what is old."""


def write_file(path: Path, blocks: Iterable[tuple[bytes, bytes]]) -> None:
    """Write a file of mode 0600 with these blocks, each a kind and its data, in place of what has its name.

    Raises StoreError, and whatever making the blocks does; nothing is there then, or what was there before.
    """
    aside = path.with_name(path.name + ".new")
    try:
        make_private_folder(path.parent)
        aside.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(aside, flags, 0o600), "wb") as file:
            file.write(MAGIC)
            compress = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress
            for kind, data in blocks:
                _put(file, kind, compress(data))
            _put(file, END, b"")
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise StoreError(f"the history {path} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _put(file: BinaryIO, kind: bytes, packed: bytes) -> None:
    file.write(_HEAD.pack(kind, len(packed)))
    file.write(packed)


def read_file(path: Path, kind: bytes) -> Iterator[bytes]:
    """Yield the data of each block of a kind; others are passed over. Raises JobDamaged and StoreError."""
    with translated(path), path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise JobDamaged(f"{path} is no history of a crawl, or one of another version of this program")
        decompress = zstandard.ZstdDecompressor().decompress
        while (head := _HEAD.unpack(file.read(_HEAD.size)))[0] != END:
            if head[1] > _LONGEST:
                raise JobDamaged(f"the history {path} is damaged: a block of {head[1]} bytes")
            if head[0] == kind:
                yield decompress(file.read(head[1]), max_output_size=_LONGEST)
            else:
                file.seek(head[1], os.SEEK_CUR)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn the errors of reading into JobDamaged, HistoryGone and StoreError, in words for the user."""
    try:
        yield
    except FileNotFoundError as error:
        raise HistoryGone(f"the history {path} cannot be read: {error.strerror}") from error
    except (struct.error, zstandard.ZstdError, msgspec.MsgspecError, IndexError) as error:
        raise JobDamaged(f"the history {path} is damaged: {error}") from error
    except OSError as error:
        raise StoreError(f"the history {path} cannot be read: {error.strerror}") from error


def some_of(rows: Iterable[T], count: int) -> Iterator[list[T]]:
    """Yield so many rows at a time."""
    rows = iter(rows)
    while some := list(islice(rows, count)):
        yield some


def pack_pages(pages: Iterable[Page]) -> Iterator[bytes]:
    """Put pages into blocks, in the order in which they come."""
    for some in some_of(pages, PAGES_A_BLOCK):
        by_page = [page.fingerprints for page in some]
        columns = _Columns(
            _differences(page.token for page in some),
            _differences(page.parent for page in some),
            _differences(page.when for page in some),
            [page.url for page in some],
            bytes(_OUTCOMES.index(page.outcome) for page in some),
            [page.status for page in some],
            [page.items for page in some],
            [page.requests for page in some],
            list(map(len, by_page)),
            {place: page.reason for place, page in enumerate(some) if page.reason},
            {place: page.found_on for place, page in enumerate(some) if page.found_on},
            pack_fingerprints(fingerprint for each in by_page for fingerprint in each),
        )
        yield _encode(columns)


def unpack_pages(data: bytes) -> Iterator[Page]:
    """Yield the pages of a block."""
    columns = _columns(data)
    all_fingerprints = unpack_fingerprints(columns.fingerprints)
    ends = accumulate(columns.counts, initial=0)
    rows = zip(
        accumulate(columns.tokens), accumulate(columns.parents), accumulate(columns.whens), columns.urls,
        columns.outcomes, columns.statuses, columns.items, columns.requests, pairwise(ends), strict=True,
    )  # fmt: skip
    for place, (token, parent, when, url, outcome, status, items, requests, (begin, end)) in enumerate(rows):
        yield Page(
            token, url, all_fingerprints[begin:end], _OUTCOMES[outcome], columns.reasons.get(place, ""), status,
            items, requests, when, parent, columns.found_on.get(place, ""),
        )  # fmt: skip


def _differences(numbers: Iterable[int]) -> list[int]:
    before, differences = 0, []
    for number in numbers:
        differences.append(number - before)
        before = number
    return differences


def pack_fingerprints(fingerprints: Iterable[int]) -> bytes:
    """Put unsigned fingerprints beside each other, eight bytes each."""
    return b"".join(fingerprint.to_bytes(8, "big") for fingerprint in fingerprints)


def unpack_fingerprints(data: bytes) -> tuple[int, ...]:
    """Return what was put beside each other; raises struct.error for what was cut."""
    return struct.unpack(f">{len(data) // 8}Q", data)
