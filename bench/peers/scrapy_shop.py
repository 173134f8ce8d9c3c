"""How does Scrapy crawl the shop? Variant "" is its defaults, "1" sets CONCURRENT_ITEMS to 1, and "template" has the
middlewares that `scrapy startproject` writes in their places.

Its default log level, DEBUG, would print every page; INFO is our default and is set for it, too.
"""

from __future__ import annotations

import scrapy
from scrapy.crawler import CrawlerProcess

from bench.peers.measure import Measure, job

JOB = job()
MEASURE = Measure()


class Shop(scrapy.Spider):
    """Listings lead to items and to the next listing."""

    name = "shop"

    async def start(self):
        """Begin at the front page."""
        yield scrapy.Request(JOB.url)

    def parse(self, response):
        """Follow a listing."""
        MEASURE.pages += 1
        yield from response.follow_all(css="article.product_pod h3 a", callback=self.parse_item)
        if next_page := response.css("li.next a::attr(href)").get():
            yield response.follow(next_page, self.parse)

    def parse_item(self, response):
        """Read an item."""
        MEASURE.pages += 1
        yield {
            "url": response.url,
            "title": response.css("h1::text").get(),
            "price": response.css("p.price_color::text").get(),
            "stock": response.css("p.availability::text").get(),
            "upc": response.css("table.table td::text").get(),
        }


class Fetch(scrapy.Spider):
    """Every page by its URL, nothing parsed."""

    name = "fetch"

    async def start(self):
        """Begin with all of them."""
        for url in JOB.urls():
            yield scrapy.Request(url)

    def parse(self, response):
        """Count it."""
        MEASURE.pages += 1


def main() -> None:
    """Run the crawl."""
    settings = {"FEEDS": {JOB.out: {"format": "jsonlines", "overwrite": True}}, "LOG_LEVEL": "INFO"}
    if JOB.variant == "1":
        settings["CONCURRENT_ITEMS"] = 1
    elif JOB.variant:
        settings["SPIDER_MIDDLEWARES"] = {"bench.peers.template.ShopSpiderMiddleware": 543}
        settings["DOWNLOADER_MIDDLEWARES"] = {"bench.peers.template.ShopDownloaderMiddleware": 543}
        settings["CRAWLER_JOB_STORE"] = None if JOB.variant == "memory" else "sqlite"  # of ours; Scrapy keeps none
    process = CrawlerProcess(settings)
    process.crawl(Fetch if JOB.paths else Shop)
    MEASURE.start()
    process.start()
    MEASURE.stop()


if __name__ == "__main__":
    main()
