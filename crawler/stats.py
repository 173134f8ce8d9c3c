"""What has been counted so far?

The keys are Scrapy's (docs.scrapy.org, "Stats Collection"). May be used from any thread.
"""

from __future__ import annotations

import threading
from collections import defaultdict
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
    page. They are added to the values of the same keys whenever those are read.
    """

    def __init__(self, initial: dict[str, Any] | None = None) -> None:
        self._values: dict[str, Any] = dict(initial or {})
        self._lock = threading.Lock()
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
            self._values[key] = max(self._values.get(key, value), value)

    def min_value(self, key: str, value: SupportsRichComparison, spider: Named | None = None) -> None:
        """Keep the smaller of the stored value and this one."""
        with self._lock:
            self._values[key] = min(self._values.get(key, value), value)
