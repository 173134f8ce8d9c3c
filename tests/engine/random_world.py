"""A random site, a random spider for it and random settings: the same for the same seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

from twisted.internet.defer import Deferred

from crawler.errors import ConnectionLost, DropItem
from crawler.events import ItemDropped, ItemFailed
from tests.engine.virtual import Request, Response, Spider

HOSTS = ("http://a.test/", "http://b.test/", "https://b.test/")


PAGES = 60


class World:
    """A random site and a random spider for it; the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        rng = self.random
        self.delay = rng.choice([0.0, 0.0, 0.3])
        self.concurrency = rng.choice([1, 3, 8])
        self.links = {n: [rng.randrange(PAGES) for _ in range(rng.randrange(6))] for n in range(PAGES)}
        self.kind = {n: rng.choice(KINDS) for n in range(PAGES)}
        answers = ["page"] * 8 + ["redirect", "gone", "lost", "slow"] + ["flaky"] * rng.choice([1, 20])
        self.answer = {n: rng.choice(answers) for n in range(PAGES)}
        self.where = {n: rng.choice(HOSTS) for n in range(PAGES)}
        self.latency = {n: rng.choice([0.0, 0.01, 0.05, 0.5]) for n in range(PAGES)}
        self.asked: Counter[str] = Counter()
        self.in_flight: Counter[str] = Counter()
        self.sent: dict[str, list[float]] = {}
        self.run: Counter[int] = Counter()
        self.yielded: Counter[str] = Counter()

    def url(self, number: int) -> str:
        return f"{self.where[number]}{number}"

    def new_run(self) -> None:
        self.in_flight.clear()
        self.sent.clear()

    def site(self, request: Request) -> Any:
        loop = asyncio.get_event_loop()
        host, name = request.host, request.url.rsplit("/", 1)[1]
        if name == "robots.txt":
            return "User-agent: *\nDisallow: /13\n" if host == "a.test" else 404
        self.asked[request.url] += 1
        number = int(name.partition("?")[0])
        answer: Deferred[Any] = Deferred(lambda _: over())
        self.in_flight[host] += 1
        assert self.in_flight[host] <= self.concurrency
        times = self.sent.setdefault(host, [])
        assert not times or loop.time() - times[-1] >= self.delay - 1e-6
        times.append(loop.time())

        def over() -> None:
            self.in_flight[host] -= 1

        def fire() -> None:
            if not answer.called:
                over()
                answer.callback(self.page(number, request))

        loop.call_later(self.latency[number] * (20 if self.answer[number] == "slow" else 1), fire)
        return answer

    def page(self, number: int, request: Request) -> Any:
        kind = self.answer[number] if "?" not in request.url else "page"
        if kind == "redirect":
            return Response(request.url, 302, {"Location": self.url((number * 7 + 1) % PAGES)})
        if kind == "gone":
            return 404
        if kind == "flaky" and self.asked[request.url] == 1:
            return 503
        if kind == "lost" and self.asked[request.url] == 1:
            return ConnectionLost("lost")
        return f"page {number}"


class Made(Spider):
    name = "random"
    world: World

    async def start(self) -> Any:
        for number in range(0, PAGES, 7):
            yield self.ask(number)
            if number % 3 == 0:
                await asyncio.sleep(0.1)
        yield {"id": "start"}
        self.world.yielded["start"] += 1

    def ask(self, number: int) -> Request:
        def parse(response: Response) -> Any:  # cannot be stored; by its name no other callback than the method
            return self.parse(response)

        callback = parse if self.world.kind[number] == "carried" else self.parse
        errback = self.failed if number % 2 else None
        return Request(self.world.url(number), callback, errback=errback, priority=number % 3, meta={"asked": number})

    def failed(self, failure: Any) -> Any:
        yield self.item(f"failed {failure.request.meta['asked']}")

    def item(self, name: str) -> dict[str, str]:
        self.world.yielded[name] += 1
        return {"id": name}

    def parse(self, response: Response) -> Any:
        number = int(response.url.rsplit("/", 1)[1])
        self.world.run[number] += 1
        return getattr(self, "as_" + self.world.kind[number])(number, response)

    def results(self, number: int) -> Any:
        yield self.item(f"{number} a")
        for link in self.world.links[number]:
            yield self.ask(link)
        yield self.item(f"{number} b")

    def as_generator(self, number: int, response: Response) -> Any:
        yield from self.results(number)

    as_carried = as_generator

    def as_list(self, number: int, response: Response) -> Any:
        return list(self.results(number))

    async def as_coroutine(self, number: int, response: Response) -> Any:
        await asyncio.sleep(number / 50)
        return list(self.results(number))

    async def as_async_generator(self, number: int, response: Response) -> Any:
        for result in self.results(number):
            await asyncio.sleep(0.01)
            yield result

    async def as_inline(self, number: int, response: Response) -> Any:
        inner = await asyncio.gather(*(self.fetch(response.url + f"?{n}") for n in range(3)), return_exceptions=True)
        for result in self.results(number):
            yield result
        yield self.item(f"{number} inner {len(inner)}")

    def as_error(self, number: int, response: Response) -> Any:
        yield from self.results(number)
        raise ValueError(number)

    def as_deferred(self, number: int, response: Response) -> Any:
        fired: Deferred[Any] = Deferred()
        asyncio.get_event_loop().call_later(0.02, fired.callback, None)
        return fired.addCallback(lambda _: self.results(number))


KINDS = ["generator", "generator", "carried", "list", "coroutine", "async_generator", "inline", "error", "deferred"]


class Passes:
    def process_item(self, item: Any) -> Any:
        return item


class Slow:
    async def process_item(self, item: Any) -> Any:
        await asyncio.sleep(len(item["id"]) / 20)
        return item


class Picky:
    async def process_batch(self, items: list[Any]) -> Any:
        await asyncio.sleep(0.01)
        if any(item["id"] == "14 a" for item in items):
            raise ValueError("14 a")
        return [item for item in items if item["id"] != "21 b"]


class Refusing:
    def process_item(self, item: Any) -> Any:
        if item["id"].endswith("7 b"):
            raise DropItem("7 b")
        if item["id"].endswith("4 b"):
            raise ValueError("4 b")
        return item


class Twice:
    """A middleware that asks for some pages twice."""

    async def __call__(self, request: Request, fetch: Any) -> Any:
        response = await fetch(request)
        if request.url.endswith("9") and "?" not in request.url and response.status == 200:
            await fetch(Request(request.url + "?again"))
        return response


def settings_of(world: World) -> dict[str, Any]:
    rng = world.random
    stages = rng.sample([Passes, Slow, Picky, Refusing], rng.randrange(5))
    return {
        "PIPELINES": stages,
        "MIDDLEWARES": rng.choice([[], [Twice]]),
        "CONCURRENT_REQUESTS": rng.choice([1, 4, 16]),
        "CONCURRENT_REQUESTS_PER_DOMAIN": world.concurrency,
        "CONCURRENT_ITEMS": rng.choice([1, 3, 100]),
        "DOWNLOAD_DELAY": world.delay,
        "ROBOTSTXT_OBEY": rng.choice([True, False]),
        "THROTTLE_ENABLED": False,
        "RETRY_BACKOFF": 0.5,
        "DEPTH_PRIORITY": rng.choice([0, 1, -1]),
        "JOB_COMMIT_SECONDS": rng.choice([0.01, 0.5, 5.0]),
        "JOB_COMMIT_REQUESTS": rng.choice([2, 100]),
        "JOB_KEEP": True,
        "SCRAPER_SLOT_MAX_ACTIVE_SIZE": rng.choice([10, 5_000_000]),
    }


def check_once(world: World, items: list[Any], results: list[Any]) -> None:
    fed = Counter(item["id"] for item in items)
    assert not {name for name, count in fed.items() if count > 1}
    lost = {
        event.item["id"] for result in results for kind in (ItemDropped, ItemFailed) for event in result.happened(kind)
    }
    assert set(fed) | lost == set(world.yielded)
    assert not set(fed) & lost
