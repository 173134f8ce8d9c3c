"""A durable store in virtual time, and other things that tests of hard cases share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler import testing
from crawler.assembly.job import ItemCodec
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider
from crawler.storage.sqlite import SQLiteStore

ROOT = "http://a.test/"


class VirtualThread:
    """Carries the store's calls out at once, and answers ``delay`` virtual seconds later, in order.

    With ``late`` they are carried out when they are answered.
    """

    def __init__(self, delay: float, *, late: bool = False) -> None:
        self.clock: Any = None
        self.open = False
        self._delay = delay
        self._late = late
        self._last = 0.0

    def start(self) -> None:
        self.open = True

    def run(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        answered: Deferred[Any] = Deferred()
        now = self.clock.seconds()
        self._last = max(self._last + 1e-6, now + self._delay)  # equal times have no order
        result = None if self._late else self._carry_out(function, arguments)
        self.clock.callLater(self._last - now, self._answer, answered, result, function, arguments)
        return answered

    def _answer(self, answered: Deferred[Any], result: Any, function: Callable[..., Any], arguments: Any) -> None:
        answered.callback(self._carry_out(function, arguments) if self._late else result)

    def _carry_out(self, function: Callable[..., Any], arguments: Any) -> Any:
        try:
            return function(*arguments)
        except Exception:
            return Failure()

    def stop(self) -> None:
        self.open = False


def spider(**members: Any) -> type[Spider]:
    return type("Made", (Spider,), {"name": "made", "start_urls": [ROOT], **members})


def crawl(
    spider_class: type[Spider],
    site: testing.Site,
    *,
    job: Path | None = None,
    window: int = 4,
    during: Callable[[Any], None] | None = None,
    settings: dict[str, Any] | None = None,
    delay: float = 0.003,
    thread: VirtualThread | None = None,
    **more: Any,
) -> testing.Result:
    """Crawl in memory; with ``job`` a SQLite file keeps the requests, which may be crawled again to resume."""
    thread = thread or VirtualThread(delay)

    def make_store(made: Any, core: Any) -> SQLiteStore:
        newest = core.QUEUE_ORDER == "newest"
        store = SQLiteStore(job or "", reactor=None, codec=ItemCodec(made), window=window, newest=newest)
        store.thread = thread  # type: ignore[assignment]
        return store

    def prepared(ready: Any) -> None:
        thread.clock = ready.world.clock
        if during is not None:
            during(ready)

    kept = {} if job is None else {"JOB_STORE": make_store}
    given = {"ROBOTSTXT_OBEY": False, **kept, **(settings or {})}
    return testing.crawl(spider_class, site, settings=given, during=prepared, **more)


def later(ready: Any, seconds: float, call: Callable[..., Any], *arguments: Any) -> None:
    """Call at a virtual time."""
    ready.world.clock.callLater(seconds, call, *arguments)


def ask(*urls: str, **how: Any) -> Any:
    """Return a start() that asks for these URLs."""

    def start(self: Spider) -> Any:
        for url in urls:
            yield Request(url, **how)

    return start


def numbers(count: int) -> list[str]:
    return [f"{ROOT}{n}" for n in range(count)]


def page_item(self: Spider, response: Response) -> Any:
    """Yield an item that names the page: a parse()."""
    yield {"url": response.url}


def any_page(request: Request) -> str:
    return f"page {request.url}"


def balanced(result: testing.Result) -> bool:
    return not [problem for problem in result.summary.problems if "accepted" in problem]


__all__ = [
    "ROOT", "Request", "Response", "Spider", "VirtualThread", "any_page", "ask", "balanced", "crawl", "later",
    "numbers", "page_item", "spider",
]  # fmt: skip
