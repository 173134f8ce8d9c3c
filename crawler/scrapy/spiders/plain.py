"""What does a spider that was written for Scrapy derive from? Scrapy's ``scrapy.spiders``."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Self

from crawler.results import whole
from crawler.scrapy import signals
from crawler.scrapy.http.request import Request
from crawler.scrapy.signalmanager import SignalManager
from crawler.scrapy.utils.log import SpiderLoggerAdapter
from crawler.scrapy.utils.url import url_is_from_spider
from crawler.spider import Crawler
from crawler.spider import Spider as NativeSpider

if TYPE_CHECKING:
    from crawler.scrapy.settings import BaseSettings


class Spider(NativeSpider):
    """Scrapy's Spider: a crawl of one speaks Scrapy's dialect.

    Arguments are taken as they are given, whatever their names. Raises ValueError without a name.
    """

    _making: ClassVar[str] = "crawler.scrapy.adapters.making"

    def __init__(self, name: str | None = None, *args: Any, **kwargs: Any) -> None:
        if name is None and not getattr(self, "name", None):
            raise ValueError(f"{type(self).__name__} must have a name")
        super().__init__(name, *args, **kwargs)
        if "start_urls" not in self.__dict__ and type(self).start_urls is NativeSpider.start_urls:
            self.start_urls = []

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Make the spider of a crawl."""
        spider = cls(*args, **kwargs)
        spider._set_crawler(crawler)
        return spider

    def _set_crawler(self, crawler: Crawler) -> None:
        self.bind(crawler)
        if isinstance(manager := getattr(crawler, "signals", None), SignalManager):
            manager.connect(self.close, signals.spider_closed)

    def bind(self, crawler: Crawler) -> None:
        """Tie the spider to its crawl; attributes that are settings count as late as this, too."""
        self.crawler, self.settings = crawler, crawler.settings
        self.__dict__.setdefault("state", {})

    @property
    def logger(self) -> SpiderLoggerAdapter:
        """A logger named after the spider; what a call gives as ``extra`` is kept."""
        return SpiderLoggerAdapter(logging.getLogger(self.name), {"spider": self})

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:  # type: ignore[override]  # Scrapy's settings, not ours
        """Put ``custom_settings`` into the settings of this spider's crawls."""
        settings.setdict(cls.custom_settings or {}, priority="spider")

    async def start(self) -> AsyncIterator[Any]:
        """Yield the first requests, or items: what start_requests() gives, as spiders of old had it."""
        for result in whole(self.start_requests()):
            yield result

    def start_requests(self) -> Iterator[Any]:
        """Yield one request for each of ``start_urls``."""
        for url in self.start_urls:
            yield self.make_requests_from_url(url)

    def make_requests_from_url(self, url: str) -> Any:
        """Return the request for one of ``start_urls``; long ago spiders had their own."""
        return Request(url, dont_filter=True)

    def _parse(self, response: Any, **kwargs: Any) -> Any:
        return self.parse(response, **kwargs)

    @classmethod
    def handles_request(cls, request: Any) -> bool:
        """Tell whether a request's URL belongs to the spider: by its name or its allowed_domains."""
        return url_is_from_spider(request.url, cls)

    @staticmethod
    def close(spider: Any, reason: str) -> Any:
        """Call the spider's ``closed``."""
        closed = getattr(spider, "closed", None)
        return closed(reason) if callable(closed) else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} at 0x{id(self):0x}>"
