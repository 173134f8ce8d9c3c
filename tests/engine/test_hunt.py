"""Does a crawl survive what users' code, its own stops and its own bounds can do to it?"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from crawler.errors import CloseSpider, DropItem
from crawler.events import ItemFailed, ItemScraped, SpiderFailed
from crawler.pipeline import Pipeline
from tests.engine.virtual import ROOT, Request, Response, Spider, any_page, balanced, crawl, later, spider


def ask(*urls: str, **how: Any) -> Any:
    def start(self: Spider) -> Any:
        for url in urls:
            yield Request(url, **how)

    return start


def numbers(count: int) -> list[str]:
    return [f"{ROOT}{n}" for n in range(count)]


def page_item(self: Spider, response: Response) -> Any:
    yield {"url": response.url}


# What users' code can do


class NoIterator:
    def __iter__(self) -> Any:
        raise RuntimeError("no iterator")


def test_a_result_whose_iterator_fails_is_the_callbacks_error() -> None:
    result = crawl(spider(parse=lambda self, response: NoIterator(), start=ask(*numbers(3))), any_page)
    assert result.summary.reason == "finished"
    assert len(result.happened(SpiderFailed)) == 3
    assert balanced(result)


def test_a_coroutines_result_whose_iterator_fails_is_the_callbacks_error() -> None:
    async def parse(self: Spider, response: Response) -> Any:
        return NoIterator()

    result = crawl(spider(parse=parse, start=ask(*numbers(3))), any_page)
    assert len(result.happened(SpiderFailed)) == 3


@pytest.mark.parametrize("kind", ["plain", "generator"])
def test_sys_exit_in_a_callback_is_its_error(kind: str) -> None:
    def plain(self: Spider, response: Response) -> Any:
        sys.exit(3)

    def generator(self: Spider, response: Response) -> Any:
        yield {"url": response.url}
        sys.exit(3)

    parse = plain if kind == "plain" else generator
    result = crawl(spider(parse=parse, start=ask(*numbers(3))), any_page)
    assert len(result.happened(SpiderFailed)) == 3
    assert balanced(result)


class ReturnsNothing:
    async def __call__(self, request: Request, fetch: Any) -> Any:
        response = await fetch(request)
        return None if "1" in request.url else response


def test_a_middleware_that_returns_no_response_fails_that_request_alone() -> None:
    result = crawl(
        spider(parse=page_item, start=ask(*numbers(3))), any_page, settings={"MIDDLEWARES": [ReturnsNothing]}
    )
    assert result.summary.reason == "finished"
    assert len(result.items) == 2
    [failed] = result.happened(SpiderFailed)
    assert "ReturnsNothing" in str(failed.error) or "Response" in str(failed.error)
    assert balanced(result)


class Exits:
    async def __call__(self, request: Request, fetch: Any) -> Any:
        if "1" in request.url:
            raise GeneratorExit
        return await fetch(request)


def test_a_middleware_that_raises_no_ordinary_exception_fails_that_request_alone() -> None:
    result = crawl(spider(parse=page_item, start=ask(*numbers(3))), any_page, settings={"MIDDLEWARES": [Exits]})
    assert result.summary.reason == "finished"
    assert len(result.items) == 2
    assert balanced(result)


class RaisesAtOnce:
    """A downloader that raises instead of failing."""

    def fetch(self, request: Request, exchange: Any = None) -> Any:
        raise ValueError("no")

    def close(self) -> Deferred[None]:
        return succeed(None)


def refuse_redirected(request: Request, found_on: Response | None) -> Request:
    if "target" in request.url:
        raise ValueError("a filter of the user's")
    return request


def test_a_filter_that_fails_on_a_redirects_target_fails_that_request_alone() -> None:
    def site(request: Request) -> Any:
        if request.url == ROOT + "1":
            return Response(request.url, 302, {"Location": "/target"})
        return "x"

    result = crawl(
        spider(parse=page_item, start=ask(*numbers(3))), site, settings={"REQUEST_FILTERS": [refuse_redirected]}
    )
    assert result.summary.reason == "finished"
    assert len(result.items) == 2
    assert len(result.happened(SpiderFailed)) == 1
    assert balanced(result)


def close_on_redirect(request: Request, found_on: Response | None) -> Request:
    if "target" in request.url:
        raise CloseSpider("enough")
    return request


def test_close_spider_in_a_filter_of_a_redirects_target() -> None:
    def site(request: Request) -> Any:
        return Response(request.url, 302, {"Location": "/target"})

    result = crawl(spider(parse=page_item), site, settings={"REQUEST_FILTERS": [close_on_redirect]})
    assert result.summary.reason == "enough"
    assert balanced(result)


@pytest.mark.parametrize("answer", [None, 5, b"bytes"])
@pytest.mark.parametrize("job", [False, True])
def test_a_slot_key_of_another_type_is_an_error_of_that_request(answer: Any, job: bool, tmp_path: Path) -> None:
    def key(request: Request) -> Any:
        return answer if request.url.endswith("1") else "a"

    result = crawl(
        spider(parse=page_item, start=ask(*numbers(3))),
        any_page,
        settings={"SLOT_KEY": key},
        job=tmp_path / "job" if job else None,
    )
    assert result.summary.reason == "finished"
    assert len(result.items) in (2, 3)
    assert balanced(result)


@pytest.mark.parametrize("answer", [None, "x", b"12345678901234567890", -1, 2**64])
@pytest.mark.parametrize("job", [False, True])
def test_a_fingerprint_of_another_type_is_an_error_of_that_request(answer: Any, job: bool, tmp_path: Path) -> None:
    def number(request: Request) -> Any:
        return answer if request.url.endswith("1") else hash(request.url) & 0xFFFF

    result = crawl(
        spider(parse=page_item, start=ask(*numbers(3))),
        any_page,
        settings={"FINGERPRINT": number},
        job=tmp_path / "job" if job else None,
    )
    assert result.summary.reason == "finished"
    assert len(result.items) == 2
    assert balanced(result)


class WrongArguments:
    async def process_item(self) -> Any:
        return None


class WrongBatch:
    async def process_batch(self) -> Any:
        return None


@pytest.mark.parametrize("stage", [WrongArguments, WrongBatch])
def test_an_async_stage_that_cannot_be_called_fails_its_items(stage: Any) -> None:
    result = crawl(spider(parse=page_item, start=ask(*numbers(3))), any_page, settings={"PIPELINES": [stage]})
    assert result.summary.reason == "finished"
    assert len(result.happened(ItemFailed)) == 3


class ExitsInThread:
    def process_item(self, item: Any) -> Any:
        if item["url"].endswith("1"):
            sys.exit(1)
        return item


def test_sys_exit_in_a_stage_fails_the_item() -> None:
    def parse(self: Spider, response: Response) -> Any:
        return [{"url": str(n)} for n in range(5)]

    result = crawl(spider(parse=parse), any_page, settings={"PIPELINES": [ExitsInThread]})
    assert len(result.items) == 4
    assert len(result.happened(ItemFailed)) == 1


class BadDrop(DropItem):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class DropsBadly:
    def process_item(self, item: Any) -> Any:
        raise BadDrop


def test_an_error_without_a_text_ends_its_item() -> None:
    result = crawl(spider(parse=page_item, start=ask(*numbers(2))), any_page, settings={"PIPELINES": [DropsBadly]})
    assert result.items == []


def test_a_subscriber_may_close_the_spider() -> None:
    def during(ready: Any) -> None:
        def raises(_: ItemScraped) -> None:
            raise CloseSpider("subscriber")

        ready.events.subscribe(ItemScraped, raises)

    result = crawl(
        spider(parse=page_item, start=ask(*numbers(50))), any_page, during=during, settings={"CONCURRENT_REQUESTS": 1}
    )
    assert result.summary.reason == "subscriber"
    assert balanced(result)


# Bounds that wait for each other


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


# Ends


class Slow:
    async def process_item(self, item: Any) -> Any:
        await asyncio.sleep(1)
        return item


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


@pytest.mark.parametrize("job", [False, True])
def test_a_plain_generator_start_may_stop_the_crawl(job: bool, tmp_path: Path) -> None:
    def start(self: Spider) -> Any:
        yield Request(ROOT + "1")
        self.crawler.stop("enough")
        yield Request(ROOT + "2")

    result = crawl(spider(parse=page_item, start=start), any_page, job=tmp_path / "job" if job else None)
    assert result.summary.reason == "enough"
    assert result.happened(SpiderFailed) == []
    assert balanced(result)


def test_a_start_whose_end_fails_does_not_keep_a_stop_from_ending() -> None:
    def start(self: Spider) -> Any:
        try:
            for url in numbers(100):
                yield Request(url)
        finally:
            raise RuntimeError("cannot close")

    result = crawl(
        spider(parse=page_item, start=start),
        any_page,
        during=lambda ready: later(ready, 0.05, ready.stop),
        settings={"CONCURRENT_REQUESTS": 2},
    )
    assert result.summary.reason == "shutdown"
    assert balanced(result)


def test_a_hard_stop_from_within_a_generator() -> None:
    holder: list[Any] = []

    def parse(self: Spider, response: Response) -> Any:
        yield {"url": response.url}
        holder[0].stop_now()
        yield {"url": "after"}

    result = crawl(spider(parse=parse, start=ask(*numbers(5))), any_page, during=holder.append)
    assert result.summary.reason == "shutdown"


def test_a_hard_stop_cancels_what_async_stages_do() -> None:
    ended: list[str] = []

    class Forever:
        async def process_item(self, item: Any) -> Any:
            try:
                await asyncio.sleep(1e6)
            finally:
                ended.append("cancelled")
            return item

    def stops(ready: Any) -> None:
        later(ready, 1, ready.stop)
        later(ready, 2, ready.stop_now)

    result = crawl(
        spider(parse=page_item),
        any_page,
        settings={"PIPELINES": [Forever]},
        during=stops,
    )
    assert result.seconds < 10
    assert ended == ["cancelled"]
    assert result.items == []


def test_a_feed_that_fails_while_a_callback_yields_much() -> None:
    class Broken:
        name = "broken"

        def check(self) -> None: ...
        def open(self, mark: Any, *, durable: bool) -> None: ...
        def write(self, items: Any, number: int) -> Any:
            raise OSError("disk full")

        def committed(self, mark: Any) -> None: ...
        def close(self, *, finished: bool) -> Any:
            return {"number": 0}

        def count(self) -> int:
            return 0

    async def parse(self: Spider, response: Response) -> Any:
        for n in range(200):
            yield {"n": n}
            if n % 50 == 0:
                await asyncio.sleep(0.1)

    import crawler.engine.items.feed_writers as outlet

    limit, outlet.BACKLOG = outlet.BACKLOG, 100
    try:

        def during(ready: Any) -> None:
            ready._crawl._wired.outlet._writers[0].feed = Broken()

        result = crawl(spider(parse=parse, start=ask(*numbers(30))), any_page, during=during)
    finally:
        outlet.BACKLOG = limit
    assert result.summary.reason == "feed_error"
    assert result.summary.exit_status == 1


# Inline fetches


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


# The cache and the window


def test_an_answer_of_the_cache_is_not_leased_again(tmp_path: Path) -> None:
    """What the cache has answered waits for its commit: a refill must not bring its row again."""

    def parse(self: Spider, response: Response) -> Any:
        yield {"url": response.url}

    def during(ready: Any) -> None:
        clock = ready._world.clock

        def lookup(request: Request) -> Deferred[Response | None]:
            answer: Deferred[Response | None] = Deferred()
            kept = int(request.url.rsplit("/", 1)[1]) % 3 == 0
            page = Response(request.url, 200, body=b"kept", request=request) if kept else None
            clock.callLater(0.001, answer.callback, page)
            return answer

        ready._crawl._sending.local._lookup = lookup

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


def test_what_start_yields_for_a_lambda_is_not_lost_at_a_stop(tmp_path: Path) -> None:
    """Such a request is carried; its unit is abandoned, and start() must run again though it has ended."""

    def start(self: Spider) -> Any:
        yield Request(ROOT + "1", lambda response: {"url": response.url})
        yield Request(ROOT + "2")

    made = spider(parse=page_item, start=start)
    how = {"CONCURRENT_REQUESTS": 1, "DOWNLOAD_DELAY": 5.0, "JOB_COMMIT_SECONDS": 0.01, "JOB_KEEP": True}
    stop = lambda ready: later(ready, 0.005, ready.stop)  # noqa: E731
    first = crawl(made, any_page, job=tmp_path / "job", settings=how, during=stop, latency=1.0, delay=0.02)
    second = crawl(made, any_page, job=tmp_path / "job", settings=how)
    assert sorted(item["url"] for item in first.items + second.items) == [ROOT + "1", ROOT + "2"]
    assert balanced(first)
    assert balanced(second)


def test_two_stops_while_a_resumed_job_is_opened_end_it_as_stopped_and_lose_nothing(tmp_path: Path) -> None:
    made = spider(parse=page_item, start=ask(ROOT + "1", ROOT + "2"))
    how = {"DOWNLOAD_DELAY": 5.0, "JOB_KEEP": True}
    first = crawl(made, any_page, job=tmp_path / "job", settings=how, during=lambda ready: later(ready, 1, ready.stop))

    def both(ready: Any) -> None:
        later(ready, 0.01, ready.stop)
        later(ready, 0.02, ready.stop_now)

    second = crawl(made, any_page, job=tmp_path / "job", settings=how, during=both, delay=0.2)
    assert (second.summary.reason, second.summary.queued, second.urls) == ("shutdown", 1, [])
    third = crawl(made, any_page, job=tmp_path / "job", settings=how)
    assert [item["url"] for item in first.items + third.items] == [ROOT + "1", ROOT + "2"]
