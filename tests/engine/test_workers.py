"""Do several engines that share a job crawl as one, and as politely as one?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from crawler.errors import CloseSpider
from crawler.events import ItemDropped, ItemFailed, RequestEnded, SpiderFailed
from tests.engine.random_world import Made, World, settings_of
from tests.engine.shared_store import Workers
from tests.engine.virtual import Request, Response, Spider, any_page, ask, page_item, spider

pytestmark = pytest.mark.spread

A, B = "http://a.test/", "http://b.test/"

SEEDS = [seed if seed < 4 else pytest.param(seed, marks=pytest.mark.slow) for seed in range(25)]


def pages(count: int, *hosts: str) -> list[str]:
    return [f"http://{host}/{number}" for number in range(count) for host in hosts]


def gaps(crawl: Workers, host: str) -> list[float]:
    times = [sent.when for sent in crawl.sent if sent.request.host == host]
    return [later - earlier for earlier, later in pairwise(times)]


def ended_well(crawl: Workers) -> bool:
    return asked_politely(crawl) and crawl.problems() == [] and set(crawl.reasons()) == {"finished"} and crawl.job.over


def asked_politely(crawl: Workers) -> bool:
    """Tell whether no assertion of the site's failed."""
    failed = [event for worker in crawl.workers for event in worker.events if isinstance(event, SpiderFailed)]
    return not any(isinstance(event.error, AssertionError) for event in failed)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_every_page_is_asked_for_once(workers: int) -> None:
    urls = pages(30, "a.test", "b.test", "c.test")
    crawl = Workers(spider(start=ask(*urls), parse=page_item), any_page, workers=workers).run(within=100)
    assert sorted(crawl.urls) == sorted(urls) == sorted(item["url"] for item in crawl.items)
    assert ended_well(crawl)


def test_hosts_are_shared_out() -> None:
    urls = pages(40, *(f"h{number}.test" for number in range(6)))
    settings = {"CONCURRENT_REQUESTS": 4}
    crawl = Workers(spider(start=ask(*urls), parse=page_item), any_page, settings=settings, workers=3, latency=0.2)
    crawl.run(within=100)
    assert min(len(worker.sent) for worker in crawl.workers) > 30
    assert ended_well(crawl)


def test_start_is_pulled_for_others_that_have_nothing_to_do() -> None:
    urls = pages(2, *(f"h{number}.test" for number in range(30)))
    settings = {"CONCURRENT_REQUESTS": 2, "JOB_COMMIT_SECONDS": 1.0}
    crawl = Workers(spider(start=ask(*urls), parse=page_item), any_page, settings=settings, workers=3, latency=1.0)
    crawl.run(within=100)
    assert max(sent.when for sent in crawl.sent) < 11  # 60 s of exchanges in six slots
    assert ended_well(crawl)


@pytest.mark.parametrize("workers", [2, 3, 4])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_crawl_of_several(seed: int, workers: int) -> None:
    world = World(seed)
    made = type("Made", (Made,), {"world": world})
    crawl = Workers(made, world.site, settings=settings_of(world), workers=workers, seed=seed, latency=0.0)
    crawl.run(within=3000)
    assert ended_well(crawl)
    assert not {number for number, count in world.run.items() if count > 1}
    check_items(world, crawl)


def check_items(world: World, crawl: Workers) -> None:
    fed = Counter(item["id"] for item in crawl.items)
    assert not {name for name, count in fed.items() if count > 1}
    lost = {
        event.item["id"]
        for worker in crawl.workers
        for event in worker.events
        if isinstance(event, ItemDropped | ItemFailed)
    }
    # Which request a page was reached by, directly or redirected, may differ when it is repeated.
    assert {name for name in world.yielded if not name.startswith("failed")} <= set(fed) | lost


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_crawl_whose_workers_die_and_are_cut_off(seed: int) -> None:
    world = World(seed)
    world.delay = 0.0 if world.delay == 0 else 0.3
    made = type("Made", (Made,), {"world": world})
    crawl = Workers(made, world.site, settings=settings_of(world), workers=3, seed=seed, latency=0.0, lease=3.0)
    rng = crawl.random

    def trouble() -> None:
        living = [worker for worker in crawl.workers if not worker.ended]
        if len(crawl.workers) > 15 or not living or crawl.job.over:
            return
        victim = rng.choice(living)
        if rng.random() < 0.5:
            victim.kill()
            if rng.random() < 0.7:
                crawl.job.bury(victim.name, crawl.loop.now)
            crawl.begin()
        else:
            victim.cut_off_until = crawl.loop.now + rng.choice([0.2, 2.0, 10.0])
            if rng.random() < 0.5:
                crawl.begin()
        crawl.later(rng.choice([0.01, 0.3, 1.0]), trouble)

    crawl.later(rng.choice([0.01, 0.3, 1.0]), trouble)
    crawl.run(within=3000)
    assert crawl.job.over, crawl.job
    assert crawl.problems() == []
    assert asked_politely(crawl)
    check_items(world, crawl)
    assert {name for name in world.yielded if name.endswith(" a")} == {f"{number} a" for number in world.run}


def test_a_delay_holds_over_all_workers() -> None:
    urls = pages(10, "a.test", "b.test")
    settings = {"DOWNLOAD_DELAY": 1.0, "RANDOMIZE_DOWNLOAD_DELAY": False}
    crawl = Workers(spider(start=ask(*urls), parse=page_item), any_page, settings=settings, workers=3)
    crawl.run(within=100)
    assert min(gaps(crawl, "a.test") + gaps(crawl, "b.test")) >= 1.0 - 1e-6
    assert max(sent.when for sent in crawl.sent) < 15
    assert ended_well(crawl)


def test_a_crawl_delay_holds_over_all_workers_and_robots_txt_is_asked_for_once() -> None:
    urls = pages(8, "a.test", "b.test")

    def site(request: Request) -> str:
        return "User-agent: *\nCrawl-delay: 2" if request.url.endswith("robots.txt") else "page"

    settings = {"ROBOTSTXT_OBEY": True, "RANDOMIZE_DOWNLOAD_DELAY": False}
    crawl = Workers(spider(start=ask(*urls), parse=page_item), site, settings=settings, workers=3).run(within=200)
    assert min(gaps(crawl, "a.test")) >= 2.0 - 1e-6
    assert sum(sent.url.endswith("robots.txt") for sent in crawl.sent) == 2
    assert sorted(crawl.urls) == sorted(urls)
    assert ended_well(crawl)


def test_pages_that_fetch_from_each_others_hosts_do_not_wait_for_ever() -> None:
    async def parse(self: Spider, response: Response) -> Any:
        other = B if response.url.startswith(A) else A
        inner = await self.fetch(Request(other + "inner" + response.url[-1]))
        return [{"url": response.url}, {"url": inner.url}]

    urls = pages(6, "a.test", "b.test")
    settings = {"CONCURRENT_REQUESTS_PER_DOMAIN": 1, "DOWNLOAD_DELAY": 0.1}
    crawl = Workers(spider(start=ask(*urls), parse=parse), any_page, settings=settings, workers=2).run(within=200)
    assert len(crawl.items) == 24
    assert ended_well(crawl)


@pytest.mark.parametrize("pause", [0.0, 0.03])
def test_a_crawl_of_several_is_not_over_while_code_works_for_itself(pause: float) -> None:
    tasks: list[Any] = []

    async def after(self: Spider) -> None:
        await asyncio.sleep(pause)  # beyond the end of the callback
        await self.fetch(B + "slow")

    async def parse(self: Spider, response: Response) -> Any:
        tasks.append(asyncio.ensure_future(after(self)))
        return {"url": response.url}

    crawl = Workers(spider(start=ask(A + "1"), parse=parse), any_page, workers=3, latency=5.0)
    ended: list[bool] = []
    crawl.later(9.0, lambda: ended.extend(worker.ended for worker in crawl.workers))
    crawl.run(within=100)
    assert crawl.urls == [A + "1", B + "slow"]
    assert ended == [False] * 3
    assert ended_well(crawl)


def test_a_request_that_is_not_tried_again_has_its_errback_and_is_in_the_books() -> None:
    def start(self: Spider) -> Iterator[Request]:
        yield Request(A + "deadly", errback=self.failed)
        yield Request(A + "2")

    def failed(self: Spider, failure: Any) -> Iterator[Any]:
        yield {"url": failure.request.url, "error": type(failure.value).__name__}
        yield Request(A + "3")

    crawl = Workers(spider(start=start, parse=page_item, failed=failed), any_page, latency=0.5)

    def doom() -> None:
        for _, row in crawl.job.host("a.test").queue:
            row.doomed = row.url.endswith("deadly")
        if not any(row.doomed for row, _ in crawl.job.taken.values()) and not crawl.items:
            crawl.later(0.0005, doom)

    doom()
    crawl.run(within=100)
    assert sorted(crawl.urls) == [A + "2", A + "3"]
    assert {"url": A + "deadly", "error": "LostWorkers"} in crawl.items
    assert crawl.job.outcomes == {"failed": 1, "answered": 2}
    [ended] = [
        event
        for worker in crawl.workers
        for event in worker.events
        if isinstance(event, RequestEnded) and event.outcome == "failed"
    ]
    assert (ended.reason, ended.detail) == ("LostWorkers", "five workers died")
    assert ended_well(crawl)


@pytest.mark.parametrize("redirected", [False, True])
def test_what_a_dead_worker_had_claimed_is_new_to_whoever_was_refused_it(redirected: bool) -> None:
    shared = "http://shared.test/"

    def site(request: Request) -> Any:
        moved = Response(request.url, 302, {"Location": shared})
        answer: Deferred[Any] = Deferred(lambda _: None)
        page = moved if request.url.endswith("/moved") else "page"
        asyncio.get_event_loop().call_later(60.0 if request.url == shared else 1.0, answer.callback, page)
        return answer

    def parse(self: Spider, response: Response) -> Any:
        yield {"url": response.url}
        carried = response.urljoin("/moved") if redirected else shared
        yield Request(carried, lambda response: [{"url": response.url}])

    urls = [f"http://h{number}.test/" for number in range(8)]
    settings = {"CONCURRENT_REQUESTS": 2}
    crawl = Workers(spider(start=ask(*urls), parse=parse), site, settings=settings, workers=2, latency=0.0)

    def kill() -> None:
        assert all(len(worker.sent) > 2 for worker in crawl.workers)
        [victim] = [worker for worker in crawl.workers if shared in [sent.url for sent in worker.sent]]
        victim.kill()
        crawl.job.bury(victim.name, crawl.loop.now)

    crawl.later(30.0, kill)
    crawl.run(within=200)
    assert sorted(item["url"] for item in crawl.items) == [*urls, shared]
    assert crawl.job.over


def test_redirects_across_hosts_are_followed_once() -> None:
    def site(request: Request) -> Any:
        if request.url.startswith(A):
            return Response(request.url, 302, {"Location": request.url.replace("a.test", "b.test")})
        return "page"

    crawl = Workers(spider(start=ask(*pages(20, "a.test", "b.test")), parse=page_item), site, workers=3)
    crawl.run(within=100)
    assert sorted(item["url"] for item in crawl.items) == sorted(pages(20, "b.test"))
    assert Counter(crawl.urls) == Counter(pages(20, "a.test", "b.test"))
    assert ended_well(crawl)


def test_what_is_retried_is_retried_once_after_its_time() -> None:
    asked: Counter[str] = Counter()

    def site(request: Request) -> Any:
        asked[request.url] += 1
        return 503 if asked[request.url] == 1 else "page"

    urls = pages(8, "a.test", "b.test")
    settings = {"THROTTLE_ENABLED": False, "RETRY_BACKOFF": 2.0}
    crawl = Workers(spider(start=ask(*urls), parse=page_item), site, settings=settings, workers=3).run(within=100)
    assert set(asked.values()) == {2}
    assert len(crawl.items) == 16
    assert ended_well(crawl)


def test_a_cookie_of_a_login_is_sent_by_every_worker() -> None:
    class Members(Spider):
        name = "members"

        def start_requests(self) -> Iterator[Request]:
            yield Request("http://a.example.test/login", self.logged_in)

        def logged_in(self, response: Response) -> Iterator[Request]:
            for number in range(20):
                for host in "abc":
                    yield Request(f"http://{host}.example.test/{number}")

        def parse(self, response: Response) -> Any:
            yield {"url": response.url}

    def site(request: Request) -> Any:
        if request.url.endswith("login"):
            return Response(request.url, 200, {"Set-Cookie": "key=1; Domain=example.test"}, b"hello")
        return "page" if b"key=1" in (request.headers.get("Cookie") or b"") else 403

    crawl = Workers(Members, site, workers=3).run(within=100)
    assert len(crawl.items) == 60
    assert sum(bool(worker.sent) for worker in crawl.workers) > 1
    assert ended_well(crawl)


def test_close_spider_ends_all_workers() -> None:
    def parse(self: Spider, response: Response) -> Any:
        if response.url == A + "20":
            raise CloseSpider("enough")
        yield {"url": response.url}

    settings = {"DOWNLOAD_DELAY": 0.1}
    crawl = Workers(
        spider(start=ask(*pages(500, "a.test", "b.test", "c.test")), parse=parse),
        any_page,
        settings=settings,
        workers=3,
    )
    crawl.run(within=100)
    assert crawl.reasons() == ["enough"] * 3
    assert crawl.problems() == []
    assert not crawl.job.taken
    assert crawl.job.queued + sum(crawl.job.outcomes.values()) == crawl.job.tokens


def test_one_worker_that_is_stopped_leaves_its_requests_to_the_others() -> None:
    urls = pages(60, "a.test", "b.test", "c.test")
    crawl = Workers(spider(start=ask(*urls), parse=page_item), any_page, settings={"DOWNLOAD_DELAY": 0.1}, workers=2)
    crawl.later(2.0, lambda: crawl.workers[0].prepared.stop())
    crawl.run(within=100)
    assert sorted(crawl.reasons()) == ["finished", "shutdown"]
    assert sorted(crawl.urls) == sorted(urls) == sorted(item["url"] for item in crawl.items)
    assert crawl.problems() == []
    assert crawl.job.over


def test_a_worker_that_was_cut_off_too_long_is_late() -> None:
    def begins(crawl: Workers) -> None:
        crawl.workers[0].cut_off_until = crawl.loop.now + 20

    urls = pages(100, "a.test", "b.test", "c.test", "d.test")
    settings = {"DOWNLOAD_DELAY": 0.5}
    crawl = Workers(
        spider(start=ask(*urls), parse=page_item), any_page, settings=settings, workers=2, lease=5.0, latency=0.3
    )
    crawl.later(3.0, begins, crawl)
    crawl.run(within=1000)
    late, other = crawl.workers
    assert late.summary is not None
    assert (late.summary.reason, late.summary.exit_status) == ("late", 75)
    assert other.summary is not None
    assert other.summary.reason == "finished"
    assert sorted(item["url"] for item in crawl.items) == sorted(urls)
    assert min(gaps(crawl, "a.test") + gaps(crawl, "b.test")) >= 0.5 - 1e-6
    assert crawl.problems() == []


@pytest.mark.parametrize("workers", [1, 3])
def test_start_waits_until_all_workers_have_nothing_to_do(workers: int) -> None:
    first, second = pages(10, "a.test", "b.test", "c.test"), pages(3, "d.test")
    told: list[int] = []

    async def start(self: Spider) -> Any:
        for url in first:
            yield Request(url)
        await self.crawler.idle()
        told.append(sum(len(worker.sent) for worker in crawl.workers))
        for url in second:
            yield Request(url)
        await self.crawler.idle()
        told.append(sum(len(worker.sent) for worker in crawl.workers))

    crawl = Workers(spider(start=start, parse=page_item), any_page, workers=workers)
    crawl.run(within=100)

    assert told == [len(first), len(first) + len(second)]
    assert sorted(crawl.urls) == sorted(first + second)
    assert ended_well(crawl)
