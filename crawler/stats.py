"""What has been counted so far?

The keys are Scrapy's (docs.scrapy.org, "Stats Collection"). May be used from any thread.
"""

from __future__ import annotations

import threading
from typing import Any


class Stats:
    """A dictionary of counters and facts, safe to change from pipeline threads."""

    def __init__(self, initial: dict[str, Any] | None = None) -> None:
        self._values: dict[str, Any] = dict(initial or {})
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Stats {len(self._values)} values>"

    def get_value(self, key: str, default: Any = None) -> Any:
        """Return one value."""
        return self._values.get(key, default)

    def get_stats(self) -> dict[str, Any]:
        """Return a copy of all values."""
        with self._lock:
            return dict(self._values)

    def set_value(self, key: str, value: Any) -> None:
        """Set one value."""
        with self._lock:
            self._values[key] = value

    def inc_value(self, key: str, count: int = 1, start: int = 0) -> None:
        """Add ``count`` to a counter that begins at ``start``."""
        with self._lock:
            self._values[key] = self._values.get(key, start) + count

    def max_value(self, key: str, value: Any) -> None:
        """Keep the larger of the stored value and this one."""
        with self._lock:
            self._values[key] = max(self._values.get(key, value), value)

    def min_value(self, key: str, value: Any) -> None:
        """Keep the smaller of the stored value and this one."""
        with self._lock:
            self._values[key] = min(self._values.get(key, value), value)
