"""Which header fields has every request? Scrapy's module of that name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self


class DefaultHeadersMiddleware:
    """Sets the DEFAULT_REQUEST_HEADERS that a request does not have."""

    def __init__(self, headers: Iterable[tuple[str, Any]]) -> None:
        self._headers = headers

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        given = crawler.settings["DEFAULT_REQUEST_HEADERS"]
        return cls([(name, value) for name, value in given.items() if value is not None])

    def process_request(self, request: Any, spider: Any = None) -> None:
        """Set the headers."""
        for name, value in self._headers:
            request.headers.setdefault(name, value)
