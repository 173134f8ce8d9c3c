"""QUEUE_ORDER "newest": a host is asked for its newest request first, so that a crawl goes depth first, as Scrapy's."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from crawler.model.request import Request
from crawler.model.url import fingerprint
from crawler.spider import Spider
from crawler.storage.finished import failed
from crawler.storage.jobs import reading
from crawler.storage.trace import trace

from .virtual import ROOT, any_page, ask, crawl, later, spider

DEPTH, WIDTH = 3, 6


def _tree(self: Spider, response: Any) -> Any:
    """A tree of WIDTH links a page; the third link of each has a higher priority."""
    name = response.url.removeprefix(ROOT)
    yield {"url": response.url}
    if len(name) < DEPTH:
        for n in range(WIDTH):
            yield Request(f"{ROOT}{name}{n}", callback=self.parse, priority=int(n == 2))


def _depth_first(starts: list[str]) -> list[str]:
    """The order of a plain stack for each priority: what Scrapy's queues give with one request at a time."""
    stacks: dict[int, list[str]] = {0: [], 1: []}
    waiting, order = list(starts), []
    while any(stacks.values()) or waiting:
        name = stacks[1].pop() if stacks[1] else stacks[0].pop() if stacks[0] else waiting.pop(0)
        order.append(ROOT + name)
        if len(name) < DEPTH:
            for n in range(WIDTH):
                stacks[int(n == 2)].append(f"{name}{n}")
    return order


ONE = {"CONCURRENT_REQUESTS": 1, "QUEUE_ORDER": "newest"}


@pytest.mark.parametrize("durable", [False, True])
def test_a_crawl_of_one_request_at_a_time_is_depth_first(tmp_path: Path, durable: bool) -> None:
    """Also where a host's window holds four of some forty that wait."""
    made = spider(parse=_tree)
    result = crawl(made, any_page, settings=ONE, job=tmp_path / "j.sqlite" if durable else None)

    assert result.urls == _depth_first([""])


def test_start_requests_wait_behind_what_they_lead_to_as_they_were_found(tmp_path: Path) -> None:
    names = ["00", "01", "02", "03", "04", "05"]
    made = spider(parse=_tree, start=ask(*(ROOT + name for name in names)))
    result = crawl(made, any_page, settings={**ONE, "DOWNLOAD_DELAY": 1.0}, job=tmp_path / "j.sqlite", latency=0.5)

    assert result.urls == _depth_first(names)


@pytest.mark.parametrize("at_once", [False, True])
def test_a_crawl_that_was_stopped_goes_on_depth_first(tmp_path: Path, at_once: bool) -> None:
    """Be it by hand or as by a kill: what was in flight is asked for again, and then what would have come next."""
    job, made = tmp_path / "j.sqlite", spider(parse=_tree)
    sent: list[str] = []
    for turn in range(40):
        stop = "stop_now" if at_once else "stop"
        result = crawl(
            made,
            any_page,
            settings=ONE,
            job=job,
            during=lambda ready, stop=stop, turn=turn: later(ready, 0.2 + turn / 100, getattr(ready, stop)),
        )
        cut = len(result.urls) - (result.summary.pages if at_once else len(result.urls))
        sent += result.urls[: len(result.urls) - cut]
        if not result.summary.resumable:
            break

    assert [url for n, url in enumerate(sent) if url not in sent[:n]] == _depth_first([""])


def test_many_at_once_are_each_asked_once(tmp_path: Path) -> None:
    result = crawl(
        spider(parse=_tree), any_page, settings={"QUEUE_ORDER": "newest"}, job=tmp_path / "j.sqlite", window=4
    )

    assert sorted(result.urls) == sorted(_depth_first([""]))


def test_a_priority_beyond_what_a_row_can_keep_is_kept_in_memory(tmp_path: Path) -> None:
    def parse(self: Spider, response: Any) -> Any:
        yield {"url": response.url}
        if response.url == ROOT:
            yield Request(f"{ROOT}a", callback=self.parse)
            yield Request(f"{ROOT}b", callback=self.parse, priority=2**40)

    result = crawl(spider(parse=parse), any_page, settings=ONE, job=tmp_path / "j.sqlite")

    assert result.urls == [ROOT, f"{ROOT}b", f"{ROOT}a"]


def test_a_callback_that_waits_for_another_page_holds_nothing_up() -> None:
    async def parse(self: Any, response: Any) -> Any:
        if response.url == ROOT:
            for name in ("a", "b", "c"):
                yield Request(ROOT + name, callback=self.parse)
        elif response.url.endswith("c"):
            self.came = asyncio.Event()
            await self.came.wait()
            yield {"fetched": (await self.fetch(f"{ROOT}inline")).url}
        else:
            self.came.set()

    result = crawl(spider(parse=parse), any_page, settings=ONE)

    assert sorted(result.urls) == [f"{ROOT}{name}" for name in ("", "a", "b", "c", "inline")]
    assert result.items == [{"fetched": f"{ROOT}inline"}]


def test_the_job_tells_the_priorities_that_were_given(tmp_path: Path) -> None:
    """Of what waits, and of what failed, be the order packed into the same number or not."""

    def parse(self: Spider, response: Any) -> Any:
        yield Request(f"{ROOT}fails", callback=self.parse, priority=7)
        yield Request(f"{ROOT}waits", callback=self.parse, priority=-3)
        self.crawler.stop("enough") if response.url.endswith("second") else None

    def site(request: Request) -> Any:
        return 404 if request.url.endswith("fails") else "page"

    job = tmp_path / "j.sqlite"
    made = spider(parse=parse, start=ask(ROOT, f"{ROOT}second"))
    crawl(made, site, settings={**ONE, "DOWNLOAD_DELAY": 1.0}, job=job)

    waiting = trace(job, fingerprint(Request(f"{ROOT}waits")))
    assert waiting is not None
    assert (waiting.state, waiting.priority) in {("queued", -3), ("answered", -3)}
    with reading(job) as sql:
        assert [(each.url, each.priority) for each in failed(sql)] == [(f"{ROOT}fails", 7)]
