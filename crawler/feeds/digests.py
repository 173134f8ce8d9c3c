"""What of each item does a run leave, so that the next can tell what has changed?

A digest of what the item says: two items are the same if they have the same fields with the same values, in whatever
order, apart from the fields of CHANGES_IGNORE.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

import msgspec

from crawler.feeds.items import Fields
from crawler.feeds.values import encode_json, repaired, simpler
from crawler.model.keyed import Keyed

NAME = "crawler:items"
"""No user's feed can have this name: the colon is followed by no format."""

_sorted = msgspec.json.Encoder(enc_hook=simpler, order="deterministic").encode


class Row(NamedTuple):
    """An item as it is remembered: where it comes from, the digest of what it says, and itself as JSON or nothing."""

    token: int
    page: str
    key: str | int
    digest: bytes
    item: bytes


class Record(Protocol):
    """Where the rows of one job are kept, beside the job. The calls block.

    ``keeps_items``: the items themselves, too.
    """

    @property
    def keeps_items(self) -> bool: ...

    def open(self, mark: dict[str, Any] | None) -> None:
        """Begin, or go on where a mark says. Raises OutputError."""

    def add(self, rows: Sequence[Row], number: int) -> dict[str, Any]:
        """Keep rows, the last of which is of the item of this number; return the mark. Raises FeedError."""

    def close(self) -> dict[str, Any]:
        """Close; return the last mark."""


class DigestFeed:
    """A feed of the crawl's own (see seam.Feed) into a record; ``ignored`` are fields that do not count."""

    keyed = True
    name = NAME

    def __init__(self, record: Record, ignored: Iterable[str] = ()) -> None:
        self._record = record
        self._ignored = frozenset(ignored)
        self._fields = Fields()
        self._count = 0

    def check(self) -> None:
        """See seam.Feed. It lies beside the job, which has a folder."""

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """See seam.Feed."""
        self._record.open(mark)

    def write(self, items: Sequence[Any], number: int) -> dict[str, Any]:
        """See seam.Feed. Items that a job of an older version has are without a place, and are left out."""
        keyed = [item for item in items if type(item) is tuple]
        rows = list(map(self._row, keyed, self._fields.of([item for item, *_ in keyed])))
        self._count += len(rows)
        return self._record.add(rows, number)

    def _row(self, keyed: Keyed, fields: dict[str, Any]) -> Row:
        _, token, page, key = keyed
        said = encode_json(fields) if self._record.keeps_items else b""
        return Row(token, page, repaired(key) if isinstance(key, str) else key, self._digest(fields), said)

    def _digest(self, fields: dict[str, Any]) -> bytes:
        if self._ignored:
            fields = {name: value for name, value in fields.items() if name not in self._ignored}
        try:
            said = _sorted(fields)
        except BaseException:  # what the fast way cannot write; see encode_json
            said = encode_json(fields)
        return blake2b(said, digest_size=8).digest()

    def kept(self, mark: dict[str, Any]) -> None:
        """See seam.Feed. Nothing waits for it."""

    def committed(self, mark: dict[str, Any]) -> None:
        """See seam.Feed. Nothing waits for it."""

    def close(self, *, finished: bool) -> dict[str, Any]:
        """See seam.Feed."""
        return self._record.close()

    def count(self) -> int:
        """See seam.Feed."""
        return self._count
