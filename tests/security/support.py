"""A hostile site on loopback, and a crawl of it by the whole engine, over real sockets."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from crawler.assembly import prepare, real_world
from crawler.config.schema import CoreSettings
from crawler.download.http.downloader import FastDownloader
from crawler.events import (
    Event,
    Events,
    FetchFailed,
    ItemScraped,
    RequestRefused,
    RequestScheduled,
    RequestSent,
    ResponseReceived,
    SpiderFailed,
)
from crawler.generic.sitemap import SitemapSpider
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Spider
from crawler.summary import Summary
from tests.download.chaos import Chaos, Script, Step, answer, steps
from tests.download.reactor import LookupBy, reactor, run

QUICK: dict[str, Any] = {
    "JOB_STORE": None,
    "RETRY_ENABLED": False,
    "HTTPPROXY_ENABLED": False,
    "DOWNLOAD_TIMEOUT": 5.0,
    "HOLD_WARNING_SECONDS": 0,
}
"""Settings of every crawl here: in memory, and an error is final."""

Names = Callable[[str], list[str]]


@dataclass(slots=True)
class Crawled:
    """What a crawl came to."""

    summary: Summary
    items: list[Any]
    events: list[Event]

    def happened(self, kind: type[Event]) -> list[Any]:
        """Return the events of a type, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def errors(self) -> dict[str, str]:
        """The name of the error of each URL whose fetch failed."""
        return {each.request.url: type(each.error).__name__ for each in self.happened(FetchFailed)}

    @property
    def refused(self) -> dict[str, str]:
        """The reason of each URL that was not accepted."""
        return {each.request.url: each.reason for each in self.happened(RequestRefused)}


def crawl(
    spider: type[Spider],
    settings: Mapping[str, Any] | None = None,
    *,
    names: Names | None = None,
    seconds: float = 20,
    subscribe: Mapping[type[Event], Callable[[Any], None]] | None = None,
    lines: Callable[[Events], None] | None = None,
) -> Crawled:
    """Run a crawl; ``names`` resolves host names (blocking, in threads of the resolver)."""
    given = {**QUICK, **(settings or {})}
    world = real_world(reactor)
    if names is not None:
        core = CoreSettings(**given)
        downloader = FastDownloader(core, reactor=reactor, lookup=LookupBy(reactor, names))
        world = replace(world, downloader=downloader)
    items = _Items()
    prepared = prepare(spider, given, world=world, feeds=[items])
    events: list[Event] = []
    for kind in Event.__subclasses__():
        prepared.events.subscribe(kind, _without_bodies(events))
    if lines is not None:
        lines(prepared.events)
    for kind, subscriber in (subscribe or {}).items():
        prepared.events.subscribe(kind, subscriber)
    summary = run(prepared.run(), seconds=seconds)
    failures = [] if _may_fail(spider) else [event.traceback for event in events if isinstance(event, SpiderFailed)]
    assert not failures, failures[0]
    return Crawled(summary, items.kept, events)


def _without_bodies(events: list[Event]) -> Callable[[Event], None]:
    """Keep the events, but not the pages in them."""

    def keep(event: Event) -> None:
        if not isinstance(event, ResponseReceived | ItemScraped | RequestScheduled | RequestSent):
            events.append(event)

    return keep


def _may_fail(spider: type[Spider]) -> bool:
    return issubclass(spider, SitemapSpider)  # a sitemap that is refused is an error of its callback


class _Items:
    """A feed into a list."""

    name = "memory"

    def __init__(self) -> None:
        self.kept: list[Any] = []

    def check(self) -> None:
        """Nothing can be wrong."""

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """Begin."""

    def write(self, items: Any, number: int) -> dict[str, Any]:
        """Keep the items."""
        self.kept += items
        return {"number": number}

    def committed(self, mark: dict[str, Any]) -> None:
        """Nothing waits for that."""

    def close(self, *, finished: bool) -> dict[str, Any]:
        """End."""
        return {"number": len(self.kept)}

    def count(self) -> int:
        """Return the number of items."""
        return len(self.kept)


def walker(*urls: str, **attributes: Any) -> type[Spider]:
    """Return a spider that follows every link from these URLs, and yields the URL of each page."""

    def parse(self: Spider, response: Response) -> Iterator[Any]:
        yield {"url": response.url}
        for href in response.css("a::attr(href)").getall():
            yield Request(_joined(response, href), errback=self.failed)  # type: ignore[attr-defined]

    async def start(self: Spider) -> Any:
        for url in urls:
            yield Request(url, errback=self.failed)  # type: ignore[attr-defined]

    def failed(self: Spider, failure: Any) -> None:
        """Errors are told by the events."""

    body = {"name": "walker", "parse": parse, "start": start, "failed": failed, **attributes}
    return type("Walker", (Spider,), body)


def _joined(response: Response, href: str) -> str:
    try:
        return response.urljoin(href)
    except ValueError:
        return href


def page(*links: str, head: str = "") -> bytes:
    """Return a response that is a page with these links."""
    anchors = "".join(f'<a href="{link}">{number}</a>' for number, link in enumerate(links))
    body = f"<!doctype html><html><head>{head}<title>t</title></head><body>{anchors}</body></html>"
    return answer(body.encode(), headers=b"Content-Type: text/html; charset=utf-8\r\n")


def redirect(target: str, status: bytes = b"302 Found") -> bytes:
    """Return a redirect."""
    return answer(b"", status=status, headers=b"Location: %b\r\n" % target.encode())


def refresh(target: str) -> bytes:
    """Return a page whose meta refresh leads elsewhere."""
    return page(head=f'<meta http-equiv="refresh" content="0; url={target}">')


class Everything(dict[str, Script]):
    """Scripts for any path: ``answer_to(path with query, request)`` gives the bytes of the response."""

    def __init__(self, answer_to: Callable[[str, bytes], bytes | Iterator[Step]]) -> None:
        super().__init__()
        self._answer_to = answer_to

    def get(self, path: str, default: Any = None) -> Any:
        """Return a script for this path."""

        def script(request: bytes) -> Iterator[Step]:
            answered = self._answer_to(request.split(b" ", 2)[1].decode("latin-1"), request)
            if isinstance(answered, bytes):
                yield answered
            else:
                yield from answered

        return script


@contextmanager
def sites(*interfaces: str, scripts: Mapping[str, bytes | Script] | Everything | None = None) -> Iterator[list[Chaos]]:
    """Serve the same scripts on each interface, on one port; bytes are answers."""
    made = (
        scripts
        if isinstance(scripts, Everything)
        else {path: steps(script) if isinstance(script, bytes) else script for path, script in (scripts or {}).items()}
    )
    with ExitStack() as stack:
        servers: list[Chaos] = []
        for interface in interfaces:
            server = Chaos(interface=interface, port=servers[0].port if servers else 0)
            server.scripts = made
            stack.callback(server.close)
            servers.append(server)
        yield servers


def paths(server: Chaos) -> list[str]:
    """Return the paths that were asked of a server, robots.txt apart."""
    asked = [request.split(b" ", 2)[1].decode("latin-1") for request in server.requests]
    return [path for path in asked if path != "/robots.txt"]


class TooSlow(AssertionError):
    """The CPU time that was allowed is used up."""


@contextmanager
def cpu_seconds(limit: float) -> Iterator[None]:
    """Raise TooSlow in what takes more CPU time; regular expressions let signals in, too."""

    def late(number: int, frame: Any) -> None:
        raise TooSlow(f"more than {limit} s of CPU time")

    before = signal.signal(signal.SIGVTALRM, late)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
