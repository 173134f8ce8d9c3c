"""What is counted of downloads? Scrapy's module of that name; the crawler counts the same by itself."""

from __future__ import annotations

from typing import Any, Self

from crawler.scrapy.adapters.errors import scrapy_name
from crawler.scrapy.exceptions import NotConfigured


class DownloaderStats:
    """Counts requests, responses and errors: for what is derived from it, and stands in its place."""

    def __init__(self, stats: Any) -> None:
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        if not crawler.settings.getbool("DOWNLOADER_STATS"):
            raise NotConfigured
        return cls(crawler.stats)

    def process_request(self, request: Any, spider: Any = None) -> Any:
        """Count a request."""
        self.stats.inc_value("downloader/request_count")
        self.stats.inc_value(f"downloader/request_method_count/{request.method}")

    def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
        """Count a response, and the bytes of its body."""
        self.stats.inc_value("downloader/response_count")
        self.stats.inc_value(f"downloader/response_status_count/{response.status}")
        self.stats.inc_value("downloader/response_bytes", len(response.body))
        return response

    def process_exception(self, request: Any, exception: Exception, spider: Any = None) -> Any:
        """Count an error."""
        self.stats.inc_value("downloader/exception_count")
        self.stats.inc_value(f"downloader/exception_type_count/{scrapy_name(exception)}")
