"""What can be done with ``crawler.engine``, which stands for the crawl?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NoReturn

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from crawler.engine.frames import error_of
from crawler.errors import HttpError
from crawler.scrapy.adapters.errors import as_scrapy_error
from crawler.scrapy.adapters.responses import as_scrapy
from crawler.scrapy.http.request import as_scrapy_request
from crawler.spider import anywhere


class Engine:
    """The engine of one crawl, from the time on when its parts are made."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.settings = crawler.settings
        self.signals = crawler.signals
        self.logformatter = crawler.logformatter
        self.downloader = _Downloader(crawler)
        self.scraper = SimpleNamespace(slot=SimpleNamespace(is_idle=self._is_idle, needs_backout=lambda: False))

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"crawler.engine has no {name}: of Scrapy's engine there are crawl, download, close_spider, stop, pause, "
            "unpause, paused, spider, slot, scheduler, downloader and spider_is_idle (docs/from_scrapy.md)"
        )

    @property
    def spider(self) -> Any:
        """The spider."""
        return self.crawler.spider

    @property
    def running(self) -> bool:
        """Whether the crawl has begun, and is not paused for good."""
        return self.crawler.running is not None

    @property
    def start_time(self) -> float | None:
        """When the crawl began, in seconds since the epoch."""
        began = self.crawler.stats.get_value("start_time")
        return None if began is None else float(began.timestamp())

    # The end, and pauses

    def close_spider(self, spider: Any = None, reason: str = "cancelled") -> Deferred[None]:
        """End the crawl once what is in flight has finished."""
        self.crawler.stop(reason)
        return succeed(None)

    async def close_spider_async(self, *, reason: str = "cancelled") -> None:
        """End the crawl once what is in flight has finished."""
        self.crawler.stop(reason)

    def stop(self) -> Deferred[None]:
        """End the crawl with the reason "shutdown"."""
        return self.close_spider(reason="shutdown")

    async def stop_async(self) -> None:
        """End the crawl with the reason "shutdown"."""
        self.crawler.stop("shutdown")

    close, close_async = stop, stop_async

    def pause(self) -> None:
        """Send nothing until ``unpause``."""
        self._run().pause()

    def unpause(self) -> None:
        """Go on."""
        self._run().unpause()

    @property
    def paused(self) -> bool:
        """Whether it is so."""
        return self.crawler.running is not None and bool(self.crawler.running.paused)

    # Requests

    def crawl(self, request: Any, spider: Any = None) -> None:
        """Take a request: it is in the job once it is accepted. Raises RuntimeError before the spider is open."""
        self._run(request).submit(as_scrapy_request(request))

    def download(self, request: Any, spider: Any = None) -> Deferred[Any]:
        """Fetch a request; the Deferred fires with the response, whatever its status."""
        self._run(request)
        fetched: Deferred[Any] = self.crawler.fetch(as_scrapy_request(request))
        return fetched.addCallbacks(as_scrapy, _its_response)

    async def download_async(self, request: Any) -> Any:
        """Fetch a request; return the response, whatever its status."""
        return await anywhere(self.download(request))

    def spider_is_idle(self, spider: Any = None) -> bool:
        """Tell whether nothing is under way or queued."""
        return self._is_idle()

    def needs_backout(self) -> bool:
        """Tell whether no more requests can be sent at the moment."""
        return self.paused or self.downloader.needs_backout()

    # What projects look at

    @property
    def slot(self) -> Any:
        """How much waits (``scheduler``), and how much is under way (``inprogress``)."""
        running = self.crawler.running
        if running is None:
            return None
        nextcall = SimpleNamespace(schedule=lambda delay=0: None)
        return SimpleNamespace(
            scheduler=_Scheduler(self.crawler), inprogress=range(running.in_flight), closing=None, nextcall=nextcall
        )

    _slot = slot

    @property
    def scheduler(self) -> Any:
        """How much waits: its length."""
        return None if self.crawler.running is None else _Scheduler(self.crawler)

    def _is_idle(self) -> bool:
        return self.crawler.running is None or bool(self.crawler.running.is_idle())

    def _run(self, request: Any = "") -> Any:
        if self.crawler.running is None:
            raise RuntimeError(f"No open spider to crawl: {request}")
        return self.crawler.running


def _its_response(failure: Failure) -> Any:
    """Return the response of a status that is not asked for; raise any other error as projects catch it."""
    if not isinstance(failure.value, HttpError) or failure.value.response is None:
        raise as_scrapy_error(error_of(failure))
    return as_scrapy(failure.value.response)


class _Scheduler:
    """The queue, as far as it can be looked at; what goes in is ``engine.crawl``'s."""

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler

    def __len__(self) -> int:
        return int(self._crawler.running.queued)

    def has_pending_requests(self) -> bool:
        """Tell whether anything waits."""
        return len(self) > 0

    def enqueue_request(self, request: Any) -> bool:
        """Take a request, as ``engine.crawl`` does."""
        self._crawler.engine.crawl(request)
        return True


class _Downloader:
    """What is in flight."""

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler
        self.slots: dict[str, Any] = {}
        self.total_concurrency = crawler.settings.getint("CONCURRENT_REQUESTS")
        self.domain_concurrency = crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")

    @property
    def active(self) -> range:
        """As many as are in flight."""
        running = self._crawler.running
        return range(0 if running is None else running.in_flight)

    def needs_backout(self) -> bool:
        """Tell whether as many are in flight as may be."""
        return bool(len(self.active) >= self.total_concurrency > 0)
