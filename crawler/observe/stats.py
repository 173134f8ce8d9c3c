"""Which numbers come from which events?

The keys are Scrapy's (docs.scrapy.org, "Stats Collection"). Two differ on purpose:
``response_received_count`` counts pages, without robots.txt; ``item_failed_count`` and
``request_failed_count`` are ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crawler.events import (
    Events,
    FeedClosed,
    FetchFailed,
    ItemDropped,
    ItemFailed,
    ItemScraped,
    RequestDelayed,
    RequestEnded,
    RequestRefused,
    RequestScheduled,
    RequestSent,
    ResponseReceived,
    SpiderFailed,
)
from crawler.stats import Stats

_REFUSED = {
    "duplicate": "dupefilter/filtered",
    "offsite": "offsite/filtered",
    "url_length": "urllength/request_ignored_count",
    "depth": "depth/request_ignored_count",
}
# What an accepted request is dropped for once a redirect has led it there: the response was no page.
_REDIRECTED_AWAY = frozenset({"duplicate", "offsite", "url_length", "invalid_url", "scheme"})


def subscribe_stats(events: Events, stats: Stats) -> None:
    """Keep ``stats`` by what happens."""
    counts = _Counts(stats)
    events.subscribe(RequestScheduled, counts.scheduled)
    events.subscribe(RequestRefused, counts.refused)
    events.subscribe(RequestSent, counts.sent)
    events.subscribe(ResponseReceived, counts.received)
    events.subscribe(FetchFailed, counts.fetch_failed)
    events.subscribe(RequestDelayed, counts.delayed)
    events.subscribe(RequestEnded, counts.ended)
    events.subscribe(ItemScraped, counts.item_scraped)
    events.subscribe(ItemDropped, counts.item_dropped)
    events.subscribe(ItemFailed, counts.item_failed)
    events.subscribe(SpiderFailed, counts.spider_failed)
    events.subscribe(FeedClosed, counts.feed_closed)


class _Counts:
    """One method an event; each page passes five of them, so they do little."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._add: Callable[..., None] = stats.inc_value
        self._deepest = stats.get_value("request_depth_max", -1)
        self._by_status: dict[int, str] = {}
        self._by_method: dict[str, str] = {}
        self._domains: set[str] = set()

    def scheduled(self, event: RequestScheduled) -> None:
        self._add("scheduler/enqueued")
        depth = event.request.meta.get("depth", 0)
        if isinstance(depth, int) and depth > self._deepest:
            self._deepest = depth
            self._stats.max_value("request_depth_max", depth)

    def refused(self, event: RequestRefused) -> None:
        self._add(_REFUSED.get(event.reason, f"request_refused/{event.reason}"))
        if event.reason == "offsite" and event.request.host not in self._domains and len(self._domains) < 10_000:
            self._domains.add(event.request.host)
            self._add("offsite/domains")

    def sent(self, event: RequestSent) -> None:
        self._add("downloader/request_count")
        method = event.request.method
        key = self._by_method.get(method)
        if key is None:
            key = self._by_method[method] = f"downloader/request_method_count/{method}"
        self._add(key)
        if _is_robots(event.request):
            self._add("robotstxt/request_count")
        else:
            self._add("scheduler/dequeued")

    def received(self, event: ResponseReceived) -> None:
        status = event.response.status
        self._add("downloader/response_count")
        key = self._by_status.get(status)
        if key is None:
            key = self._by_status[status] = f"downloader/response_status_count/{status}"
        self._add(key)
        self._add("downloader/response_bytes", _size(event.response))
        if _is_robots(event.request):
            self._add("robotstxt/response_count")
            self._add(f"robotstxt/response_status_count/{status}")
        else:
            self._add("response_received_count")

    def fetch_failed(self, event: FetchFailed) -> None:
        name = type(event.error).__name__
        self._add("downloader/exception_count")
        self._add(f"downloader/exception_type_count/{name}")
        if _is_robots(event.request):
            self._add("robotstxt/exception_count")
            self._add(f"robotstxt/exception_count/{name}")

    def delayed(self, event: RequestDelayed) -> None:
        if event.kind == "redirect":
            self._add("redirect/count")
            self._add("response_received_count", -1)
            return
        self._add("retry/count")
        self._add(f"retry/reason_count/{event.reason}")
        if event.reason[:1].isdigit():  # "503 Service Unavailable": a response that was no page
            self._add("response_received_count", -1)

    def ended(self, event: RequestEnded) -> None:
        if event.outcome == "answered":
            return
        if event.outcome == "dropped":
            self._add("robotstxt/forbidden" if event.reason == "robots" else f"request_dropped/{event.reason}")
            if event.reason in _REDIRECTED_AWAY:
                self._add("response_received_count", -1)
            return
        self._add("request_failed_count")
        if event.reason == "HttpError":
            self._add("httperror/response_ignored_count")
        elif event.reason == "TooManyRedirects":
            self._add("response_received_count", -1)
        elif "retry_times" in event.request.meta:
            self._add("retry/max_reached")

    def item_scraped(self, event: ItemScraped) -> None:
        self._add("item_scraped_count")

    def item_dropped(self, event: ItemDropped) -> None:
        self._add("item_dropped_count")
        self._add(f"item_dropped_reasons_count/{event.stage}")

    def item_failed(self, event: ItemFailed) -> None:
        self._add("item_failed_count")
        self._add(f"item_failed_count/{event.stage}")

    def spider_failed(self, event: SpiderFailed) -> None:
        self._add("spider_exceptions/count")
        self._add(f"spider_exceptions/{type(event.error).__name__}")

    def feed_closed(self, event: FeedClosed) -> None:
        self._add("feedexport/success_count")


def _is_robots(request: Any) -> bool:
    return request.meta.get("robots") is True


def _size(response: Any) -> int:
    """Return the bytes of the body as it was delivered, without reading one that lies in a file."""
    if response.body_file is not None:
        try:
            return int(response.body_file.stat().st_size)
        except OSError:
            return 0
    return len(response.body)
