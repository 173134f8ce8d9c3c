"""What a cache keeps of a Scrapy crawl is counted as Scrapy counts it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawler.scrapy.spiders import Spider
from crawler.testing import crawl

PAGE = "http://shop.example/"


class Shop(Spider):
    name = "shop"
    start_urls = [PAGE, f"{PAGE}none"]
    handle_httpstatus_list = [404]

    def parse(self, response: Any, **kwargs: Any) -> Any:
        yield {"status": response.status}


class Passes:
    def process_request(self, request: Any, spider: Any) -> None:
        request.headers["X-Seen"] = "1"


@pytest.mark.parametrize("middlewares", [{}, {Passes: 1}])
def test_what_the_cache_has_is_a_hit_before_the_middlewares_and_behind(
    tmp_path: Path, middlewares: dict[Any, int]
) -> None:
    settings = {
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_DIR": str(tmp_path),
        "ROBOTSTXT_OBEY": False,
        "DOWNLOADER_MIDDLEWARES": middlewares,
    }
    for expected in ((2, 2, None), (2, 0, 2)):
        stats = crawl(Shop, {PAGE: "<p>Tea</p>"}, settings=settings).summary.stats
        asked, missed = stats["downloader/request_count"], stats.get("httpcache/miss", 0)
        assert (asked, missed, stats.get("httpcache/hit")) == expected


def test_a_status_that_is_never_kept_is_uncacheable(tmp_path: Path) -> None:
    settings = {
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_IGNORE_HTTP_CODES": "404",
        "HTTPCACHE_DIR": str(tmp_path),
        "ROBOTSTXT_OBEY": False,
    }
    stats = crawl(Shop, {PAGE: "<p>Tea</p>"}, settings=settings).summary.stats
    assert {name: value for name, value in stats.items() if name.startswith("httpcache/")} == {
        "httpcache/miss": 2,
        "httpcache/firsthand": 2,
        "httpcache/store": 1,
        "httpcache/uncacheable": 1,
    }
