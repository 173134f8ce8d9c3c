"""An error about what a callback yielded points at the user's line that yielded it."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from crawler import Request, Spider
from crawler.events import SpiderFailed
from crawler.testing import crawl


def plain(response: Any) -> Iterator[Any]:
    yield 5


def delegating(response: Any) -> Iterator[Any]:
    yield {"page": 1}
    yield from plain(response)


async def asynchronous(response: Any) -> AsyncIterator[Any]:
    yield 5


def frames(callback: Callable[[Any], Any], **settings: Any) -> list[tuple[str, str | None]]:
    class Shop(Spider):
        name = "shop"
        start_urls = ["http://a.test/"]

        def parse(self, response: Any) -> Any:
            return callback(response)

    (failed,) = crawl(Shop, {"http://a.test/": ""}, settings=settings).happened(SpiderFailed)
    return [(frame.name, frame.line) for frame in traceback.extract_tb(failed.error.__traceback__)]


@pytest.mark.parametrize("callback", [plain, asynchronous])
def test_the_line_is_that_of_the_yield(callback: Callable[[Any], Any]) -> None:
    assert frames(callback) == [(callback.__name__, "yield 5")]


def test_a_generator_that_delegates_is_followed() -> None:
    assert frames(delegating) == [("delegating", "yield from plain(response)"), ("plain", "yield 5")]


def test_an_error_of_a_filter_keeps_its_own_frames() -> None:
    def refuse(request: Request, found_on: Any) -> Any:
        if found_on is not None:
            raise TypeError("no")
        return request

    def follow(response: Any) -> Iterator[Any]:
        yield response.follow("/b")

    assert frames(follow, REQUEST_FILTERS=[refuse])[-1] == ("refuse", 'raise TypeError("no")')
