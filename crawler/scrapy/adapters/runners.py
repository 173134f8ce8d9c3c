"""How does a script run Scrapy's spiders: CrawlerProcess, CrawlerRunner and their asyncio kin?

They are the native ways of commands/: a crawl is prepared, runs on the reactor that is installed, and logs as the
script's logging says. A crawl without JOBDIR is in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from crawler.assembly import PreparedCrawl, prepare, real_world, run_logged
from crawler.commands.loops import reactor_here, running_loop
from crawler.commands.reactor import install_reactor, run_reactor
from crawler.commands.running import Interrupts
from crawler.commands.together import Together
from crawler.errors import CrawlerError
from crawler.events import CrawlOpened
from crawler.observe.frames import describe, frames_of
from crawler.scrapy.adapters.crawls import Crawler
from crawler.scrapy.adapters.making import Making
from crawler.scrapy.addons import AddonManager
from crawler.scrapy.settings import Settings
from crawler.scrapy.spiderloader import get_spider_loader
from crawler.scrapy.utils.log import configure_logging
from crawler.spider import Spider
from crawler.storage.memory import MemoryStore
from crawler.summary import Summary

logger = logging.getLogger(__name__)


class CrawlerRunner:
    """Runs crawls on the reactor, which somebody else runs; ``crawlers`` are those that have not ended.

    ``crawl()`` takes a spider's class, its name in the project, or a Crawler of ``create_crawler()``.
    """

    def __init__(self, settings: Mapping[str, Any] | Settings | None = None) -> None:
        self.settings: Any = settings if isinstance(settings, Settings) else Settings(settings)
        AddonManager.load_pre_crawler_settings(self.settings)
        self.spider_loader: Any = get_spider_loader(self.settings)
        self.crawlers: set[Crawler] = set()
        self.bootstrap_failed = False
        self.together = Together([])
        self._active: set[Deferred[Any]] = set()

    def crawl(self, crawler_or_spidercls: type[Spider] | str | Crawler, *args: Any, **kwargs: Any) -> Any:
        """Begin a crawl; the rest are the spider's arguments. Return a Deferred that fires when it has ended.

        It fails with UsageError, StoreError or what the spider's own making raised; that is logged, too, where
        nothing waits for it. Raises ValueError for a spider that is an object, and KeyError for an unknown name.
        """
        return self._begin(self.create_crawler(crawler_or_spidercls), args, kwargs)

    def create_crawler(self, crawler_or_spidercls: type[Spider] | str | Crawler) -> Crawler:
        """Return the Crawler of a spider; one that is given as it is."""
        if isinstance(crawler_or_spidercls, Spider):
            raise ValueError(
                "The crawler_or_spidercls argument cannot be a spider object, it must be a spider class (or a Crawler)"
            )
        if isinstance(crawler_or_spidercls, Crawler):
            return crawler_or_spidercls
        spider = crawler_or_spidercls
        return Crawler(self.spider_loader.load(spider) if isinstance(spider, str) else spider, self.settings)

    def stop(self) -> Any:
        """Let what is in flight finish and end all crawls; return a Deferred that fires when they have ended."""
        self.together.stop()
        return DeferredList(list(self._active))

    def join(self) -> Any:
        """Return a Deferred that fires when no crawl is left, those included that begin meanwhile."""
        return Deferred.fromCoroutine(self._joined())

    async def _joined(self) -> None:
        while self._active:
            await DeferredList(list(self._active))

    def _reactor(self) -> Any:
        return install_reactor()

    def _begin(self, crawler: Crawler, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Deferred[None]:
        done = _Heard()
        active: Deferred[None] = Deferred()
        self.crawlers.add(crawler)
        self._active.add(active)

        def ended(result: Summary | Failure) -> None:
            self.crawlers.discard(crawler)
            self._active.discard(active)
            self.bootstrap_failed |= crawler.spider is None
            if isinstance(result, Failure):
                _tell(crawler, result)
            if isinstance(result, Failure) and done.heard:
                done.errback(result)
            else:  # what nobody waits for is told already
                done.callback(None)
            active.callback(None)

        crawl(crawler, args, kwargs, self._reactor(), self.together).addBoth(ended)
        return done


class CrawlerProcess(CrawlerRunner):
    """Runs crawls and the reactor: ``crawl()`` as often as needed, then ``start()``, which returns when all have ended.

    SIGINT and SIGTERM let what is in flight finish; the second of them ends at once.
    """

    def __init__(
        self, settings: Mapping[str, Any] | Settings | None = None, install_root_handler: bool | None = None
    ) -> None:
        super().__init__(settings)
        configure_logging(self.settings, install_root_handler)

    def start(self, stop_after_crawl: bool = True, install_signal_handlers: bool = True) -> None:
        """Run the reactor until all crawls have ended; for ever, if not ``stop_after_crawl``."""
        reactor = install_reactor()
        interrupts = Interrupts(reactor, self.together) if install_signal_handlers else None

        def begin() -> Deferred[None]:
            if interrupts is not None:
                interrupts.install()
            return Deferred.fromCoroutine(self._joined()) if stop_after_crawl else Deferred()

        try:
            run_reactor(reactor, begin, signals=install_signal_handlers)
        except KeyboardInterrupt:  # so it says that the user's code has stopped the reactor
            pass
        finally:
            if interrupts is not None:
                interrupts.restore()


class AsyncCrawlerRunner(CrawlerRunner):
    """CrawlerRunner whose methods are awaited in asyncio: ``crawl()`` returns a Task."""

    def crawl(self, crawler_or_spidercls: type[Spider] | str | Crawler, *args: Any, **kwargs: Any) -> Any:
        """Begin a crawl, as CrawlerRunner does; return a Task."""
        begun = super().crawl(crawler_or_spidercls, *args, **kwargs)
        loop = running_loop() or self._reactor()._asyncioEventloop
        return loop.create_task(_waited(begun.asFuture(loop)))

    async def stop(self) -> None:
        """End all crawls, and wait for that."""
        await super().stop().asFuture(asyncio.get_running_loop())

    async def join(self) -> None:
        """Wait until no crawl is left."""
        await super().join().asFuture(asyncio.get_running_loop())

    def _reactor(self) -> Any:
        return reactor_here("AsyncCrawlerRunner.crawl()") if running_loop() is not None else install_reactor()


class AsyncCrawlerProcess(AsyncCrawlerRunner, CrawlerProcess):
    """CrawlerProcess whose ``crawl()`` returns a Task."""


def crawl(
    crawler: Crawler,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    reactor: Any = None,
    together: Together | None = None,
) -> Deferred[Summary]:
    """Run the crawl of a Crawler; it begins with the reactor's next turn, so that its Deferred has its callbacks.

    It is one of ``together`` while it runs. Raises RuntimeError for a Crawler that has been run.
    """
    reactor = reactor or (reactor_here("Crawler.crawl()") if running_loop() is not None else install_reactor())
    if crawler.crawling or crawler.spider is not None:
        raise RuntimeError("Cannot run Crawler.crawl() more than once on the same instance.")
    crawler.crawling = True
    turn: Deferred[Any] = Deferred()
    reactor.callLater(0, turn.callback, None)
    try:
        prepared = _prepared(crawler, args, kwargs, reactor)
    except Exception as error:
        crawler.crawling = False
        failed = Failure(error)
        return turn.addCallback(lambda _: failed)
    if together is not None:
        together.crawls.append(prepared)
        prepared.events.subscribe(CrawlOpened, together.events.publish)  # a signal waits for it; nobody hears of more

    def ended(result: Summary | Failure) -> Summary | Failure:
        crawler.crawling = False
        if together is not None:
            together.crawls.remove(prepared)
        return result

    return turn.addCallback(lambda _: Deferred.fromCoroutine(_in_turn(prepared, crawler.spidercls.name))).addBoth(ended)


_writing: list[tuple[set[str], Deferred[None]]] = []


async def _in_turn(prepared: PreparedCrawl, name: str) -> Summary:
    """Run a crawl after those that began before it and write to one of its files: a feed's file has one writer."""
    named = (str(feed).replace("%(name)s", name) for feed in prepared.settings.core.FEEDS)
    files = {feed for feed in named if feed not in ("-", "stdout:")}
    mine: tuple[set[str], Deferred[None]] = ({file for file in files if "%(" not in file}, Deferred())
    before = [ended for theirs, ended in _writing if theirs & mine[0]]
    _writing.append(mine)
    try:
        for ended in before:
            await ended
        return await run_logged(prepared)
    finally:
        _writing.remove(mine)
        mine[1].callback(None)


def _prepared(crawler: Crawler, args: tuple[Any, ...], kwargs: Mapping[str, Any], reactor: Any) -> PreparedCrawl:
    settings = Making.loaded(crawler)
    named = settings.core.JOB_NAME is not None or settings.origin("JOB_STORE") != "default"
    crawler.positional = args
    return prepare(
        crawler.spidercls,
        settings,
        world=real_world(reactor),
        arguments=kwargs,
        store=None if named else MemoryStore(),
    )


class _Heard(Deferred[None]):
    """Knows whether anybody looks after its failure."""

    heard = False

    def addBoth(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 (Twisted's name)
        """See Deferred."""
        self.heard = True
        return super().addBoth(*args, **kwargs)

    def addErrback(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 (Twisted's name)
        """See Deferred."""
        self.heard = True
        return super().addErrback(*args, **kwargs)

    def addCallbacks(self, *args: Any, **kwargs: Any) -> Any:  # noqa: N802 (Twisted's name)
        """See Deferred."""
        self.heard = True
        return super().addCallbacks(*args, **kwargs)


async def _waited(future: asyncio.Future[Any]) -> None:
    await future


def _tell(crawler: Crawler, failure: Failure) -> None:
    error = failure.value
    assert error is not None
    name = crawler.spidercls.name or crawler.spidercls.__qualname__
    if isinstance(error, CrawlerError):
        logger.error("The crawl of %s failed: %s", name, error)
    else:
        logger.error("The crawl of %s failed: %s", name, " | ".join([describe(error), *frames_of(error, ours=False)]))
