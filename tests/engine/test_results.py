"""Is everything taken that a callback yields, in whatever shape, and is it told if something is lost?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawler.events import SpiderFailed
from crawler.generic.rules import CrawlSpider
from tests.engine.virtual import ROOT, Request, Response, crawl, spider

LISTS: list[Any] = [[{"n": 1}, {"n": 2}], ({"n": 3},), [], [[{"n": 4}], None, [({"n": 5},)]], {"n": 6}]


def generator(self: Any, response: Response) -> Any:
    yield from LISTS


async def asynchronous(self: Any, response: Response) -> Any:
    for each in LISTS:
        yield each


async def coroutine(self: Any, response: Response) -> Any:
    return LISTS


def plain(self: Any, response: Response) -> Any:
    return LISTS


@pytest.mark.parametrize("callback", [generator, asynchronous, coroutine, plain])
def test_lists_are_taken_wherever_they_are_yielded(callback: Callable[..., Any]) -> None:
    result = crawl(spider(parse=callback), lambda request: "page")
    assert [item["n"] for item in result.items] == [1, 2, 3, 4, 5, 6]
    assert result.summary.errors == 0


@pytest.mark.parametrize("durable", [True, False])
def test_start_may_yield_lists_too(tmp_path: Path, durable: bool) -> None:
    async def start(self: Any) -> Any:
        yield [Request(f"{ROOT}{number}") for number in range(3)]
        yield [[{"n": 1}], Request(f"{ROOT}3")]

    def parse(self: Any, response: Response) -> Any:
        yield {"url": response.url}

    result = crawl(spider(start=start, parse=parse), lambda request: "page", job=tmp_path / "j" if durable else None)
    assert result.urls == [f"{ROOT}{number}" for number in range(4)]
    assert len(result.items) == 5


def test_what_is_wrong_in_a_list_is_lost_alone() -> None:
    def parse(self: Any, response: Response) -> Any:
        yield [{"n": 1}, 5, {"n": 2}]

    result = crawl(spider(parse=parse), lambda request: "page")
    assert [item["n"] for item in result.items] == [1, 2]
    assert len(result.happened(SpiderFailed)) == 1


@pytest.mark.parametrize("callback", [generator, asynchronous])
def test_a_list_that_holds_itself_ends_its_callback_and_nothing_else(
    callback: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    endless: list[Any] = [{"n": 7}]
    endless.append(endless)
    monkeypatch.setattr("tests.engine.test_results.LISTS", [endless])
    result = crawl(spider(parse=callback), lambda request: "page")
    assert result.summary.reason == "finished"
    assert "in each other" in str(result.happened(SpiderFailed)[0].error)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "is lost" in record.getMessage()]


def test_a_value_that_a_generator_returns_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    def yields_and_returns(self: Any, response: Response) -> Any:
        for number in range(3):
            if response.url == ROOT:
                yield Request(f"{ROOT}{number}", self.yields_and_returns)
        return {"n": 1}

    made = spider(parse=yields_and_returns, yields_and_returns=yields_and_returns)
    crawl(made, lambda request: "page")
    assert len(told(caplog)) == 1
    assert "yields_and_returns" in told(caplog)[0]


def test_a_value_that_start_requests_or_a_rule_returns_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    def start_requests(self: Any) -> Any:
        yield Request(ROOT)
        return [Request(f"{ROOT}lost")]

    def parse_start_url(self: Any, response: Response) -> Any:
        yield {"n": 1}
        return {"n": 2}

    made = type("Ruled", (CrawlSpider,), {"name": "ruled", "rules": ()})
    made.start_requests, made.parse_start_url = start_requests, parse_start_url  # type: ignore[attr-defined]
    crawl(made, lambda request: "page")
    assert any("start_requests" in line for line in told(caplog))
    assert any("parse_start_url" in line for line in told(caplog))


def test_what_a_generator_returns_to_one_that_yields_from_it_is_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    def inner() -> Any:
        yield {"n": 1}
        return 2

    def parse(self: Any, response: Response) -> Any:
        yield {"n": (yield from inner())}

    assert [item["n"] for item in crawl(spider(parse=parse), lambda request: "page").items] == [1, 2]
    assert told(caplog) == []
