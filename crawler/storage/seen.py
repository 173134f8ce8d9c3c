"""Was this fingerprint registered before?

A Python set costs some 90 bytes a number; this costs 9 to 14. The numbers are spread over shards by
their top bits. Each shard is a sorted array with a small set of newcomers beside it, which is merged into
the array when it has grown to a sixteenth of it: a look-up is one probe of the set and one bisection,
and the longest pause is the merge of one shard (a few milliseconds with ten million numbers).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

SHARD_BITS = 8
_SHIFT = 64 - SHARD_BITS
_LEAST_MERGE = 64


class SeenSet:
    """A set of unsigned 64-bit numbers that only grows."""

    def __init__(self, fingerprints: Iterable[int] = ()) -> None:
        self._new: list[set[int]] = [set() for _ in range(1 << SHARD_BITS)]
        self._old: list[array[int]] = [array("Q") for _ in range(1 << SHARD_BITS)]
        self._count = 0
        for fingerprint in fingerprints:
            self.add(fingerprint)

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<SeenSet of {self._count}>"

    def __contains__(self, fingerprint: int) -> bool:
        shard = fingerprint >> _SHIFT
        if fingerprint in self._new[shard]:
            return True
        old = self._old[shard]
        place = bisect_left(old, fingerprint)
        return place < len(old) and old[place] == fingerprint

    def add(self, fingerprint: int) -> bool:
        """Register a number; tell whether it is new."""
        if fingerprint in self:
            return False
        shard = fingerprint >> _SHIFT
        new = self._new[shard]
        new.add(fingerprint)
        self._count += 1
        if len(new) > _LEAST_MERGE and len(new) * 16 > len(self._old[shard]):
            merged = self._old[shard].tolist()
            merged += sorted(new)
            merged.sort()  # two runs: linear
            self._old[shard] = array("Q", merged)
            new.clear()
        return True
