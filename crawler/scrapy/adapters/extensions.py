"""What are Scrapy's own extensions here? Names, for what the crawl does by itself; and how are a project's made?"""

from __future__ import annotations

from typing import Any, Self

from crawler.scrapy.exceptions import NotConfigured

HOME = "crawler.scrapy.extensions."


class ByItself:
    """An extension whose work the crawl does itself. What is derived from it is made, and does the rest."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.stats = crawler.stats

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make what is derived from it; raises NotConfigured for itself."""
        if cls.__module__.startswith(HOME):
            raise NotConfigured
        return cls(crawler)


class NotHere(ByItself):
    """An extension for which there is something else: ``INSTEAD``, told to who asks for it by its setting."""

    INSTEAD = ("", "")

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """See ByItself."""
        setting, instead = cls.INSTEAD
        if setting in crawler.settings and crawler.settings.getpriority(setting) and crawler.settings.getbool(setting):
            raise NotConfigured(f"{setting} has no effect: {instead}")
        return super().from_crawler(crawler)
