"""Which of Scrapy's stats come from which events?

Where the crawler's own counters have Scrapy's names and meanings they are kept (``crawler.observe.stats``); here is
what Scrapy counts otherwise: "Stats Collection" in its docs, and what its components write.

| stat | is counted |
|---|---|
| scheduler/enqueued, …/memory, with JOBDIR …/disk | accepted requests, and retries and redirects; not inline ones |
| scheduler/dequeued, … | each of these that was sent, answered from the cache, or forbidden by robots.txt |
| response_received_count | what reached a callback or an errback, and robots.txt |
| request_depth_max, request_depth_count/N | requests that callbacks yielded, seen before or not |
| downloader/exception_type_count/NAME, retry/reason_count/NAME | by the full names of Scrapy's exceptions |
| retry/max_reached | what was tried again and failed in the end, by status or error |
| item_dropped_reasons_count/NAME | by the exception's class |
| spider_exceptions/… | errors of callbacks and start() alone |
| httpcache/miss, firsthand, store, uncacheable | what was sent, if there is a cache |
| feedexport/success_count/NAME | by the class of Scrapy's storage |
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from crawler import errors, events
from crawler.model.request import Request
from crawler.observe.stats import Counts
from crawler.policy.retry import reason_of
from crawler.scrapy.adapters import chain
from crawler.scrapy.adapters.errors import scrapy_name
from crawler.scrapy.downloadermiddlewares.retry import get_retry_request

_STORAGES: Final = {"s3": "S3FeedStorage", "ftp": "FTPFeedStorage", "gs": "GCSFeedStorage"}
_REFUSED: Final = {
    "duplicate": "dupefilter/filtered",
    "offsite": "offsite/filtered",
    "url_length": "urllength/request_ignored_count",
    "depth": "depth/request_ignored_count",
}
_OTHER_CODE: Final = ("middleware", "redirect", "opened", "closed")


class ScrapyCounts(Counts):
    """Counts what happens in one crawl as Scrapy does."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler.stats)
        self._crawler = crawler
        self._inline = crawler.inline
        settings = crawler.settings
        self._kind = "disk" if settings["JOBDIR"] else "memory"
        self._keys = {
            what: (f"scheduler/{what}", f"scheduler/{what}/{self._kind}") for what in ("enqueued", "dequeued")
        }
        self._cached = settings.getbool("HTTPCACHE_ENABLED")
        self._under_way: set[int] = set()  # of which requests it is not known yet whether the cache has them
        self._never_kept = {int(code) for code in settings.getlist("HTTPCACHE_IGNORE_HTTP_CODES")}
        self._retries = not chain.in_path(crawler)  # else the middleware counts them
        self._retried = {int(code) for code in settings.getlist("RETRY_HTTP_CODES")}

    def subscribe(self, bus: events.Events) -> None:
        """See Counts."""
        super().subscribe(bus)
        if self._retries:
            bus.subscribe(events.ResponseDelivered, self._delivered)

    def _queue(self, what: str, request: Request) -> None:
        if not self._inline.data or request not in self._inline:
            for key in self._keys[what]:
                self._counts[key] += 1

    def scheduled(self, event: events.RequestScheduled) -> None:
        """Count an accepted request."""
        self._queue("enqueued", event.request)

    def spooled(self, event: events.RequestsSpooled) -> None:
        """Count many at once."""
        super().spooled(event)
        self._counts[f"scheduler/enqueued/{self._kind}"] += event.accepted

    def delayed(self, event: events.RequestDelayed) -> None:
        """Count a retry or a redirect."""
        self._queue("enqueued", event.request)
        if event.kind == "retry":
            self._counts["retry/count"] += 1
            self._counts[f"retry/reason_count/{_reason(event)}"] += 1
        if event.status is not None:
            self._counts["response_received_count"] -= 1

    def sent(self, event: events.RequestSent) -> None:
        """Count an attempt."""
        super().sent(event)
        if event.request.meta.get("robots") is not True:
            self._counts["scheduler/dequeued"] -= 1
            self._queue("dequeued", event.request)
        if self._cached:
            self._counts["httpcache/miss"] += 1
            self._under_way.add(id(event.request))

    def received(self, event: events.ResponseReceived) -> None:
        """Count a response."""
        super().received(event)
        flags = event.response.flags
        if event.request.meta.get("robots") is True:
            self._counts["response_received_count"] += 1
        elif not flags or "cached" not in flags or "revalidated" in flags:
            pass
        elif id(event.request) in self._under_way:  # found behind the project's middlewares
            self._counts["httpcache/miss"] -= 1
        else:  # it was not sent
            self._counts["downloader/request_count"] += 1
            self._counts[f"downloader/request_method_count/{event.request.method}"] += 1
            self._queue("dequeued", event.request)
        self._under_way.discard(id(event.request))
        if self._cached and "cached" not in flags:
            self._counts["httpcache/firsthand"] += 1
            kept = event.response.status not in self._never_kept
            self._counts["httpcache/store" if kept else "httpcache/uncacheable"] += 1

    def fetch_failed(self, event: events.FetchFailed) -> None:
        """Count an attempt without a response."""
        name = scrapy_name(event.error)
        self._under_way.discard(id(event.request))
        self._counts["downloader/exception_count"] += 1
        self._counts[f"downloader/exception_type_count/{name}"] += 1
        if event.request.meta.get("robots") is True:
            self._counts[f"robotstxt/exception_count/<class '{name}'>"] += 1

    def _delivered(self, event: events.ResponseDelivered) -> None:
        if "retry_times" in event.request.meta and event.response.status in self._retried:
            self._gave_up(event.request, reason_of(event.response)[0])

    def _gave_up(self, request: Request, reason: str) -> None:
        """Count, and log, that a request was tried often enough."""
        level = request.meta.get("give_up_log_level")
        spider = self._crawler.spider
        get_retry_request(request, spider=spider, reason=reason, max_retry_times=0, give_up_log_level=level)

    def refused(self, event: events.RequestRefused) -> None:
        """Count a request that was not accepted, for a reason that Scrapy has a stat of."""
        if event.reason in _REFUSED:
            super().refused(event)

    def ended(self, event: events.RequestEnded) -> None:
        """Count the end of a request; whoever asked for an inline one has its outcome."""
        if event.outcome == "answered" or event.request in self._inline:
            return
        counts, reason = self._counts, event.reason
        if reason == "robots":
            self._queue("dequeued", event.request)
            counts["robotstxt/forbidden"] += 1
            counts["downloader/exception_count"] += 1
            counts["downloader/exception_type_count/scrapy.exceptions.IgnoreRequest"] += 1
        elif reason in _REFUSED:  # a redirect's target, whose page was none
            counts[_REFUSED[reason]] += 1
            counts["response_received_count"] -= 1
        elif reason == "TooManyRedirects":
            counts["response_received_count"] -= 1
        elif reason == "HttpError" and event.request.errback is None:
            counts["httperror/response_ignored_count"] += 1
            counts[f"httperror/response_ignored_status_count/{event.status}"] += 1
        elif (
            reason != "HttpError"
            and self._retries
            and event.outcome == "failed"
            and "retry_times" in event.request.meta
        ):
            self._gave_up(event.request, f"{reason}: {event.detail}" if event.detail else reason)

    def item_dropped(self, event: events.ItemDropped) -> None:
        """Count an item that was dropped."""
        self._counts["item_dropped_count"] += 1
        name = "DropItem" if event.error is None else type(event.error).__name__
        self._counts[f"item_dropped_reasons_count/{name}"] += 1

    def item_failed(self, event: events.ItemFailed) -> None:
        """Count nothing: Scrapy does not."""

    def spider_failed(self, event: events.SpiderFailed) -> None:
        """Count an error of the spider's code."""
        if event.callback not in _OTHER_CODE and not event.callback.endswith(".close_spider"):
            self._counts["spider_exceptions/count"] += 1
            self._counts[f"spider_exceptions/{type(event.error).__name__}"] += 1

    def feed_closed(self, event: events.FeedClosed) -> None:
        """Count a feed."""
        scheme = "stdout" if event.path in ("-", "stdout:") else event.path.partition("://")[0]
        name = "StdoutFeedStorage" if scheme == "stdout" else _STORAGES.get(scheme, "FileFeedStorage")
        self._counts[f"feedexport/success_count/{name}"] += 1


def _reason(event: events.RequestDelayed) -> str:
    """Return what Scrapy calls the reason of a retry: a status with its phrase, or the full name of an exception."""
    if event.status is not None:
        try:
            return f"{event.status} {HTTPStatus(event.status).phrase}"
        except ValueError:
            return f"{event.status} Unknown Status"
    kind = getattr(errors, event.reason, None)
    return event.reason if kind is None else scrapy_name(kind.__new__(kind))


class CountDepth:
    """A filter that counts how deep the requests are that callbacks yield: the first one, whatever others refuse."""

    def __init__(self, crawler: Any) -> None:
        self._stats = crawler.stats
        self._verbose = crawler.settings.getbool("DEPTH_STATS_VERBOSE")
        self._limit = crawler.settings.getint("DEPTH_LIMIT")
        self._page: Any = None
        self._deepest = self._depth = 0
        if self._verbose:
            crawler.events.subscribe(events.ResponseDelivered, self._delivered)

    def __call__(self, request: Request, found_on: Any) -> Request:
        """See crawler.policy.scope.RequestFilter."""
        if found_on is not self._page:
            self._page = found_on
            self._depth = 0 if found_on is None else found_on.meta.get("depth", 0) + 1
        if found_on is not None and (self._depth > self._deepest or self._verbose):
            self._count(0 if request.meta.get("depth_reset") else self._depth)
        return request

    def _count(self, depth: int) -> None:
        if 0 < self._limit < depth:
            return
        if self._verbose:
            self._stats.inc_value(f"request_depth_count/{depth}")
        if depth > self._deepest:
            self._deepest = depth
            self._stats.max_value("request_depth_max", depth)

    def _delivered(self, event: events.ResponseDelivered) -> None:
        if not event.request.meta.get("depth"):
            self._stats.inc_value("request_depth_count/0")
