"""Which cookies are kept and sent? Scrapy's module of that name, over the crawler's jars.

The crawler keeps cookies at the wire, and in the job. A class that is derived from this one keeps its own, in memory.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Self

from crawler.download.middleware.cookies.middleware import ReplacedCookies
from crawler.scrapy.exceptions import NotConfigured


class CookiesMiddleware:
    """Keeps what responses set, in the jar of meta ``cookiejar``, and sends it; ``jars`` are they."""

    crawler: Any = None

    def __init__(self, debug: bool = False) -> None:
        self.debug = debug
        self._cookies = ReplacedCookies(SimpleNamespace(COOKIES_DEBUG=debug))  # type: ignore[arg-type]  # all it reads
        self.jars = self._cookies.jars

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        if not crawler.settings.getbool("COOKIES_ENABLED"):
            raise NotConfigured
        made = cls(crawler.settings.getbool("COOKIES_DEBUG"))
        made.crawler = crawler
        return made

    def process_request(self, request: Any, spider: Any = None) -> None:
        """Set Cookie."""
        self._cookies.before(request)

    def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
        """Keep what is set."""
        self._cookies.on_head(request, response)
        return response
