"""Is a request still there, and there once, whose answer comes when others have gone ahead?"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.engine.virtual import (
    ROOT,
    Request,
    Response,
    Spider,
    any_page,
    ask,
    balanced,
    crawl,
    later,
    numbers,
    page_item,
    spider,
)


def test_a_child_that_fails_at_once_does_not_end_the_crawl() -> None:
    """The first child's origin is known to be out of reach; its siblings must not be forgotten."""

    def parse(self: Spider, response: Response) -> Any:
        if response.url == ROOT:
            yield Request("http://down.test/1", errback=self.failed)  # type: ignore[attr-defined]
        yield {"url": response.url}

    async def failed(self: Spider, failure: Any) -> Any:
        await asyncio.sleep(1)
        yield Request("http://down.test/2")
        yield Request(ROOT + "good", callback=self.parse)
        await asyncio.sleep(1)

    def site(request: Request) -> Any:
        return 500 if "down" in request.url else "x" if not request.url.endswith("robots.txt") else 404

    result = crawl(spider(parse=parse, failed=failed), site, settings={"ROBOTSTXT_OBEY": True})
    assert [item["url"] for item in result.items] == [ROOT, ROOT + "good"]
    assert result.summary.queued == 0


def test_a_task_that_outlives_its_callback_may_fetch() -> None:
    tasks: list[Any] = []

    async def after(self: Spider) -> None:
        await asyncio.sleep(0.2)
        await self.fetch(ROOT + "late")

    async def parse(self: Spider, response: Response) -> Any:
        if response.url == ROOT + "0":
            tasks.append(asyncio.ensure_future(after(self)))
        return {"url": response.url}

    result = crawl(
        spider(parse=parse, start=ask(*numbers(20))), any_page, settings={"CONCURRENT_REQUESTS": 1}, latency=0.1
    )
    assert result.summary.reason == "finished"
    assert ROOT + "late" in result.urls
    assert len(result.items) == 20
    assert balanced(result)


def test_an_inline_fetch_given_up_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    import gc

    async def parse(self: Spider, response: Response) -> Any:
        try:
            await asyncio.wait_for(self.fetch(ROOT + "slow"), 0.05)
        except TimeoutError:
            yield {"timeout": True}

    def site(request: Request) -> Any:
        if "slow" not in request.url:
            return "x"
        answer: Deferred[Any] = Deferred()
        asyncio.get_event_loop().call_later(5, answer.callback, "late")
        return answer

    result = crawl(spider(parse=parse), site)
    gc.collect()
    assert result.items == [{"timeout": True}]
    assert balanced(result)
    assert "Unhandled" not in caplog.text


def test_an_answer_of_the_cache_is_not_leased_again(tmp_path: Path) -> None:
    """What the cache has answered waits for its commit: a refill must not bring its row again."""

    def parse(self: Spider, response: Response) -> Any:
        yield {"url": response.url}

    def during(ready: Any) -> None:
        clock = ready.world.clock

        def lookup(request: Request) -> Deferred[Response | None]:
            answer: Deferred[Response | None] = Deferred()
            kept = int(request.url.rsplit("/", 1)[1]) % 3 == 0
            page = Response(request.url, 200, body=b"kept", request=request) if kept else None
            clock.callLater(0.001, answer.callback, page)
            return answer

        ready.edge.lookup = lookup

    result = crawl(
        spider(parse=parse, start=ask(*numbers(200))),
        any_page,
        job=tmp_path / "job",
        during=during,
        delay=0.02,
        settings={"JOB_COMMIT_SECONDS": 5.0, "CONCURRENT_REQUESTS": 2},
    )
    assert result.summary.reason == "finished", result.summary.problems
    assert sorted(int(item["url"].rsplit("/", 1)[1]) for item in result.items) == list(range(200))
    assert balanced(result)


def test_a_retry_before_a_redirect_does_not_bring_the_old_address_back(tmp_path: Path) -> None:
    """The retry's new row waits for a commit; the redirect's is written at once. A kill then must find the latter."""
    tries: list[str] = []

    def site(request: Request) -> Any:
        tries.append(request.url)
        if request.url == ROOT + "1":
            return 503 if tries.count(request.url) == 1 else Response(request.url, 302, {"Location": "/target"})
        if request.url == ROOT + "target" and tries.count(request.url) == 1:
            answer: Deferred[Any] = Deferred()
            asyncio.get_event_loop().call_later(1000, answer.callback, "never")
            return answer
        return "x"

    settings = {"JOB_COMMIT_SECONDS": 30.0, "RETRY_BACKOFF": 0.1, "JOB_KEEP": True}
    made = spider(parse=page_item, start=ask(ROOT + "1"))
    first = crawl(
        made, site, job=tmp_path / "job", settings=settings, during=lambda ready: later(ready, 60, ready.stop_now)
    )
    assert first.items == []
    second = crawl(made, site, job=tmp_path / "job", settings=settings)
    assert [item["url"] for item in second.items] == [ROOT + "target"]
