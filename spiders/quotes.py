"""Who said what, under which tags?

A lesson in several items on one page, in a dataclass as an item, and in passing the pager on.

    crawler crawl quotes -O quotes.jsonl
    crawler crawl quotes -a tag=humor -O -
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crawler import Request, Response, Spider


@dataclass
class Quote:
    """One saying."""

    text: str
    author: str
    tags: list[str]


class Quotes(Spider):
    """Crawl pages with the markup of quotes.toscrape.com."""

    name = "quotes"
    url: str = "https://quotes.toscrape.com/"
    tag: str = ""  # only quotes with this tag

    def start_requests(self) -> Iterator[Request]:
        """Begin at the first page. A plain generator will do where nothing is awaited."""
        yield Request(self.url)

    def parse(self, response: Response) -> Iterator[Quote | Request]:
        """Read the quotes of a page and go on to the next one."""
        for quote in response.css("div.quote"):
            tags = quote.css("a.tag::text").getall()
            if not self.tag or self.tag in tags:
                yield Quote(
                    text=quote.css("span.text::text").get(default="").strip("“”"),
                    author=quote.css("small.author::text").get(default=""),
                    tags=tags,
                )
        yield from response.follow_all(css="li.next a")  # to parse again, as no callback is named
