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
    """Carries the store's calls out at once, and answers ``delay`` virtual seconds later, in order."""

    def __init__(self, delay: float) -> None:
        self.clock: Any = None
        self.open = False
        self._delay = delay
        self._last = 0.0

    def start(self) -> None:
        self.open = True

    def run(self, function: Callable[..., Any], *arguments: Any) -> Deferred[Any]:
        try:
            result: Any = function(*arguments)
        except Exception:
            result = Failure()
        answered: Deferred[Any] = Deferred()
        now = self.clock.seconds()
        self._last = max(self._last + 1e-6, now + self._delay)  # equal times have no order
        self.clock.callLater(self._last - now, answered.callback, result)
        return answered

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
    **more: Any,
) -> testing.Result:
    """Crawl in memory; with ``job`` a SQLite file keeps the requests, which may be crawled again to resume."""
    thread = VirtualThread(delay)

    def make_store(made: Any, _: Any) -> SQLiteStore:
        store = SQLiteStore(job or "", reactor=None, codec=ItemCodec(made), window=window)
        store._thread = thread  # type: ignore[assignment]
        return store

    def prepared(ready: Any) -> None:
        thread.clock = ready._world.clock
        if during is not None:
            during(ready)

    kept = {} if job is None else {"JOB_STORE": make_store}
    given = {"ROBOTSTXT_OBEY": False, **kept, **(settings or {})}
    return testing.crawl(spider_class, site, settings=given, during=prepared, **more)


def later(ready: Any, seconds: float, call: Callable[..., Any], *arguments: Any) -> None:
    """Call at a virtual time."""
    ready._world.clock.callLater(seconds, call, *arguments)


def any_page(request: Request) -> str:
    return f"page {request.url}"


def balanced(result: testing.Result) -> bool:
    return not [problem for problem in result.summary.problems if "accepted" in problem]


__all__ = ["ROOT", "Request", "Response", "Spider", "any_page", "balanced", "crawl", "later", "spider"]
