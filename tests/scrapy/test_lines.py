"""The log of a Scrapy crawl has its LogFormatter's words."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from crawler import Response
from crawler.errors import DropItem
from crawler.scrapy.http import Request
from crawler.scrapy.logformatter import LogFormatter
from crawler.scrapy.spiders import Spider
from crawler.testing import crawl

PAGE = "http://shop.example/"


class Drops:
    def process_item(self, item: Any, spider: Any) -> Any:
        if item["n"] == 1:
            raise DropItem("too cheap")
        if item["n"] == 2:
            raise DropItem("of no matter", log_level="INFO")
        if item["n"] == 3:
            raise ValueError("no price")
        return item


class Shop(Spider):
    name = "shop"
    start_urls = [PAGE]
    custom_settings = {"ITEM_PIPELINES": {Drops: 1}, "DEFAULT_DROPITEM_LOG_LEVEL": "ERROR", "RETRY_ENABLED": False}

    def parse(self, response: Any, **kwargs: Any) -> Any:
        for number in range(4):
            yield {"n": number}
        yield Request(f"{PAGE}none")
        raise KeyError("title")


class Polite(LogFormatter):
    def dropped(self, item: Any, exception: BaseException, response: Any, spider: Any) -> Any:
        return {"level": logging.INFO, "msg": "politely: %s", "args": (exception,)}

    def scraped(self, item: Any, response: Any, spider: Any) -> Any:
        return None


def lines_of(caplog: pytest.LogCaptureFixture, level: int, **settings: Any) -> list[tuple[str, str, str]]:
    caplog.set_level(level)
    crawl(Shop, {PAGE: "<title>Tea</title>"}, settings=settings, during=lambda prepared: prepared.log())
    return [
        (record.levelname, record.name.rpartition(".")[2], record.getMessage().replace("\r\n", "\n"))
        for record in caplog.records
        if record.name.startswith("scrapy.")
    ]


def test_pages_and_items_are_told_at_debug_and_what_is_lost_at_its_level(caplog: pytest.LogCaptureFixture) -> None:
    lines = lines_of(caplog, logging.DEBUG)
    assert ("DEBUG", "engine", f"Crawled (200) <GET {PAGE}> (referer: None)") in lines
    assert ("DEBUG", "scraper", f"Scraped from <200 {PAGE}>\n{{'n': 0}}") in lines
    assert ("ERROR", "scraper", "Dropped: too cheap\n{'n': 1}") in lines
    assert ("INFO", "scraper", "Dropped: of no matter\n{'n': 2}") in lines
    assert ("ERROR", "scraper", "Error processing {'n': 3}") in lines
    (failed,) = [record for record in caplog.records if record.getMessage().startswith("Error processing")]
    assert failed.exc_info is not None
    assert (failed.exc_info[0], vars(failed)["item"]) == (ValueError, {"n": 3})
    assert ("ERROR", "scraper", f"Spider error processing <GET {PAGE}> (referer: None)") in lines
    ignored = f"Ignoring response <404 {PAGE}none>: HTTP status code is not handled or not allowed"
    assert ("INFO", "httperror", ignored) in lines


def test_a_formatter_of_the_project_has_the_say(caplog: pytest.LogCaptureFixture) -> None:
    lines = lines_of(caplog, logging.INFO, LOG_FORMATTER=Polite)
    assert [line for _, _, line in lines if "politely" in line] == ["politely: too cheap", "politely: of no matter"]
    assert not [line for _, _, line in lines if "Scraped" in line or "Crawled" in line]


def test_a_request_that_is_given_up_is_an_error_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    crawl(
        Shop,
        lambda request: ConnectionRefusedError("refused"),
        during=lambda prepared: prepared.log(),
    )
    (line,) = [record.getMessage() for record in caplog.records if record.name == "scrapy.core.scraper"]
    assert line.startswith(f"Error downloading <GET {PAGE}>: ")


def test_that_robots_txt_is_obeyed_is_told_where_the_project_does_not_say(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    for settings in ({}, {"ROBOTSTXT_OBEY": True}):
        crawl(Shop, {PAGE: ""}, settings=settings, during=lambda prepared: prepared.log())
    assert caplog.text.count("robots.txt is obeyed") == 1


def test_an_item_is_given_no_words_where_no_handler_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    worded: list[Any] = []
    monkeypatch.setattr(LogFormatter, "scraped", lambda *arguments: worded.append(arguments))
    scrapy, handler = logging.getLogger("scrapy"), logging.NullHandler(logging.INFO)
    monkeypatch.setattr(scrapy, "propagate", False)
    before = scrapy.level
    scrapy.setLevel(logging.DEBUG)  # as Scrapy's configure_logging() has it in a script
    monkeypatch.setattr(scrapy, "handlers", [handler])
    counts = []
    for level in (logging.INFO, logging.DEBUG):
        handler.setLevel(level)
        crawl(Shop, {PAGE: ""}, during=lambda prepared: prepared.log())
        counts.append(len(worded))
    scrapy.setLevel(before)
    assert counts == [0, 1]


def test_what_was_tried_often_enough_is_told_as_scrapys_middleware_does(caplog: pytest.LogCaptureFixture) -> None:
    class Tries(Shop):
        custom_settings = {"RETRY_TIMES": 1, "RETRY_GIVE_UP_LOG_LEVEL": "WARNING"}

    caplog.set_level(logging.INFO)
    result = crawl(Tries, {PAGE: Response(PAGE, status=503)}, during=lambda prepared: prepared.log())
    (told,) = [record for record in caplog.records if record.name == "scrapy.downloadermiddlewares.retry"]
    assert told.getMessage() == f"Gave up retrying <GET {PAGE}> (failed 2 times): 503 Service Unavailable"
    assert (told.levelname, result.spider.stats.get_value("retry/max_reached")) == ("WARNING", 1)
