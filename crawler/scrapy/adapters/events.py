"""Which of Scrapy's signals do the crawl's events stand for, and what do receivers get?

An event is subscribed to when the first receiver of its signal is connected. Where Scrapy waits for receivers (those of
items), the crawl waits for them at its end, before spider_closed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler import events
from crawler.errors import DropItem
from crawler.model.request import Request
from crawler.policy.robots import RobotsRules
from crawler.policy.verdict import Drop
from crawler.scrapy import signals
from crawler.scrapy.adapters.responses import as_scrapy
from crawler.scrapy.exceptions import CloseSpider, IgnoreRequest
from crawler.scrapy.utils.defer import deferred_from_coro, ensure_awaitable
from crawler.scrapy.utils.signal import receivers_of

Told = Callable[[Any], dict[str, Any] | None]
"""What of an event the receivers get; None: this one is not told."""


def _page(event: Any) -> dict[str, Any]:
    return {"response": as_scrapy(event.response), "request": event.request}


def _robots(event: Any) -> dict[str, Any] | None:
    return _page(event) if event.request.meta.get("robots") is True else None  # of others it is told when delivered


class RobotRules:
    """What a robots.txt allows, as Scrapy's robot parsers tell it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def allowed(self, url: str | bytes, user_agent: str | bytes) -> bool:
        """Tell whether this robot may fetch this URL (RFC 9309)."""
        agent, address = (each.decode() if isinstance(each, bytes) else each for each in (user_agent, url))
        rule = RobotsRules.parse(self._body, agent).rule_for(address)
        return rule is None or rule.allow


def _parsed(event: Any) -> dict[str, Any] | None:
    if event.request.meta.get("robots") is not True or event.response.status != 200:
        return None
    return {"robotparser": RobotRules(event.response.body), "request": event.request}


def _item(event: Any) -> dict[str, Any]:
    return {"item": event.item, "response": event.response and as_scrapy(event.response)}


def _failure(error: BaseException) -> Failure:
    return Failure(error, type(error), error.__traceback__)


def _callback(event: Any) -> dict[str, Any]:
    return {"failure": _failure(event.error), "response": event.response and as_scrapy(event.response)}


def _dropped(event: Any) -> dict[str, Any]:
    return {**_item(event), "exception": event.error or DropItem(event.reason)}


def _duplicate(event: Any) -> dict[str, Any] | None:
    return {"request": event.request} if event.reason == "duplicate" else None


def _request(event: Any) -> dict[str, Any]:
    return {"request": event.request}


def _again(event: Any) -> dict[str, Any] | None:
    return _request(event) if event.kind == "retry" else None  # a redirect passes the filters


def _feed(event: events.FeedClosed) -> dict[str, Any]:
    return {"slot": SimpleNamespace(uri=event.path, itemcount=event.items, filestore=None, format=None)}


TOLD: Final[dict[Any, tuple[tuple[type[events.Event], Told], ...]]] = {
    signals.spider_error: ((events.SpiderFailed, _callback),),
    signals.item_scraped: ((events.ItemScraped, _item),),
    signals.item_dropped: ((events.ItemDropped, _dropped),),
    signals.item_error: ((events.ItemFailed, lambda event: {**_item(event), "failure": _failure(event.error)}),),
    signals.request_scheduled: ((events.RequestDelayed, _again),),
    signals.request_dropped: ((events.RequestRefused, _duplicate),),
    signals.request_reached_downloader: ((events.RequestSent, _request),),
    signals.request_left_downloader: ((events.ResponseReceived, _request), (events.FetchFailed, _request)),
    signals.response_downloaded: ((events.ResponseReceived, _page),),
    signals.response_received: ((events.ResponseDelivered, _page), (events.ResponseReceived, _robots)),
    signals.robots_parsed: ((events.ResponseReceived, _parsed),),
    signals.scheduler_empty: ((events.NothingQueued, lambda _: {}),),
    signals.feed_slot_closed: ((events.FeedClosed, _feed),),
}
"""The rest is told where it happens: at the beginning and the end, when a request passes the filters, when the crawl is
idle, and by extensions."""

ALL: Final = {*TOLD, signals.request_scheduled, signals.spider_idle}

_WITHOUT_SPIDER = {signals.robots_parsed, signals.scheduler_empty, signals.feed_slot_closed}
_WAITED_FOR = {signals.item_scraped, signals.item_dropped, signals.item_error, signals.feed_slot_closed}


class Telling:
    """Tells the receivers of one crawl's signals of its events."""

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler
        self.heard: set[Any] = set()
        self.seen: Any = None
        self._waiting: set[Deferred[Any]] = set()

    def hears(self, signal: Any) -> None:
        """Somebody hears this signal from now on."""
        if signal not in self.heard:
            self.heard.add(signal)
            for kind, told in TOLD.get(signal, ()):
                self._crawler.events.subscribe(kind, lambda event, told=told: self._tell(signal, told(event)))
        if signal is signals.scheduler_empty and (running := self._crawler.running) is not None and not running.paused:
            running.unpause()  # who connects while nothing happens wants it to be looked

    def is_heard(self, signal: Any) -> bool:
        """Tell whether anybody is connected to a signal, of this crawl or of all."""
        return bool(receivers_of(signal, self._crawler))

    def _tell(self, signal: Any, told: dict[str, Any] | None) -> None:
        if told is None or not self.is_heard(signal):
            return
        manager = self._crawler.signals
        if signal not in _WITHOUT_SPIDER:
            told["spider"] = self._crawler.spider
        if signal not in _WAITED_FOR:
            manager.send_catch_log(signal, **told)
            return
        sent = deferred_from_coro(manager.send_catch_log_async(signal, **told))
        if not sent.called:
            self._waiting.add(sent)
            sent.addBoth(lambda _: self._waiting.discard(sent))

    async def opened(self) -> None:
        """Tell that the spider is open, and that the engine has started; wait for the receivers."""
        crawler = self._crawler
        for signal in ALL:  # of those, too, that are connected by PyDispatcher itself
            if self.is_heard(signal):
                self.hears(signal)
        stats = crawler.stats
        stats.set_value("start_time", datetime.now(UTC))
        await ensure_awaitable(self.seen.open())
        stats.open_spider()
        results = await crawler.signals.send_catch_log_async(
            signals.spider_opened, spider=crawler.spider, dont_log=CloseSpider
        )
        closed = next((result for _, result in results if isinstance(result, CloseSpider)), None)
        await crawler.signals.send_catch_log_async(signals.engine_started)
        if closed is not None:
            crawler.stop(closed.reason)

    async def closed(self, reason: str) -> None:
        """Wait for those who still hear of items; tell that the spider is closed, which is also ``spider.closed()``."""
        crawler = self._crawler
        while self._waiting:
            await next(iter(self._waiting))
        await ensure_awaitable(self.seen.close(reason))
        stats, began, now = crawler.stats, crawler.stats.get_value("start_time"), datetime.now(UTC)
        seconds = (now - began).total_seconds() if began else 0.0
        for name, value in {"finish_time": now, "finish_reason": reason, "elapsed_time_seconds": seconds}.items():
            stats.set_value(name, value)
        for name, key in (
            ("responses_per_minute", "response_received_count"),
            ("items_per_minute", "item_scraped_count"),
        ):
            stats.set_value(name, stats.get_value(key, 0) * 60 / seconds if seconds else None)
        await crawler.signals.send_catch_log_async(signals.spider_closed, spider=crawler.spider, reason=reason)
        stats.close_spider(reason=reason)
        crawler.events.subscribe(events.CrawlClosed, lambda _: self._over())

    def _over(self) -> None:
        for signal in (signals.feed_exporter_closed, signals.engine_stopped):
            deferred_from_coro(self._crawler.signals.send_catch_log_async(signal))


class Scheduled:
    """A filter that tells receivers of request_scheduled, who may refuse the request by IgnoreRequest."""

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler
        self._heard = crawler.telling.heard

    def __call__(self, request: Request, found_on: Any) -> Request | Drop:
        """See crawler.policy.scope.RequestFilter."""
        if signals.request_scheduled in self._heard:
            results = self._crawler.signals.send_catch_log(
                signals.request_scheduled, request=request, spider=self._crawler.spider, dont_log=IgnoreRequest
            )
            for _, result in results:
                if isinstance(result, Failure) and isinstance(result.value, IgnoreRequest):
                    return Drop("ignored", str(result.value))
        return request
