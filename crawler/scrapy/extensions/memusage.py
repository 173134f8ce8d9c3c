"""How much memory does the process use? Scrapy's module of that name, over the crawl's own watch (engine/memory.py).

At the limit nothing more is sent first, and only where that does not help the crawl is stopped.
"""

from __future__ import annotations

from typing import Any, Self

from crawler.events import MemoryHigh
from crawler.resident import MEBIBYTE, resident_bytes
from crawler.scrapy import signals
from crawler.scrapy.exceptions import NotConfigured


class MemoryUsage:
    """Counts it as ``memusage/startup`` and ``memusage/max``; the crawl keeps to MEMUSAGE_LIMIT_MB and
    MEMUSAGE_WARNING_MB."""

    def __init__(self, crawler: Any) -> None:
        if not crawler.settings.getbool("MEMUSAGE_ENABLED"):
            raise NotConfigured
        self.crawler = crawler
        self.limit = crawler.settings.getint("MEMUSAGE_LIMIT_MB") * MEBIBYTE
        self.warning = crawler.settings.getint("MEMUSAGE_WARNING_MB") * MEBIBYTE
        self.check_interval = crawler.settings.getfloat("MEMUSAGE_CHECK_INTERVAL_SECONDS")
        crawler.signals.connect(self.engine_started, signal=signals.engine_started)
        crawler.signals.connect(self.engine_stopped, signal=signals.spider_closed)
        crawler.events.subscribe(MemoryHigh, self.memory_high)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make it."""
        return cls(crawler)

    def get_virtual_size(self) -> int:
        """Return the bytes of memory that the process has."""
        return resident_bytes()

    def engine_started(self) -> None:
        """Begin."""
        self.crawler.stats.set_value("memusage/startup", self.get_virtual_size())

    def engine_stopped(self) -> None:
        """End."""
        self.crawler.stats.max_value("memusage/max", self.get_virtual_size())

    def memory_high(self, event: MemoryHigh) -> None:
        """Send the signal."""
        if event.done == "warning":
            self.crawler.signals.send_catch_log(signals.memusage_warning_reached)


def laid_over(crawler: Any) -> dict[str, Any]:
    """Return what is laid over the crawler's own settings: without the extension there are no limits."""
    for extension in crawler.extensions.middlewares:
        if isinstance(extension, MemoryUsage):
            return {
                "MEMUSAGE_LIMIT_MB": extension.limit // MEBIBYTE,
                "MEMUSAGE_WARNING_MB": extension.warning // MEBIBYTE,
                "MEMUSAGE_CHECK_INTERVAL_SECONDS": extension.check_interval,
            }
    return {"MEMUSAGE_ENABLED": False}
