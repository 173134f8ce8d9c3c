"""Is it told what a crawl that hangs waits for, and nothing of one that only waits for its time?"""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from crawler.events import Stalled
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.pipeline import Pipeline
from crawler.spider import Spider
from tests.engine.virtual import ROOT, any_page, ask, crawl, later, numbers, page_item, spider

SETTINGS = {"STALL_SECONDS": 600.0}


class Hanging:
    """A site where some pages are answered when they are told to be."""

    def __init__(self, *urls: str) -> None:
        self.waiting: dict[str, Deferred[Any]] = {url: Deferred() for url in urls}

    def __call__(self, request: Request) -> Any:
        return self.waiting.get(request.url, "page")

    def answer(self, url: str) -> None:
        self.waiting[url].callback("page")


def test_a_page_that_never_comes_is_told_once_with_its_age(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    site = Hanging(ROOT)

    def during(ready: Any) -> None:
        later(ready, 5000, site.answer, ROOT)

    result = crawl(spider(parse=page_item), site, settings=SETTINGS | {"DOWNLOAD_TIMEOUT": 0}, during=during)
    (event,) = result.happened(Stalled)
    assert 600 <= event.seconds <= 660
    (waits,) = event.waits
    assert waits.startswith(f"{ROOT} has been fetched for ")
    assert [record.levelname for record in caplog.records if "Nothing has happened" in record.message] == ["WARNING"]
    assert len(result.items) == 1


def test_it_is_told_again_after_something_has_moved() -> None:
    urls = numbers(2)
    site = Hanging(*urls)

    def during(ready: Any) -> None:
        for number, url in enumerate(urls, 1):
            later(ready, number * 3000, site.answer, url)

    made = spider(start=ask(*urls), parse=page_item)
    result = crawl(made, site, settings=SETTINGS | {"DOWNLOAD_TIMEOUT": 0}, during=during)
    first, second = result.happened(Stalled)
    assert len(first.waits) == 2
    assert len(second.waits) == 1


@pytest.mark.parametrize("settings", [{"DOWNLOAD_DELAY": 550.0, "RANDOMIZE_DOWNLOAD_DELAY": False}, {"RETRY_TIMES": 1}])
def test_a_delay_and_a_retry_after_are_no_alarm(settings: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asked: list[str] = []

    def site(request: Request) -> Any:
        asked.append(request.url)
        if "RETRY_TIMES" in settings and len(asked) == 1:
            return Response(request.url, 503, {"Retry-After": "550"})
        return "page"

    result = crawl(spider(start=ask(*numbers(2)), parse=page_item), site, settings={"STALL_SECONDS": 200.0} | settings)
    assert result.happened(Stalled) == []
    said = [record for record in caplog.records if "Nothing has happened" in record.message]
    assert [record.levelname for record in said] == ["INFO"]
    why = "delay" if "DOWNLOAD_DELAY" in settings else "Retry-After"
    assert f"a.test: {why} for 3" in said[0].message
    assert len(result.items) == 2


def test_a_pause_is_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def during(ready: Any) -> None:
        later(ready, 0.005, lambda: ready.crawler.control.pause(None, who="a test"))
        later(ready, 9000, lambda: ready.crawler.control.resume(None, who="a test"))

    result = crawl(spider(start=ask(*numbers(3)), parse=page_item), any_page, settings=SETTINGS, during=during)
    assert result.seconds >= 9000
    assert result.happened(Stalled) == []
    assert "Nothing has happened" not in caplog.text


class Holding(Pipeline):
    async def process_item(self, item: Any) -> Any:
        await asyncio.sleep(3000)
        return item


def test_code_that_waits_is_named_with_its_line() -> None:
    class Waiting(Spider):
        name = "made"
        start_urls = (ROOT, f"{ROOT}other")

        async def parse(self, response: Response) -> Any:
            if response.url == ROOT:
                await asyncio.sleep(3000)
            yield {"url": response.url}

    event = crawl(Waiting, any_page, settings=SETTINGS | {"PIPELINES": [Holding]}).happened(Stalled)[0]
    said = "\n".join(event.waits)
    assert "callback Waiting.parse waits at tests/engine/test_stalls.py:" in said
    assert "in parse: await asyncio.sleep(3000)" in said
    assert "stage Holding.process_item waits at tests/engine/test_stalls.py:" in said
    assert "1 items are in the stages" in said
    assert f"the callback parse of {ROOT} goes on" in said


def test_what_a_thread_of_the_users_does_is_named() -> None:
    done, begun = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        done.wait(20)

    thread = threading.Thread(target=work, name="theirs")
    site = Hanging(ROOT)

    def during(ready: Any) -> None:
        later(ready, 3000, site.answer, ROOT)
        thread.start()
        begun.wait(20)

    try:
        result = crawl(spider(), site, settings=SETTINGS | {"DOWNLOAD_TIMEOUT": 0}, during=during)
    finally:
        done.set()
        thread.join()
    assert any(
        said.startswith("thread theirs is at tests/engine/test_stalls.py:") and said.endswith("done.wait(20)")
        for said in result.happened(Stalled)[0].waits
    )


def test_a_spider_that_waits_in_start_is_no_alarm(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def start(self: Spider) -> Any:
        await asyncio.sleep(3000)
        yield Request(ROOT)

    result = crawl(spider(start=start, parse=page_item), any_page, settings=SETTINGS)
    assert result.happened(Stalled) == []
    assert [record.levelname for record in caplog.records if "Nothing has happened" in record.message] == ["INFO"]


def test_nothing_is_watched_where_the_limit_is_zero() -> None:
    site = Hanging(ROOT)
    result = crawl(
        spider(), site, settings={"STALL_SECONDS": 0, "DOWNLOAD_TIMEOUT": 0},
        during=lambda ready: later(ready, 5000, site.answer, ROOT),
    )  # fmt: skip
    assert result.happened(Stalled) == []


def test_time_in_which_nothing_could_happen_does_not_count(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody sits at a prompt for an hour, or the machine sleeps."""
    caplog.set_level(logging.INFO)
    site = Hanging(ROOT)

    def hold() -> None:
        loop: Any = asyncio.get_running_loop()
        loop.now += 5000

    def during(ready: Any) -> None:
        later(ready, 100, hold)
        later(ready, 5500, site.answer, ROOT)

    crawl(spider(), site, settings=SETTINGS | {"DOWNLOAD_TIMEOUT": 0}, during=during)
    assert "Nothing has happened" not in caplog.text
