"""Does a crawl end that is stopped from within: by start(), a callback, a filter, a subscriber, as it opens?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import CloseSpider
from crawler.events import ItemScraped, SpiderFailed
from tests.engine.virtual import (
    ROOT,
    Request,
    Response,
    Spider,
    any_page,
    ask,
    balanced,
    crawl,
    later,
    numbers,
    page_item,
    spider,
)


def close_on_redirect(request: Request, found_on: Response | None) -> Request:
    if "target" in request.url:
        raise CloseSpider("enough")
    return request


def test_close_spider_in_a_filter_of_a_redirects_target() -> None:
    def site(request: Request) -> Any:
        return Response(request.url, 302, {"Location": "/target"})

    result = crawl(spider(parse=page_item), site, settings={"REQUEST_FILTERS": [close_on_redirect]})
    assert result.summary.reason == "enough"
    assert balanced(result)


def test_a_subscriber_may_close_the_spider() -> None:
    def during(ready: Any) -> None:
        def raises(_: ItemScraped) -> None:
            raise CloseSpider("subscriber")

        ready.events.subscribe(ItemScraped, raises)

    result = crawl(
        spider(parse=page_item, start=ask(*numbers(50))), any_page, during=during, settings={"CONCURRENT_REQUESTS": 1}
    )
    assert result.summary.reason == "subscriber"
    assert balanced(result)


@pytest.mark.parametrize("job", [False, True])
def test_a_plain_generator_start_may_stop_the_crawl(job: bool, tmp_path: Path) -> None:
    def start(self: Spider) -> Any:
        yield Request(ROOT + "1")
        self.crawler.stop("enough")
        yield Request(ROOT + "2")

    result = crawl(spider(parse=page_item, start=start), any_page, job=tmp_path / "job" if job else None)
    assert result.summary.reason == "enough"
    assert result.happened(SpiderFailed) == []
    assert balanced(result)


def test_a_start_whose_end_fails_does_not_keep_a_stop_from_ending() -> None:
    def start(self: Spider) -> Any:
        try:
            for url in numbers(100):
                yield Request(url)
        finally:
            raise RuntimeError("cannot close")

    result = crawl(
        spider(parse=page_item, start=start),
        any_page,
        during=lambda ready: later(ready, 0.05, ready.stop),
        settings={"CONCURRENT_REQUESTS": 2},
    )
    assert result.summary.reason == "shutdown"
    assert balanced(result)


def test_a_hard_stop_from_within_a_generator() -> None:
    holder: list[Any] = []

    def parse(self: Spider, response: Response) -> Any:
        yield {"url": response.url}
        holder[0].stop_now()
        yield {"url": "after"}

    result = crawl(spider(parse=parse, start=ask(*numbers(5))), any_page, during=holder.append)
    assert result.summary.reason == "shutdown"


def test_a_hard_stop_cancels_what_async_stages_do() -> None:
    ended: list[str] = []

    class Forever:
        async def process_item(self, item: Any) -> Any:
            try:
                await asyncio.sleep(1e6)
            finally:
                ended.append("cancelled")
            return item

    def stops(ready: Any) -> None:
        later(ready, 1, ready.stop)
        later(ready, 2, ready.stop_now)

    result = crawl(
        spider(parse=page_item),
        any_page,
        settings={"PIPELINES": [Forever]},
        during=stops,
    )
    assert result.seconds < 10
    assert ended == ["cancelled"]
    assert result.items == []


def test_what_start_yields_for_a_lambda_is_not_lost_at_a_stop(tmp_path: Path) -> None:
    """Such a request is carried; its unit is abandoned, and start() must run again though it has ended."""

    def start(self: Spider) -> Any:
        yield Request(ROOT + "1", lambda response: {"url": response.url})
        yield Request(ROOT + "2")

    made = spider(parse=page_item, start=start)
    how = {"CONCURRENT_REQUESTS": 1, "DOWNLOAD_DELAY": 5.0, "JOB_COMMIT_SECONDS": 0.01, "JOB_KEEP": True}
    stop = lambda ready: later(ready, 0.005, ready.stop)  # noqa: E731
    first = crawl(made, any_page, job=tmp_path / "job", settings=how, during=stop, latency=1.0, delay=0.02)
    second = crawl(made, any_page, job=tmp_path / "job", settings=how)
    assert sorted(item["url"] for item in first.items + second.items) == [ROOT + "1", ROOT + "2"]
    assert balanced(first)
    assert balanced(second)


def test_two_stops_while_a_resumed_job_is_opened_end_it_as_stopped_and_lose_nothing(tmp_path: Path) -> None:
    made = spider(parse=page_item, start=ask(ROOT + "1", ROOT + "2"))
    how = {"DOWNLOAD_DELAY": 5.0, "JOB_KEEP": True}
    first = crawl(made, any_page, job=tmp_path / "job", settings=how, during=lambda ready: later(ready, 1, ready.stop))

    def both(ready: Any) -> None:
        later(ready, 0.01, ready.stop)
        later(ready, 0.02, ready.stop_now)

    second = crawl(made, any_page, job=tmp_path / "job", settings=how, during=both, delay=0.2)
    assert (second.summary.reason, second.summary.queued, second.urls) == ("shutdown", 1, [])
    third = crawl(made, any_page, job=tmp_path / "job", settings=how)
    assert [item["url"] for item in first.items + third.items] == [ROOT + "1", ROOT + "2"]
