"""How is a spider tested without a network and without waiting?

``crawl(MySpider, {url: body})`` runs the whole engine against pages in memory, in virtual time: a
delay of an hour passes at once, and the order of things is the same every time. Callbacks may be of
any kind; ``asyncio.sleep`` is virtual, too. Blocking stages run in the caller's thread.
"""

from __future__ import annotations

import asyncio
import random
import selectors
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred, succeed

from crawler.assembly import World, prepare
from crawler.download.seam import Exchange, Head
from crawler.engine.machine import Machine
from crawler.engine.user_code.tasks import driver
from crawler.errors import FetchCancelled
from crawler.events import Event
from crawler.frontier.store import Store
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider
from crawler.summary import Summary
from crawler.threads import InlinePool

Page = Response | str | bytes | int | Exception
"""What a site answers: a whole response, a body, a bare status, or a failure."""

Site = Mapping[str, Page] | Callable[[Request], "Page | Deferred[Page]"]

START_OF_TIME = 1_700_000_000.0
"""The wall clock's seconds when virtual time is 0."""


class Deadlock(AssertionError):
    """The crawl waits for something that will never happen."""


class _VirtualSelector(selectors.DefaultSelector):
    """Lets time pass instead of waiting for it."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout != 0:
            if timeout is None:
                raise Deadlock("nothing is scheduled, and the crawl is not over")
            self.loop.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only when nothing else is to be done; ``now`` in seconds."""

    def __init__(self) -> None:
        self.now = 0.0
        selector = _VirtualSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Return the virtual time."""
        return self.now


class _Call:
    """A delayed call, as Twisted's clocks give it."""

    handle: asyncio.Handle
    called = False

    def cancel(self) -> None:
        """Do not call."""
        self.handle.cancel()

    def active(self) -> bool:
        """Tell whether it is still to be called."""
        return not self.called and not self.handle.cancelled()


class VirtualClock:
    """The Clock of a virtual loop."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def seconds(self) -> float:
        """Return virtual seconds."""
        return self._loop.now

    def wall(self) -> float:
        """Return virtual seconds since the epoch."""
        return START_OF_TIME + self._loop.now

    def callLater(self, delay: float, call: Callable[..., Any], *args: Any) -> Any:  # noqa: N802
        """Call back later in virtual time."""

        def run() -> None:
            timer.called = True
            call(*args)

        timer = _Call()
        timer.handle = self._loop.call_later(delay, run) if delay > 0 else self._loop.call_soon(run)
        return timer


@dataclass(slots=True)
class Sent:
    """One request that reached the site: when (virtual seconds) and what."""

    when: float
    request: Request

    @property
    def url(self) -> str:
        """The URL that was asked for."""
        return self.request.url


@dataclass(slots=True)
class Result:
    """What a crawl in memory came to.

    ``sent`` are the requests in the order in which they reached the site, robots.txt included.
    """

    summary: Summary
    items: list[Any]
    sent: list[Sent]
    events: list[Event]
    seconds: float
    spider: Spider

    @property
    def urls(self) -> list[str]:
        """The URLs asked for, robots.txt apart."""
        return [sent.url for sent in self.sent if not sent.url.endswith("/robots.txt")]

    def happened(self, kind: type[Event]) -> list[Any]:
        """Return the events of a type, in order."""
        return [event for event in self.events if type(event) is kind]


class ListFeed:
    """A feed into a list."""

    name = "memory"

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._number = 0

    def check(self) -> None:
        """Nothing can be wrong."""

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """Begin; what earlier runs of the job fed is not repeated."""
        self._number = int(mark["number"]) if mark else 0

    def write(self, items: Sequence[Any], number: int) -> dict[str, Any]:
        """Keep the items."""
        self.items += items
        self._number = number
        return {"number": number}

    def kept(self, mark: dict[str, Any]) -> None:
        """Nothing waits for that."""

    def committed(self, mark: dict[str, Any]) -> None:
        """Nothing waits for that."""

    def close(self, *, finished: bool) -> dict[str, Any]:
        """End."""
        return {"number": self._number}

    def count(self) -> int:
        """Return the number of items."""
        return len(self.items)


@dataclass(slots=True)
class MemorySite:
    """A downloader whose network is a mapping or a function."""

    site: Site
    loop: VirtualLoop
    latency: float
    sent: list[Sent] = field(default_factory=list)

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """Answer after ``latency`` virtual seconds."""
        self.sent.append(Sent(self.loop.now, request))
        handle: list[Any] = []
        answered: Deferred[Any] = Deferred(lambda _: handle[0].cancel())
        answered.addCallback(lambda _: self._page(request))
        answered.addCallback(self._response, request)
        answered.addCallback(_shown, request, exchange)
        if self.latency:
            handle.append(self.loop.call_later(self.latency, answered.callback, None))
        else:
            handle.append(self.loop.call_soon(answered.callback, None))
        return answered

    def _page(self, request: Request) -> Page | Deferred[Page]:
        if callable(self.site):
            return self.site(request)
        return self.site.get(request.url, 404)

    def _response(self, page: Page, request: Request) -> Response:
        if isinstance(page, Exception):
            raise page
        if isinstance(page, Response):
            answer: Response = page.replace(request=request)
            return answer
        if isinstance(page, int):
            return Response(request.url, page, request=request)
        body = page.encode() if isinstance(page, str) else page
        kind = "text/plain" if request.url.endswith(".txt") else "text/html; charset=utf-8"
        return Response(request.url, 200, {"Content-Type": kind}, body, request=request)

    def close(self) -> Deferred[None]:
        """Nothing to close."""
        return succeed(None)


def _shown(response: Response, request: Request, exchange: Exchange | None) -> Response:
    """Show the head to the middlewares that want to see it, as a downloader does."""
    if exchange is not None and exchange.on_head is not None:
        head = Head(response.status, response.reason.encode(), response.headers, response.protocol or "")
        if exchange.on_head(request, head) is False:
            return response.replace(body=b"", flags=[*response.flags, "stopped"])
    return response


def crawl(
    spider_class: type[Spider],
    site: Site,
    *,
    settings: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    latency: float = 0.01,
    seed: int = 1,
    store: Store | None = None,
    during: Callable[[Any], None] | None = None,
) -> Result:
    """Run a spider against a site in memory and return what came of it.

    ``site``: ``{url: page}`` (others are 404) or a function of the request; ``latency``: virtual seconds
    of each exchange; ``during(prepared)`` is called before the start, to subscribe or to stop. Raises
    UsageError as a real crawl does, and Deadlock if the crawl can never end.
    """
    loop = VirtualLoop()
    memory = MemorySite(site, loop, latency)

    world = World(
        machine=Machine(
            clock=VirtualClock(loop),
            random=random.Random(seed).random,
            drive=driver(loop),
            pools=InlinePool,
            reactor=None,
        ),
        downloader=memory,
    )
    feed = ListFeed()
    try:
        given = {"JOB_STORE": None, "HOLD_WARNING_SECONDS": 0, "STALL_SECONDS": 0, "NOTICES": [], **(settings or {})}
        prepared = prepare(spider_class, given, world=world, arguments=arguments, feeds=[feed], store=store)
        events: list[Event] = []
        prepared.events.subscribe(Event, events.append)
        if during is not None:
            during(prepared)
        summary = loop.run_until_complete(prepared.run().asFuture(loop))
        assert prepared.crawler.spider is not None
        return Result(summary, feed.items, memory.sent, events, loop.now, prepared.crawler.spider)
    finally:
        drain(loop)
        loop.close()


def drain(loop: VirtualLoop) -> None:
    """Let cancelled tasks end, so that nothing is left pending when the loop closes."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())


__all__ = ["Deadlock", "FetchCancelled", "Page", "Result", "Sent", "Site", "VirtualLoop", "crawl"]
