"""What of a crawl is always counted? Scrapy's module of that name: the crawl counts by itself."""

from __future__ import annotations

from typing import Any

from crawler.scrapy import signals
from crawler.scrapy.adapters.extensions import ByItself


class CoreStats(ByItself):
    """Start and end, items and responses. What is derived from it hears of each, and has nothing to count."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        for name in ("spider_opened", "spider_closed", "item_scraped", "item_dropped", "response_received"):
            crawler.signals.connect(getattr(self, name), signal=getattr(signals, name))

    def spider_opened(self, spider: Any) -> None:
        """The spider is open."""

    def spider_closed(self, spider: Any, reason: str) -> None:
        """The spider is closed."""

    def item_scraped(self, item: Any, spider: Any) -> None:
        """An item left the last pipeline."""

    def item_dropped(self, item: Any, spider: Any, exception: BaseException) -> None:
        """A pipeline dropped an item."""

    def response_received(self, spider: Any) -> None:
        """A response came."""
