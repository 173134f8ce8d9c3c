"""The dialect of a crawl is that of its spider's class."""

from __future__ import annotations

from typing import Any

import pytest

from crawler import Spider as NativeSpider
from crawler.assembly.making import load_settings, make
from crawler.config.settings import Settings
from crawler.scrapy.settings import BaseSettings
from crawler.scrapy.settings import Settings as ScrapySettings
from crawler.scrapy.spiders import Spider
from crawler.testing import crawl

PAGE = "http://shop.example/"


class Shop(Spider):
    name = "shop"
    start_urls = [PAGE]
    custom_settings = {"DOWNLOAD_DELAY": "0.25", "PROXIES": ["the project's own"]}

    def parse(self, response: Any, **kwargs: Any) -> Any:
        yield {"title": response.css("title::text").get(), "limit": self.settings.getint("CONCURRENT_REQUESTS")}


class Native(NativeSpider):
    name = "native"


def test_a_scrapy_spider_runs_with_scrapys_settings() -> None:
    run = crawl(Shop, {PAGE: "<title>Tea</title>"})
    assert run.items == [{"title": "Tea", "limit": 16}]


def test_its_settings_become_the_crawlers_own() -> None:
    made = make(Shop, load_settings(Shop, {"RETRY_TIMES": 7}), {})
    assert isinstance(made.crawler.settings, BaseSettings)
    assert (made.settings.core.DOWNLOAD_DELAY, made.settings.core.RETRY_TIMES) == (0.25, 7)


def test_what_only_the_crawler_knows_is_the_projects_own() -> None:
    given = ScrapySettings({"CRAWLER_SESSIONS": 3, "PIPELINES": ["no class"]})
    made = make(Shop, load_settings(Shop, given), {})
    assert (made.settings.core.PROXIES, made.settings.core.PIPELINES, made.settings.core.SESSIONS) == ([], [], 3)
    settings: Any = made.crawler.settings
    assert settings["PROXIES"] == ["the project's own"]


def test_a_spider_may_set_settings_while_it_is_made() -> None:
    class Late(Shop):
        @classmethod
        def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Any:
            spider = super().from_crawler(crawler, *args, **kwargs)
            spider.settings.set("CONCURRENT_REQUESTS", 3, priority="spider")
            return spider

    made = make(Late, load_settings(Late, None), {})
    assert made.settings.core.CONCURRENT_REQUESTS == 3
    settings: Any = made.crawler.settings
    with pytest.raises(TypeError, match="immutable"):
        settings.set("CONCURRENT_REQUESTS", 4)


def test_arguments_are_taken_as_they_are() -> None:
    spider: Any = make(Shop, load_settings(Shop, None), {"pages": "3", "start_urls": "x"}).crawler.spider
    assert (spider.pages, spider.start_urls) == ("3", "x")


def test_other_settings_keep_their_priorities() -> None:
    given = ScrapySettings({"RETRY_TIMES": 7, "DOWNLOAD_DELAY": 9})
    made = make(Shop, load_settings(Shop, given), {})
    assert (made.settings.core.RETRY_TIMES, made.settings.core.DOWNLOAD_DELAY) == (7, 0.25)


def test_a_script_may_give_settings_of_ours() -> None:
    made = make(Shop, load_settings(Shop, Settings({"RETRY_TIMES": 7, "JOB_STORE": None})), {})
    assert (made.settings.core.RETRY_TIMES, made.settings.core.JOB_STORE) == (7, None)
    assert load_settings(Shop, made.settings) is made.settings


def test_a_native_spider_has_the_crawlers_settings() -> None:
    made = make(Native, load_settings(Native, None), {})
    assert made.crawler.settings is made.settings
