"""How is a feed crawled piece by piece, where a project was written for Scrapy: XML node by node, CSV row by row?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from crawler.results import each
from crawler.scrapy.exceptions import NotSupported
from crawler.scrapy.http.response.text import TextResponse
from crawler.scrapy.selector import Selector
from crawler.scrapy.spiders.plain import Spider
from crawler.scrapy.utils.iterators import csviter, xmliter_lxml


class _FeedSpider(Spider):
    _default_callback: ClassVar[str] = "_parse"

    def process_results(self, response: Any, results: Iterable[Any]) -> Iterable[Any]:
        """Change what a node or a row gave before it goes on."""
        return results

    def adapt_response(self, response: Any) -> Any:
        """Change a response before it is read."""
        return response


class XMLFeedSpider(_FeedSpider):
    """Call ``parse_node(response, selector)`` for each element named ``itertag`` (Scrapy's XMLFeedSpider)."""

    iterator: str = "iternodes"
    itertag: str = "item"
    namespaces: Sequence[tuple[str, str]] = ()

    def parse_node(self, response: Any, selector: Selector) -> Any:
        """Return an item, a request, or several."""
        if hasattr(self, "parse_item"):  # its name once
            return self.parse_item(response, selector)
        raise NotImplementedError(f"{type(self).__name__}.parse_node is not defined")

    def parse_nodes(self, response: Any, nodes: Iterable[Any]) -> Iterator[Any]:
        """Yield what the nodes give."""
        for selector in nodes:
            yield from self.process_results(response, each(self.parse_node(response, selector)))

    def _parse(self, response: Any, **kwargs: Any) -> Any:
        response = self.adapt_response(response)
        if self.iterator == "iternodes":
            return self.parse_nodes(response, self._iternodes(response))
        if self.iterator not in ("xml", "html"):
            raise NotSupported(f'iterator must be "iternodes", "xml" or "html", got {self.iterator!r}')
        if not isinstance(response, TextResponse):
            raise ValueError("Response content isn't text")
        selector = Selector(response, type=self.iterator)
        self._register_namespaces(selector)
        return self.parse_nodes(response, selector.xpath(f"//{self.itertag}"))

    def _iternodes(self, response: Any) -> Iterator[Selector]:
        for node in xmliter_lxml(response, self.itertag):
            self._register_namespaces(node)
            yield node

    def _register_namespaces(self, selector: Selector) -> None:
        for prefix, uri in self.namespaces:
            selector.register_namespace(prefix, uri)


class CSVFeedSpider(_FeedSpider):
    """Call ``parse_row(response, row)`` for each row, a dict by ``headers`` (Scrapy's CSVFeedSpider)."""

    delimiter: str | None = None
    quotechar: str | None = None
    headers: list[str] | None = None

    def parse_row(self, response: Any, row: dict[str, str]) -> Any:
        """Return an item, a request, or several."""
        raise NotImplementedError(f"{type(self).__name__}.parse_row is not defined")

    def parse_rows(self, response: Any) -> Iterator[Any]:
        """Yield what the rows give."""
        for row in csviter(response, self.delimiter, self.headers, quotechar=self.quotechar):
            yield from self.process_results(response, each(self.parse_row(response, row)))

    def _parse(self, response: Any, **kwargs: Any) -> Any:
        return self.parse_rows(self.adapt_response(response))
