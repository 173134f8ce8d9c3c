"""What is a spider middleware derived from, that looks at one result after the other?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, Self

from crawler.model.request import Request
from crawler.model.response import Response


class BaseSpiderMiddleware:
    """Gives each request and each item of a callback, and of start(), to a method that returns what is to become of it.

    The methods return it, another one in its place, or None to leave it out. ``response`` is None for start().
    """

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        return cls(crawler)

    def begin(self, response: Any) -> None:
        """Look at a page before the first of its results."""

    def get_processed_request(self, request: Any, response: Any) -> Any:
        """Return what is to become of a request."""
        return request

    def get_processed_item(self, item: Any, response: Any) -> Any:
        """Return what is to become of an item."""
        return item

    async def process_start(self, start: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Look at the results of start()."""
        async for result in start:
            if (processed := self._processed(result, None)) is not None:
                yield processed

    def process_spider_output(
        self, response: Response | None, result: Iterable[Any], spider: Any = None
    ) -> Iterator[Any]:
        """Look at the results of a callback."""
        self.begin(response)
        for each in result:
            if (processed := self._processed(each, response)) is not None:
                yield processed

    async def process_spider_output_async(
        self, response: Any, result: AsyncIterator[Any], spider: Any = None
    ) -> AsyncIterator[Any]:
        """Look at the results of an asynchronous callback."""
        self.begin(response)
        async for each in result:
            if (processed := self._processed(each, response)) is not None:
                yield processed

    def _processed(self, result: Any, response: Response | None) -> Any:
        if isinstance(result, Request):
            return self.get_processed_request(result, response)
        return self.get_processed_item(result, response)
