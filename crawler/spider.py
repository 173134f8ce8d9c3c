"""What does a user write to say what is crawled?

The names and meanings are those of Scrapy's Spider (docs.scrapy.org, "Spiders").
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Protocol, TypeVar

from crawler.dialect import Engine, Signals, dialect, may_be_settings
from crawler.events import Events
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.results import whole
from crawler.stats import Stats

if TYPE_CHECKING:
    from typing import Self

    from treq.client import HTTPClient
    from twisted.internet.defer import Deferred

    from crawler.config.settings import Settings
    from crawler.steering.control import Control
    from crawler.threads import Pools


T = TypeVar("T")
_NOT_YET: Any = None


class Spider:
    """Subclass it, give it a ``name`` and ``start_urls``, and write ``parse``.

    Annotated class attributes in lower case are arguments: ``pages: int = 0`` is set by ``-a pages=3``.
    """

    name: ClassVar[str] = ""
    start_urls: list[str] = []
    allowed_domains: list[str] = []
    custom_settings: ClassVar[dict[str, Any] | None] = None
    handle_httpstatus_list: list[int] = []

    settings: Settings
    crawler: Crawler
    state: dict[str, Any]
    """Kept with the job: saved at every commit, there again after a resume. Plain values only."""

    def __init__(self, name: str | None = None, *args: Any, **kwargs: Any) -> None:
        if name is not None:
            kwargs["name"] = name
        self.__dict__.update(kwargs)
        self.state = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> Self:
        """Make the spider of a crawl; an override calls this and may then look at ``crawler``."""
        spider = cls(*args, **kwargs)
        spider.bind(crawler)
        return spider

    def bind(self, crawler: Crawler) -> None:
        """Tie the spider to its crawl; done once, by from_crawler or by the assembly."""
        self.crawler = crawler
        self.settings = crawler.settings
        self.__dict__.setdefault("state", {})  # a subclass may not call our __init__
        if may_be_settings(self.__dict__):
            dialect().warn_of_late(self)

    @classmethod
    def update_settings(cls, settings: Settings) -> None:
        """Change the settings of this spider's crawls; ``custom_settings`` are already in them.

        An override calls this one, which reads what Scrapy takes from attributes of the class (``download_delay``).
        """
        draft: Any = settings  # while they are being put together they can be changed
        if may_be_settings(dir(cls)):
            draft.update(dialect().settings_of(cls))

    @property
    def logger(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger named after the spider."""
        return logging.LoggerAdapter(logging.getLogger(self.name), {"spider": self})

    def log(self, message: object, level: int = logging.DEBUG, **kwargs: Any) -> None:
        """Log under the spider's name."""
        self.logger.log(level, message, **kwargs)

    @property
    def stats(self) -> Stats:
        """The counters of this crawl."""
        return self.crawler.stats

    @property
    def http(self) -> HTTPClient:
        """A treq-like client for side calls (an API, a webhook) outside the crawl's frontier."""
        return self.crawler.http

    async def start(self) -> AsyncIterator[Any]:
        """Yield the first requests, or items; by default one request for each of ``start_urls``."""
        for result in whole(self.start_requests()):
            yield result

    def start_requests(self) -> Iterable[Any]:
        """Yield the first requests, for spiders written before start() was a coroutine."""
        # One text is one URL, as it is one of allowed_domains; its characters are none.
        urls = [self.start_urls] if isinstance(self.start_urls, str) else self.start_urls
        if not isinstance(urls, Iterable):
            raise TypeError(f"start_urls must be a list of URLs, got {urls!r}")
        for url in urls:
            yield Request(url, dont_filter=True)

    _default_callback: ClassVar[str] = "parse"
    _making: ClassVar[str] = "crawler.assembly.making"
    """The module whose Making makes the crawl's parts: the dialect of a crawl is that of its spider's class."""

    if TYPE_CHECKING:
        parse: Any  # a callback of any kind, and with arguments of its own
    else:

        def parse(self, response: Response, **kwargs: Any) -> NoReturn:
            """Handle a response whose request names no callback."""
            raise NotImplementedError(f"{type(self).__name__}.parse is not defined, and a request named no callback")

    def closed(self, reason: str) -> Awaitable[Any] | None:
        """Called once when the crawl is over; ``reason`` is "finished", "shutdown" or what closed it."""

    def fetch(self, url_or_request: str | Request) -> Coroutine[Any, Any, Response]:
        """Fetch one page inline, through the frontier and its politeness, and await the response.

        Raises RequestError: FetchError when no response came, HttpError for a status the spider does
        not accept, RequestDropped when robots.txt forbids it; RuntimeError in a thread, where
        ``blockingCallFromThread(reactor, spider.fetch, url)`` waits for the response.
        """
        request = url_or_request if isinstance(url_or_request, Request) else Request(url_or_request)
        return anywhere(self.crawler.fetch(request))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class Running(Protocol):
    """The crawl itself, as far as its components may act on it."""

    def fetch(self, request: Request) -> Deferred[Response]:
        """Fetch inline."""

    def stop(self, reason: str) -> None:
        """End it once what is in flight has finished."""

    def submit(self, request: Request) -> None:
        """Take a request from code that is no callback."""

    def idle(self) -> Deferred[None]:
        """Fire once nothing is under way or queued but start()."""

    def is_idle(self) -> bool:
        """Tell whether that is so now."""

    def pause(self) -> None:
        """Send nothing until ``unpause``."""

    def unpause(self) -> None:
        """Go on."""

    @property
    def paused(self) -> bool:
        """Whether somebody has asked for a pause."""

    @property
    def queued(self) -> int:
        """How many requests wait, in memory and in the store."""

    @property
    def in_flight(self) -> int:
        """How many exchanges are under way."""


@dataclass(slots=True)
class Crawler:
    """One crawl as its components see it: what ``from_crawler(cls, crawler)`` is given.

    ``running`` is None until the crawl is prepared. ``control`` steers it while it runs, once it is prepared.
    ``pools(name, threads)`` makes threads for what blocks, whose ``run(function, *arguments)`` gives a Deferred;
    whoever made them ends them by ``stop()``. ``check_value`` raises, naming the type, for a value that the job cannot
    keep; None where nothing is kept.
    """

    settings: Settings
    stats: Stats = field(default_factory=Stats)
    events: Events = field(default_factory=Events)
    spider: Spider | None = None
    running: Running | None = None
    control: Control = _NOT_YET
    http: HTTPClient = _NOT_YET
    pools: Pools = _NOT_YET
    memory: dict[tuple[str, str], dict[Any, Any]] = field(default_factory=dict)
    memory_changes: list[Any] = field(default_factory=list)
    check_value: Callable[[Any], None] | None = None

    def fetch(self, request: Request) -> Deferred[Response]:
        """Send one request through the frontier and give its Response."""
        if self.running is None:
            raise RuntimeError("fetch() works while the crawl runs")
        return self.running.fetch(request)

    def stop(self, reason: str = "shutdown") -> None:
        """End the crawl with this reason once what is in flight has finished. From any thread."""
        if self.running is None:
            raise RuntimeError("a crawl can be stopped once it is prepared")
        self.running.stop(reason)

    def submit(self, request: Request) -> None:
        """Take a request from code that is no callback: an extension, a stage; filtered and removed if seen, as any.

        Its callback's results are its own. It is in the job with the next commit. Raises RuntimeError when the crawl
        does not run, and in a thread.
        """
        self._on_the_way("submit").submit(request)

    def idle(self) -> Deferred[None]:
        """Fire once nothing is under way or queued but start(), which may then yield more; never if the crawl ends."""
        return self._on_the_way("idle").idle()

    def _on_the_way(self, asked: str) -> Running:
        if self.running is None:
            raise RuntimeError(f"{asked}() works while the crawl runs")
        return self.running

    @property
    def signals(self) -> Signals:
        """Scrapy's way to subscribe to what happens; ``events`` is ours."""
        return dialect().signals_of(self)

    @property
    def engine(self) -> Engine:
        """What spiders do with Scrapy's engine; ``stop`` and ``fetch`` are ours."""
        return dialect().engine_of(self)


def spider_of(crawler: Crawler) -> Spider:
    """Return the spider of a crawl; raises RuntimeError where it is not made yet."""
    if crawler.spider is None:
        raise RuntimeError("the spider of this crawl is not made yet")
    return crawler.spider


def default_callback(spider: Spider) -> Callable[..., Any]:
    """Return the method for responses whose request names no callback: parse, if the kind of spider has no other."""
    return getattr(spider, spider._default_callback)  # type: ignore[no-any-return]  # a method


async def anywhere(fetched: Deferred[T]) -> T:
    """Wait for a Deferred in asyncio's Tasks, too: those that asyncio.gather() makes cannot await one themselves."""
    try:
        task = asyncio.current_task()
    except RuntimeError:  # a reactor without an asyncio loop
        task = None
    if task is None:
        return await fetched
    turn = asyncio.get_running_loop().create_future()

    def wake(outcome: T) -> T:
        if not turn.done():
            turn.set_result(None)
        return outcome

    fetched.addBoth(wake)
    try:
        await turn
    except asyncio.CancelledError:
        fetched.cancel()
        fetched.addErrback(lambda _: None)  # nobody waits for it any more
        raise
    return await fetched  # it has fired
