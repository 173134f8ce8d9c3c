"""How does this crawler crawl the shop? Variant "memory" keeps its job in memory, "durable" on disk; "cache"
is "memory" with the HTTP cache in the current folder; "watched:PORT" is "durable" with all that shows a crawl."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import Any

from bench.peers.measure import Measure, job
from crawler import Request, Response, Spider, Summary, crawl

JOB = job()
MEASURE = Measure()


class Shop(Spider):
    """Listings lead to items and to the next listing."""

    name = "shop"

    async def start(self) -> AsyncIterator[Request]:
        """Begin at the front page."""
        yield Request(JOB.url)

    def parse(self, response: Response) -> Iterator[Request]:
        """Follow a listing."""
        MEASURE.pages += 1
        yield from response.follow_all(css="article.product_pod h3 a", callback=self.parse_item)
        if next_page := response.css("li.next a::attr(href)").get():
            yield response.follow(next_page, self.parse)

    def parse_item(self, response: Response) -> Iterator[dict[str, Any]]:
        """Read an item."""
        MEASURE.pages += 1
        yield {
            "url": response.url,
            "title": response.css("h1::text").get(),
            "price": response.css("p.price_color::text").get(),
            "stock": response.css("p.availability::text").get(),
            "upc": response.css("table.table td::text").get(),
        }


class Fetch(Spider):
    """Every page by its URL, nothing parsed."""

    name = "fetch"

    async def start(self) -> AsyncIterator[Request]:
        """Begin with all of them."""
        for url in JOB.urls():
            yield Request(url)

    def parse(self, response: Response) -> None:
        """Count it."""
        MEASURE.pages += 1


def main() -> None:
    """Run the crawl on the reactor that the command line uses."""
    from twisted.internet import asyncioreactor

    asyncioreactor.install()
    from twisted.internet import reactor
    from twisted.python.failure import Failure

    port = JOB.variant.removeprefix("watched:") if JOB.variant.startswith("watched:") else ""
    settings: dict[str, Any] = {
        "FEEDS": {JOB.out: {"format": "jsonlines", "overwrite": True}},
        "JOB_STORE": "sqlite" if JOB.variant == "durable" or port else None,
        "HTTPCACHE_ENABLED": JOB.variant == "cache",
        "HTTPCACHE_FILE": "cache.sqlite",
    }
    if port:
        settings |= {
            "STATUS_ENABLED": True,
            "STATUS_PORT": int(port),
            "STATUS_TOKEN": "bench-that-is-watched",
            "STATUS_CONTROL": True,
            "CONSOLE_ENABLED": True,
        }

    def ended(result: Summary | Failure) -> None:
        MEASURE.stop()
        if isinstance(result, Failure):
            result.printTraceback()
        reactor.stop()  # type: ignore[attr-defined]  # the module stands for the reactor

    def begin() -> None:
        MEASURE.start()
        crawl(Fetch if JOB.paths else Shop, settings, reactor=reactor).addBoth(ended)

    with tempfile.TemporaryDirectory() as folder:
        settings["JOB_DIR"] = folder
        reactor.callWhenRunning(begin)  # type: ignore[attr-defined]  # as above
        reactor.run()  # type: ignore[attr-defined]  # as above


if __name__ == "__main__":
    main()
