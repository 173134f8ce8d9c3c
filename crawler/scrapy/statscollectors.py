"""Who counts? ``crawler.stats``: Scrapy's module of that name, over the crawl's own counters."""

from __future__ import annotations

import logging
import pprint
import sys
from collections import defaultdict
from typing import Any

from crawler.stats import Stats

logger = logging.getLogger(__name__.removeprefix("crawler."))


class StatsCollector(Stats):
    """What counts in one crawl. The crawl adds to ``counts`` by itself; a class that overrides ``inc_value`` is called.

    STATS_CLASS may name one that is derived from this.
    """

    def __init__(self, crawler: Any) -> None:
        super().__init__()
        self._crawler = crawler
        self._dump = crawler.settings.getbool("STATS_DUMP")
        if type(self).inc_value is not Stats.inc_value:
            self.counts = _ByMethod(self)

    @property
    def _stats(self) -> dict[str, Any]:
        return self.get_stats()

    @_stats.setter
    def _stats(self, stats: dict[str, Any]) -> None:
        Stats.set_stats(self, stats)

    def open_spider(self, spider: Any = None) -> None:
        """The spider is opened."""

    def close_spider(self, spider: Any = None, reason: str | None = None) -> None:
        """The spider is closed: dump the stats into the log, unless STATS_DUMP is False."""
        if self._dump:
            stats = pprint.pformat(self.get_stats(), width=sys.maxsize)  # one line, as all in the log are
            logger.info("Dumping Scrapy stats: %s", stats, extra={"spider": self._crawler.spider})
        self._persist_stats(self.get_stats())

    def _persist_stats(self, stats: dict[str, Any]) -> None:
        pass

    def __str__(self) -> str:
        return pprint.pformat(self.get_stats())


class MemoryStatsCollector(StatsCollector):
    """Keeps the last stats of each spider in ``spider_stats``, by its name. Scrapy's default."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.spider_stats: dict[str, dict[str, Any]] = {}

    def _persist_stats(self, stats: dict[str, Any]) -> None:
        if self._crawler.spider:
            self.spider_stats[self._crawler.spider.name] = stats


class DummyStatsCollector(StatsCollector):
    """Keeps nothing."""

    def get_value(self, key: str, default: Any = None, spider: Any = None) -> Any:
        """Return the default."""
        return default

    def get_stats(self, spider: Any = None) -> dict[str, Any]:
        """Return nothing."""
        return {}

    def _nothing(self, *arguments: Any, **named: Any) -> None:
        """Keep nothing."""

    set_value = set_stats = inc_value = max_value = min_value = _nothing


class _ByMethod(defaultdict[str, int]):
    """Counters that are added to by a method of the user's."""

    def __init__(self, stats: StatsCollector) -> None:
        super().__init__(int)
        self._add = stats.inc_value

    def __setitem__(self, key: str, value: int) -> None:
        self._add(key, value)

    def __missing__(self, key: str) -> int:
        return 0

    def copy(self) -> _ByMethod:
        """Return itself, which is empty: all is in the values."""
        return self
