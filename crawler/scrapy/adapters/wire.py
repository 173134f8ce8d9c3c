"""Which of Scrapy's downloader middlewares are done at the wire here, behind all that a project may have?

Robots.txt, cookies, content codings, proxies and the cache belong to the downloader and to the queues; what is derived
from their classes is called in its place all the same, and passes on what it is given.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from crawler.scrapy.exceptions import NotConfigured


class AtTheWire:
    """Stands for what the downloader does; ``setting`` switches it."""

    setting: ClassVar[str]
    crawler: Any = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        pass

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl. Raises NotConfigured where its setting is off."""
        if not crawler.settings.getbool(cls.setting):
            raise NotConfigured
        made = cls(*cls.given(crawler))
        made.crawler = crawler
        return made

    @classmethod
    def given(cls, crawler: Any) -> tuple[Any, ...]:
        """Return what the class is made with."""
        return ()

    def process_request(self, request: Any, spider: Any = None) -> Any:
        """Leave the request to the downloader."""
        return None

    def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
        """Return the response as it came."""
        return response

    def process_exception(self, request: Any, exception: Exception, spider: Any = None) -> Any:
        """Leave the error as it is."""
        return None
