"""Which of Scrapy's signals can be heard, and what stands for the others?

``crawler.signals.connect(receiver, signal=signals.spider_closed)`` subscribes to the event that means the
same. A receiver is a plain function; it is given what its parameters name. The events themselves say
more: see docs/extending.md.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

from crawler import events
from crawler.errors import DropItem, UsageError
from crawler.spider import Crawler

logger = logging.getLogger(__name__)


class Signal:
    """One of Scrapy's signals: the event that means the same and what of it the receivers get."""

    def __init__(self, name: str, event: type[events.Event], gives: str = "") -> None:
        self.name = name
        self._event = event
        self._gives = ("sender", "signal", "spider", *gives.split())

    def __repr__(self) -> str:
        return f"<Signal {self.name}>"

    def subscribe(self, crawler: Crawler, receiver: Callable[..., Any]) -> None:
        """Call ``receiver`` with those values that it names; raises UsageError if it cannot be."""
        if inspect.iscoroutinefunction(receiver):
            raise UsageError(
                f"{self.name}: {_name(receiver)} is a coroutine function, and receivers are plain functions; "
                "closed() of the spider and open_spider() and close_spider() of a pipeline may be coroutines"
            )
        takes = inspect.signature(receiver).parameters
        takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in takes.values())
        wanted = [name for name in self._gives if takes_all or name in takes]

        def told(event: events.Event) -> None:
            of_crawl = {"sender": crawler, "signal": self, "spider": crawler.spider}
            result = receiver(**{name: of_crawl[name] if name in of_crawl else _of(event, name) for name in wanted})
            if hasattr(result, "__await__"):
                logger.error("%s: nobody waits for the %s of %s", self, type(result).__name__, _name(receiver))

        self._check(receiver)
        crawler.events.subscribe(self._event, told)

    def _check(self, receiver: Callable[..., Any]) -> None:
        for name, parameter in inspect.signature(receiver).parameters.items():
            named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
            if parameter.default is parameter.empty and (
                parameter.kind is parameter.POSITIONAL_ONLY or (named and name not in self._gives)
            ):
                raise UsageError(f"{self.name}: {_name(receiver)} wants {name!r}; it can have {', '.join(self._gives)}")


class Unheard:
    """A signal that is never sent here; to connect to it is an error that says what to use."""

    def __init__(self, name: str, instead: str) -> None:
        self.name = name
        self._instead = instead

    def __repr__(self) -> str:
        return f"<Unheard {self.name}>"

    def subscribe(self, crawler: Crawler, receiver: Callable[..., Any]) -> None:
        """Raise UsageError."""
        raise UsageError(f"the signal {self.name} of Scrapy is not sent here: {self._instead}")


def _name(receiver: Callable[..., Any]) -> str:
    return getattr(receiver, "__qualname__", None) or repr(receiver)


def _of(event: Any, name: str) -> Any:
    """Return what a receiver gets under this name: in most cases the event's attribute."""
    if name == "failure":
        return Failure(event.error)
    return DropItem(event.reason) if name == "exception" else getattr(event, name)


engine_started = Signal("engine_started", events.CrawlOpened)
engine_stopped = Signal("engine_stopped", events.CrawlClosed)
spider_opened = Signal("spider_opened", events.CrawlOpened)
spider_closed = Signal("spider_closed", events.CrawlClosed, "reason")
spider_error = Signal("spider_error", events.SpiderFailed, "failure response")
item_scraped = Signal("item_scraped", events.ItemScraped, "item response")
item_dropped = Signal("item_dropped", events.ItemDropped, "item response exception")
item_error = Signal("item_error", events.ItemFailed, "item response failure")
request_scheduled = Signal("request_scheduled", events.RequestScheduled, "request")
request_dropped = Signal("request_dropped", events.RequestRefused, "request")
request_reached_downloader = Signal("request_reached_downloader", events.RequestSent, "request")
response_downloaded = Signal("response_downloaded", events.ResponseReceived, "response request")
response_received = Unheard("response_received", "response_downloaded is, for redirects and retried ones, too")
request_left_downloader = Unheard("request_left_downloader", "subscribe to ResponseReceived and FetchFailed")
spider_idle = Unheard("spider_idle", "start() may wait for more work and yield it; the crawl ends after it")
scheduler_empty = Unheard("scheduler_empty", "start() is asked for more when nothing is ready")
headers_received = Unheard("headers_received", "a middleware's on_head(request, head) sees them and may stop")
bytes_received = Unheard("bytes_received", "Request(max_size=…) bounds a body, a middleware's on_head may stop it")
robots_parsed = Unheard("robots_parsed", "`crawler explain URL` tells what robots.txt says")
memusage_warning_reached = Unheard("memusage_warning_reached", "subscribe to MemoryHigh")
feed_slot_closed = Unheard("feed_slot_closed", "subscribe to FeedClosed")
feed_exporter_closed = Unheard("feed_exporter_closed", "subscribe to FeedClosed, and CrawlClosed for the last")
