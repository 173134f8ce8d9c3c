"""start() may wait until nothing else is to be done, and code that is no callback may hand requests in."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crawler.events import CrawlOpened, ItemScraped, NothingQueued, ResponseDelivered
from crawler.model.request import Request
from crawler.spider import Spider

from .virtual import ROOT, any_page, crawl, later, page_item, spider


def _links(self: Spider, response: Any) -> Any:
    yield {"url": response.url}
    if response.url == ROOT:
        yield Request(f"{ROOT}a", callback=self.parse)


@pytest.mark.parametrize("durable", [False, True])
def test_start_may_go_on_when_all_that_it_asked_for_is_done(tmp_path: Path, durable: bool) -> None:
    told: list[str] = []

    async def start(self: Spider) -> Any:
        yield Request(ROOT)
        await self.crawler.idle()
        told.extend(self.done)  # type: ignore[attr-defined]
        yield Request(f"{ROOT}late")
        await self.crawler.idle()

    def parse(self: Any, response: Any) -> Any:
        self.done.append(response.url)
        return _links(self, response)

    made = spider(start=start, parse=parse, done=[])
    result = crawl(made, any_page, job=tmp_path / "j.sqlite" if durable else None)

    assert told == [ROOT, f"{ROOT}a"]
    assert result.urls == [ROOT, f"{ROOT}a", f"{ROOT}late"]
    assert result.summary.reason == "finished"
    assert not result.summary.queued


def test_a_crawl_that_is_stopped_does_not_wait_for_a_start_that_waits() -> None:
    async def start(self: Spider) -> Any:
        yield Request(ROOT)
        while True:
            await self.crawler.idle()
            await asyncio.sleep(1.0)

    result = crawl(spider(start=start, parse=page_item), any_page, during=lambda ready: later(ready, 5, ready.stop))

    assert result.summary.reason == "shutdown"
    assert result.items == [{"url": ROOT}]


@pytest.mark.parametrize("durable", [False, True])
def test_a_request_handed_in_by_an_extension_is_crawled_once(tmp_path: Path, durable: bool) -> None:
    def during(ready: Any) -> None:
        def scraped(event: ItemScraped) -> None:
            ready.crawler.submit(Request(f"{ROOT}more"))

        ready.events.subscribe(ItemScraped, scraped)

    made = spider(parse=page_item)
    result = crawl(made, any_page, job=tmp_path / "j.sqlite" if durable else None, during=during)

    assert sorted(result.urls) == [ROOT, f"{ROOT}more"]
    assert result.summary.stats["dupefilter/filtered"] == 1


def test_what_is_handed_in_while_the_crawl_stops_is_left_in_the_job(tmp_path: Path) -> None:
    def parse(self: Spider, response: Any) -> Any:
        self.crawler.stop("enough")
        self.crawler.submit(Request(f"{ROOT}left", callback=self.parse))
        yield {"url": response.url}

    job = tmp_path / "j.sqlite"
    first = crawl(spider(parse=parse), any_page, job=job)
    assert first.summary.queued == 1
    assert first.urls == [ROOT]

    second = crawl(spider(parse=page_item), any_page, job=job)
    assert second.urls == [f"{ROOT}left"]


def test_nothing_can_be_handed_in_once_the_crawl_is_over() -> None:
    kept: list[Any] = []
    crawl(spider(parse=page_item), any_page, during=kept.append)

    with pytest.raises(RuntimeError, match="has ended"):
        kept[0].crawler.submit(Request(ROOT))


def test_a_paused_crawl_sends_nothing_and_does_not_end() -> None:
    def during(ready: Any) -> None:
        running = ready.crawler.running
        ready.events.subscribe(CrawlOpened, lambda _: later(ready, 0.001, running.pause))
        later(ready, 50, running.unpause)

    result = crawl(spider(parse=_links), any_page, during=during)

    assert result.urls == [ROOT, f"{ROOT}a"]
    assert result.sent[1].when >= 50


def test_a_paused_crawl_can_be_stopped() -> None:
    def during(ready: Any) -> None:
        later(ready, 0.001, ready.crawler.running.pause)
        later(ready, 9, ready.stop)

    assert crawl(spider(parse=_links), any_page, during=during).summary.queued == 1


def test_it_is_told_when_nothing_is_queued_and_what_is_delivered() -> None:
    result = crawl(spider(start_urls=[ROOT, f"{ROOT}gone"], parse=page_item), {ROOT: "page"})

    assert result.happened(NothingQueued)
    assert [event.response.status for event in result.happened(ResponseDelivered)] == [200, 404]
