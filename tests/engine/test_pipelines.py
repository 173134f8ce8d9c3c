"""Do items get through the stages, whatever kind of method a stage has, and is a lost one named?"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from twisted.internet.defer import succeed

from crawler.errors import CloseSpider, DropItem, FetchError
from crawler.events import ItemDropped, ItemFailed, ItemScraped, RequestEnded
from crawler.model.response import Response
from crawler.pipeline import Pipeline
from crawler.spider import Spider
from crawler.testing import Result, crawl

ROOT = "http://a.test/"


class Numbers(Spider):
    name = "numbers"
    start_urls = [ROOT]
    count: int = 5

    def parse(self, response: Response) -> Any:
        for number in range(self.count):
            yield {"n": number}


def run(*stages: Any, count: int = 5, **settings: Any) -> Result:
    return crawl(Numbers, {ROOT: "x"}, settings={"PIPELINES": list(stages), **settings}, arguments={"count": count})


class Double:
    def process_item(self, item: Any) -> Any:
        return {"n": item["n"] * 2}


class ScrapysForm:
    def open_spider(self, spider: Spider) -> None:
        self.name = spider.name

    def process_item(self, item: Any, spider: Spider) -> Any:
        return {**item, "spider": spider.name, "opened": self.name}


class Slow:
    async def process_item(self, item: Any) -> Any:
        await asyncio.sleep(5 - item["n"])
        return item


class OddOnly:
    def process_item(self, item: Any) -> Any:
        if item["n"] % 2 == 0:
            raise DropItem(f"{item['n']} is even")
        return item


class Batches:
    def __init__(self) -> None:
        self.sizes: list[int] = []

    def process_batch(self, items: list[Any]) -> Any:
        if any(item["n"] == 3 for item in items):
            raise ValueError("three is not allowed")
        return items


class AsyncBatches:
    async def process_batch(self, items: list[Any]) -> Any:
        await asyncio.sleep(1)
        return [item for item in items if item["n"] != 1]


def numbers(result: Result) -> list[int]:
    return [item["n"] for item in result.items]


def test_a_plain_stage_gets_every_item_in_order() -> None:
    result = run(Double)
    assert numbers(result) == [0, 2, 4, 6, 8]
    assert len(result.happened(ItemScraped)) == 5


def test_scrapys_signatures_work() -> None:
    assert run(ScrapysForm, count=1).items == [{"n": 0, "spider": "numbers", "opened": "numbers"}]


class Quietly:
    async def process_item(self, item: Any) -> Any:
        raise DropItem("no news", log_level="INFO" if item["n"] else "LOUD")


def test_an_async_stage_works_on_several_items_at_once() -> None:
    result = run(Slow)
    assert sorted(numbers(result)) == [0, 1, 2, 3, 4]
    assert result.seconds < 6


def test_a_dropped_item_goes_no_further_and_is_no_failure() -> None:
    result = run(OddOnly, Double)
    assert numbers(result) == [2, 6]
    assert next((event.stage, event.reason) for event in result.happened(ItemDropped)) == ("OddOnly", "0 is even")
    assert result.summary.exit_status == 0


def test_a_dropped_item_says_how_loudly_it_is_logged() -> None:
    result = run(Quietly)
    assert [event.log_level for event in result.happened(ItemDropped)] == ["INFO"] * 4
    (failed,) = result.happened(ItemFailed)
    assert "log_level is DEBUG, INFO, WARNING, ERROR or CRITICAL, not 'LOUD'" in str(failed.error)


def test_an_error_loses_that_item_alone_and_names_the_stage() -> None:
    class Breaks:
        def process_item(self, item: Any) -> Any:
            return {"n": 10 // item["n"]}

    result = run(Breaks)
    assert numbers(result) == [10, 5, 3, 2]
    (failed,) = result.happened(ItemFailed)
    assert failed.stage == "Breaks"
    assert isinstance(failed.error, ZeroDivisionError)


def test_none_out_of_a_stage_is_a_named_error() -> None:
    class Wrong:
        def process_item(self, item: Any) -> Any:
            item["n"] = 1

    (failed,) = run(Wrong, count=1).happened(ItemFailed)
    assert "Wrong returned None" in str(failed.error)


@pytest.mark.parametrize("kind", ["thread", "async"])
def test_what_is_no_item_out_of_a_stage_costs_that_item_alone(kind: str) -> None:
    class Wrong:
        def process_item(self, item: Any) -> Any:
            return 5 if item["n"] == 1 else item

    class AsyncWrong(Wrong):
        async def process_item(self, item: Any) -> Any:
            return super().process_item(item)

    result = run(Wrong if kind == "thread" else AsyncWrong, count=3)
    assert result.summary.reason == "finished"
    (failed,) = result.happened(ItemFailed)
    assert "returned int: '5'; return the item or raise DropItem" in str(failed.error)
    assert len(result.items) == 2


def test_a_deferred_out_of_a_thread_is_a_named_error() -> None:
    from twisted.internet.defer import Deferred

    class Wrong:
        def process_item(self, item: Any) -> Any:
            return Deferred()

    (failed,) = run(Wrong, count=1).happened(ItemFailed)
    assert "make the method async def" in str(failed.error)


def test_a_batch_that_raises_is_repeated_one_by_one() -> None:
    result = run(Batches)
    assert numbers(result) == [0, 1, 2, 4]
    assert [event.stage for event in result.happened(ItemFailed)] == ["Batches"]


def test_an_async_batch_may_keep_items_back() -> None:
    result = run(AsyncBatches)
    assert sorted(numbers(result)) == [0, 2, 3, 4]
    assert len(result.happened(ItemDropped)) == 1


def test_callbacks_wait_while_the_pipelines_are_full() -> None:
    inside: list[int] = []

    class Counting:
        def __init__(self) -> None:
            self.now = 0

        async def process_item(self, item: Any) -> Any:
            self.now += 1
            inside.append(self.now)
            await asyncio.sleep(1)
            self.now -= 1
            return item

    result = run(Counting, count=200, CONCURRENT_ITEMS=10)
    assert len(result.items) == 200
    assert max(inside) == 10


def test_hooks_run_once_and_an_open_spider_that_raises_ends_the_crawl_before_it_starts() -> None:
    calls: list[str] = []

    class Hooks(Pipeline):
        def open_spider(self) -> None:
            calls.append("open")

        def process_item(self, item: Any) -> Any:
            return item

        async def unused(self) -> None: ...

        def close_spider(self) -> None:
            calls.append("close")

    class Breaks(Hooks):
        def open_spider(self) -> None:
            raise OSError("no database")

    run(Hooks)
    assert calls == ["open", "close"]
    with pytest.raises(OSError, match="no database"):
        run(Hooks, Breaks)
    assert calls == ["open", "close", "open", "close"]


def test_close_spider_from_a_stage_ends_the_crawl() -> None:
    class Enough:
        def process_item(self, item: Any) -> Any:
            if item["n"] == 2:
                raise CloseSpider("enough")
            return item

    assert run(Enough).summary.reason == "enough"


def test_a_stage_may_remember_and_fetch() -> None:
    class Remembers(Pipeline):
        def open_spider(self) -> None:
            self.seen = self.memory_set("seen")

        async def process_item(self, item: Any) -> Any:
            if item["n"] % 3 in self.seen:
                raise DropItem("seen")
            self.seen.add(item["n"] % 3)
            response = await self.spider.fetch(ROOT + "extra")
            return {**item, "extra": response.text}

    site = {ROOT: "x", ROOT + "extra": "y"}
    result = crawl(Numbers, site, settings={"PIPELINES": [Remembers]})
    assert sorted(item["n"] for item in result.items) == [0, 1, 2]
    assert {item["extra"] for item in result.items} == {"y"}
    assert all(event.outcome == "answered" for event in result.happened(RequestEnded))


def test_fetch_errors_in_a_stage_lose_the_item_alone() -> None:
    class Fetches(Pipeline):
        async def process_item(self, item: Any) -> Any:
            await self.spider.fetch(ROOT + str(item["n"]))
            return item

    site = {ROOT: "x", ROOT + "1": "y", ROOT + "2": FetchError("no")}
    result = crawl(Numbers, site, settings={"PIPELINES": [Fetches], "RETRY_ENABLED": False})
    assert numbers(result) == [1]
    assert len(result.happened(ItemFailed)) == 4


def test_a_stage_without_threads_is_called_at_once_where_the_spider_is() -> None:
    places: list[tuple[str, int, int]] = []

    class Direct:
        threads = 0

        def open_spider(self) -> None:
            places.append(("open", -1, threading.get_ident()))

        def process_item(self, item: Any) -> Any:
            places.append(("item", item["n"], threading.get_ident()))
            if item["n"] == 3:
                raise DropItem("three")
            if item["n"] == 2:
                return succeed({"n": "from a Deferred"})
            return slowly(item) if item["n"] == 1 else item

    class Yielding(Numbers):
        def parse(self, response: Response) -> Any:
            for number in range(5):
                yield {"n": number}
                places.append(("yielded", number, threading.get_ident()))

    async def slowly(item: Any) -> Any:
        await asyncio.sleep(1)
        return {"n": "from a coroutine"}

    result = crawl(Yielding, {ROOT: "x"}, settings={"PIPELINES": [Direct]})
    assert [item["n"] for item in result.items] == [0, "from a Deferred", 4, "from a coroutine"]
    assert len(result.happened(ItemDropped)) == 1
    assert places[0][0] == "open"
    assert [place[:2] for place in places[1:5]] == [("item", 0), ("yielded", 0), ("item", 1), ("yielded", 1)]
    assert len({place[2] for place in places}) == 1


def test_a_batch_without_threads_and_a_wrong_answer_are_what_they_are_elsewhere() -> None:
    class Pairs:
        threads = 0

        def process_batch(self, items: list[Any]) -> Any:
            return [{"n": item["n"], "of": len(items)} for item in items]

    class Forgets:
        threads = 0

        def process_item(self, item: Any) -> Any:
            if item["n"] == 1:
                raise ValueError("one")
            return None if item["n"] == 2 else item

    assert [item["n"] for item in run(Pairs, count=3).items] == [0, 1, 2]
    result = run(Forgets, count=4)
    assert [item["n"] for item in result.items] == [0, 3]
    assert [type(failed.error) for failed in result.happened(ItemFailed)] == [ValueError, TypeError]
    assert {failed.stage for failed in result.happened(ItemFailed)} == {"Forgets"}
