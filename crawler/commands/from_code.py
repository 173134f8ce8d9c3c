"""How does code run a crawl and get its items: a script, a notebook, a web view?

``run()`` and ``stream()`` stand on the asyncio loop that runs; ``run_blocking()`` brings one of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crawler.assembly import PreparedCrawl, prepare, real_world, run_logged
from crawler.assembly.making import load_settings
from crawler.commands.loops import reactor_here, running_loop, twisted_runs_here
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.feeds.handed import Collected, Handed
from crawler.spider import Spider
from crawler.storage.memory import MemoryStore
from crawler.summary import Summary

logger = logging.getLogger("crawler")

SettingsGiven = Settings | Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class CrawlResult:
    """What came of a crawl: its items, as they left the pipelines, in the order of their commits, and its Summary."""

    items: list[Any]
    summary: Summary

    def __repr__(self) -> str:
        summary = self.summary
        return f"<CrawlResult {len(self.items)} items of {summary.pages} pages, {summary.spider}: {summary.reason}>"


async def run(
    spider_class: type[Spider], settings: SettingsGiven = None, *, arguments: Mapping[str, Any] | None = None
) -> CrawlResult:
    """Run a spider in the asyncio loop that runs, and return its items and its Summary.

    It may be called again and again, and several times at once. ``settings`` wins over the spider's custom_settings;
    ``arguments`` are the spider's. Without JOB_NAME and JOB_STORE the crawl is in memory; a job that goes on gives the
    items of all its runs. Cancelling it stops the crawl at once and waits for its end.

    Raises UsageError (before anything is fetched), StoreError, FeedError, or what the spider's own making raised. Pages
    and callbacks that fail raise nothing: they are logged, and ``summary`` counts them.
    """
    feed = Collected("run()")
    running = _Running(spider_class, settings, arguments, feed, called="crawler.run()")
    return CrawlResult(feed.items, await running.over())


def run_blocking(
    spider_class: type[Spider], settings: SettingsGiven = None, *, arguments: Mapping[str, Any] | None = None
) -> CrawlResult:
    """Run a spider as ``run()`` does, in a script without an asyncio loop or in a worker thread, and wait for it.

    It may be called again and again, and in several threads at once. Ctrl-C stops the crawl and raises
    KeyboardInterrupt. Raises UsageError where a loop runs in this thread, and what ``run()`` raises.
    """
    if running_loop() is not None:
        raise UsageError(
            "crawler.run_blocking() would hold the asyncio loop that runs here; "
            "`await crawler.run(SpiderClass, settings)` does not"
        )
    if twisted_runs_here():
        raise UsageError(
            "crawler.run_blocking() would hold the reactor of Twisted's that runs here; "
            "`await crawl(SpiderClass, settings, reactor=reactor)` does not"
        )
    return asyncio.run(run(spider_class, settings, arguments=arguments))


class stream:  # noqa: N801 (used as a function)
    """The items of a crawl while it runs: ``async for item in crawler.stream(SpiderClass, settings)``.

    Arguments and errors are those of ``run()``. The crawl begins with the loop, is never more than some hundred
    items ahead of it, and is stopped when the loop is left. To wait for its end then, or to have its ``summary``, which
    is there when it has ended, keep the stream: ``async with crawler.stream(…) as items: async for item in items: …``.
    A job that goes on gives the items that were not given before; after a kill some may be given again.
    """

    def __init__(
        self, spider_class: type[Spider], settings: SettingsGiven = None, *, arguments: Mapping[str, Any] | None = None
    ) -> None:
        self.summary: Summary | None = None
        self._given = (spider_class, settings, arguments)
        self._running: _Running | None = None

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._items()  # not kept: so it is closed, and the crawl stopped, when the loop is left

    async def __aenter__(self) -> stream:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop the crawl, if it still runs, and wait for its end."""
        if self._running is not None:
            self.summary = await self._running.left()

    async def _items(self) -> AsyncGenerator[Any, None]:
        batches: asyncio.Queue[Sequence[Any] | None] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        feed = Handed("stream()", lambda items: loop.call_soon_threadsafe(batches.put_nowait, items))
        self._running = running = _Running(*self._given, feed, called="crawler.stream()")
        running.end.add_done_callback(lambda _: batches.put_nowait(None))
        try:
            while (items := await batches.get()) is not None:
                for item in items:
                    feed.take()
                    yield item
        finally:
            self.summary = await running.left()


class _Running:
    """A crawl that runs in the loop that runs now; its items go to ``feed`` too."""

    def __init__(
        self,
        spider_class: type[Spider],
        settings: SettingsGiven,
        arguments: Mapping[str, Any] | None,
        feed: Collected,
        *,
        called: str,
    ) -> None:
        world = real_world(reactor_here(called))
        loaded = load_settings(spider_class, settings)
        named = loaded.core.JOB_NAME is not None or loaded.origin("JOB_STORE") != "default"
        self._feed = feed
        self._prepared: PreparedCrawl = prepare(
            spider_class,
            loaded,
            world=world,
            arguments=arguments,
            # What nobody can name nobody can resume.
            store=None if named else MemoryStore(),
            also_feeds=(feed,),
        )
        self.end: asyncio.Future[Summary] = run_logged(self._prepared).asFuture(asyncio.get_running_loop())

    async def left(self) -> Summary:
        """Stop, if it is not over; wait for the end."""
        self._feed.leave()
        if not self.end.done():
            self._prepared.stop_now()
        return await self.over()

    async def over(self) -> Summary:
        """Wait for the end; if the waiting is cancelled, for that of a crawl which is stopped at once."""
        try:
            summary = await asyncio.shield(self.end)
        except asyncio.CancelledError:
            self._prepared.stop_now()
            try:
                await asyncio.shield(self.end)
            except asyncio.CancelledError:
                self._prepared.give_up()
            except Exception as error:
                logger.error("The cancelled crawl failed: %s", error)
            raise
        summary.feeds = [feed for feed in summary.feeds if feed.path != self._feed.name]
        return summary
