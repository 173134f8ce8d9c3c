"""The spider of the benchmark, for scrapy-redis: every process begins, and the filter on the server lets one go on."""

from urllib.parse import urlsplit

import scrapy

from bench.cluster.site import host_of


class Walk(scrapy.Spider):
    """One item a page."""

    name = "walk"

    async def start(self):
        """Begin at the front page of each host."""
        for number in range(16):
            yield scrapy.Request(f"http://{host_of(number)}:{self.port}/")

    def parse(self, response):
        """Take the page and follow its links."""
        url = urlsplit(response.url)
        yield {"host": url.hostname, "path": url.path, "title": response.css("h1::text").get()}
        yield from response.follow_all(css="a", callback=self.parse)
