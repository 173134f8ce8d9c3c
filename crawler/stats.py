"""What has been counted so far?

The keys are Scrapy's (docs.scrapy.org, "Stats Collection"). May be used from any thread.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from _typeshed import SupportsRichComparison


class Named(Protocol):
    """A spider, as far as it matters here."""

    @property
    def name(self) -> str: ...


class Stats:
    """A dictionary of counters and facts, safe to change from pipeline threads.

    ``counts`` are counters that the reactor's thread alone adds to, without the lock: some ten for each
    page. They are added to the values of the same keys whenever those are read. ``extremes`` says of a key that
    was given to ``max_value`` or ``min_value`` which of them it was: "max" or "min".
    """

    def __init__(self, initial: dict[str, Any] | None = None) -> None:
        self._values: dict[str, Any] = dict(initial or {})
        self._lock = threading.Lock()
        self.extremes: dict[str, str] = {}
        self.counts: defaultdict[str, int] = defaultdict(int)

    def __repr__(self) -> str:
        return f"<Stats {len(self.get_stats())} values>"

    # ``spider`` is where Scrapy's methods have it, for code that gives it; there is one for each crawl.

    def get_value(self, key: str, default: Any = None, spider: Named | None = None) -> Any:
        """Return one value."""
        if key in self.counts:
            return self._values.get(key, 0) + self.counts[key]
        return self._values.get(key, default)

    def get_stats(self, spider: Named | None = None) -> dict[str, Any]:
        """Return a copy of all values."""
        with self._lock:
            values = dict(self._values)
        # A copy is one step of the interpreter: the reactor's thread cannot come between.
        for key, count in self.counts.copy().items():
            values[key] = values.get(key, 0) + count
        return values

    def set_stats(self, stats: dict[str, Any], spider: Named | None = None) -> None:
        """Replace all values."""
        with self._lock:
            self.counts.clear()
            self._values = dict(stats)

    def clear_stats(self, spider: Named | None = None) -> None:
        """Forget all values."""
        self.set_stats({})

    def set_value(self, key: str, value: Any, spider: Named | None = None) -> None:
        """Set one value."""
        with self._lock:
            self.counts.pop(key, None)
            self._values[key] = value

    def inc_value(self, key: str, count: int = 1, start: int = 0, spider: Named | None = None) -> None:
        """Add ``count`` to a counter that begins at ``start``."""
        with self._lock:
            self._values[key] = self._values.get(key, start) + count

    def max_value(self, key: str, value: SupportsRichComparison, spider: Named | None = None) -> None:
        """Keep the larger of the stored value and this one."""
        with self._lock:
            self.extremes[key] = "max"
            self._values[key] = max(self._values.get(key, value), value)

    def min_value(self, key: str, value: SupportsRichComparison, spider: Named | None = None) -> None:
        """Keep the smaller of the stored value and this one."""
        with self._lock:
            self.extremes[key] = "min"
            self._values[key] = min(self._values.get(key, value), value)


_EXTREMES = {"start_time": "min", "finish_time": "max", "elapsed_time_seconds": "max"}
"""Those that a crawl sets by itself when it ends."""


def summed(parts: Sequence[Mapping[str, Any]], extremes: Mapping[str, str]) -> dict[str, Any]:
    """Return the stats of several processes as one's; ``extremes`` are all theirs together.

    Of those the largest or the smallest counts; other numbers are added; of what is no number the last one stands.
    """
    values: dict[str, Any] = {}
    kinds = {**_EXTREMES, **extremes}
    for part in parts:
        for key, value in part.items():
            old = values.get(key)
            if old is None or (not (_is_number(old) and _is_number(value)) and type(old) is not type(value)):
                values[key] = value
            elif key in kinds:
                values[key] = max(old, value) if kinds[key] == "max" else min(old, value)
            else:
                values[key] = old + value if _is_number(value) else value
    return values


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
