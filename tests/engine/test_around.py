"""Does what stands round the spider's functions get what they would, and give what it likes in their place?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crawler import testing
from crawler.assembly import making
from crawler.engine.user_code.failure import RequestFailure
from crawler.events import ItemFailed, ItemScraped
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider

ROOT = "http://a.test/"


class Between:
    """Notes what is called, and adds an item of its own."""

    def __init__(self, noted: list[Any]) -> None:
        self.noted = noted

    def callback(self, callback: Callable[..., Any], response: Response, keywords: dict[str, Any]) -> Any:
        self.noted.append((callback.__name__, response.url, keywords))
        return [*callback(response, **keywords), {"n": "added"}]

    def errback(self, errback: Callable[..., Any], failure: RequestFailure) -> Any:
        self.noted.append((errback.__name__, failure.request.url))
        return errback(failure)


class Making(making.Making):
    """Makes a crawl whose callbacks have that round them."""

    def around(self) -> Between:
        return Between(self.crawler.memory.setdefault(("noted", ""), {}).setdefault("calls", []))


class Functions(Spider):
    name = "found"
    start_urls = [ROOT]

    def parse(self, response: Response) -> Any:
        yield {"n": "of the callback"}
        yield Request(ROOT + "missing", self.more, cb_kwargs={"word": "x"}, errback=self.failed)
        yield Request(ROOT + "more", self.more, cb_kwargs={"word": "x"})

    def more(self, response: Response, word: str) -> Any:
        yield [{"n": word}]  # one item, where something stands round

    def failed(self, failure: Any) -> Any:
        return {"n": "of the errback"}


class Found(Functions):
    _making = __name__


def test_it_is_called_in_the_place_of_the_spiders_functions() -> None:
    result = testing.crawl(Found, {ROOT: "x", ROOT + "more": "x"}, settings={"ROBOTSTXT_OBEY": False})
    noted = result.spider.crawler.memory["noted", ""]["calls"]
    assert sorted(noted, key=str) == [
        ("failed", ROOT + "missing"),
        ("more", ROOT + "more", {"word": "x"}),
        ("parse", ROOT, {}),
    ]
    assert sorted(str(item["n"]) for item in result.items) == ["added", "added", "of the callback", "of the errback"]
    scraped = [event.item for event in result.happened(ItemScraped)]
    assert [{"n": "x"}] in scraped  # it is no item, and in no feed
    assert not result.happened(ItemFailed)


def test_without_it_a_list_is_what_it_holds() -> None:
    result = testing.crawl(Functions, {ROOT: "x", ROOT + "more": "x"}, settings={"ROBOTSTXT_OBEY": False})
    assert sorted(str(item["n"]) for item in result.items) == ["of the callback", "of the errback", "x"]
