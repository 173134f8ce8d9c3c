"""Crawls that ask for plain pages, of sites whose robots.txt says what the test is about."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from crawler.model.request import Request
from crawler.spider import Spider

A, B = "http://a.test", "http://b.test"
CALM = {"ROBOTSTXT_OBEY": True, "RANDOMIZE_DOWNLOAD_DELAY": False}


class StandingClock:
    """A clock that a test sets; nobody may wait by it."""

    now = 0.0

    def seconds(self) -> float:
        return self.now

    def wall(self) -> float:
        return 1e9 + self.now

    def callLater(self, *_: Any) -> Any:
        raise AssertionError("nothing waits here")


def numbered(count: int, *origins: str, **meta: Any) -> type[Spider]:
    """Ask each origin for so many pages, by turns and all at once."""

    def start_requests(self: Spider) -> Iterator[Request]:
        for number in range(count):
            for origin in origins or (A,):
                yield Request(f"{origin}/{number}", meta=dict(meta))

    return _spider(start_requests=start_requests)


def pages(*urls: str, every: float = 0.0) -> type[Spider]:
    """Ask for URLs, ``every`` so many seconds."""

    async def start(self: Spider) -> AsyncIterator[Any]:
        for number, url in enumerate(urls):
            if number and every:
                await asyncio.sleep(every)
            yield Request(url)

    return _spider(start=start)


def _spider(**members: Any) -> type[Spider]:
    return type("Pages", (Spider,), {"name": "pages", "parse": lambda self, response: None, **members})


def site(robots: Any, page: Callable[[Request], Any] = lambda request: "x") -> Callable[[Request], Any]:
    """Answer with pages, and for robots.txt with ``robots``, or what it returns for an origin and a time."""

    def answer(request: Request) -> Any:
        origin, _, path = request.url.rpartition("/")
        if path != "robots.txt":
            return page(request)
        return robots(origin, asyncio.get_event_loop().time()) if callable(robots) else robots

    return answer
