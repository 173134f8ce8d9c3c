"""Does sys.exit() in the user's code, or code of theirs that never ends, leave the crawl its end?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crawler import Pipeline
from crawler.events import ItemFailed, RequestSent, SpiderFailed
from tests.engine.virtual import ROOT, Request, Response, Spider, crawl, later, spider

EXITS = [SystemExit, KeyboardInterrupt]


@pytest.mark.parametrize("leave", EXITS)
@pytest.mark.parametrize("where", ["callback", "generator", "after an await", "errback", "start", "closed"])
def test_an_exit_is_an_error_of_the_spider(where: str, leave: type[BaseException]) -> None:
    class Leaving(Spider):
        name = "leaving"

        async def start(self) -> Any:
            yield Request(ROOT)
            yield Request(f"{ROOT}gone", errback=self.failed)
            if where == "start":
                raise leave(3)

        async def failed(self, failure: Any) -> None:
            if where == "errback":
                raise leave(3)

        def parse(self, response: Response) -> Any:
            return self.one(response) if where == "callback" else self.many(response)

        async def one(self, response: Response) -> None:
            raise leave(3)

        async def many(self, response: Response) -> Any:
            yield {"n": 1}
            if where == "after an await":
                await asyncio.sleep(1)
                await self.fetch(f"{ROOT}more")
            if where in ("generator", "after an await"):
                raise leave(3)

        async def closed(self, reason: str) -> None:
            if where == "closed":
                raise leave(3)

    result = crawl(Leaving, {ROOT: "x", f"{ROOT}more": "y"})
    (failed,) = result.happened(SpiderFailed)
    assert type(failed.error) is leave
    assert result.summary.reason == "finished"
    assert result.summary.exit_status == 1
    assert len(result.items) == (where != "callback")


@pytest.mark.parametrize("leave", EXITS)
def test_an_exit_in_a_stage_costs_its_item(leave: type[BaseException]) -> None:
    class Leaving(Pipeline):
        async def process_item(self, item: Any) -> Any:
            if item["n"] == 1:
                raise leave(3)
            return item

        async def close_spider(self) -> None:
            raise leave(4)

    def parse(_: Spider, response: Response) -> Any:
        yield from ({"n": number} for number in range(3))

    result = crawl(spider(parse=parse), lambda _: "x", settings={"PIPELINES": [Leaving]})
    assert [item["n"] for item in result.items] == [0, 2]
    assert [type(event.error) for event in result.happened(ItemFailed)] == [leave]
    assert [event.callback for event in result.happened(SpiderFailed)] == ["Leaving.close_spider"]


@pytest.mark.parametrize("leave", EXITS)
def test_an_exit_in_a_middleware_fails_its_request(leave: type[BaseException]) -> None:
    async def leaving(request: Request, fetch: Any) -> Any:
        raise leave(3)

    result = crawl(spider(), lambda _: "x", settings={"MIDDLEWARES": [leaving]})
    assert result.summary.stats["finish_reason"] == "finished"
    assert result.summary.errors == 1


def test_an_exit_in_a_subscriber_hurts_nobody() -> None:
    def leave(_: Any) -> None:
        raise SystemExit(3)

    def parse(_: Spider, response: Response) -> Any:
        yield {"url": response.url}

    result = crawl(spider(parse=parse), lambda _: "x", during=lambda ready: ready.events.subscribe(RequestSent, leave))
    assert len(result.items) == 1


def test_a_hook_that_hangs_is_given_up_and_what_is_committed_is_kept() -> None:
    closed: list[str] = []

    class Hangs(Pipeline):
        async def process_item(self, item: Any) -> Any:
            return item

        async def close_spider(self) -> None:
            await asyncio.sleep(1_000_000)

    class Healthy(Pipeline):
        async def process_item(self, item: Any) -> Any:
            return item

        async def close_spider(self) -> None:
            await asyncio.sleep(0.1)
            closed.append("healthy")

    def parse(_: Spider, response: Response) -> Any:
        yield {"url": response.url}

    def during(ready: Any) -> None:
        later(ready, 10, ready.stop_now)
        later(ready, 15, ready.give_up)

    result = crawl(spider(parse=parse), lambda _: "x", settings={"PIPELINES": [Hangs, Healthy]}, during=during)
    assert 15 <= result.seconds < 17
    assert closed == ["healthy"]
    assert len(result.items) == 1
    (failed,) = result.happened(SpiderFailed)
    assert (failed.callback, type(failed.error)) == ("Hangs.close_spider", TimeoutError)


def test_an_opening_that_hangs_is_given_up() -> None:
    class Hangs(Pipeline):
        async def open_spider(self) -> None:
            await asyncio.sleep(1_000_000)

        async def process_item(self, item: Any) -> Any:
            return item

    def during(ready: Any) -> None:
        later(ready, 1, ready.stop_now)
        later(ready, 6, ready.give_up)

    with pytest.raises(TimeoutError, match="has not ended"):
        crawl(spider(), lambda _: "x", settings={"PIPELINES": [Hangs]}, during=during)
