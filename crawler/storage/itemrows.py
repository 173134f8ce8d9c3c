"""How are the digests of a run's items kept, in its history and in the file that becomes a part of it?

In frames: a length, and MessagePack of rows by columns, since values of one kind beside each other become small. Frames
lie behind each other in the file beside the job, and many make a block of the history.
"""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import accumulate
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from crawler.model.keyed import key_text
from crawler.storage.history import Run, sections
from crawler.storage.historyfile import pack_fingerprints, translated, unpack_fingerprints

ITEMS = b"I"
"""The kind of the blocks of a history that have items."""

BLOCK_BYTES = 262_144
DIGEST_BYTES = 6
"""It tells what one item says from what it said before, and nothing else: that two such are the same by chance in one
of 2**48 is rare enough."""

_LENGTH = struct.Struct(">I")


class ItemRow(NamedTuple):
    """An item of a run: the token of its request, the number that its key has, the digest of what it says, its place on
    its page, and its key where that is another than its request's URL and that place give. ``item``: itself as JSON,
    if the run keeps items whole.
    """

    token: int
    number: int
    digest: bytes
    place: int
    text: str = ""
    item: bytes = b""


class _Columns(Struct, array_like=True):
    """Of ``tokens`` each is the difference from the one before; what few rows have is by their place here."""

    tokens: list[int]
    numbers: bytes
    digests: bytes
    places: list[int]
    texts: dict[int, str]
    items: dict[int, bytes]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Columns).decode


def make_row(token: int, page: str, key: str | int, digest: bytes, item: bytes = b"") -> ItemRow:
    """Return the row of an item that comes from there (see model.keyed)."""
    text = key_text(page, key)
    derived = isinstance(key, int) and key >= 0
    return ItemRow(token, number_of(text), digest[:DIGEST_BYTES], key if derived else 0, "" if derived else text, item)  # type: ignore[arg-type]


def number_of(key: str) -> int:
    """Return the number that stands for a key."""
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def framed(data: bytes) -> bytes:
    """Return a frame."""
    return _LENGTH.pack(len(data)) + data


def pack_rows(rows: Sequence[ItemRow]) -> bytes:
    """Put rows into a frame."""
    tokens = [row.token for row in rows]
    columns = _Columns(
        [token - before for before, token in zip([0, *tokens], tokens, strict=False)],
        pack_fingerprints(row.number for row in rows),
        b"".join(row.digest for row in rows),
        [row.place for row in rows],
        {place: row.text for place, row in enumerate(rows) if row.text},
        {place: row.item for place, row in enumerate(rows) if row.item},
    )
    return framed(_encode(columns))


def rows_in(frame: bytes) -> Iterator[ItemRow]:
    """Yield the rows of a frame."""
    columns = _decode(frame)
    numbers, texts, items = unpack_fingerprints(columns.numbers), columns.texts, columns.items
    digests = [columns.digests[at : at + DIGEST_BYTES] for at in range(0, len(columns.digests), DIGEST_BYTES)]
    rows = zip(accumulate(columns.tokens), numbers, digests, columns.places, strict=True)
    for at, (token, number, digest, place) in enumerate(rows):
        yield ItemRow(token, number, digest, place, texts.get(at, ""), items.get(at, b""))


def frames(data: bytes) -> Iterator[bytes]:
    """Yield what is in the frames of a block; raises struct.error for what was cut."""
    at = 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        yield data[at : at + length]
        at += length


def frames_of_file(path: Path) -> Iterator[bytes]:
    """Yield what is in the frames of a file; raises FileNotFoundError, and struct.error for what was cut."""
    with path.open("rb") as file:
        while head := file.read(_LENGTH.size):
            (size,) = _LENGTH.unpack(head)
            yield file.read(size)


def rows_of(run: Run) -> Iterator[ItemRow]:
    """Yield the rows of a finished run; raises JobDamaged and StoreError."""
    with translated(run.path):
        for block in sections(run, ITEMS):
            for frame in frames(block):
                yield from rows_in(frame)


def blocks(parts: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Yield blocks of a history, each of many frames."""
    gathered: list[bytes] = []
    size = 0
    for part in parts:
        gathered.append(part)
        size += len(part)
        if size >= BLOCK_BYTES:
            yield ITEMS, b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield ITEMS, b"".join(gathered)


class Before:
    """The keys and digests of an earlier run's items, sixteen bytes each, and which of them this run has met.

    Items with one key count by the order in which they come: the second takes the next number. ``whole``: the run kept
    the items themselves, too.
    """

    def __init__(self, rows: Iterable[ItemRow] = ()) -> None:
        self.whole = False
        pairs: list[tuple[int, int]] = []
        for row in rows:
            pairs.append((row.number, int.from_bytes(row.digest, "big")))
            self.whole = self.whole or bool(row.item)
        pairs.sort(key=itemgetter(0))
        self._numbers, self._digests = array("Q"), array("Q")
        for number, digest in pairs:
            self._numbers.append(max(number, self._numbers[-1] + 1) if self._numbers else number)
            self._digests.append(digest)
        self._met = bytearray(len(self._numbers))
        self._new: set[int] = set()
        self.same = self.changed = 0

    @property
    def new(self) -> int:
        """How many items that were met are new."""
        return len(self._new)

    def meet(self, row: ItemRow) -> tuple[str, int]:
        """Return whether an item of this run is "new", "changed" or "same", and the number that it takes."""
        number = row.number
        while True:
            place = self._place(number)
            if place is None and number not in self._new:
                self._new.add(number)
                return "new", number
            if place is not None and not self._met[place]:
                self._met[place] = 1
                break
            number = (number + 1) % 2**64
        if self._digests[place] == int.from_bytes(row.digest, "big"):
            self.same += 1
            return "same", number
        self.changed += 1
        return "changed", number

    def numbered(self, rows: Iterable[ItemRow]) -> Iterator[tuple[ItemRow, int, bool]]:
        """Yield the rows of the earlier run again, each with the number that it has taken, and whether it was met."""
        passed = bytearray(len(self._numbers))
        for row in rows:
            number = row.number
            while (place := self._place(number)) is not None and passed[place]:
                number += 1
            if place is not None:
                passed[place] = 1
                yield row, number, bool(self._met[place])

    def _place(self, number: int) -> int | None:
        place = bisect_left(self._numbers, number)
        return place if place < len(self._numbers) and self._numbers[place] == number else None
