"""The terminal event says why, so that a log line can."""

from __future__ import annotations

from typing import Any

from crawler import Spider
from crawler.events import RequestEnded
from crawler.testing import crawl


class Shop(Spider):
    name = "shop"
    start_urls = ["http://a.test/"]

    def parse(self, response: Any) -> Any:
        yield response.follow("/private")


def ended(site: dict[str, Any]) -> tuple[str, str, str]:
    result = crawl(Shop, site, settings={"RETRY_TIMES": 0})
    last: RequestEnded = result.happened(RequestEnded)[-1]
    return last.outcome, last.reason, last.detail


def test_a_robots_txt_that_cannot_be_had_is_told_with_its_cause() -> None:
    assert ended({"http://a.test/robots.txt": 500}) == (
        "failed",
        "RobotsUnreachable",
        "robots.txt of http://a.test:80 could not be fetched (status 500)",
    )


def test_what_robots_txt_forbids_is_told_with_its_rule() -> None:
    site = {"http://a.test/robots.txt": "User-agent: *\nDisallow: /private", "http://a.test/": ""}
    assert ended(site) == (
        "dropped",
        "robots",
        "robots: robots.txt of http://a.test:80 says Disallow: /private (line 2)",
    )


def test_an_answer_needs_no_words() -> None:
    assert ended({"http://a.test/": "", "http://a.test/private": ""}) == ("answered", "", "")
