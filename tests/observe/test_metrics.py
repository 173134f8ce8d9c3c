"""What does Prometheus read of a crawl, and does Prometheus's own tool find it right?"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from crawler.observe.board.shown import Latencies, Now, Totals
from crawler.observe.metrics import MOST_REASONS, Metrics, of_crawl
from tests.observe.board.made_up import HOSTILE, MadeUp

STATS = {
    "downloader/response_status_count/200": 40,
    "downloader/response_status_count/404": 2,
    "downloader/response_status_count/299": 1,
    "downloader/response_status_count/777": 3,
    "downloader/exception_type_count/FetchTimeout": 2,
    "downloader/exception_type_count/scrapy.exceptions.DownloadTimeoutError": 1,
    "request_failed/HttpError": 2,
    "dupefilter/filtered": 7,
    "request_refused/invalid_url": 1,
    "request_dropped/duplicate": 1,
    "robotstxt/forbidden": 4,
    "item_dropped_reasons_count/Totals": 5,
    "item_failed_count/Totals": 1,
    "spider_exceptions/count": 3,
    "spider_exceptions/KeyError": 3,
    "retry/reason_count/503": 2,
    "mine": "text",
}


class Counted(MadeUp):
    """A made-up crawl with these stats, and with everything that there may be."""

    def __init__(self, stats: Mapping[str, Any] = STATS) -> None:
        super().__init__()
        self.given = stats
        self.tick()

    def stats(self) -> Mapping[str, Any]:
        return {**self.given, "job/commits": 12, "job/commit_seconds": 0.5}


def samples(text: bytes) -> dict[str, float]:
    """Return each sample by its name and labels, the spider's apart."""
    found = {}
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items() if name != "spider")
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
            assert "spider" in sample.labels
    return found


def test_what_the_source_shows_is_there_under_names_by_the_conventions() -> None:
    found = samples(of_crawl(Counted()).text())
    assert {name: value for name, value in found.items() if "response_duration" not in name and "info" not in name} == {
        "crawler_pages_total": 40, "crawler_items_total": 30, "crawler_requests_total": 42,
        "crawler_response_bytes_total": 200_000, "crawler_queued_requests": 100, "crawler_in_flight_requests": 8,
        "crawler_hosts": 3, "crawler_resident_memory_bytes": 80_000_000, "crawler_loop_lag_seconds": 0.001,
        "crawler_start_time_seconds": 1.75e9, "crawler_held_steps_total": 3,
        "crawler_state{state=opening}": 0, "crawler_state{state=running}": 1, "crawler_state{state=paused}": 0,
        "crawler_state{state=stopping}": 0, "crawler_state{state=closing}": 0, "crawler_state{state=stopped}": 0,
        "crawler_state{state=finished}": 0, "crawler_state{state=killed}": 0,
        "crawler_responses_total{status=200}": 40, "crawler_responses_total{status=404}": 2,
        "crawler_responses_total{status=other}": 4,
        "crawler_fetch_errors_total{reason=FetchTimeout}": 2,
        "crawler_fetch_errors_total{reason=DownloadTimeoutError}": 1,
        "crawler_retries_total{reason=503}": 2,
        "crawler_requests_failed_total{reason=HttpError}": 2,
        "crawler_requests_dropped_total{reason=duplicate}": 8,
        "crawler_requests_dropped_total{reason=invalid_url}": 1,
        "crawler_requests_dropped_total{reason=robots}": 4,
        "crawler_items_dropped_total{stage=Totals}": 5, "crawler_items_lost_total{stage=Totals}": 1,
        "crawler_spider_errors_total{reason=KeyError}": 3,
        "crawler_job_commits_total": 12, "crawler_job_commit_seconds_total": 0.5,
    }  # fmt: skip


def test_response_times_are_a_histogram_whose_buckets_add_up() -> None:
    class Timed(MadeUp):
        def latencies(self) -> Latencies:
            return Latencies(bounds=(0.1, 0.125, 0.5, 1.0, 4.0), counts=(90, 5, 3, 1, 1, 2), sum=30.0)

    found = {name: value for name, value in samples(of_crawl(Timed()).text()).items() if "duration" in name}
    name = "crawler_response_duration_seconds"
    assert found == {
        f"{name}_bucket{{le=0.1}}": 90, f"{name}_bucket{{le=0.5}}": 98, f"{name}_bucket{{le=1}}": 99,
        f"{name}_bucket{{le=+Inf}}": 102, f"{name}_count": 102, f"{name}_sum": 30.0,
    }  # fmt: skip


def test_labels_stay_few_whatever_a_crawl_meets() -> None:
    """Classes of the user's may be made without end, and a server may answer any number."""
    made = {f"spider_exceptions/Error{number}": 1 for number in range(500)}
    statuses = {f"downloader/response_status_count/{number}": 1 for number in range(100, 1000)}
    found = samples(of_crawl(Counted(made | statuses)).text())
    reasons = [name for name in found if name.startswith("crawler_spider_errors_total")]
    assert len(reasons) == MOST_REASONS + 1
    assert found["crawler_spider_errors_total{reason=other}"] == 500 - MOST_REASONS
    assert len([name for name in found if name.startswith("crawler_responses_total")]) < 70


def test_a_text_that_is_hostile_is_one_value_of_a_label() -> None:
    text = of_crawl(Counted({f"item_failed_count/{HOSTILE}\n\\": 1})).text()
    assert samples(text)[f"crawler_items_lost_total{{stage={HOSTILE}\n\\}}"] == 1


def test_a_count_never_falls() -> None:
    """A page that turns out to be a redirect is taken off again, which would be a process that began anew."""

    class Falling(MadeUp):
        pages = 10

        def now(self) -> Now:
            return Now(time=0.0, job=super().now().job, totals=Totals(pages=self.pages))

    source = Falling()
    metrics = of_crawl(source)
    told = []
    for source.pages in (10, 9, 11):
        told.append(samples(metrics.text())["crawler_pages_total"])
    assert told == [10, 10, 11]


def test_several_crawls_are_told_apart_by_a_label() -> None:
    text = Metrics(lambda: [({"crawl": "shop-1"}, MadeUp()), ({"crawl": "shop-2"}, Counted())]).text()
    found = samples(text)
    assert found["crawler_pages_total{crawl=shop-1}"] == 0
    assert found["crawler_pages_total{crawl=shop-2}"] == 40
    assert text.count(b"# TYPE crawler_pages_total counter") == 1


def test_what_is_not_known_is_not_told() -> None:
    """Of a crawl of several workers nobody has the memory, the loop's lag and the histogram."""

    class Shared(MadeUp):
        def now(self) -> Now:
            return Now(time=0.0, job=super().now().job, totals=Totals())

        def latencies(self) -> Latencies:
            return Latencies(bounds=(), counts=())

    told = " ".join(samples(of_crawl(Shared()).text()))
    assert "crawler_hosts" in told
    assert not [word for word in ("memory", "lag", "duration") if word in told]


@pytest.mark.slow
def test_promtool_finds_nothing_to_say_of_them() -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool (Debian's package prometheus) is not installed")
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=of_crawl(Counted()).text(), capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stderr.decode(), done.stdout.decode()) == (0, "", "")
