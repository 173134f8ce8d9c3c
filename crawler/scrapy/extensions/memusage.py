"""How much memory does the process use? Scrapy's module of that name."""

from __future__ import annotations

import logging
import resource
import sys
from typing import Any, Self

from crawler.scrapy import signals
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.utils.asyncio import create_looping_call

logger = logging.getLogger(__name__.removeprefix("crawler."))


class MemoryUsage:
    """Counts it as ``memusage/startup`` and ``memusage/max``; MEMUSAGE_LIMIT_MB ends the crawl, MEMUSAGE_WARNING_MB
    warns once."""

    def __init__(self, crawler: Any) -> None:
        if not crawler.settings.getbool("MEMUSAGE_ENABLED"):
            raise NotConfigured
        self.crawler = crawler
        self.warned = False
        self.limit = crawler.settings.getint("MEMUSAGE_LIMIT_MB") * 2**20
        self.warning = crawler.settings.getint("MEMUSAGE_WARNING_MB") * 2**20
        self.check_interval = crawler.settings.getfloat("MEMUSAGE_CHECK_INTERVAL_SECONDS")
        self.task: Any = None
        crawler.signals.connect(self.engine_started, signal=signals.engine_started)
        crawler.signals.connect(self.engine_stopped, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make it."""
        return cls(crawler)

    def get_virtual_size(self) -> int:
        """Return the most bytes of memory that the process has had."""
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return size if sys.platform == "darwin" else size * 1024

    def engine_started(self) -> None:
        """Begin; it is looked at in between only where there is a limit."""
        self.crawler.stats.set_value("memusage/startup", self.get_virtual_size())
        if self.limit or self.warning:
            self.task = create_looping_call(self.update)
            self.task.start(self.check_interval)

    def engine_stopped(self) -> None:
        """End."""
        self.update()
        if self.task is not None and self.task.running:
            self.task.stop()

    def update(self) -> None:
        """Look."""
        size, stats = self.get_virtual_size(), self.crawler.stats
        stats.max_value("memusage/max", size)
        if self.limit and size > self.limit and stats.get_value("memusage/limit_reached") is None:
            stats.set_value("memusage/limit_reached", 1)
            logger.error("Memory usage exceeded %dMiB. Shutting down Scrapy...", self.limit // 2**20)
            self.crawler.stop("memusage_exceeded")
        if self.warning and size > self.warning and not self.warned:
            self.warned = True
            stats.set_value("memusage/warning_reached", 1)
            logger.warning("Memory usage reached %dMiB", self.warning // 2**20)
            self.crawler.signals.send_catch_log(signals.memusage_warning_reached)
