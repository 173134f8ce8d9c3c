"""Signals in a Scrapy project's crawl: who hears what, who is waited for, and what a receiver may raise."""

from __future__ import annotations

import asyncio
import gc
from itertools import pairwise
from typing import Any

import pytest
from pydispatch import dispatcher
from twisted.internet.defer import Deferred

from crawler import testing
from crawler.scrapy import signals
from crawler.scrapy.exceptions import CloseSpider, DontCloseSpider, DropItem, IgnoreRequest
from crawler.scrapy.http import Request
from crawler.scrapy.signalmanager import SignalManager
from crawler.scrapy.spiders import Spider

ROOT = "http://a.test/"
SITE = {ROOT: "<a href=/b>", f"{ROOT}b": "b", f"{ROOT}moved": testing.Response(f"{ROOT}moved", 302, {"Location": "/b"})}


class Pages(Spider):
    name = "pages"
    start_urls = [ROOT]

    def parse(self, response: Any) -> Any:
        yield {"url": response.url}
        if response.url == ROOT:
            yield Request(f"{ROOT}b")
            yield Request(f"{ROOT}b")

    def closed(self, reason: str) -> None:
        self.told = reason


def crawl(connect: Any, spider: Any = Pages, site: Any = SITE, **settings: Any) -> testing.Result:
    """Crawl with an extension that ``connect``s to signals."""

    class Extension:
        @classmethod
        def from_crawler(cls, crawler: Any) -> Any:
            made = cls()
            made.kept = connect(crawler)  # type: ignore[attr-defined]  # receivers are held weakly
            return made

    return testing.crawl(spider, site, settings={"ROBOTSTXT_OBEY": False, "EXTENSIONS": {Extension: 1}, **settings})


def heard(*names: str, **settings: Any) -> list[tuple[str, dict[str, Any]]]:
    """Return what was sent of these signals, in order."""
    told: list[tuple[str, dict[str, Any]]] = []

    def connect(crawler: Any) -> list[Any]:
        receivers = []
        for name in names:

            def receiver(name: str = name, **given: Any) -> None:
                told.append((name, {key: value for key, value in given.items() if key not in ("sender", "signal")}))

            receivers.append(receiver)
            crawler.signals.connect(receiver, signal=getattr(signals, name))
        return receivers

    crawl(connect, settings.pop("spider", Pages), **settings)
    return told


def test_the_crawl_tells_of_its_beginning_and_end_in_scrapys_order() -> None:
    names = "engine_started", "engine_stopped", "spider_opened", "spider_closed", "feed_exporter_closed"
    told = heard(*names)

    assert [name for name, _ in told] == [
        "spider_opened", "engine_started", "spider_closed", "feed_exporter_closed", "engine_stopped"
    ]  # fmt: skip
    assert told[2][1].keys() == {"spider", "reason"}


def test_what_happens_to_requests_is_told_with_them() -> None:
    names = (
        "request_scheduled", "request_dropped", "request_reached_downloader", "request_left_downloader",
        "response_downloaded", "response_received", "item_scraped",
    )  # fmt: skip
    told = heard(*names)
    urls = [(name, given["request"].url if "request" in given else given["response"].url) for name, given in told]

    assert [name for name, url in urls if url == ROOT] == [name for name in names if name != "request_dropped"]
    assert [name for name, _ in urls].count("response_received") == 2
    assert [name for name, _ in urls].count("request_dropped") == 1
    assert [name for name, _ in urls].count("request_scheduled") == 3


def test_a_redirect_is_downloaded_and_not_received() -> None:
    class Moved(Pages):
        start_urls = [f"{ROOT}moved"]

    told = heard("response_downloaded", "response_received", "request_scheduled", spider=Moved)

    assert [(name, given["request"].url.removeprefix(ROOT)) for name, given in told] == [
        ("request_scheduled", "moved"),
        ("response_downloaded", "moved"),
        ("request_scheduled", "b"),
        ("response_downloaded", "b"),
        ("response_received", "b"),
    ]


@pytest.mark.parametrize("kind", ["coroutine", "deferred"])
def test_receivers_are_waited_for(kind: str) -> None:
    """spider_opened before the first request, item_scraped and spider_closed before the end."""
    told: list[str] = []

    def connect(crawler: Any) -> Any:
        def made(name: str) -> Any:
            async def receiver(spider: Any) -> None:
                await asyncio.sleep(1)
                told.append(name)

            def deferring(spider: Any) -> Deferred[None]:
                fired: Deferred[None] = Deferred()
                asyncio.get_running_loop().call_later(1, lambda: (told.append(name), fired.callback(None)))
                return fired

            return receiver if kind == "coroutine" else deferring

        receivers = {name: made(name) for name in ("spider_opened", "item_scraped", "spider_closed")}
        for name, receiver in receivers.items():
            crawler.signals.connect(receiver, signal=getattr(signals, name))
        return receivers

    result = crawl(connect)

    assert told == ["spider_opened", "item_scraped", "item_scraped", "spider_closed"]
    assert result.sent[0].when >= 1
    assert result.seconds >= 3


def test_an_error_of_a_receiver_is_logged_and_harmless(caplog: pytest.LogCaptureFixture) -> None:
    def connect(crawler: Any) -> Any:
        def broken(item: Any) -> None:
            raise ValueError("broken")

        crawler.signals.connect(broken, signal=signals.item_scraped)
        return broken

    assert len(crawl(connect).items) == 2
    assert caplog.text.count("Error caught on signal handler") == 2


def test_a_receiver_of_request_scheduled_may_refuse_the_request() -> None:
    def connect(crawler: Any) -> Any:
        def refuse(request: Any) -> None:
            if request.url.endswith("b"):
                raise IgnoreRequest

        crawler.signals.connect(refuse, signal=signals.request_scheduled)
        return refuse

    result = crawl(connect)

    assert result.urls == [ROOT]
    assert "dupefilter/filtered" not in result.summary.stats


def test_a_receiver_of_spider_opened_may_close_the_spider() -> None:
    def connect(crawler: Any) -> Any:
        def close(spider: Any) -> None:
            raise CloseSpider("not today")

        crawler.signals.connect(close, signal=signals.spider_opened)
        return close

    result = crawl(connect)

    assert result.summary.reason == "not today"
    assert result.urls == []


def test_a_spider_that_is_idle_may_get_more_to_do() -> None:
    """As spiders do that take URLs from a queue: engine.crawl() and DontCloseSpider."""
    asked: list[float] = []

    def connect(crawler: Any) -> Any:
        def idle(spider: Any) -> None:
            asked.append(asyncio.get_running_loop().time())
            if len(asked) < 3:
                crawler.engine.crawl(Request(f"{ROOT}{len(asked)}", dont_filter=True))
            if len(asked) < 5:
                raise DontCloseSpider

        crawler.signals.connect(idle, signal=signals.spider_idle)
        return idle

    result = crawl(connect, site=lambda request: "page")

    assert result.urls == [ROOT, f"{ROOT}b", f"{ROOT}1", f"{ROOT}2"]
    assert [round(after - before) for before, after in pairwise(asked)] == [0, 0, 5, 5]
    assert result.summary.reason == "finished"


def test_a_receiver_of_spider_idle_may_give_the_reason_of_the_end() -> None:
    def connect(crawler: Any) -> Any:
        def idle() -> None:
            raise CloseSpider("nothing left")

        crawler.signals.connect(idle, signal=signals.spider_idle)
        return idle

    assert crawl(connect).summary.reason == "nothing left"


def test_signals_of_ones_own_and_disconnecting() -> None:
    manager, told, signal = SignalManager(object()), [], object()

    def receiver(word: str) -> str:
        told.append(word)
        return word.upper()

    manager.connect(receiver, signal)
    assert manager.send_catch_log(signal, word="a", other=1) == [(receiver, "A")]
    manager.disconnect(receiver, signal)
    manager.connect(receiver, signal)
    manager.disconnect_all(signal)
    assert manager.send_catch_log(signal, word="b") == []
    manager.connect(lambda word: told.append(word), signal)
    gc.collect()
    assert manager.send_catch_log(signal, word="c") == []
    assert told == ["a"]


def test_what_is_connected_by_pydispatcher_itself_is_called() -> None:
    told = []

    class Old(Pages):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            dispatcher.connect(self.scraped, signals.item_scraped)
            dispatcher.connect(self.over, signals.spider_closed)

        def scraped(self, item: Any) -> None:
            told.append(item["url"])

        def over(self, spider: Any, reason: str) -> None:
            told.append(reason)

    crawl(lambda crawler: None, spider=Old)
    assert told == [ROOT, f"{ROOT}b", "finished"]


def test_items_that_are_dropped_and_errors_are_told_with_their_exceptions() -> None:
    class Worse(DropItem):
        pass

    class Stage:
        def process_item(self, item: Any) -> Any:
            raise Worse("worse") if item["url"] == ROOT else ValueError("wrong")

    told = heard("item_dropped", "item_error", ITEM_PIPELINES={Stage: 1})

    (first, dropped), (second, failed) = told
    assert (first, type(dropped["exception"])) == ("item_dropped", Worse)
    assert (second, failed["failure"].check(ValueError)) == ("item_error", ValueError)
    assert dropped["response"].url == ROOT


def test_wait_for_lets_start_be_lazy() -> None:
    class Lazy(Pages):
        async def start(self) -> Any:
            for url in (ROOT, f"{ROOT}late"):
                await self.crawler.signals.wait_for(signals.scheduler_empty)
                yield Request(url)

    result = crawl(lambda crawler: None, spider=Lazy)
    assert sorted(result.urls) == [ROOT, f"{ROOT}b", f"{ROOT}late"]


def test_what_robots_txt_allows_is_told() -> None:
    told = heard(
        "robots_parsed", site={**SITE, f"{ROOT}robots.txt": "User-agent: *\nDisallow: /b"}, ROBOTSTXT_OBEY=True
    )

    [(_, given)] = told
    assert [given["robotparser"].allowed(f"{ROOT}{path}", "me") for path in ("", "b")] == [True, False]
    assert given.keys() == {"robotparser", "request"}


class Starts(Pages):
    async def start(self) -> Any:
        yield Request(ROOT)
        await self.fetch(f"{ROOT}slow")
        raise RuntimeError("an error of start()")


def test_an_error_of_start_ends_the_crawl_when_all_is_done() -> None:
    told = heard("spider_closed", "spider_error", spider=Starts)

    assert [(name, given.get("reason")) for name, given in told] == [
        ("spider_error", None),
        ("spider_closed", "start_error"),
    ]


def test_a_stop_while_start_waits_is_no_error_of_start() -> None:
    def site(request: Any) -> Any:
        return Deferred() if request.url.endswith("slow") else "page"

    def during(ready: Any) -> None:
        ready.world.clock.callLater(5, ready.stop)
        ready.world.clock.callLater(9, ready.stop_now)

    result = testing.crawl(Starts, site, settings={"ROBOTSTXT_OBEY": False}, during=during)

    assert result.summary.reason == "shutdown"
    assert "spider_exceptions/count" not in result.summary.stats
