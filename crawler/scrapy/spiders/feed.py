"""How is a feed crawled piece by piece, where a project was written for Scrapy: XML node by node, CSV row by row?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from crawler.generic import feeds
from crawler.scrapy.exceptions import NotSupported
from crawler.scrapy.http.response.text import TextResponse
from crawler.scrapy.selector import Selector
from crawler.scrapy.spiders.plain import Spider
from crawler.scrapy.utils.iterators import csviter, xmliter_lxml


class XMLFeedSpider(feeds.XMLFeedSpider, Spider):
    """Call ``parse_node(response, selector)`` for each element named ``itertag`` (Scrapy's XMLFeedSpider)."""

    def parse_node(self, response: Any, selector: Any) -> Any:
        """Return an item, a request, or several."""
        if hasattr(self, "parse_item"):  # its name once
            return self.parse_item(response, selector)
        return super().parse_node(response, selector)

    def _nodes(self, response: Any) -> Iterator[Any]:
        if self.iterator == "iternodes":
            return self._registered(xmliter_lxml(response, self.itertag))
        if self.iterator not in ("xml", "html"):
            raise NotSupported(f'iterator must be "iternodes", "xml" or "html", got {self.iterator!r}')
        if not isinstance(response, TextResponse):
            raise ValueError("Response content isn't text")
        (document,) = self._registered([Selector(response, type=self.iterator)])
        found: Iterable[Any] = document.xpath(f"//{self.itertag}")
        return iter(found)


class CSVFeedSpider(feeds.CSVFeedSpider, Spider):
    """Call ``parse_row(response, row)`` for each row, a dict by ``headers`` (Scrapy's CSVFeedSpider)."""

    def _rows(self, response: Any) -> Iterator[dict[str, str]]:
        headers = None if self.headers is None else list(self.headers)
        return iter(csviter(response, self.delimiter, headers, quotechar=self.quotechar))
