"""Which numbers come from which events?

The keys are Scrapy's (docs.scrapy.org, "Stats Collection"). Two differ on purpose:
``response_received_count`` counts pages, without robots.txt; ``item_failed_count`` and
``request_failed_count`` are ours.
"""

from __future__ import annotations

from pathlib import Path

from crawler import events
from crawler.stats import Stats

_REFUSED = {
    "duplicate": "dupefilter/filtered",
    "offsite": "offsite/filtered",
    "url_length": "urllength/request_ignored_count",
    "depth": "depth/request_ignored_count",
}
# What an accepted request is dropped for once a redirect has led it there: the response was no page.
_REDIRECTED_AWAY = frozenset({"duplicate", "offsite", "url_length", "invalid_url", "scheme"})


def subscribe_stats(bus: events.Events, stats: Stats) -> None:
    """Keep ``stats`` by what happens."""
    Counts(stats).subscribe(bus)


class Counts:
    """One method an event; each page passes five of them, so they do little."""

    def __init__(self, stats: Stats) -> None:
        self._stats = stats
        self._counts = stats.counts
        self._deepest = stats.get_value("request_depth_max", -1)
        self._by_status: dict[int, str] = {}
        self._by_method: dict[str, str] = {}
        self._domains: set[str] = set()

    def subscribe(self, bus: events.Events) -> None:
        """Count what happens from now on."""
        bus.subscribe(events.RequestScheduled, self.scheduled)
        bus.subscribe(events.RequestRefused, self.refused)
        bus.subscribe(events.RequestsSpooled, self.spooled)
        bus.subscribe(events.RequestSent, self.sent)
        bus.subscribe(events.ResponseReceived, self.received)
        bus.subscribe(events.FetchFailed, self.fetch_failed)
        bus.subscribe(events.RequestDelayed, self.delayed)
        bus.subscribe(events.RequestEnded, self.ended)
        bus.subscribe(events.ItemScraped, self.item_scraped)
        bus.subscribe(events.ItemDropped, self.item_dropped)
        bus.subscribe(events.ItemFailed, self.item_failed)
        bus.subscribe(events.SpiderFailed, self.spider_failed)
        bus.subscribe(events.FeedClosed, self.feed_closed)

    def scheduled(self, event: events.RequestScheduled) -> None:
        """Count an accepted request."""
        self._counts["scheduler/enqueued"] += 1
        depth = event.request.meta.get("depth", 0)
        if isinstance(depth, int) and depth > self._deepest:
            self._deepest = depth
            self._stats.max_value("request_depth_max", depth)

    def refused(self, event: events.RequestRefused) -> None:
        """Count a request that was not accepted."""
        self._counts[_REFUSED.get(event.reason, f"request_refused/{event.reason}")] += 1
        if event.reason == "offsite" and event.request.host not in self._domains and len(self._domains) < 10_000:
            self._domains.add(event.request.host)
            self._counts["offsite/domains"] += 1

    def spooled(self, event: events.RequestsSpooled) -> None:
        """Count many at once."""
        self._counts["scheduler/enqueued"] += event.accepted
        if event.duplicates:
            self._counts["dupefilter/filtered"] += event.duplicates

    def sent(self, event: events.RequestSent) -> None:
        """Count an attempt."""
        self._counts["downloader/request_count"] += 1
        method = event.request.method
        key = self._by_method.get(method)
        if key is None:
            key = self._by_method[method] = f"downloader/request_method_count/{method}"
        self._counts[key] += 1
        if event.request.meta.get("robots") is True:
            self._counts["robotstxt/request_count"] += 1
        else:
            self._counts["scheduler/dequeued"] += 1

    def received(self, event: events.ResponseReceived) -> None:
        """Count a response."""
        status = event.response.status
        self._counts["downloader/response_count"] += 1
        key = self._by_status.get(status)
        if key is None:
            key = self._by_status[status] = f"downloader/response_status_count/{status}"
        self._counts[key] += 1
        self._counts["downloader/response_bytes"] += (
            len(event.response.body) if event.response.body_file is None else _size(event.response.body_file)
        )
        if event.request.meta.get("robots") is True:
            self._counts["robotstxt/response_count"] += 1
            self._counts[f"robotstxt/response_status_count/{status}"] += 1
        else:
            self._counts["response_received_count"] += 1
            if event.response.flags and "cached" in event.response.flags:
                self._counts["httpcache/revalidate" if "revalidated" in event.response.flags else "httpcache/hit"] += 1

    def fetch_failed(self, event: events.FetchFailed) -> None:
        """Count an attempt without a response."""
        name = type(event.error).__name__
        self._counts["downloader/exception_count"] += 1
        self._counts[f"downloader/exception_type_count/{name}"] += 1
        if event.request.meta.get("robots") is True:
            self._counts["robotstxt/exception_count"] += 1
            self._counts[f"robotstxt/exception_count/{name}"] += 1

    def delayed(self, event: events.RequestDelayed) -> None:
        """Count a retry or a redirect."""
        if event.kind == "redirect":
            self._counts["redirect/count"] += 1
        elif event.kind == "retry":
            self._counts["retry/count"] += 1
            self._counts[f"retry/reason_count/{event.reason}"] += 1
        if event.status is not None:
            self._counts["response_received_count"] -= 1

    def ended(self, event: events.RequestEnded) -> None:
        """Count the end of a request."""
        if event.outcome == "answered":
            return
        if event.outcome == "dropped":
            self._counts["robotstxt/forbidden" if event.reason == "robots" else f"request_dropped/{event.reason}"] += 1
            if event.reason in _REDIRECTED_AWAY:
                self._counts["response_received_count"] -= 1
            return
        self._counts["request_failed_count"] += 1
        self._counts[f"request_failed/{event.reason}"] += 1
        if event.reason == "HttpError":
            self._counts["httperror/response_ignored_count"] += 1
            self._counts[f"httperror/response_ignored_status_count/{event.status}"] += 1
        elif event.reason == "TooManyRedirects":
            self._counts["response_received_count"] -= 1
        elif "retry_times" in event.request.meta:
            self._counts["retry/max_reached"] += 1

    def item_scraped(self, event: events.ItemScraped) -> None:
        """Count an item."""
        self._counts["item_scraped_count"] += 1

    def item_dropped(self, event: events.ItemDropped) -> None:
        """Count an item that was dropped."""
        self._counts["item_dropped_count"] += 1
        self._counts[f"item_dropped_reasons_count/{event.stage}"] += 1

    def item_failed(self, event: events.ItemFailed) -> None:
        """Count an item that was lost."""
        self._counts["item_failed_count"] += 1
        self._counts[f"item_failed_count/{event.stage}"] += 1

    def spider_failed(self, event: events.SpiderFailed) -> None:
        """Count an error of the spider's code."""
        self._counts["spider_exceptions/count"] += 1
        self._counts[f"spider_exceptions/{type(event.error).__name__}"] += 1
        if event.callback == "start":
            self._counts["spider_exceptions/start"] += 1

    def feed_closed(self, event: events.FeedClosed) -> None:
        """Count a feed."""
        self._counts["feedexport/success_count"] += 1


def _size(file: Path) -> int:
    """Return the bytes of a body that lies in a file, as it was delivered, without reading it."""
    try:
        return file.stat().st_size
    except OSError:
        return 0
