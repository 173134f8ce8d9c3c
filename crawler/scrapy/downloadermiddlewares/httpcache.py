"""Which pages are answered from a cache? Scrapy's module of that name; the crawler does it at the wire."""

from __future__ import annotations

from typing import Any

from crawler.scrapy.adapters.wire import AtTheWire


class HttpCacheMiddleware(AtTheWire):
    """Stands for the crawler's HTTP cache."""

    setting = "HTTPCACHE_ENABLED"

    def __init__(self, settings: Any, stats: Any) -> None:
        super().__init__()
        self.stats = stats

    @classmethod
    def given(cls, crawler: Any) -> tuple[Any, ...]:
        """Return settings and stats."""
        return crawler.settings, crawler.stats
