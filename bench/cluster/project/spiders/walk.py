"""Walks all hosts of the site of the benchmark."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from bench.cluster.site import host_of
from crawler import Request, Response, Spider


class Walk(Spider):
    """One item a page."""

    name = "walk"
    hosts: int = 1
    port: int

    def start_requests(self) -> Iterator[Request]:
        """Begin at the front page of each host."""
        for number in range(self.hosts):
            yield Request(f"http://{host_of(number)}:{self.port}/")

    def parse(self, response: Response) -> Iterator[Any]:
        """Take the page and follow its links."""
        url = urlsplit(response.url)
        yield {"host": url.hostname, "path": url.path, "title": response.css("h1::text").get()}
        yield from response.follow_all(css="a")
