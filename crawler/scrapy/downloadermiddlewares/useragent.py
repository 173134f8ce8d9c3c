"""Who asks? Scrapy's module of that name."""

from __future__ import annotations

from typing import Any, Self

from crawler.scrapy import signals


class UserAgentMiddleware:
    """Sets User-Agent where nobody has: USER_AGENT, or the spider's ``user_agent``."""

    def __init__(self, user_agent: str | None = "Scrapy") -> None:
        self.user_agent = user_agent

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        made = cls(crawler.settings["USER_AGENT"])
        crawler.signals.connect(made.spider_opened, signal=signals.spider_opened)
        return made

    def spider_opened(self, spider: Any) -> None:
        """Look what the spider says."""
        self.user_agent = getattr(spider, "user_agent", self.user_agent)

    def process_request(self, request: Any, spider: Any = None) -> None:
        """Set the header."""
        if self.user_agent:
            request.headers.setdefault("User-Agent", self.user_agent)
