"""How many lines of each level are in the log? Scrapy's module of that name."""

from __future__ import annotations

import logging
from typing import Any

from crawler.scrapy import signals


class LogCounterHandler(logging.Handler):
    """Counts log records, as ``log_count/LEVEL``."""

    def __init__(self, crawler: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stats = crawler.stats

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        self._stats.inc_value(f"log_count/{record.levelname}")


class LogCount:
    """Counts while the spider is open."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.handler: LogCounterHandler | None = None

    @classmethod
    def from_crawler(cls, crawler: Any) -> LogCount:
        """Make it."""
        made = cls(crawler)
        crawler.signals.connect(made.spider_opened, signal=signals.spider_opened)
        crawler.signals.connect(made.spider_closed, signal=signals.spider_closed)
        return made

    def spider_opened(self, spider: Any) -> None:
        """Begin."""
        self.handler = LogCounterHandler(self.crawler, level=self.crawler.settings.get("LOG_LEVEL"))
        logging.root.addHandler(self.handler)

    def spider_closed(self, spider: Any, reason: str) -> None:
        """End."""
        if self.handler:
            logging.root.removeHandler(self.handler)
            self.handler = None
