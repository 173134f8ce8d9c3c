"""Walks the whole site of the kill tests."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

from crawler import Request, Response, Spider


class Walk(Spider):
    """One item a page and one a group of ten; a field that first appears late makes the CSV grow a column."""

    name = "walk"
    port: int = 0

    def start_requests(self) -> Iterator[Request]:
        """Begin on both sides of the login."""
        yield Request(f"http://127.0.0.2:{self.port}/p/0")
        yield Request(f"http://127.0.0.7:{self.port}/login", self.logged_in, method="POST", body=b"name=me")

    def logged_in(self, response: Response) -> Iterator[Request]:
        """Go on to what only members see."""
        yield from response.follow_all(css="a.next")

    async def parse(self, response: Response) -> AsyncIterator[Any]:
        """Take the page, what it fetches on the spot and what cannot be stored."""
        number = int(response.url.rpartition("/")[2])
        item = self.item(response)
        if number > 500 and number % 10 == 0:
            item["late"] = "yes"
        yield item
        yield {"path": f"group/{number // 10}", "title": "group"}
        for link in response.css("a.inline"):
            yield self.item(await self.fetch(response.urljoin(link.attrib["href"])))
        for link in response.css("a.carried"):
            yield response.follow(link, callback=lambda part: self.item(part))
        for request in response.follow_all(css="a.next"):
            yield request

    def item(self, response: Response) -> dict[str, Any]:
        """Name it by host and path."""
        url = urlsplit(response.url)
        return {"path": f"{url.hostname}{url.path}", "title": response.css("title::text").get()}
