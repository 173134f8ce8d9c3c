"""Which books does a shop sell, and for how much?

A lesson in the two kinds of page most sites have: listings, which lead on, and details, which give items.

    crawler crawl books -O books.jsonl
    crawler crawl books -a pages=2 -a url=http://127.0.0.1:8000/ -O books.csv
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from crawler import Request, Response, Spider
from pipelines.drop_duplicates import DropDuplicates
from pipelines.require_fields import RequireFields


class Books(Spider):
    """Crawl a shop with the markup of books.toscrape.com."""

    name = "books"
    url: str = "https://books.toscrape.com/"
    pages: int = 0  # how many listing pages to read; 0: all

    custom_settings = {
        "PIPELINES": [RequireFields, DropDuplicates],
        "REQUIRED_FIELDS": ["title", "price"],
        "DUPLICATE_FIELDS": ["upc"],
    }

    async def start(self) -> AsyncIterator[Request]:
        """Begin at the shop's front page, which is the first listing."""
        yield Request(self.url)

    def parse(self, response: Response, number: int = 1) -> Iterator[Request]:
        """Follow the books of a listing, then the next listing."""
        yield from response.follow_all(css="article.product_pod h3 a", callback=self.parse_book)
        if number != self.pages:
            yield from response.follow_all(css="li.next a", callback=self.parse, cb_kwargs={"number": number + 1})

    def parse_book(self, response: Response) -> Iterator[dict[str, Any]]:
        """Read one book."""
        price = response.css("p.price_color::text").re_first(r"[\d.]+")
        yield {
            "url": response.url,
            "title": response.css("h1::text").get(),
            "price": float(price) if price else None,
            "in_stock": int(response.css("p.availability").re_first(r"(\d+) available") or 0),
            "category": response.css(".breadcrumb li:nth-last-child(2) a::text").get(),
            "upc": response.xpath("//th[.='UPC']/following-sibling::td/text()").get(),
            "description": response.css("#product_description + p::text").get(),
        }
