"""Does a crawl tell rightly why it ended and what it left, however it is stopped?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler import Pipeline
from crawler.events import ItemFailed, SpiderFailed
from crawler.storage.codec import Codec
from crawler.storage.jobs import read_job
from crawler.storage.sqlite import SQLiteStore
from tests.engine.virtual import ROOT, Request, Response, Spider, crawl, later, spider
from tests.storage.support import CallbackQueue

PAGES = 30


def links(_: Spider, response: Response) -> Iterator[Any]:
    yield {"url": response.url}
    if response.url == ROOT:
        for number in range(PAGES):
            yield Request(f"{ROOT}{number}")


def slow_site(request: Request) -> Any:
    return "page"


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("seconds", [0.05, 0.35, 0.71, 1.4])
def test_a_stop_at_once_tells_how_much_a_resume_will_find(tmp_path: Path, seconds: float, inline: bool) -> None:
    async def with_inline(self: Spider, response: Response) -> Any:
        page = await self.fetch(f"{response.url}?inline")
        yield {"url": page.url}
        for result in links(self, response):
            yield result

    made = spider(parse=with_inline if inline else links)
    stopped = crawl(
        made,
        slow_site,
        job=tmp_path / "job.sqlite",
        latency=0.3,
        settings={"CONCURRENT_REQUESTS_PER_DOMAIN": 4},
        during=lambda ready: later(ready, seconds, ready.stop_now),
    )
    job = read_job(tmp_path / "job.sqlite")
    assert stopped.summary.reason == "shutdown"
    assert stopped.summary.queued == job.queued > 0
    assert stopped.summary.resumable


def test_what_is_to_be_asked_for_again_after_a_stop_is_no_page_yet(tmp_path: Path) -> None:
    async def start(_: Spider) -> Any:
        for number in range(4):
            yield Request(f"{ROOT}{number}")

    def busy(request: Request) -> Any:
        return 503 if request.url.endswith("3") else "page"

    made, job = spider(start=start, parse=lambda _, response: None), tmp_path / "job"
    stopped = crawl(made, busy, job=job, settings={"CLOSESPIDER_PAGECOUNT": 1}).summary
    assert (stopped.stats["downloader/response_status_count/503"], stopped.pages) == (1, 3)
    resumed = crawl(made, busy, job=job).summary
    assert (resumed.pages, resumed.errors, resumed.stats["retry/count"]) == (4, 1, 2)


def test_items_of_a_page_that_a_stop_cut_off_are_counted_apart_and_once(tmp_path: Path) -> None:
    async def parse(self: Spider, response: Response) -> Any:
        for number in range(3):
            yield {"url": response.url, "number": number}
            if number == 1 and response.url == ROOT:
                await asyncio.sleep(wait)

    async def start(self: Spider) -> Any:
        yield Request(ROOT)
        yield Request(f"{ROOT}other")

    wait = 100.0
    made = spider(start=start, parse=parse)
    job = tmp_path / "job"
    stopped = crawl(made, lambda _: "page", job=job, during=lambda ready: later(ready, 20.0, ready.stop_now)).summary
    assert (stopped.items, stopped.unfinished_items, stopped.feeds[0].items) == (5, 2, 3)
    wait = 0.0
    resumed = crawl(made, lambda _: "page", job=job).summary
    assert (resumed.items, resumed.unfinished_items) == (6, 0)


def test_a_stop_while_a_finished_crawl_closes_leaves_it_finished() -> None:
    asked = []

    class Slow(Pipeline):
        async def process_item(self, item: Any) -> Any:
            return item

        async def close_spider(self) -> None:
            self.crawler.stop("too late")
            asked.append("end")
            await asyncio.sleep(0.1)

    result = crawl(
        spider(parse=links),
        slow_site,
        settings={"PIPELINES": [Slow]},
        during=lambda ready: asked.append("prepared"),
    )
    assert asked == ["prepared", "end"]
    assert result.summary.reason == "finished"
    assert result.summary.queued == 0
    assert len(result.items) == PAGES + 1


def test_a_stage_may_take_its_memory_when_it_is_made(tmp_path: Path) -> None:
    found = []

    class Counting(Pipeline):
        def bind(self, crawler: Any) -> None:
            super().bind(crawler)
            self.pages = self.memory_dict("pages")

        async def open_spider(self) -> None:
            found.append(len(self.pages))

        async def process_item(self, item: Any) -> Any:
            self.pages[item["url"]] = True
            return item

    settings = {"PIPELINES": [Counting], "CLOSESPIDER_ITEMCOUNT": 5}
    crawl(spider(parse=links), slow_site, job=tmp_path / "job.sqlite", settings=settings)
    crawl(spider(parse=links), slow_site, job=tmp_path / "job.sqlite", settings={"PIPELINES": [Counting]})
    assert found[0] == 0
    assert found[1] >= 5


class Odd:
    """Has no stored form."""


def test_what_stage_memory_cannot_keep_costs_its_item_alone(tmp_path: Path) -> None:
    class Remembering(Pipeline):
        async def process_item(self, item: Any) -> Any:
            number = item["url"].rpartition("/")[2]
            self.memory_dict("last")[number] = Odd() if number == "7" else [number]
            if number == "8":
                self.memory_set("seen").add((Odd(),))
            return item

    settings = {"PIPELINES": [Remembering]}
    result = crawl(spider(parse=links), slow_site, job=tmp_path / "job.sqlite", settings=settings)
    assert result.summary.reason == "finished"
    assert len(result.items) == PAGES + 1 - 2
    said = [str(event.error) for event in result.events if isinstance(event, ItemFailed)]
    assert "'7'" in said[0]
    assert "memory 'last' of " in said[0]
    assert "Odd" in said[0]
    assert "memory 'seen' of " in said[1]


def test_what_cannot_be_kept_of_a_state_is_told_once_and_the_rest_is_kept(
    tmp_path: Path,
) -> None:
    found = []

    def count(self: Spider, response: Response) -> Iterator[Any]:
        found.append(dict(self.state))
        self.state["pages"] = self.state.get("pages", 0) + 1
        self.state["odd"] = Odd()
        yield from links(self, response)

    class Changing(Pipeline):
        async def process_item(self, item: Any) -> Any:
            kept: list[Any] = []
            self.memory_dict("last")["list"] = kept
            kept.append(Odd())
            return item

    settings = {"PIPELINES": [Changing], "CLOSESPIDER_ITEMCOUNT": 5}
    made = spider(parse=count)
    result = crawl(made, slow_site, job=tmp_path / "job", settings=settings)
    assert (result.summary.reason, result.summary.errors) == ("closespider_itemcount", 1)
    told = result.happened(SpiderFailed)
    assert [event.callback for event in told] == ["spider.state['odd']"]
    assert "cannot be kept" in str(told[0].error)
    assert "Odd" in str(told[0].error)
    before = len(found)
    assert crawl(made, slow_site, job=tmp_path / "job", settings={}).summary.reason == "finished"
    assert found[before]["pages"] == before
    assert "odd" not in found[before]


@pytest.mark.parametrize(("status", "last"), [(503, ROOT), (302, f"{ROOT}other")])
def test_a_value_that_became_odd_after_its_request_was_stored_is_no_end(tmp_path: Path, status: int, last: str) -> None:
    """A dict in meta that callbacks share is changed while its request waits, which is then asked for again."""
    shared: dict[str, Any] = {}
    asked = []

    def site(request: Request) -> Any:
        asked.append(request.url)
        shared["odd"] = Odd()
        if len(asked) > 1:
            return "page"
        return Response(ROOT, status, {"Location": "/other"} if status == 302 else {})

    async def start(self: Spider) -> Any:
        yield Request(ROOT, meta={"shared": shared, "plain": 1})

    def parse(self: Spider, response: Response) -> Iterator[Any]:
        yield {"url": response.url, "plain": response.meta["plain"], "shared": "shared" in response.meta}

    made = spider(start=start, parse=parse)
    stopped = crawl(
        made, site, job=tmp_path / "job", latency=0.3, during=lambda ready: later(ready, 0.45, ready.stop_now)
    )
    assert stopped.summary.problems == []
    assert stopped.summary.queued == 1
    result = crawl(made, site, job=tmp_path / "job")
    assert result.summary.problems == []
    assert result.items == [{"url": last, "plain": 1, "shared": status == 503}]


@pytest.mark.parametrize("threads", [True, False])
def test_what_a_stage_remembers_without_an_item_is_kept_too(tmp_path: Path, threads: bool) -> None:
    class Counting(Pipeline):
        def open_spider(self) -> None:
            self.runs = self.memory_dict("runs")
            self.runs["opened"] = self.runs.get("opened", 0) + 1

        def process_item(self, item: Any) -> Any:
            return item

        def close_spider(self) -> None:
            self.runs["closed"] = self.runs.get("closed", 0) + 1

    class Waiting(Counting):
        async def open_spider(self) -> None:  # type: ignore[override]
            super().open_spider()

        async def process_item(self, item: Any) -> Any:
            return item

        async def close_spider(self) -> None:  # type: ignore[override]
            super().close_spider()

    settings = {"PIPELINES": [Counting if threads else Waiting], "CLOSESPIDER_ITEMCOUNT": 5}
    for _ in range(3):
        assert crawl(spider(parse=links), slow_site, job=tmp_path / "job", settings=settings).summary.problems == []
    reactor = CallbackQueue()
    store = SQLiteStore(tmp_path / "job", reactor=reactor, codec=Codec())
    memory = reactor.wait(store.open()).memory
    reactor.wait(store.finish(ended=False, reason="test"))
    assert list(memory.values()) == [{"opened": 3, "closed": 3}]
