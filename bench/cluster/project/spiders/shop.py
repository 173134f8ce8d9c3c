"""The shop of bench.shop."""

from collections.abc import Iterator
from typing import Any

from crawler import Request, Response, Spider


class Shop(Spider):
    """Listings lead to items and to the next listing."""

    name = "shop"
    url: str

    def start_requests(self) -> Iterator[Request]:
        """Begin at the front page."""
        yield Request(self.url)

    def parse(self, response: Response) -> Iterator[Request]:
        """Follow a listing."""
        yield from response.follow_all(css="article.product_pod h3 a", callback=self.parse_item)
        yield from response.follow_all(css="li.next a")

    def parse_item(self, response: Response) -> Iterator[dict[str, Any]]:
        """Read an item."""
        yield {
            "url": response.url,
            "title": response.css("h1::text").get(),
            "price": response.css("p.price_color::text").get(),
            "stock": response.css("p.availability::text").get(),
            "upc": response.css("table.table td::text").get(),
        }
