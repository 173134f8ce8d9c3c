"""How does a crawl run beside a prompt that blocks, and fetch what is typed there?

In a thread of its own, with the reactor. Its start() yields nothing, and ends when the prompt is left; pages are
fetched inline, through the frontier with robots.txt, delays, redirects and cookies.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred

from crawler.commands.reactor import install_reactor, run_reactor
from crawler.events import CrawlOpened
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Crawler
from crawler.summary import Summary

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    from crawler.assembly import PreparedCrawl

T = TypeVar("T")

LAST_SECONDS = 5.0
"""So long the crawl has for its end, once the prompt is left."""


class LiveCrawl:
    """A crawl that fetches what it is asked, and nothing else."""

    def __init__(self, prepare: Callable[[AsyncioSelectorReactor], PreparedCrawl]) -> None:
        self._prepare = prepare
        self._opened: Future[Crawler] = Future()
        self._over: Deferred[None] = Deferred()
        self._thread = threading.Thread(target=self._work, name="crawl", daemon=True)

    def open(self) -> Crawler:
        """Open the crawl. Raises UsageError and whatever else hinders it."""
        self._thread.start()
        return self._opened.result()

    def close(self) -> None:
        """End it."""
        if self._opened.done() and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._over.callback, None)
            self._thread.join(LAST_SECONDS)

    def fetch(self, request: Request) -> Response:
        """Fetch a page, and wait for it. Raises RequestError."""
        return self.run(self._fetched(request))

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop of the crawl, and wait for what it returns; Ctrl-C cancels it."""
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("this waits for the crawl, and would hold it: use `await spider.fetch(url)` here")
        if not self._thread.is_alive():
            coroutine.close()
            raise RuntimeError("the crawl that fetches is over; begin a new shell")
        running = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return running.result()
        finally:
            running.cancel()

    async def _fetched(self, request: Request) -> Response:
        spider = self._opened.result().spider
        assert spider is not None
        return await spider.fetch(request)

    def _work(self) -> None:
        try:
            reactor = install_reactor()
            self._loop = reactor._asyncioEventloop
            try:
                run_reactor(reactor, lambda: self._run(reactor), signals=False)
            finally:
                self._loop.close()
        except BaseException as error:
            if self._opened.done():
                raise
            self._opened.set_exception(error)

    def _run(self, reactor: AsyncioSelectorReactor) -> Deferred[Summary]:
        prepared = self._prepare(reactor)
        prepared.events.subscribe(CrawlOpened, lambda _: self._opened.set_result(prepared.crawler))
        vars(prepared.crawler.spider)["start"] = self._idle
        return prepared.run()

    async def _idle(self) -> AsyncIterator[Any]:
        await self._over
        return
        yield
