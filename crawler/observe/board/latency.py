"""How long do answers take, by a count of each length?"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from crawler.observe.board.shown import Latencies, Latency

# Ten to a decade, the preferred numbers of ISO 3 (R10): what is read from them is a few per cent from the truth, and
# every third is one of those that metrics are usually shown by (1, 2.5, 5).
_DECADE = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)

BOUNDS = (*(number * 10.0**power for power in (-3, -2, -1, 0, 1) for number in _DECADE), 100.0, 180.0)
"""In seconds, from 1 ms to the default of DOWNLOAD_TIMEOUT; a length counts at the first bound that it does not
exceed."""

Buckets = dict[int, int]
"""How many lengths are at which bound, by its place in BOUNDS; ``len(BOUNDS)`` is that of all longer ones."""


class Lengths:
    """All of a run, and those ``fresh`` since they were last taken."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0
        self._fresh: Buckets = {}

    def add(self, seconds: float) -> None:
        """Count one."""
        place = bisect_left(BOUNDS, seconds)
        self._counts[place] += 1
        self._sum += seconds
        self._fresh[place] = self._fresh.get(place, 0) + 1

    def take_fresh(self) -> Buckets:
        """Return what was added since the last call."""
        fresh, self._fresh = self._fresh, {}
        return fresh

    def all(self) -> Latencies:
        """Return the histogram of the run."""
        return Latencies(bounds=BOUNDS, counts=list(self._counts), sum=self._sum)


def added(several: Iterable[Mapping[int, int]]) -> Buckets:
    """Return several counts as one."""
    total: Buckets = {}
    for each in several:
        for place, count in each.items():
            total[place] = total.get(place, 0) + count
    return total


def latency_of(buckets: Mapping[int, int]) -> Latency | None:
    """Return what half, 90 and 99 of 100 did not exceed, as if lengths lay evenly between two bounds; None of none."""
    total = sum(buckets.values())
    if not total:
        return None
    p50, p90, p99 = (_percentile(buckets, share * total) for share in (0.5, 0.9, 0.99))
    return Latency(p50=p50, p90=p90, p99=p99)


def _percentile(buckets: Mapping[int, int], rank: float) -> float:
    passed = 0
    for place in sorted(buckets):
        count = buckets[place]
        if passed + count >= rank:
            above = BOUNDS[min(place, len(BOUNDS) - 1)]
            below = BOUNDS[place - 1] if place else 0.0
            return round(below + (above - below) * (rank - passed) / count, 6)
        passed += count
    return BOUNDS[-1]
