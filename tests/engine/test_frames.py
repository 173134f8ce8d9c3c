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


def failed(callback: Callable[[Any], Any], **settings: Any) -> BaseException:
    class Shop(Spider):
        name = "shop"
        start_urls = ["http://a.test/"]

        def parse(self, response: Any) -> Any:
            return callback(response)

    (event,) = crawl(Shop, {"http://a.test/": ""}, settings=settings).happened(SpiderFailed)
    error: BaseException = event.error
    return error


def failure(callback: Callable[[Any], Any]) -> str:
    return str(failed(callback))


def frames(callback: Callable[[Any], Any], **settings: Any) -> list[tuple[str, str | None]]:
    error = failed(callback, **settings)
    return [(frame.name, frame.line) for frame in traceback.extract_tb(error.__traceback__)]


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


@pytest.mark.parametrize(
    ("made", "said"),
    [(lambda: 5, "yielded int: 5"), (lambda: "x", "yielded str: 'x'"), (lambda: plain(None), "; yield from it")],
)
def test_what_is_wrong_is_said(made: Callable[[], Any], said: str) -> None:
    def callback(response: Any) -> Iterator[Any]:
        yield made()

    assert failure(callback).endswith(said)


def test_a_coroutine_that_was_not_awaited_is_told_without_a_warning_of_python() -> None:
    async def price() -> int:
        return 5

    def callback(response: Any) -> Iterator[Any]:
        yield price()

    assert failure(callback).endswith("; await it")
