"""How far is the crawl? Scrapy's module of that name: the crawl tells how far it is by itself."""

from __future__ import annotations

import logging
from typing import Any, Self

from crawler.scrapy import signals
from crawler.scrapy.adapters.extensions import ByItself
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.utils.asyncio import create_looping_call

logger = logging.getLogger(__name__.removeprefix("crawler."))


class LogStats(ByItself):
    """Tells pages and items a minute. What is derived from it logs, each ``interval`` seconds, in its own way."""

    def __init__(self, stats: Any, interval: float = 60.0) -> None:
        self.stats, self.interval, self.multiplier = stats, interval, 60.0 / interval
        self.task: Any = None
        self.pagesprev = self.itemsprev = self.pages = self.items = 0
        self.prate = self.irate = 0.0

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make what is derived from it."""
        interval = crawler.settings.getfloat("LOGSTATS_INTERVAL")
        if cls is LogStats or not interval:
            raise NotConfigured
        made = cls(crawler.stats, interval)
        crawler.signals.connect(made.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(made.spider_closed, signal=signals.spider_closed)
        return made

    def spider_opened(self, spider: Any) -> None:
        """Begin."""
        self.task = create_looping_call(self.log, spider)
        self.task.start(self.interval)

    def calculate_stats(self) -> None:
        """Take the numbers of now, and what they are a minute."""
        self.items = self.stats.get_value("item_scraped_count", 0)
        self.pages = self.stats.get_value("response_received_count", 0)
        self.irate = (self.items - self.itemsprev) * self.multiplier
        self.prate = (self.pages - self.pagesprev) * self.multiplier
        self.pagesprev, self.itemsprev = self.pages, self.items

    def log(self, spider: Any) -> None:
        """Log them."""
        self.calculate_stats()
        logger.info(
            "Crawled %d pages (at %d pages/min), scraped %d items (at %d items/min)",
            self.pages, self.prate, self.items, self.irate, extra={"spider": spider},
        )  # fmt: skip

    def spider_closed(self, spider: Any, reason: str) -> None:
        """End."""
        if self.task and self.task.running:
            self.task.stop()
