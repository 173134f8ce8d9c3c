"""What does Prometheus read of a crawl?

All of it is read from a Source when it is asked for, so that a page costs nothing. Names go by Prometheus's conventions
(prometheus.io, "Metric and label naming"): base units, ``_total`` for what only grows. Labels are few and bounded: the
spider, statuses that are registered, and reasons that the crawler and the user's classes have, of which the first fifty
are told apart. The label is not called ``job``, which Prometheus sets itself.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from crawler.observe.board.shown import Latencies, Now
from crawler.observe.board.source import Source

MOST_REASONS = 50
OTHER = "other"

STATES = ("opening", "running", "paused", "stopping", "closing", "stopped", "finished", "killed")

_STATUSES = frozenset(str(int(status)) for status in HTTPStatus)
_BOUNDS = (*(number * 10.0**power for power in range(-3, 2) for number in (1, 2.5, 5)), 100.0, 180.0)

_TOTALS: tuple[tuple[str, str, Callable[[Now], float]], ...] = (
    ("crawler_pages", "Responses that were pages.", lambda now: now.totals.pages),
    ("crawler_items", "Items that left the last stage.", lambda now: now.totals.items),
    ("crawler_requests", "Attempts that were sent.", lambda now: now.totals.requests),
    ("crawler_response_bytes", "Bytes of decoded bodies.", lambda now: now.totals.bytes),
)
_GAUGES: tuple[tuple[str, str, Callable[[Now], float]], ...] = (
    ("crawler_queued_requests", "Requests that wait, in memory and in the store.", lambda now: now.totals.queued),
    ("crawler_in_flight_requests", "Requests that are being fetched.", lambda now: now.totals.in_flight),
    ("crawler_hosts", "Hosts that are known.", lambda now: now.totals.hosts),
    ("crawler_start_time_seconds", "When this run began, in Unix time.", lambda now: now.job.started),
)
_OF_THE_PROCESS: tuple[tuple[str, str, Callable[[Now], float]], ...] = (
    ("crawler_resident_memory_bytes", "Memory of the process.", lambda now: now.memory),
    ("crawler_loop_lag_seconds", "By how much the reactor's last second was late.", lambda now: now.lag),
)
_BY_LABEL: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("crawler_responses", "Responses by status.", "status", ("downloader/response_status_count/",)),
    ("crawler_fetch_errors", "Attempts without a response.", "reason", ("downloader/exception_type_count/",)),
    ("crawler_retries", "Requests that were tried again.", "reason", ("retry/reason_count/",)),
    ("crawler_requests_failed", "Requests that failed in the end.", "reason", ("request_failed/",)),
    ("crawler_requests_dropped", "Requests dropped by a rule.", "reason", ("request_dropped/", "request_refused/")),
    ("crawler_items_dropped", "Items that a stage has dropped.", "stage", ("item_dropped_reasons_count/",)),
    ("crawler_items_lost", "Items that were lost because a stage raised.", "stage", ("item_failed_count/",)),
    ("crawler_spider_errors", "Errors of callbacks, errbacks and start().", "reason", ("spider_exceptions/",)),
)  # fmt: skip
_OF_THE_JOB = (
    ("crawler_job_commits", "Groups of results that the job's store has kept.", "job/commits"),
    ("crawler_job_commit_seconds", "Time for which they were waited for.", "job/commit_seconds"),
)
_ALSO = {
    "dupefilter/filtered": "duplicate",
    "offsite/filtered": "offsite",
    "urllength/request_ignored_count": "url_length",
    "depth/request_ignored_count": "depth",
    "robotstxt/forbidden": "robots",
}
"""Stats of dropped requests that have names of their own."""
_NO_REASONS = frozenset({"count", "start"})


class Metrics(Collector):
    """The metrics of one crawl, or of several: ``sources()`` gives each with the labels that tell it from the others.

    A count that goes down, of a page that turned out to be a redirect, is told as the highest it was: Prometheus takes
    what falls for a process that began anew.
    """

    def __init__(self, sources: Callable[[], Iterable[tuple[Mapping[str, str], Source]]]) -> None:
        self._sources = sources
        self._highest: dict[tuple[str, ...], float] = {}
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """Return the metrics of this moment, in the text format of version 0.0.4."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        families: dict[str, Any] = {}
        for labels, source in self._sources():
            now = source.now()
            told = {"spider": now.job.spider, **labels}
            _Telling(families, told, self._highest).tell(now, source)
        yield from families.values()


def of_crawl(source: Source) -> Metrics:
    """Return the metrics of one crawl."""
    return Metrics(lambda: [({}, source)])


class _Telling:
    """Adds the samples of one crawl to the families of all."""

    def __init__(
        self, families: dict[str, Any], labels: Mapping[str, str], highest: dict[tuple[str, ...], float]
    ) -> None:
        self._families = families
        self._names = list(labels)
        self._values = list(labels.values())
        self._highest = highest

    def tell(self, now: Now, source: Source) -> None:
        """Add all of a crawl."""
        for name, said, read in _TOTALS:
            self._count(name, said, read(now))
        # Of a crawl of several workers, or in another process, it is not known.
        for name, said, read in (*_GAUGES, *(_OF_THE_PROCESS if now.memory else ())):
            self._gauge(name, said, read(now))
        for state in STATES:
            self._gauge("crawler_state", "1 for what the crawl does now.", now.job.state == state, state=state)
        stats = source.stats()
        for name, said, label, places in _BY_LABEL:
            also = _ALSO if name == "crawler_requests_dropped" else {}
            for value, count in _counted(stats, places, also, statuses=label == "status").items():
                self._count(name, said, count, **{label: value})
        if (latencies := source.latencies()).bounds:
            self._lengths(latencies)
        held = source.slow()
        self._count("crawler_held_steps", "Steps that held the reactor for too long.", sum(each.count for each in held))
        if workers := source.workers():
            self._gauge("crawler_workers", "Processes that work on the crawl.", len(workers))
        for name, said, key in _OF_THE_JOB:
            if key in stats:
                self._count(name, said, stats[key])
        self._gauge("crawler_info", "What crawls.", 1, version=version("surecrawl"), python=platform.python_version())

    def _count(self, name: str, said: str, value: float, **labels: str) -> None:
        key = (name, *self._values, *labels.values())
        value = self._highest[key] = max(value, self._highest.get(key, 0))
        self._family(CounterMetricFamily, name, said, labels).add_metric([*self._values, *labels.values()], value)

    def _gauge(self, name: str, said: str, value: float, **labels: str) -> None:
        self._family(GaugeMetricFamily, name, said, labels).add_metric([*self._values, *labels.values()], value)

    def _lengths(self, latencies: Latencies) -> None:
        family = self._family(
            HistogramMetricFamily, "crawler_response_duration_seconds", "From sending to the last byte.", {}
        )
        family.add_metric(self._values, buckets=buckets_of(latencies), sum_value=latencies.sum)

    def _family(self, kind: Callable[..., Any], name: str, said: str, labels: Mapping[str, str]) -> Any:
        if name not in self._families:
            self._families[name] = kind(name, said, labels=[*self._names, *labels])
        return self._families[name]


def buckets_of(latencies: Latencies) -> list[tuple[str, float]]:
    """Return the histogram as Prometheus has it: how many took no longer than each of a few bounds."""
    wanted = [bound for bound in latencies.bounds if any(abs(bound / each - 1) < 0.01 for each in _BOUNDS)]
    buckets, passed, place = [], 0, 0
    for bound in wanted:
        while place < len(latencies.bounds) and latencies.bounds[place] <= bound:
            passed += latencies.counts[place]
            place += 1
        buckets.append((f"{bound:.6g}", float(passed)))
    return [*buckets, ("+Inf", float(sum(latencies.counts)))]


def _counted(
    stats: Mapping[str, Any], places: tuple[str, ...], also: Mapping[str, str], *, statuses: bool
) -> dict[str, float]:
    """Return how many there were by reason: the stats below some names, or that have one of their own."""
    counts: dict[str, float] = {}
    for key, count in stats.items():
        if not isinstance(key, str) or not isinstance(count, int | float):
            continue
        reason = also.get(key)
        for place in places:
            if reason is None and key.startswith(place):
                reason = key[len(place) :].rpartition(".")[2]  # a class of Scrapy's has its module before it
        if reason is None or reason in _NO_REASONS:
            continue
        known = reason in _STATUSES if statuses else (reason in counts or len(counts) < MOST_REASONS)
        reason = reason if known else OTHER
        counts[reason] = counts.get(reason, 0) + count
    return counts
