"""What a Scrapy project's crawl takes for seen: as Scrapy's scheduler and dupefilters do."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from crawler import testing
from crawler.errors import SettingError
from crawler.scrapy.dupefilters import BaseDupeFilter, RFPDupeFilter
from crawler.scrapy.http import Request
from crawler.scrapy.spiders import Spider
from crawler.scrapy.utils.request import fingerprint

ROOT = "http://a.test/"


class Links(Spider):
    """Asks for some pages by parse(), and what these link to by the second callback."""

    name = "links"
    start_urls = [ROOT]
    links: list[Request] = []

    def parse(self, response: Any) -> Any:
        yield {"url": response.url}
        if response.url == ROOT:
            yield from (each.replace(callback=self.second) for each in self.links)

    def second(self, response: Any) -> Any:
        yield {"second": response.url}


def urls(*links: Request, site: Any = lambda request: "page", **settings: Any) -> list[str]:
    spider = type("Made", (Links,), {"links": list(links)})
    result = testing.crawl(spider, site, settings={"ROBOTSTXT_OBEY": False, **settings})
    return sorted(url.removeprefix(ROOT) for url in result.urls)


def test_start_urls_are_not_marked_as_seen_and_a_link_back_is_followed_once() -> None:
    assert urls(Request(ROOT), Request(ROOT)) == ["", ""]


def test_what_has_dont_filter_marks_nothing() -> None:
    again = Request(f"{ROOT}a", dont_filter=True)
    assert urls(again, again, Request(f"{ROOT}a"), Request(f"{ROOT}a")).count("a") == 3


def test_another_callback_makes_no_other_request() -> None:
    class Plain(Links):
        async def start(self) -> Any:
            yield Request(ROOT)  # it is marked

    made = type("Made", (Plain,), {"links": [Request(ROOT)]})
    assert testing.crawl(made, lambda request: "page", settings={"ROBOTSTXT_OBEY": False}).urls == [ROOT]


def _moved(request: Any) -> Any:
    if request.url.endswith("back"):
        return testing.Response(request.url, 302, {"Location": "/back"})
    return testing.Response(request.url, 302, {"Location": "/a"}) if request.url.endswith("form") else "page"


def test_where_a_redirect_leads_is_dropped_if_it_was_seen() -> None:
    """In its own chain and as the answer to a form, too; but not with dont_filter."""
    found = urls(Request(f"{ROOT}a"), Request(f"{ROOT}form", method="POST"), Request(f"{ROOT}back"), site=_moved)
    assert found == ["", "a", "back", "form"]
    found = urls(Request(f"{ROOT}a"), Request(f"{ROOT}form", method="POST", dont_filter=True), site=_moved)
    assert found == ["", "a", "a", "form"]


class ByPath(RFPDupeFilter):
    def request_fingerprint(self, request: Any) -> str:
        return str(request.url.partition("?")[0])


class NotTheseTwice(RFPDupeFilter):
    def request_seen(self, request: Any) -> Any:
        return False if "many" in request.url else super().request_seen(request)


class OddOnes(BaseDupeFilter):
    """No class of Scrapy's is asked; it is opened, closed and told."""

    told: list[Any] = []

    def open(self) -> None:
        self.told.append("open")

    def close(self, reason: str) -> None:
        self.told.append(reason)

    def request_seen(self, request: Any) -> bool:
        return bool(request.url.endswith("odd"))

    def log(self, request: Any, spider: Any) -> None:
        self.told.append((request.url, spider.name))


ASKED = [Request(ROOT + path) for path in ("a?1", "a?2", "many", "many", "odd", "b", "b")]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        (RFPDupeFilter, ["", "a?1", "a?2", "b", "many", "odd"]),
        (ByPath, ["", "a?1", "b", "many", "odd"]),
        (NotTheseTwice, ["", "a?1", "a?2", "b", "many", "many", "odd"]),
        (BaseDupeFilter, ["", "a?1", "a?2", "b", "b", "many", "many", "odd"]),
        (OddOnes, ["", "a?1", "a?2", "b", "b", "many", "many"]),
    ],
)
def test_a_dupefilter_of_the_projects(kind: type, found: list[str]) -> None:
    OddOnes.told.clear()
    assert urls(*ASKED, DUPEFILTER_CLASS=kind) == found
    assert OddOnes.told == (["open", (f"{ROOT}odd", "links"), "finished"] if kind is OddOnes else [])


def test_a_fingerprinter_of_the_projects() -> None:
    class Short:
        def fingerprint(self, request: Any) -> bytes:
            return fingerprint(request.replace(url=request.url.partition("?")[0]))

    assert urls(*ASKED, REQUEST_FINGERPRINTER_CLASS=Short) == ["", "a?1", "b", "many", "odd"]


def test_duplicates_are_logged_with_dupefilter_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "scrapy.dupefilters")
    urls(*ASKED)
    assert caplog.text.count("Filtered duplicate request") == 1
    urls(*ASKED, DUPEFILTER_DEBUG=True)
    assert caplog.text.count("Filtered duplicate request") == 3


def test_a_dupefilter_that_cannot_tell_is_named() -> None:
    with pytest.raises(SettingError, match="has no request_seen"):
        urls(DUPEFILTER_CLASS=type("Nothing", (), {}))


@pytest.mark.parametrize(
    ("settings", "order"),
    [
        ({}, ["", "c", "b", "a"]),
        ({"SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue"}, ["", "a", "b", "c"]),
    ],
)
def test_the_newest_request_goes_first_unless_a_queue_of_scrapys_says_otherwise(
    settings: dict[str, Any], order: list[str], tmp_path: Path
) -> None:
    made = type("Made", (Links,), {"links": [Request(ROOT + name) for name in "abc"]})
    given = {"ROBOTSTXT_OBEY": False, "CONCURRENT_REQUESTS": 1, **settings}
    assert testing.crawl(made, lambda request: "page", settings=given).urls == [ROOT + name for name in order]
