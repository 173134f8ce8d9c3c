"""``crawler.engine`` in a Scrapy project: what is asked of it comes to what Scrapy's engine does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from twisted.internet.defer import inlineCallbacks

from crawler import testing
from crawler.scrapy.http import HtmlResponse, Request
from crawler.scrapy.spiders import Spider
from crawler.scrapy.utils.defer import maybe_deferred_to_future

ROOT = "http://a.test/"
SETTINGS = {"ROBOTSTXT_OBEY": False}


def site(request: Any) -> Any:
    return 404 if request.url.endswith("gone") else "<p>page</p>"


class Engines(Spider):
    name = "engines"
    start_urls = [ROOT]

    @property
    def engine(self) -> Any:
        return self.crawler.engine


def crawl(spider: type[Spider], **settings: Any) -> testing.Result:
    return testing.crawl(spider, site, settings={**SETTINGS, **settings})


class Yields(Engines):
    @inlineCallbacks
    def parse(self, response: Any) -> Any:
        page = yield self.engine.download(Request(f"{ROOT}gone"))
        return [{"status": page.status, "kind": type(page).__name__}]


class Adds(Engines):
    def parse(self, response: Any) -> Any:
        return self.engine.download(Request(f"{ROOT}gone")).addCallback(lambda page: [{"status": page.status}])


class Awaits(Engines):
    async def parse(self, response: Any) -> Any:
        for page in (
            await self.engine.download(Request(f"{ROOT}gone")),
            await self.engine.download_async(Request(f"{ROOT}gone")),
            await maybe_deferred_to_future(self.engine.download(Request(f"{ROOT}gone"))),
            *await asyncio.gather(*(self.engine.download_async(Request(f"{ROOT}gone")) for _ in range(2))),
        ):
            yield {"status": page.status}


@pytest.mark.parametrize(("spider", "times"), [(Yields, 1), (Adds, 1), (Awaits, 5)])
def test_a_404_that_is_downloaded_is_a_response(spider: type[Spider], times: int) -> None:
    result = crawl(spider)

    assert [item["status"] for item in result.items] == [404] * times
    assert result.summary.stats["scheduler/enqueued"] == 1
    assert "httperror/response_ignored_count" not in result.summary.stats


def test_what_is_downloaded_has_scrapys_class() -> None:
    class Pages(Engines):
        async def parse(self, response: Any) -> Any:
            page = await self.engine.download(Request(f"{ROOT}b"))
            yield {"ours": isinstance(page, HtmlResponse), "text": page.css("p::text").get()}

    assert crawl(Pages).items == [{"ours": True, "text": "page"}]


def test_a_pipeline_may_have_something_crawled() -> None:
    class More:
        @classmethod
        def from_crawler(cls, crawler: Any) -> Any:
            made = cls()
            made.crawler = crawler  # type: ignore[attr-defined]
            return made

        def process_item(self, item: Any) -> Any:
            if item["url"] == ROOT:
                self.crawler.engine.crawl(Request(f"{ROOT}more"))  # type: ignore[attr-defined]
            return item

    class Pages(Engines):
        def parse(self, response: Any) -> Any:
            yield {"url": response.url}

    assert crawl(Pages, ITEM_PIPELINES={More: 1}).urls == [ROOT, f"{ROOT}more"]


def test_the_spider_is_closed_with_a_reason() -> None:
    class Closes(Engines):
        def parse(self, response: Any) -> Any:
            assert self.engine.slot.inprogress is not None
            assert len(self.engine.slot.scheduler) == 0
            assert not self.engine.spider_is_idle(self)
            assert self.engine.spider is self
            assert len(self.engine.downloader.active) == 0 or not self.engine.needs_backout()
            yield Request(f"{ROOT}never")
            self.engine.close_spider(self, "enough")

    result = crawl(Closes)
    assert result.summary.reason == "enough"
    assert result.urls == [ROOT]


def test_what_it_has_not_is_named() -> None:
    class Wrong(Engines):
        def parse(self, response: Any) -> Any:
            return self.engine.scheduler_cls

    result = crawl(Wrong)
    assert "has no scheduler_cls: of Scrapy's engine there are crawl, download" in str(result.events)


def test_there_is_an_engine_once_the_spider_is_made() -> None:
    class Early(Engines):
        @classmethod
        def from_crawler(cls, crawler: Any, *arguments: Any, **options: Any) -> Any:
            spider = super().from_crawler(crawler, *arguments, **options)
            assert crawler.engine is None
            return spider

        async def start(self) -> Any:
            self.engine.crawl(Request(f"{ROOT}submitted", self.parse))
            yield Request(ROOT)

        def parse(self, response: Any) -> Any:
            yield {"url": response.url}

    assert sorted(crawl(Early).urls) == [ROOT, f"{ROOT}submitted"]
