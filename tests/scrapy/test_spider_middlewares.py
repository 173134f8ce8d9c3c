"""Which spider middlewares stand in the path, and what is said of one that is wrong?"""

from __future__ import annotations

from typing import Any

import pytest

from crawler import testing
from crawler.errors import SettingError
from crawler.events import SpiderFailed
from crawler.scrapy.adapters.policies import in_path
from crawler.scrapy.http import Request
from crawler.scrapy.settings import Settings
from crawler.scrapy.spidermiddlewares.depth import DepthMiddleware
from crawler.scrapy.spidermiddlewares.referer import RefererMiddleware, ReferrerPolicy
from crawler.scrapy.spiders import Spider

ROOT = "http://a.test/"


class Links(Spider):
    name = "links"
    start_urls = [ROOT]

    def parse(self, response: Any) -> Any:
        yield {"url": response.url, "depth": response.meta.get("depth"), "start": response.meta.get("is_start_request")}
        if response.url == ROOT:
            yield Request(ROOT + "1")
            yield {"url": "last"}


def run(*middlewares: Any, **settings: Any) -> testing.Result:
    numbered = {middleware: 543 - at for at, middleware in enumerate(middlewares)}
    given = {"SPIDER_MIDDLEWARES": numbered, "ROBOTSTXT_OBEY": False, **settings}
    return testing.crawl(Links, {ROOT: "<p>", ROOT + "1": "<p>"}, settings=given)


class Untouched:
    """As startproject writes it now."""

    @classmethod
    def from_crawler(cls, crawler: Any) -> Any:
        crawler.made_by_hand = cls()
        return crawler.made_by_hand

    def process_spider_input(self, response: Any, spider: Any) -> Any:
        return None

    def process_spider_output(self, response: Any, result: Any, spider: Any) -> Any:
        for i in result:  # noqa: UP028
            yield i

    def process_spider_exception(self, response: Any, exception: Any, spider: Any) -> Any:
        pass

    async def process_start(self, start: Any) -> Any:
        async for item_or_request in start:
            yield item_or_request

    def spider_opened(self, spider: Any) -> None:
        spider.logger.info(f"Spider opened: {spider.name}")


class UntouchedOld:
    """As it wrote it before."""

    async def process_spider_output(self, response: Any, result: Any) -> Any:
        async for each in result:
            yield each

    def process_start_requests(self, start_requests: Any, spider: Any) -> Any:
        for r in start_requests:  # noqa: UP028
            yield r


class Doubles:
    """Plain, as all were before there were asynchronous ones."""

    def process_spider_output(self, response: Any, result: Any, spider: Any) -> Any:
        for each in result:
            yield each
            if isinstance(each, dict):
                yield {**each, "again": spider.name}


class Given(Untouched):
    def process_spider_output(self, response: Any, result: Any, spider: Any) -> Any:
        for _ in result:
            yield response


def test_what_a_new_project_has_costs_nothing_until_it_does_something() -> None:
    for middlewares, stands in (([Untouched, UntouchedOld], False), ([Doubles], True), ([Given], True), ([], False)):
        assert in_path(Settings({"SPIDER_MIDDLEWARES": dict.fromkeys(middlewares, 543)})) is stands
    for name, number, stands in (("depth.Depth", 900, False), ("depth.Depth", None, True), ("depth.Depth", 1, True)):
        given = {f"scrapy.spidermiddlewares.{name}Middleware": number}
        assert in_path(Settings({"SPIDER_MIDDLEWARES": given})) is stands
    result = run(Untouched, UntouchedOld)
    assert type(result.spider.crawler.made_by_hand) is Untouched  # type: ignore[attr-defined]  # it may want signals
    assert result.items == [
        {"url": ROOT, "depth": 0, "start": True},
        {"url": "last"},
        {"url": ROOT + "1", "depth": 1, "start": None},
    ]


def test_a_plain_middleware_works_round_plain_and_asynchronous_callbacks() -> None:
    class Later(Links):
        async def parse(self, response: Any) -> Any:
            yield {"n": 1}
            yield {"n": 2}

    assert len(run(Doubles).items) == 6
    settings = {"SPIDER_MIDDLEWARES": {Doubles: 1}}
    result = testing.crawl(Later, {ROOT: "x"}, settings=settings)
    assert [item["n"] for item in result.items] == [1, 1, 2, 2]


def test_an_older_middleware_gets_the_requests_of_start() -> None:
    class Renames:
        def process_start_requests(self, start_requests: Any, spider: Any) -> Any:
            for request in start_requests:
                yield request.replace(url=request.url + "1")

    assert run(Renames).urls == [ROOT + "1"]


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("process_spider_input", "Wrong.process_spider_input must return None or raise, got <class 'int'>"),
        ("process_spider_output", "Wrong.process_spider_output must return an iterable, got <class 'int'>"),
        ("process_start", "Wrong.process_start must be an async generator, and it gave <class 'int'>"),
        (
            "process_spider_exception",
            "Wrong.process_spider_exception must return None or an iterable, got <class 'int'>",
        ),
    ],
)
def test_nonsense_out_of_a_middleware_is_named(method: str, said: str) -> None:
    class Fails:
        async def process_spider_output(self, response: Any, result: Any) -> Any:
            async for each in result:
                yield each
            raise ValueError("after all")

    wrong = type("Wrong", (), {method: lambda self, *_, **__: 5})
    result = run(Fails, wrong) if method == "process_spider_exception" else run(wrong)
    assert {str(failed.error) for failed in result.happened(SpiderFailed)} == {
        said if said.startswith("Wrong") else f"Wrong.{said}"
    }
    if method == "process_spider_exception":  # what was there before is not lost
        assert [item["url"] for item in result.items] == [ROOT, "last", ROOT + "1"]


@pytest.mark.parametrize("method", ["process_spider_input", "process_spider_output", "process_start"])
def test_a_middleware_that_raises_is_told_and_the_crawl_ends(method: str) -> None:
    def raises(self: Any, *_: Any, **__: Any) -> Any:
        raise LookupError("in a middleware")

    result = run(type("Raises", (), {method: raises}))
    assert {str(failed.error) for failed in result.happened(SpiderFailed)} == {"in a middleware"}


def test_a_middleware_that_cannot_be_made_is_named() -> None:
    class NeedsMore:
        def __init__(self, address: str) -> None:
            pass

    with pytest.raises(SettingError, match="NeedsMore"):
        run(NeedsMore)
    with pytest.raises(SettingError, match="SPIDER_MIDDLEWARES"):
        run("nowhere.Middleware")


def test_scrapys_own_can_be_derived_from() -> None:
    class Deeper(DepthMiddleware):
        def get_processed_request(self, request: Any, response: Any) -> Any:
            request = super().get_processed_request(request, response)
            if request is not None and response is not None:
                request.meta["depth"] += 10
            return request

    class OnlyHost(ReferrerPolicy):
        name = "only-host"

        def referrer(self, response_url: str, request_url: str) -> str:
            return "http://only.test/"

    class Refers(RefererMiddleware):
        def policy(self, response: Any = None, request: Any = None) -> Any:
            return OnlyHost()

    own = "scrapy.spidermiddlewares"
    given = {Deeper: 900, f"{own}.depth.DepthMiddleware": None, Refers: 700, f"{own}.referer.RefererMiddleware": None}
    result = run(SPIDER_MIDDLEWARES=given)
    assert result.items[-1]["depth"] == 11
    assert result.sent[-1].request.headers.get("Referer") == b"http://only.test/"


def test_start_requests_may_be_made_as_long_ago() -> None:
    class Old(Links):
        def start_requests(self) -> Any:
            yield self.make_requests_from_url(ROOT + "1")

    class Older(Links):
        def make_requests_from_url(self, url: str) -> Any:
            return Request(url + "1", meta={"depth_reset": True})

    for spider in (Old, Older):
        result = testing.crawl(spider, {ROOT + "1": "<p>"}, settings={"ROBOTSTXT_OBEY": False})
        assert (result.urls, result.items[0]["start"]) == ([ROOT + "1"], True)


def test_a_request_may_begin_anew_in_depth_without_any_middleware() -> None:
    class Begins(Links):
        def parse(self, response: Any) -> Any:
            yield {"depth": response.meta["depth"], "reset": response.meta.get("depth_reset")}
            if response.url == ROOT:
                yield Request(ROOT + "1", meta={"depth_reset": True})
                yield Request(ROOT + "2")

    pages = dict.fromkeys((ROOT, ROOT + "1", ROOT + "2"), "<p>")
    result = testing.crawl(Begins, pages, settings={"ROBOTSTXT_OBEY": False, "DEPTH_LIMIT": 1})
    assert sorted(item["depth"] for item in result.items) == [0, 0, 1]
    assert {item["reset"] for item in result.items} == {None}
