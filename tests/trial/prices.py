"""A spider and its tests under trial: python -m twisted.trial --reactor=asyncio tests.trial.prices

Pages in memory in virtual time for what the spider makes of them; a server on loopback, and a Deferred that trial
waits for, for what needs a network.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import TestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request, Site

import crawler
from crawler import Response, Spider, UsageError
from crawler.testing import crawl


class Prices(Spider):
    """Follows every link and reads the prices."""

    name = "prices"
    url: str = "http://shop.example/"
    custom_settings = {"DOWNLOAD_DELAY": 0, "JOB_STORE": "memory"}

    def start_requests(self) -> Iterator[Any]:
        """Begin at ``-a url=``."""
        yield crawler.Request(self.url)

    def parse(self, response: Response) -> Iterator[Any]:
        """Yield the links and the prices of a page."""
        yield from response.follow_all(css="a")
        for price in response.css("b::text"):
            yield {"price": price.get()}


class InMemory(TestCase):
    """No reactor: the crawl has ended when ``crawl`` returns, an hour of delay later if need be."""

    def test_prices(self) -> None:
        site = {"http://shop.example/": "<a href=/tea>Tea</a>", "http://shop.example/tea": "<b>4.20</b>"}
        result = crawl(Prices, site, settings={"DOWNLOAD_DELAY": 3600, "RANDOMIZE_DOWNLOAD_DELAY": False})
        self.assertEqual(result.items, [{"price": "4.20"}])
        self.assertGreaterEqual(result.seconds, 3600)


class Tea(Resource):
    """A shop of one page, which says its price once it is asked to."""

    isLeaf = True  # noqa: N815 - twisted.web's name

    def __init__(self) -> None:
        super().__init__()
        self.asked: Deferred[Request] = Deferred()

    def render_GET(self, request: Request) -> Any:
        if request.path == b"/robots.txt":
            return b""
        self.asked.callback(request)
        return NOT_DONE_YET


class OnLoopback(TestCase):
    """``crawler.crawl`` returns a Deferred: trial waits for it, and sees what is left open."""

    timeout = 20

    def setUp(self) -> None:
        self.shop = Tea()
        self.port: Any = reactor.listenTCP(0, Site(self.shop), interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(self.port.stopListening)
        self.settings = {"DOWNLOAD_TIMEOUT": 10}

    def crawl(self, **settings: Any) -> Deferred[Any]:
        url = f"http://127.0.0.1:{self.port.getHost().port}/"
        return crawler.crawl(Prices, self.settings | settings, reactor=reactor, arguments={"url": url})

    def test_a_page(self) -> Deferred[Any]:
        crawling = self.crawl()

        def answer(request: Request) -> None:
            request.write(b"<b>4.20</b>")
            request.finish()

        self.shop.asked.addCallback(answer)
        return crawling.addCallback(lambda summary: self.assertEqual((summary.items, summary.reason), (1, "finished")))

    async def test_a_crawl_that_is_cancelled_has_stopped(self) -> None:
        crawling = self.crawl()
        request = await self.shop.asked
        gone = request.notifyFinish()
        crawling.cancel()
        await self.assertFailure(crawling, CancelledError)
        await self.assertFailure(gone, ConnectionDone, ConnectionLost)

    def test_a_wrong_setting(self) -> Deferred[Any]:
        return self.assertFailure(self.crawl(DOWNLOAD_DELAY="soon"), UsageError)
