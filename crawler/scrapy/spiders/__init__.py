"""What does a spider that was written for Scrapy derive from? Scrapy's ``scrapy.spiders``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

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

    @classmethod
    def update_settings(cls, settings: BaseSettings) -> None:  # type: ignore[override]  # Scrapy's settings, not ours
        """Put ``custom_settings`` into the settings of this spider's crawls."""
        settings.setdict(cls.custom_settings or {}, priority="spider")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} at 0x{id(self):0x}>"
