"""What does robots.txt allow? Scrapy's module of that name; the crawler does it at the wire."""

from __future__ import annotations

from typing import Any

from crawler.scrapy.adapters.wire import AtTheWire


class RobotsTxtMiddleware(AtTheWire):
    """Stands for robots.txt, which is asked before a host's queue is opened."""

    setting = "ROBOTSTXT_OBEY"

    DOWNLOAD_PRIORITY = 1000

    def __init__(self, crawler: Any) -> None:
        super().__init__()
        self.crawler = crawler

    @classmethod
    def given(cls, crawler: Any) -> tuple[Any, ...]:
        """Return the crawler."""
        return (crawler,)
