"""How long may a download take? Scrapy's module of that name."""

from __future__ import annotations

from typing import Any, Self

from crawler.scrapy import signals


class DownloadTimeoutMiddleware:
    """Sets meta ``download_timeout`` (seconds): DOWNLOAD_TIMEOUT, or the spider's ``download_timeout``."""

    def __init__(self, timeout: float = 180) -> None:
        self._timeout = timeout

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        made = cls(crawler.settings.getfloat("DOWNLOAD_TIMEOUT"))
        crawler.signals.connect(made.spider_opened, signal=signals.spider_opened)
        return made

    def spider_opened(self, spider: Any) -> None:
        """Look what the spider says."""
        self._timeout = getattr(spider, "download_timeout", self._timeout)

    def process_request(self, request: Any, spider: Any = None) -> None:
        """Set the key."""
        if self._timeout:
            request.meta.setdefault("download_timeout", self._timeout)
