"""How does a crawl keep its requests if nothing has to survive it?

Everything accepted goes straight to the frontier, which holds all of it (no window); what is left to
remember is which fingerprints were seen and which tokens are not finished yet.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed

from crawler.errors import StoreError
from crawler.frontier.host import Entry
from crawler.frontier.store import START, Alone, Committed, Finished, Offer, Postponed, Redirected, Resumed
from crawler.model.request import Request
from crawler.storage.places import place

BUCKET = 24
"""Average keys in a bucket: more cost time for searching, fewer cost memory for the objects."""

_ORDER = sys.byteorder

_token_of = attrgetter("token")


class MemoryStore(Alone):
    """A Store that forgets: for ``JOB_STORE = None``. Items are numbered but not kept."""

    durable = False
    window: int | None = None

    def __init__(self) -> None:
        self._seen = SeenSet()
        self._open: set[int] = set()
        self._tokens = 0
        self._items = 0

    def __repr__(self) -> str:
        return f"<MemoryStore accepted={self._tokens} open={len(self._open)}>"

    def open(self) -> Deferred[Resumed]:
        """Begin a new crawl."""
        return succeed(Resumed())

    def can_store(self, request: Request) -> bool:
        """Every request can be kept in memory."""
        return True

    def claim(self, token: int, fingerprints: Sequence[int]) -> Deferred[list[bool]]:
        """Tell which fingerprints are new."""
        return succeed([fingerprint not in self._seen for fingerprint in fingerprints])

    def commit(
        self,
        finished: Sequence[Finished],
        *,
        postponed: Sequence[Postponed] = (),
        facts: dict[str, Any] | None = None,
    ) -> Deferred[list[Committed]]:
        """Register children and number items; a token that is not open is a StoreError, and nothing changes."""
        tokens = list(map(_token_of, finished))
        ended = {*tokens} - {START}
        unknown = sorted({*ended, *map(_token_of, postponed)} - self._open)
        if unknown or len(ended) + tokens.count(START) < len(tokens):
            named = unknown or [token for token in tokens if token != START]
            return fail(StoreError(f"requests {named} are not open in this store, or finished twice"))
        self._open -= ended
        committed: list[Committed] = []
        for result in finished:
            for fingerprint in result.fingerprints:
                self._seen.add(fingerprint)
            committed.append(Committed(list(map(self._admit, result.children)), self._items + 1))
            self._items += len(result.items)
        return succeed(committed)

    def _admit(self, offer: Offer) -> Entry | None:
        request, fingerprint, host, origin, check, _ = offer
        if not self._seen.add(fingerprint) and check:
            return None
        self._tokens += 1
        token = self._tokens
        self._open.add(token)
        return Entry(request, token=token, order=token, host=host, origin=origin)

    def stage(self, token: int, children: Sequence[Offer]) -> Deferred[None]:
        """Not asked of a store that keeps nothing back."""
        return fail(StoreError("a store without a window stages nothing"))

    def redirect(self, postponed: Postponed, fingerprint: int) -> Deferred[Redirected]:
        """Register the target; tell whether it is new."""
        if postponed.token not in self._open:
            return fail(StoreError(f"request {postponed.token} is not open in this store"))
        return succeed("here" if self._seen.add(fingerprint) else "duplicate")

    def lease(self, host: str, count: int, after: tuple[int, int] | None) -> Deferred[list[tuple[Entry, float]]]:
        """Return nothing: all requests are in the frontier."""
        return succeed([])

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        """Return nothing: the feeds get their items from the engine."""
        return succeed([])

    def fed(self, feed: str, mark: Mapping[str, Any], *, on_disk: bool = False) -> Deferred[None]:
        """Keep nothing."""
        return succeed(None)

    def feeds(self, names: Sequence[str]) -> Deferred[None]:
        """Keep nothing."""
        return succeed(None)

    def finish(self, *, ended: bool, reason: str) -> Deferred[None]:
        """Forget everything."""
        self._open.clear()
        return succeed(None)


class NewestFirstStore(MemoryStore):
    """Lets the newest request of a host go first."""

    def _admit(self, offer: Offer) -> Entry | None:
        entry = super()._admit(offer)
        return None if entry is None else place(entry, start=not offer.found_on)


class SeenSet:
    """A set of unsigned 64-bit numbers that only grows. The numbers are taken to be well mixed.

    A Python set costs some 90 bytes a number; this costs about 10. Linear hashing: the numbers lie in
    buckets, each one bytes object of 8-byte keys that is searched in C, and whenever the average bucket
    is full the next bucket in line is split in two. So there is no moment at which everything is moved.
    """

    __slots__ = ("_buckets", "_count", "_mask", "_split")

    def __init__(self, fingerprints: Iterable[int] = ()) -> None:
        self._buckets = [b""]
        self._count = 0
        self._mask = 0  # of the number of bits in use; buckets below _split use one bit more
        self._split = 0
        for fingerprint in fingerprints:
            self.add(fingerprint)

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<SeenSet of {self._count}>"

    def __contains__(self, fingerprint: int) -> bool:
        place = fingerprint & self._mask
        if place < self._split:
            place = fingerprint & (self._mask * 2 + 1)
        key = fingerprint.to_bytes(8, _ORDER)
        found = self._buckets[place].find(key)
        return found >= 0 and (found & 7 == 0 or _holds(self._buckets[place], key))

    def add(self, fingerprint: int) -> bool:
        """Register a number; tell whether it is new."""
        place = fingerprint & self._mask
        if place < self._split:
            place = fingerprint & (self._mask * 2 + 1)
        key = fingerprint.to_bytes(8, _ORDER)
        bucket = self._buckets[place]
        found = bucket.find(key)
        if found >= 0 and (found & 7 == 0 or _holds(bucket, key)):
            return False
        self._buckets[place] = bucket + key
        self._count += 1
        if self._count > BUCKET * len(self._buckets):
            self._grow()
        return True

    def _grow(self) -> None:
        """Split the next bucket in line by one more bit."""
        bit = self._mask + 1
        keys = array("Q", self._buckets[self._split])
        self._buckets[self._split] = array("Q", [key for key in keys if not key & bit]).tobytes()
        self._buckets.append(array("Q", [key for key in keys if key & bit]).tobytes())
        self._split += 1
        if self._split == bit:
            self._mask = self._mask * 2 + 1
            self._split = 0


def _holds(bucket: bytes, key: bytes) -> bool:
    """Find the key at a multiple of its length: elsewhere it is only parts of two others."""
    found = bucket.find(key)
    while found >= 0:
        if found & 7 == 0:
            return True
        found = bucket.find(key, found + 1)
    return False
