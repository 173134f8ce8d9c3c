"""Does a crawl do what a spider says, politely, and with balanced books? All in memory, in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import random
from dataclasses import dataclass
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from crawler.errors import (
    CloseSpider,
    ConnectionLost,
    FetchTimeout,
    HttpError,
    RequestDropped,
    RobotsUnreachable,
)
from crawler.events import CrawlClosed, HostPaced, RequestEnded, RequestRefused, SpiderFailed
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider
from crawler.summary import Summary
from crawler.testing import Result, crawl

ROOT = "http://a.test/"


def spider(**members: Any) -> type[Spider]:
    return type("Made", (Spider,), {"name": "made", "start_urls": [ROOT], **members})


def links(*urls: str) -> str:
    return "".join(f'<a href="{url}">x</a>' for url in urls)


def page_item(self: Spider, response: Response) -> Any:
    yield {"url": response.url}


def follow_all(self: Spider, response: Response) -> Any:
    yield {"url": response.url}
    yield from response.follow_all(css="a", callback=self.parse)


def endings(result: Result) -> list[tuple[str, str, str]]:
    return [(event.request.url, event.outcome, event.reason) for event in result.happened(RequestEnded)]


def refusals(result: Result) -> list[tuple[str, str]]:
    return [(event.request.url, event.reason) for event in result.happened(RequestRefused)]


def test_every_page_is_fetched_once_after_robots_txt() -> None:
    site = {ROOT: links("/1", "/2", "/1", "/"), ROOT + "1": links("/2", "/"), ROOT + "2": "end"}
    result = crawl(spider(parse=follow_all), site)
    assert result.sent[0].url == ROOT + "robots.txt"
    assert sorted(result.urls) == [ROOT, ROOT + "1", ROOT + "2"]
    assert sorted(item["url"] for item in result.items) == sorted(result.urls)
    assert result.summary.reason == "finished"
    assert result.summary.exit_status == 0


# Callbacks


async def coroutine(self: Spider, response: Response) -> Any:
    await asyncio.sleep(3)
    return [{"n": 1}, {"n": 2}]


async def coroutine_of_deferred(self: Spider, response: Response) -> Any:
    fired: Deferred[int] = Deferred()
    asyncio.get_running_loop().call_later(2, fired.callback, 5)
    return {"n": await fired}


async def asynchronous_generator(self: Spider, response: Response) -> Any:
    yield {"n": 1}
    await asyncio.sleep(1)
    yield {"n": 2}


def returns_deferred(self: Spider, response: Response) -> Any:
    fired: Deferred[list[dict[str, int]]] = Deferred()
    asyncio.get_running_loop().call_later(2, fired.callback, [{"n": 1}])
    return fired


@dataclass
class Point:
    n: int


@pytest.mark.parametrize(
    ("parse", "expected"),
    [
        (lambda self, response: {"n": 1}, [{"n": 1}]),
        (lambda self, response: [{"n": 1}, None, {"n": 2}], [{"n": 1}, {"n": 2}]),
        (lambda self, response: None, []),
        (lambda self, response: Point(3), [Point(3)]),
        (lambda self, response: ({"n": n} for n in range(3)), [{"n": 0}, {"n": 1}, {"n": 2}]),
        (coroutine, [{"n": 1}, {"n": 2}]),
        (coroutine_of_deferred, [{"n": 5}]),
        (asynchronous_generator, [{"n": 1}, {"n": 2}]),
        (returns_deferred, [{"n": 1}]),
    ],
)
def test_callbacks_may_be_of_any_kind(parse: Any, expected: list[Any]) -> None:
    result = crawl(spider(parse=parse), {ROOT: "page"})
    assert result.items == expected
    assert result.summary.exit_status == 0


def test_a_callback_that_raises_keeps_what_it_yielded_before_and_the_crawl_goes_on() -> None:
    def parse(self: Spider, response: Response) -> Any:
        yield {"url": response.url}
        yield response.follow("/2", self.second)
        raise KeyError("price")

    result = crawl(spider(parse=parse, second=page_item), {ROOT: "a", ROOT + "2": "b"})
    assert [item["url"] for item in result.items] == [ROOT, ROOT + "2"]
    (failed,) = result.happened(SpiderFailed)
    assert failed.callback == "parse"
    assert failed.url == ROOT
    assert "KeyError: 'price'" in failed.traceback
    assert "test_crawl.py" in failed.traceback
    assert "crawler/engine" not in failed.traceback
    assert result.summary.exit_status == 1


def test_what_is_neither_item_nor_request_is_named_with_its_callback() -> None:
    def parse(self: Spider, response: Response) -> Any:
        yield {"n": 1}
        yield 42
        yield {"n": 2}

    result = crawl(spider(parse=parse), {ROOT: "a"})
    assert result.items == [{"n": 1}, {"n": 2}]
    (failed,) = result.happened(SpiderFailed)
    assert "int" in str(failed.error)
    assert failed.callback == "parse"


def test_an_abandoned_asynchronous_generator_runs_its_finally() -> None:
    ended: list[str] = []

    async def parse(self: Spider, response: Response) -> Any:
        try:
            for number in range(10):
                yield {"n": number}
                await asyncio.sleep(100)
        finally:
            ended.append("finally")

    def stop_soon(prepared: Any) -> None:
        asyncio.get_event_loop_policy()
        prepared.world.clock.callLater(50, prepared.stop_now)

    result = crawl(spider(parse=parse), {ROOT: "a"}, during=stop_soon)
    assert ended == ["finally"]
    assert result.summary.exit_status == 130


# Inline fetches


def test_an_inline_fetch_gives_its_response_and_waits_for_its_host() -> None:
    async def parse(self: Spider, response: Response) -> Any:
        other = await self.fetch(ROOT + "other")
        yield {"text": other.text}

    result = crawl(spider(parse=parse), {ROOT: "a", ROOT + "other": "b"}, settings={"DOWNLOAD_DELAY": 5.0})
    assert result.items == [{"text": "b"}]
    assert result.sent[2].when - result.sent[1].when >= 5


def test_an_inline_fetch_raises_what_a_callback_would_not_get() -> None:
    errors: list[Exception] = []

    async def parse(self: Spider, response: Response) -> Any:
        for path in ("missing", "forbidden", "broken"):
            try:
                await self.fetch(ROOT + path)
            except Exception as error:
                errors.append(error)
        yield {"n": 1}

    site = {
        ROOT: "a",
        ROOT + "robots.txt": "User-agent: *\nDisallow: /forbidden",
        ROOT + "broken": ConnectionLost("gone"),
    }
    result = crawl(spider(parse=parse), site)
    assert [type(error) for error in errors] == [HttpError, RequestDropped, ConnectionLost]
    assert errors[0].response.status == 404  # type: ignore[attr-defined]
    assert result.items == [{"n": 1}]
    assert result.summary.reason == "finished"


# Errbacks, retries, redirects


def test_an_errback_gets_the_error_with_request_and_response_and_may_yield() -> None:
    def start_requests(self: Spider) -> Any:
        for path in ("404", "timeout"):
            yield Request(ROOT + path, self.parse, errback=self.failed, meta={"max_retry_times": 0})

    def failed(self: Spider, failure: Any) -> Any:
        error = failure.value
        yield {
            "error": type(error).__name__,
            "url": error.request.url,
            "status": getattr(error, "response", None) and error.response.status,
        }

    site = {ROOT + "404": 404, ROOT + "timeout": FetchTimeout("slow")}
    result = crawl(spider(start_requests=start_requests, failed=failed), site)
    assert sorted(result.items, key=str) == [
        {"error": "FetchTimeout", "url": ROOT + "timeout", "status": None},
        {"error": "HttpError", "url": ROOT + "404", "status": 404},
    ]
    assert {outcome for _, outcome, _ in endings(result)} == {"failed"}


def test_retries_wait_longer_each_time_and_end_in_one_event() -> None:
    result = crawl(spider(parse=page_item), {ROOT: 503})
    times = [sent.when for sent in result.sent if sent.url == ROOT]
    assert len(times) == 3
    assert times[2] - times[1] > times[1] - times[0] > 0.5
    assert endings(result) == [(ROOT, "failed", "HttpError")]
    assert result.summary.stats["httperror/response_ignored_status_count/503"] == 1
    assert result.summary.exit_status == 1


def test_retry_after_is_obeyed() -> None:
    answers = iter([Response(ROOT, 503, {"Retry-After": "30"}), "fine"])

    def site(request: Request) -> Any:
        return 404 if request.url.endswith("robots.txt") else next(answers)

    result = crawl(spider(parse=page_item), site)
    assert result.items == [{"url": ROOT}]
    assert result.sent[2].when - result.sent[1].when >= 30


def redirect(target: str, status: int = 302) -> Response:
    return Response(ROOT, status, {"Location": target})


def test_a_redirect_is_the_same_request_and_its_target_counts_as_seen() -> None:
    site = {ROOT: redirect("/new"), ROOT + "new": links("/new", "/other"), ROOT + "other": "x"}
    result = crawl(spider(parse=follow_all), site)
    assert [item["url"] for item in result.items] == [ROOT + "new", ROOT + "other"]
    assert result.urls == [ROOT, ROOT + "new", ROOT + "other"]
    assert [outcome for _, outcome, _ in endings(result)] == ["answered", "answered"]


def test_a_redirect_to_a_seen_page_ends_as_a_duplicate() -> None:
    site = {ROOT: links("/a", "/b"), ROOT + "a": "a", ROOT + "b": redirect("/a")}
    result = crawl(spider(parse=follow_all), site)
    assert result.urls.count(ROOT + "a") == 1
    assert (ROOT + "a", "dropped", "duplicate") in endings(result)


def test_a_redirect_to_itself_with_a_cookie_works_and_loops_end() -> None:
    answers = iter([redirect("/"), "home"])

    def once(request: Request) -> Any:
        return 404 if request.url.endswith("robots.txt") else next(answers)

    assert crawl(spider(parse=page_item), once).items == [{"url": ROOT}]
    looping = crawl(spider(parse=page_item), {ROOT: redirect("/")})
    assert endings(looping) == [(ROOT, "failed", "TooManyRedirects")]


def test_offsite_links_and_redirects_are_refused() -> None:
    site = {ROOT: links("http://b.test/", "http://sub.a.test/", "/out"), ROOT + "out": redirect("http://b.test/x")}
    result = crawl(spider(parse=follow_all, allowed_domains=["a.test"]), site)
    assert refusals(result) == [("http://b.test/", "offsite")]
    assert all("b.test" not in sent.url for sent in result.sent)
    assert ("dropped", "offsite") in {(outcome, reason) for _, outcome, reason in endings(result)}


def test_depth_and_url_length_are_limited_and_invalid_urls_named() -> None:
    site = {ROOT: links("/1", "/" + "x" * 3000, "http://[bad/"), ROOT + "1": links("/2"), ROOT + "2": "x"}

    def parse(self: Spider, response: Response) -> Any:
        for href in response.css("a::attr(href)").getall():
            yield Request(response.urljoin(href) if "[" not in href else href, self.parse)

    result = crawl(spider(parse=parse), site, settings={"DEPTH_LIMIT": 1})
    assert {reason for _, reason in refusals(result)} == {"depth", "url_length", "invalid_url"}
    assert result.urls == [ROOT, ROOT + "1"]


# robots.txt and politeness


def test_forbidden_pages_are_dropped_without_waiting_for_the_delay() -> None:
    site: dict[str, Any] = {ROOT + "robots.txt": "User-agent: *\nDisallow: /no\nCrawl-delay: 10"}
    site[ROOT] = links(*(f"/no{number}" for number in range(20)), "/yes")
    site[ROOT + "yes"] = "x"
    result = crawl(spider(parse=follow_all), site)
    assert result.urls == [ROOT, ROOT + "yes"]
    assert sum(reason == "robots" for _, _, reason in endings(result)) == 20
    assert result.seconds < 40
    assert result.sent[-1].when - result.sent[-2].when >= 10


def test_an_unreachable_robots_txt_fails_its_requests_and_the_crawl_ends() -> None:
    errors: list[BaseException] = []

    def start_requests(self: Spider) -> Any:
        for number in range(3):
            yield Request(f"{ROOT}{number}", errback=self.failed)

    site = {ROOT + "robots.txt": 500, ROOT + "1": "x"}
    made = spider(start_requests=start_requests, failed=lambda self, failure: errors.append(failure.value))
    result = crawl(made, site)
    assert [type(error) for error in errors] == [RobotsUnreachable] * 3
    assert "status 500" in str(errors[0])
    assert result.urls == []
    assert len(result.sent) == 3


def test_robots_txt_is_not_asked_for_when_told_so() -> None:
    result = crawl(spider(parse=page_item), {ROOT: "x"}, settings={"ROBOTSTXT_OBEY": False})
    assert [sent.url for sent in result.sent] == [ROOT]


def test_an_overloaded_host_is_asked_more_slowly() -> None:
    site = lambda request: 404 if request.url.endswith(("robots.txt", "/")) else 429  # noqa: E731

    def start_requests(self: Spider) -> Any:
        for number in range(30):
            yield Request(f"{ROOT}{number}")

    result = crawl(spider(start_requests=start_requests), site)
    slowed = result.happened(HostPaced)
    assert [event.concurrency for event in slowed[:3]] == [4, 2, 1]
    assert slowed[3].delay >= 0.5


def test_a_slow_first_host_does_not_idle_the_others() -> None:
    def start_requests(self: Spider) -> Any:
        for number in range(50):
            yield Request(f"http://slow.test/{number}")
        for number in range(50):
            yield Request(f"http://fast.test/{number}")

    site = lambda request: "x"  # noqa: E731
    settings = {"DOWNLOAD_SLOTS": {"slow.test": {"delay": 10.0, "concurrency": 1}}}
    result = crawl(spider(start_requests=start_requests, parse=page_item), site, settings=settings)
    fast = [sent.when for sent in result.sent if "fast.test" in sent.url]
    assert max(fast) < 5


def test_start_is_pulled_and_not_drained_ahead() -> None:
    taken: list[float] = []
    first: list[int] = []

    async def start(self: Spider) -> Any:
        for number in range(30_000):
            taken.append(number)
            yield Request(f"{ROOT}{number}")

    def parse(self: Spider, response: Response) -> Any:
        first.append(len(taken))
        if len(first) == 1000:
            raise CloseSpider("enough")

    crawl(spider(start=start, parse=parse), lambda request: "x")
    assert first[-1] < 12_000


# Ends


def test_close_spider_ends_the_crawl_with_its_reason() -> None:
    closed: list[str] = []

    def parse(self: Spider, response: Response) -> Any:
        yield {"n": 1}
        raise CloseSpider("seen_enough")

    result = crawl(spider(parse=parse, closed=lambda self, reason: closed.append(reason)), {ROOT: "x"})
    assert closed == ["seen_enough"]
    assert result.items == [{"n": 1}]
    assert result.summary.reason == "seen_enough"
    assert result.summary.exit_status == 0


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"CLOSESPIDER_ITEMCOUNT": 5}, "closespider_itemcount"),
        ({"CLOSESPIDER_PAGECOUNT": 5}, "closespider_pagecount"),
        ({"CLOSESPIDER_TIMEOUT": 3}, "closespider_timeout"),
    ],
)
def test_limits_close_the_crawl(settings: dict[str, Any], reason: str) -> None:
    def site(request: Request) -> Any:
        return links(*(f"{request.url.rstrip('/')}/{number}" for number in range(3)))

    result = crawl(spider(parse=follow_all), site, settings={"DOWNLOAD_DELAY": 0.5, **settings})
    assert result.summary.reason == reason
    assert result.summary.exit_status == 0
    assert result.summary.queued > 0


def test_start_that_raises_is_a_failure() -> None:
    async def start(self: Spider) -> Any:
        yield Request(ROOT)
        raise OSError("no list of URLs")

    result = crawl(spider(start=start, parse=page_item), {ROOT: "x"})
    assert result.items == [{"url": ROOT}]
    assert result.summary.exit_status == 1
    assert result.happened(SpiderFailed)[0].callback == "start"


def test_the_first_stop_finishes_what_is_in_flight() -> None:
    def site(request: Request) -> Any:
        return links(*(f"{request.url.rstrip('/')}/{number}" for number in range(3)))

    def stop_soon(prepared: Any) -> None:
        prepared.world.clock.callLater(1.005, prepared.stop)

    result = crawl(spider(parse=follow_all), site, latency=0.2, during=stop_soon)
    assert result.summary.reason == "shutdown"
    assert result.summary.exit_status == 130
    assert len(result.items) == len(result.urls)
    assert result.summary.problems == []


# Random webs: the invariants hold whatever the site does


def random_site(seed: int) -> Any:
    rng = random.Random(seed)
    pages = [f"http://h{number % 4}.test/{number}" for number in range(60)]
    graph = {url: rng.sample(pages, rng.randrange(6)) for url in pages}
    fate = {url: rng.choice(["ok"] * 6 + ["redirect", "flaky", "missing", "lost"]) for url in pages}
    asked: dict[str, int] = {}

    def site(request: Request) -> Any:
        url = request.url
        asked[url] = asked.get(url, 0) + 1
        if url.endswith("robots.txt"):
            return rng.choice([404, "User-agent: *\nCrawl-delay: 2"])
        match fate[url]:
            case "redirect":
                return Response(url, 301, {"Location": rng.choice(pages)})
            case "flaky" if asked[url] == 1:
                return 503
            case "missing":
                return 404
            case "lost":
                return ConnectionLost("reset")
        return links(*graph[url])

    return pages, site


@pytest.mark.parametrize("seed", range(25))
def test_any_crawl_ends_with_balanced_books_and_no_page_twice(seed: int) -> None:
    pages, site = random_site(seed)
    rng = random.Random(seed)
    settings = {
        "CONCURRENT_REQUESTS": rng.choice([1, 3, 16]),
        "CONCURRENT_REQUESTS_PER_DOMAIN": rng.choice([1, 2, 8]),
        "DOWNLOAD_DELAY": rng.choice([0.0, 0.3]),
        "DEPTH_PRIORITY": rng.choice([0, 1]),
    }

    def start_requests(self: Spider) -> Any:
        return [Request(url) for url in pages[:3]]

    made = spider(start_requests=start_requests, parse=follow_all)
    result = crawl(made, site, settings=settings, seed=seed)
    assert result.summary.problems == []
    assert result.summary.queued == 0
    fetched = [item["url"] for item in result.items]
    assert len(fetched) == len(set(fetched))
    for host in {sent.request.host for sent in result.sent}:
        times = [sent.when for sent in result.sent if sent.request.host == host]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert all(gap >= settings["DOWNLOAD_DELAY"] - 1e-6 for gap in gaps)


def test_a_stop_before_the_start_ends_at_once() -> None:
    result = crawl(spider(parse=page_item), {ROOT: "x"}, during=lambda prepared: prepared.stop())
    assert result.summary.exit_status == 130
    assert result.urls == []


def test_cancelling_the_crawls_deferred_stops_it() -> None:
    closed: list[str] = []

    def cancel_soon(prepared: Any) -> None:
        run, ended = prepared.run, Deferred[Summary]()

        def closing(event: CrawlClosed) -> None:
            closed.append(event.reason)
            ended.callback(Summary(spider="made"))

        def running() -> Any:
            done = run()
            done.addErrback(lambda failure: failure.trap(CancelledError))
            prepared.world.clock.callLater(5, done.cancel)
            return ended

        prepared.events.subscribe(CrawlClosed, closing)
        prepared.run = running

    settings = {"ROBOTSTXT_OBEY": False, "RETRY_TIMES": 99}
    crawl(spider(parse=page_item), lambda request: 503, during=cancel_soon, settings=settings)
    assert closed == ["shutdown"]


def test_a_crawl_that_could_not_even_begin_is_a_failure() -> None:
    result = crawl(spider(start_urls=["http://[bad/", "nonsense"]), {})
    assert result.summary.exit_status == 1
    assert {reason for _, reason in refusals(result)} == {"invalid_url"}


def test_no_throttle_when_told_so() -> None:
    result = crawl(spider(parse=page_item), {ROOT: 503}, settings={"THROTTLE_ENABLED": False})
    assert not result.happened(HostPaced)
