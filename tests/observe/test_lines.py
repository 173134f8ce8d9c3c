"""What happens is logged with what somebody needs to mend it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from crawler.errors import ConnectionFailed
from crawler.events import (
    CrawlClosing,
    CrawlOpened,
    Event,
    Events,
    FeedClosed,
    FetchFailed,
    HostPaced,
    ItemDropped,
    ItemFailed,
    RequestDelayed,
    RequestEnded,
    RequestRefused,
    ResponseReceived,
    SpiderFailed,
)
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.lines import subscribe_lines

PAGE = Request("http://a.example/")
Logged = Callable[..., list[tuple[str, str]]]


class Named:
    name = "books"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Logged:
    def publish(*happened: Event, level: int = logging.INFO) -> list[tuple[str, str]]:
        caplog.set_level(level)
        events = Events()
        subscribe_lines(events)
        for event in happened:
            events.publish(event)
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    return publish


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_a_crawl_without_trouble_is_a_few_lines(logged: Logged) -> None:
    response = Response(PAGE.url, request=PAGE)
    happened = [
        CrawlOpened(Named(), "books-1", resumed=False),
        ResponseReceived(response, PAGE),
        RequestRefused(PAGE, "duplicate", "", PAGE.url),
        RequestEnded(PAGE, "answered", ""),
        CrawlClosing("finished"),
        FeedClosed("x.csv", 3),
    ]
    assert logged(*happened) == [
        ("INFO", "Crawling with books, job books-1"),
        ("INFO", "Closing (finished)"),
        ("INFO", "Wrote 3 items to x.csv"),
    ]


def test_an_invalid_url_is_told_with_its_page(logged: Logged) -> None:
    bad = Request("http://[")
    assert logged(RequestRefused(bad, "invalid_url", "its host is not valid", "http://a.example/")) == [
        ("WARNING", "Dropped http://[ (invalid_url: its host is not valid), found on http://a.example/")
    ]


def test_an_address_that_cannot_be_fetched_is_a_warning_once(logged: Logged) -> None:
    mail = Request("mailto:a@b.example")
    pages = [RequestRefused(mail, "invalid_url", "", f"http://a.example/{number}") for number in range(3)]
    assert logged(*pages) == [("WARNING", "Dropped mailto:a@b.example (invalid_url), found on http://a.example/0")]


def test_a_callback_that_raises_is_told_with_url_and_frames(logged: Logged, caplog: pytest.LogCaptureFixture) -> None:
    error = raised(ValueError("no price"))
    assert logged(SpiderFailed(error, "parse_book", "http://a.example/b", "")) == [
        ("ERROR", "parse_book on http://a.example/b failed: ValueError: no price")
    ]
    (frame,) = vars(caplog.records[0])["trace"]
    assert frame.endswith("in raised: raise error")


def test_a_lost_item_names_its_stage(logged: Logged) -> None:
    response = Response(PAGE.url, request=PAGE)
    assert logged(
        ItemFailed({}, "Store", raised(OSError("disk full")), response),
        ItemDropped({}, "Required", "no title", None),
        ItemDropped({}, "Seen", "no news", None, "INFO"),
    ) == [
        ("ERROR", "Store lost an item of http://a.example/: OSError: disk full"),
        ("WARNING", "Required dropped an item: no title"),
        ("INFO", "Seen dropped an item: no news"),
    ]


def test_a_request_that_failed_is_told_once_with_its_cause(logged: Logged) -> None:
    assert logged(
        FetchFailed(PAGE, ConnectionFailed("refused by 127.0.0.1:1")),
        RequestDelayed(PAGE, "retry", "ConnectionFailed", 1.0),
        FetchFailed(PAGE, ConnectionFailed("refused by 127.0.0.1:1")),
        RequestEnded(PAGE, "failed", "ConnectionFailed", "refused by 127.0.0.1:1"),
        RequestEnded(PAGE, "failed", "HttpError", "404"),
        RequestEnded(PAGE, "failed", "TooManyRedirects"),
    ) == [
        ("ERROR", "Gave up <GET http://a.example/>: ConnectionFailed: refused by 127.0.0.1:1"),
        ("ERROR", "Gave up <GET http://a.example/>: TooManyRedirects"),
    ]


def test_debug_tells_of_each_request(logged: Logged) -> None:
    response = Response(PAGE.url, request=PAGE)
    said = logged(
        ResponseReceived(response, PAGE),
        RequestDelayed(PAGE, "redirect", "301", 0.0),
        RequestEnded(PAGE, "dropped", "robots", "robots: Disallow: /"),
        HostPaced("a.example", 1.0, 1, "429"),
        level=logging.DEBUG,
    )
    assert said == [
        ("DEBUG", "200 <GET http://a.example/>"),
        ("DEBUG", "<GET http://a.example/> again in 0.0 s: redirect, 301"),
        ("DEBUG", "Dropped <GET http://a.example/>: robots: Disallow: /"),
        ("INFO", "Host a.example: 1 at once, 1.0 s apart (429)"),
    ]


class Spider(Named):
    def parse(self) -> None:
        """Take no response, which is the mistake."""


def test_a_callback_without_a_frame_is_told_with_its_place(logged: Logged, caplog: pytest.LogCaptureFixture) -> None:
    error = TypeError("parse() takes 1 positional argument but 2 were given")
    logged(CrawlOpened(Spider(), None, resumed=False), SpiderFailed(error, "parse", PAGE.url, ""))
    (frame,) = vars(caplog.records[1])["trace"]
    assert frame.endswith("in parse: def parse(self) -> None:")


def test_an_address_of_a_million_characters_is_shortened(logged: Logged) -> None:
    url = "http://a.example/" + "x" * 1_000_000
    long = Request(url)
    response = Response(url, request=long)
    said = logged(
        RequestRefused(long, "invalid_url", f"not a URL: {url}", url),
        RequestRefused(long, "url_length", "", url),
        FetchFailed(long, ConnectionFailed(url)),
        RequestDelayed(long, "retry", "ConnectionFailed", 1.0),
        ResponseReceived(response, long),
        RequestEnded(long, "failed", "ConnectionFailed", url),
        RequestEnded(long, "dropped", "robots", f"robots: {url}"),
        ItemFailed({}, "Store", OSError("disk full"), response),
        ItemDropped({}, "Store", url, response),
        SpiderFailed(ValueError(url), "parse", url, ""),
        level=logging.DEBUG,
    )
    assert len(said) == 10
    assert max(len(message) for _, message in said) < 3500
    assert said[0][1].startswith("Dropped http://a.example/xxx")
    assert "(invalid_url: not a URL: http" in said[0][1]
    assert said[5][1].startswith("Gave up <GET http://a.example/xxx")
    assert "xxx>: robots: http" in said[6][1]


def test_an_item_that_goes_with_a_duplicate_is_told_once_for_its_callback(logged: Logged) -> None:
    def got(response: Response, item: object) -> None:
        """Would get it."""

    with_item = Request("http://a.example/image", got, cb_kwargs={"item": {"url": "x"}})
    in_meta = Request("http://a.example/image", meta={"item": object()})
    plain = Request("http://a.example/image", got, cb_kwargs={"number": 1})
    refused = [RequestRefused(each, "duplicate", "", PAGE.url) for each in (plain, with_item, with_item, in_meta)]
    said = [message for level, message in logged(*refused) if level == "WARNING"]
    assert len(said) == 2
    assert "the item in cb_kwargs['item'] that " in said[0]
    assert "dont_filter=True" in said[0]
    assert "meta['item']" in said[1]
