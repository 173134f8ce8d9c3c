"""Which pages need not be asked for, since an earlier run knew them as leaves?"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable

from crawler.model.request import Request
from crawler.policy.verdict import Drop

KNOWN = "known"
"""The reason for which such a request is dropped."""


class KnownLeaves:
    """The fingerprints (unsigned, 64 bit) of the leaves of an earlier run, eight bytes each."""

    def __init__(self, fingerprints: Iterable[int], fingerprint: Callable[[Request], int], run: str) -> None:
        self._sorted = array("Q", sorted(fingerprints))
        self._fingerprint = fingerprint
        self._detail = f"run {run} knew it as a leaf"

    def __repr__(self) -> str:
        return f"<KnownLeaves {len(self._sorted)}>"

    def __contains__(self, request: Request) -> bool:
        number = self._fingerprint(request)
        place = bisect_left(self._sorted, number)
        return place < len(self._sorted) and self._sorted[place] == number

    def refusal(self, request: Request) -> Drop | None:
        """Return why a request is not sent, None if it is."""
        return Drop(KNOWN, self._detail) if request in self else None
