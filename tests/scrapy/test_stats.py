"""Scrapy's stats, and who may count: what they count that the crawler counts otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from crawler import testing
from crawler.errors import ConnectionFailed, SettingError
from crawler.scrapy.exceptions import DropItem
from crawler.scrapy.extensions.corestats import CoreStats
from crawler.scrapy.extensions.logstats import LogStats
from crawler.scrapy.http import Request
from crawler.scrapy.spiders import Spider
from crawler.scrapy.statscollectors import DummyStatsCollector, MemoryStatsCollector, StatsCollector

ROOT = "http://a.test/"


class Walk(Spider):
    name = "walk"
    start_urls = [ROOT]
    allowed_domains = ["a.test"]

    def parse(self, response: Any) -> Any:
        yield {"url": response.url}
        if response.url == ROOT:
            for path in ("moved", "moved", "busy", "gone", "private", "dead"):
                yield Request(ROOT + path)
            yield Request("http://elsewhere.test/")
            yield Request(f"{ROOT}handled", errback=lambda failure: None)
        elif response.url.endswith("target"):
            raise RuntimeError("an error of a callback")


def site(request: Any) -> Any:
    path = request.url.removeprefix(ROOT)
    if path == "robots.txt":
        return "User-agent: *\nDisallow: /private\n"
    if path == "dead":
        return ConnectionFailed("refused")
    moved = testing.Response(request.url, 302, {"Location": "/target"})
    return {"moved": moved, "busy": 503, "gone": 404, "handled": 404}.get(path, "page")


class Picky:
    def process_item(self, item: Any) -> Any:
        raise DropItem("no")


def stats_of(spider: type[Spider] = Walk, **settings: Any) -> dict[str, Any]:
    given = {"ROBOTSTXT_OBEY": True, "RETRY_TIMES": 1, "RETRY_BACKOFF": 0.0, **settings}
    return testing.crawl(spider, site, settings=given).summary.stats


def test_the_stats_are_those_that_scrapy_would_have() -> None:
    """As Scrapy 2.19 counts them for the same spider and site; times, bytes and memory apart."""
    stats = stats_of(ITEM_PIPELINES={Picky: 1}, DEPTH_STATS_VERBOSE=True)

    for key in ("start_time", "finish_time", "elapsed_time_seconds", "items_per_minute", "responses_per_minute",
                "memusage/max", "memusage/startup", "downloader/response_bytes"):  # fmt: skip
        stats.pop(key)
    assert stats == {
        "downloader/exception_count": 3,
        "downloader/exception_type_count/scrapy.exceptions.DownloadConnectionRefusedError": 2,
        "downloader/exception_type_count/scrapy.exceptions.IgnoreRequest": 1,
        "downloader/request_count": 10,
        "downloader/request_method_count/GET": 10,
        "downloader/response_count": 8,
        "downloader/response_status_count/200": 3,
        "downloader/response_status_count/302": 1,
        "downloader/response_status_count/404": 2,
        "downloader/response_status_count/503": 2,
        "dupefilter/filtered": 1,
        "feedexport/success_count/FileFeedStorage": 1,
        "finish_reason": "finished",
        "httperror/response_ignored_count": 2,
        "httperror/response_ignored_status_count/404": 1,
        "httperror/response_ignored_status_count/503": 1,
        "item_dropped_count": 2,
        "item_dropped_reasons_count/DropItem": 2,
        "offsite/domains": 1,
        "offsite/filtered": 1,
        "request_depth_count/0": 1,
        "request_depth_count/1": 8,
        "request_depth_max": 1,
        "response_received_count": 6,
        "retry/count": 2,
        "retry/max_reached": 2,
        "retry/reason_count/503 Service Unavailable": 1,
        "retry/reason_count/scrapy.exceptions.DownloadConnectionRefusedError": 1,
        "robotstxt/forbidden": 1,
        "robotstxt/request_count": 1,
        "robotstxt/response_count": 1,
        "robotstxt/response_status_count/200": 1,
        "scheduler/dequeued": 10,
        "scheduler/dequeued/memory": 10,
        "scheduler/enqueued": 10,
        "scheduler/enqueued/memory": 10,
        "spider_exceptions/RuntimeError": 1,
        "spider_exceptions/count": 1,
    }


def test_a_stats_class_of_the_projects_is_called_for_each_count() -> None:
    class Told(MemoryStatsCollector):
        told: list[str] = []

        def inc_value(self, key: str, count: int = 1, start: int = 0, spider: Any = None) -> None:
            self.told.append(key)
            super().inc_value(key, count, start)

        def _persist_stats(self, stats: dict[str, Any]) -> None:
            self.told.append(f"persisted {stats['item_scraped_count']}")

    stats = stats_of(STATS_CLASS=Told)

    assert stats["item_scraped_count"] == Told.told.count("item_scraped_count") == 2
    assert "persisted 2" in Told.told


def test_the_collector_has_scrapys_methods() -> None:
    class Counting(Walk):
        def closed(self, reason: str) -> None:
            stats = self.crawler.stats
            assert isinstance(stats, StatsCollector)
            stats.inc_value("mine", spider=self)
            stats.max_value("most", 3, spider=self)
            stats.min_value("least", 3)
            self.told = [stats.get_value("mine"), stats.get_value("none", 7), stats.get_value("finish_reason")]

    made = testing.crawl(Counting, site, settings={"ROBOTSTXT_OBEY": False})
    assert made.spider.told == [1, 7, "finished"]  # type: ignore[attr-defined]
    assert made.summary.stats["most"] == made.summary.stats["least"] == 3


def test_a_collector_that_keeps_nothing() -> None:
    assert "item_scraped_count" not in stats_of(STATS_CLASS=DummyStatsCollector)


def test_a_stats_class_that_is_none_is_named() -> None:
    class Own:
        def __init__(self, crawler: Any) -> None:
            pass

    with pytest.raises(SettingError, match=r"derive .*Own from scrapy\.statscollectors\.StatsCollector"):
        stats_of(STATS_CLASS=Own)


def test_scrapys_extensions_can_be_derived_from_and_switched_off() -> None:
    heard: list[Any] = []

    class Mine(CoreStats):
        def item_scraped(self, item: Any, spider: Any) -> None:
            super().item_scraped(item, spider)
            heard.append(item["url"])

    class Quiet(LogStats):
        def spider_opened(self, spider: Any) -> None:
            heard.append(self.interval)

    extensions = {"scrapy.extensions.corestats.CoreStats": None, Mine: 1, Quiet: 2}
    stats = stats_of(EXTENSIONS=extensions, LOGSTATS_INTERVAL=30)

    assert heard == [30.0, ROOT, f"{ROOT}target"]
    assert stats["item_scraped_count"] == 2
