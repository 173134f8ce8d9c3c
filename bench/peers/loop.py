"""How fast is the connection layer with a hand-written loop around it, and no engine at all?

The ceiling for the engine: no robots, delays, retries, books or stages; a set, a deque and parsel.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from parsel import Selector
from twisted.internet.defer import Deferred, DeferredList

from bench.peers.measure import Measure, job
from crawler.config.schema import CoreSettings
from crawler.download.http import FastDownloader
from crawler.model.request import Request

JOB = job()
MEASURE = Measure()
AT_ONCE = CoreSettings().CONCURRENT_REQUESTS_PER_DOMAIN


class Loop:
    """Fetches what is in the queue, AT_ONCE at a time, until nothing is left."""

    def __init__(self, reactor: Any) -> None:
        self._downloader = FastDownloader(CoreSettings(), reactor=reactor)
        self._queue = deque(JOB.urls() if JOB.paths else [JOB.url])
        self._seen = set(self._queue)
        self._out = Path(JOB.out).open("w")  # noqa: SIM115 (closed in run)
        self._running = 0
        self._done: Deferred[None] = Deferred()

    async def run(self) -> None:
        """Crawl."""
        MEASURE.start()
        self._fill()
        await self._done
        self._out.close()
        MEASURE.stop()
        await DeferredList([self._downloader.close()])

    def _fill(self) -> None:
        while self._queue and self._running < AT_ONCE:
            self._running += 1
            self._downloader.fetch(Request(self._queue.popleft())).addCallbacks(self._answered, self._done.errback)
        if not self._running:
            self._done.callback(None)

    def _answered(self, response: Any) -> None:
        self._running -= 1
        MEASURE.pages += 1
        if not JOB.paths:
            for url in self._parse(response.url, Selector(body=response.body, encoding="utf-8")):
                if url not in self._seen:
                    self._seen.add(url)
                    self._queue.append(url)
        self._fill()

    def _parse(self, url: str, page: Selector) -> Iterator[str]:
        if "/item/" not in url:
            for link in page.css("article.product_pod h3 a::attr(href), li.next a::attr(href)").getall():
                yield urljoin(url, link)
            return
        item = {
            "url": url,
            "title": page.css("h1::text").get(),
            "price": page.css("p.price_color::text").get(),
            "stock": page.css("p.availability::text").get(),
            "upc": page.css("table.table td::text").get(),
        }
        self._out.write(json.dumps(item) + "\n")


def main() -> None:
    """Run the loop on the reactor that the command line uses."""
    from twisted.internet import asyncioreactor

    asyncioreactor.install()
    from twisted.internet.task import react

    react(lambda reactor: Deferred.fromCoroutine(Loop(reactor).run()))


if __name__ == "__main__":
    main()
