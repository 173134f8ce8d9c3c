"""Are the classes in REQUEST_FILTERS made as every other component is?"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from twisted.internet.defer import Deferred, succeed

from crawler import Crawler, Drop, NotConfigured, Request, Response, Spider
from crawler.testing import Result, crawl

ROOT = "http://a.test/"


class Pages(Spider):
    """Follows every link of its first page."""

    name = "pages"
    start_urls = [ROOT]

    def parse(self, response: Response) -> Any:
        yield from response.follow_all(css="a")


class Longest:
    """Refuses long paths; notes each object that was made of it."""

    LONGEST_PATH: int = 100
    made: ClassVar[list[object]] = []

    def __init__(self) -> None:
        self.made.append(self)

    def __call__(self, request: Request, found_on: Response | None) -> Request | Drop:
        if len(request.url) - len(ROOT) > self.LONGEST_PATH:
            return Drop("long")
        return request


class FromCrawler(Longest):
    """Made by from_crawler."""

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        if crawler.settings.get("LEAVE_OUT"):
            raise NotConfigured("it was told so")
        made = cls()
        crawler.stats.set_value("made_by_from_crawler", True)
        return made

    LEAVE_OUT: bool = False


def _crawl(filter_class: type, **settings: Any) -> Result:
    site = {ROOT: '<a href="ab"></a><a href="abcd"></a>', ROOT + "ab": "2", ROOT + "abcd": "4"}
    return crawl(Pages, site, settings={"REQUEST_FILTERS": [filter_class], **settings})


def test_a_scheme_may_be_written_in_capitals() -> None:
    class Echo:
        def __init__(self, settings: Any, *, reactor: Any) -> None:
            pass

        def fetch(self, request: Request, exchange: Any = None) -> Deferred[Response]:
            return succeed(Response(request.url, 200, request=request))

        def close(self) -> Deferred[None]:
            return succeed(None)

    class One(Spider):
        name = "one"
        start_urls = ["echo://a.test/"]

        def parse(self, response: Response) -> Any:
            yield {"url": response.url}

    result = crawl(One, {}, settings={"SCHEMES": {"Echo": Echo}})
    assert result.items == [{"url": "echo://a.test/"}]


def test_a_filter_has_the_settings_that_it_declares() -> None:
    assert _crawl(Longest).urls == [ROOT, ROOT + "ab", ROOT + "abcd"]
    assert _crawl(Longest, LONGEST_PATH=2).urls == [ROOT, ROOT + "ab"]


def test_a_filter_is_made_once_for_links_and_redirects() -> None:
    Longest.made.clear()
    _crawl(Longest)
    assert len(Longest.made) == 1


def test_a_filter_is_made_by_from_crawler() -> None:
    result = _crawl(FromCrawler, LONGEST_PATH=2)
    assert result.summary.stats["made_by_from_crawler"] is True
    assert result.urls == [ROOT, ROOT + "ab"]


def test_a_filter_that_is_not_configured_is_left_out() -> None:
    result = _crawl(FromCrawler, LONGEST_PATH=2, LEAVE_OUT=True)
    assert result.urls == [ROOT, ROOT + "ab", ROOT + "abcd"]
