"""Do the bounds of a crawl never wait for each other?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from crawler import testing
from crawler.engine.items import feed_writers
from crawler.pipeline import Pipeline
from tests.engine.virtual import (
    ROOT,
    Request,
    Response,
    Spider,
    any_page,
    ask,
    balanced,
    crawl,
    numbers,
    page_item,
    spider,
)


@pytest.mark.parametrize("kind", ["one", "many"])
def test_a_callback_with_a_large_page_may_fetch_inline(kind: str) -> None:
    async def parse(self: Spider, response: Response) -> Any:
        inner = await self.fetch(response.url + "?inner")
        yield {"url": response.url, "inner": inner.url}

    def site(request: Request) -> str:
        return "x" if "inner" in request.url else "x" * (6_000_000 if kind == "one" else 1_500_000)

    result = crawl(spider(parse=parse, start=ask(*numbers(1 if kind == "one" else 8))), site)
    assert len(result.items) == (1 if kind == "one" else 8)


class Fetches(Pipeline):
    async def process_item(self, item: Any) -> Any:
        await self.spider.fetch(item["url"] + "?stage")
        return item


def test_a_stage_may_fetch_while_callbacks_with_large_pages_wait_for_room() -> None:
    def parse(self: Spider, response: Response) -> Any:
        for n in range(5):
            yield {"url": f"{response.url}/{n}"}

    def site(request: Request) -> str:
        return "x" if "stage" in request.url else "x" * 3_000_000

    result = crawl(
        spider(parse=parse, start=ask(*numbers(4))),
        site,
        settings={"PIPELINES": [Fetches], "CONCURRENT_ITEMS": 1, "CONCURRENT_REQUESTS": 2},
    )
    assert len(result.items) == 20


def test_a_host_of_no_concurrency_is_refused() -> None:
    with pytest.raises(Exception, match="concurrency"):
        crawl(spider(), any_page, settings={"DOWNLOAD_SLOTS": {"a.test": {"concurrency": 0}}})


def test_a_feed_that_fails_while_a_callback_yields_much(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(testing.ListFeed):
        def write(self, items: Any, number: int) -> Any:
            raise OSError("disk full")

    async def parse(self: Spider, response: Response) -> Any:
        for n in range(200):
            yield {"n": n}
            if n % 50 == 0:
                await asyncio.sleep(0.1)

    monkeypatch.setattr(feed_writers, "BACKLOG", 100)
    monkeypatch.setattr(testing, "ListFeed", Broken)
    result = crawl(spider(parse=parse, start=ask(*numbers(30))), any_page)
    assert result.summary.reason == "feed_error"
    assert result.summary.exit_status == 1


@pytest.mark.parametrize("durable", [False, True])
def test_what_start_yields_does_not_wait_for_a_slow_page_that_start_asks_for_with_a_lambda(
    durable: bool, tmp_path: Path
) -> None:
    def start(self: Spider) -> Any:
        yield Request("http://slow.test/", lambda response: {"url": response.url})
        for number in range(3):
            yield Request(f"{ROOT}{number}")

    def site(request: Request) -> Any:
        answer: Deferred[Any] = Deferred()
        asyncio.get_event_loop().call_later(100 if "slow" in request.url else 0.1, answer.callback, "x")
        return answer

    result = crawl(spider(parse=page_item, start=start), site, job=tmp_path / "job" if durable else None)
    assert len(result.items) == 4
    assert all(sent.when < 1 for sent in result.sent)
    assert balanced(result)
