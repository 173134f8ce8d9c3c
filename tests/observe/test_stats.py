"""Scrapy's keys come out of events."""

from __future__ import annotations

from pathlib import Path

from crawler.errors import ConnectionFailed
from crawler.events import (
    Event,
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
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.stats import subscribe_stats
from crawler.stats import Stats

PAGE = Request("http://a.example/")
ROBOTS = Request("http://a.example/robots.txt", meta={"robots": True})


def counted(*happened: Event) -> dict[str, object]:
    events, stats = Events(), Stats()
    subscribe_stats(events, stats)
    for event in happened:
        events.publish(event)
    return stats.get_stats()


def received(request: Request, status: int = 200, body: bytes = b"abc") -> ResponseReceived:
    return ResponseReceived(Response(request.url, status=status, body=body, request=request), request)


def test_a_page() -> None:
    deep = PAGE.replace(meta={"depth": 3})
    assert counted(RequestScheduled(deep), RequestSent(deep), received(deep), RequestEnded(deep, "answered", "")) == {
        "scheduler/enqueued": 1,
        "request_depth_max": 3,
        "downloader/request_count": 1,
        "downloader/request_method_count/GET": 1,
        "scheduler/dequeued": 1,
        "downloader/response_count": 1,
        "downloader/response_status_count/200": 1,
        "downloader/response_bytes": 3,
        "response_received_count": 1,
    }


def test_robots_txt_is_no_page() -> None:
    values = counted(RequestSent(ROBOTS), received(ROBOTS, 404), FetchFailed(ROBOTS, ConnectionFailed("no")))
    assert values["robotstxt/request_count"] == 1
    assert values["robotstxt/response_status_count/404"] == 1
    assert values["robotstxt/exception_count/ConnectionFailed"] == 1
    assert values["downloader/response_count"] == 1
    assert "response_received_count" not in values
    assert "scheduler/dequeued" not in values


def test_what_is_followed_or_tried_again_is_no_page() -> None:
    values = counted(
        received(PAGE, 301),
        RequestDelayed(PAGE, "redirect", "301", 0.0, 301),
        received(PAGE, 503),
        RequestDelayed(PAGE, "retry", "503 Service Unavailable", 1.0, 503),
        FetchFailed(PAGE, ConnectionFailed("no")),
        RequestDelayed(PAGE, "retry", "ConnectionFailed", 1.0),
        received(PAGE, 302),
        RequestEnded(PAGE, "dropped", "offsite"),
        received(PAGE),
        RequestEnded(PAGE, "answered", ""),
    )
    assert values["response_received_count"] == 1
    assert values["redirect/count"] == 1
    assert values["retry/count"] == 2
    assert values["retry/reason_count/503 Service Unavailable"] == 1
    assert values["downloader/exception_type_count/ConnectionFailed"] == 1


def test_refused_dropped_and_failed() -> None:
    far = Request("http://b.example/1")
    again = PAGE.replace(meta={"retry_times": 2})
    values = counted(
        RequestRefused(PAGE, "duplicate", "", None),
        RequestRefused(far, "offsite", "b.example", "http://a.example/"),
        RequestRefused(far, "offsite", "b.example", "http://a.example/"),
        RequestRefused(PAGE, "invalid_url", "", None),
        RequestEnded(PAGE, "dropped", "robots"),
        RequestEnded(PAGE, "failed", "HttpError", "status 404", 404),
        RequestEnded(again, "failed", "ConnectionFailed"),
    )
    assert values == {
        "dupefilter/filtered": 1,
        "offsite/filtered": 2,
        "offsite/domains": 1,
        "request_refused/invalid_url": 1,
        "robotstxt/forbidden": 1,
        "request_failed_count": 2,
        "request_failed/HttpError": 1,
        "request_failed/ConnectionFailed": 1,
        "httperror/response_ignored_count": 1,
        "httperror/response_ignored_status_count/404": 1,
        "retry/max_reached": 1,
    }


def test_items_errors_and_feeds() -> None:
    values = counted(
        ItemScraped({}, None),
        ItemDropped({}, "Required", "lacks x", None),
        ItemFailed({}, "Store", OSError("full"), None),
        SpiderFailed(ValueError("x"), "parse", None, ""),
        FeedClosed("x.jsonl", 1),
    )
    assert values == {
        "item_scraped_count": 1,
        "item_dropped_count": 1,
        "item_dropped_reasons_count/Required": 1,
        "item_failed_count": 1,
        "item_failed_count/Store": 1,
        "spider_exceptions/count": 1,
        "spider_exceptions/ValueError": 1,
        "feedexport/success_count": 1,
    }


def test_a_body_in_a_file_is_measured_without_reading_it(tmp_path: Path) -> None:
    file = tmp_path / "body"
    file.write_bytes(b"x" * 1000)
    response = Response(PAGE.url, body_file=file, request=PAGE)
    assert counted(ResponseReceived(response, PAGE))["downloader/response_bytes"] == 1000
    file.unlink()
    assert counted(ResponseReceived(response, PAGE))["downloader/response_bytes"] == 0
