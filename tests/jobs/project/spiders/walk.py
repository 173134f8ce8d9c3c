"""Walks the whole web of tests/jobs/web.py."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from crawler import Request, Response, Spider


class Walk(Spider):
    """One item a page; a field that first appears late makes the CSV grow a column."""

    name = "walk"
    base: str = ""
    tag: str = ""

    def start_requests(self) -> Iterator[Request]:
        yield Request(f"{self.base}/p/0")

    def parse(self, response: Response) -> Iterator[Any]:
        path = urlsplit(response.url).path
        item = {"path": path, "title": response.css("title::text").get()}
        number = int(path.rpartition("/")[2])
        if number > 500 and number % 10 == 0:
            item["late"] = "yes"
        self.state["pages"] = self.state.get("pages", 0) + 1
        yield item
        for href in response.css("a::attr(href)").getall():
            yield response.follow(href)
