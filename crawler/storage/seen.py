"""Was this fingerprint registered before?

A Python set costs some 90 bytes a number; this costs about 10. Linear hashing: the numbers lie in
buckets, each one bytes object of 8-byte keys that is searched in C, and whenever the average bucket
is full the next bucket in line is split in two. So there is no moment at which everything is moved.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable

BUCKET = 24
"""Average keys in a bucket: more cost time for searching, fewer cost memory for the objects."""

_ORDER = sys.byteorder


class SeenSet:
    """A set of unsigned 64-bit numbers that only grows. The numbers are taken to be well mixed."""

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
        return _holds(self._buckets[place], fingerprint.to_bytes(8, _ORDER))

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
