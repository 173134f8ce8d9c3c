"""How does crawlee crawl the shop? ParselCrawler with memory storage, its own concurrency."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from crawlee import Request, service_locator
from crawlee.crawlers import HttpCrawler, HttpCrawlingContext, ParselCrawler, ParselCrawlingContext
from crawlee.storage_clients import MemoryStorageClient

from bench.peers.measure import Measure, job

JOB = job()
MEASURE = Measure()


def shop() -> ParselCrawler:
    """Listings lead to items and to the next listing."""
    crawler = ParselCrawler()

    @crawler.router.default_handler
    async def parse(context: ParselCrawlingContext) -> None:
        MEASURE.pages += 1
        await context.enqueue_links(selector="article.product_pod h3 a", label="item")
        await context.enqueue_links(selector="li.next a")

    @crawler.router.handler("item")
    async def parse_item(context: ParselCrawlingContext) -> None:
        MEASURE.pages += 1
        page = context.selector
        await context.push_data(
            {
                "url": context.request.loaded_url or context.request.url,
                "title": page.css("h1::text").get(),
                "price": page.css("p.price_color::text").get(),
                "stock": page.css("p.availability::text").get(),
                "upc": page.css("table.table td::text").get(),
            }
        )

    return crawler


def fetch() -> HttpCrawler:
    """Every page by its URL, nothing parsed."""
    crawler = HttpCrawler()

    @crawler.router.default_handler
    async def parse(context: HttpCrawlingContext) -> None:
        MEASURE.pages += 1

    return crawler


def write(items: list[dict[str, Any]]) -> None:
    """Write the items as JSON Lines."""
    with Path(JOB.out).open("w") as lines:
        lines.writelines(json.dumps(item) + "\n" for item in items)


async def crawl() -> None:
    """Run the crawl and write its items."""
    service_locator.set_storage_client(MemoryStorageClient())
    crawler = fetch() if JOB.paths else shop()
    start = [Request.from_url(url) for url in JOB.urls()] if JOB.paths else [JOB.url]
    MEASURE.start()
    await crawler.run(start)
    found = await crawler.get_data(limit=10_000_000)
    write(found.items)
    MEASURE.stop()


if __name__ == "__main__":
    asyncio.run(crawl())
