"""How is a feed crawled piece by piece: an XML file node by node, a CSV file row by row?

The API is that of Scrapy's XMLFeedSpider and CSVFeedSpider.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from io import StringIO
from typing import Any, ClassVar

from lxml import etree

from crawler.errors import UsageError
from crawler.generic.markup import BadMarkup, Document, pieces
from crawler.generic.readymade import ReadyMadeSpider, Results
from crawler.model.content import encoding_of
from crawler.model.masking import masked
from crawler.model.response import Response
from crawler.model.selector import Selector, document
from crawler.results import each


class FeedSpider(ReadyMadeSpider):
    """A spider that reads its pages piece by piece."""

    def _parse(self, response: Response, **kwargs: Any) -> Results:
        return self._pieces(self.adapt_response(response))

    def _pieces(self, response: Response) -> Results:
        raise NotImplementedError

    def adapt_response(self, response: Response) -> Response:
        """Change a response before it is read."""
        return response


class XMLFeedSpider(FeedSpider):
    """Call ``parse_node(response, selector)`` for each element named ``itertag``.

    ``namespaces`` are (prefix, URI) pairs that ``itertag`` and the selectors may use. ``iterator``: "iternodes"
    reads piece by piece and refuses entity declarations; "xml" and "html" hold the whole document and let
    selectors see around the node.
    """

    iterator: ClassVar[str] = "iternodes"
    itertag: ClassVar[str] = "item"
    namespaces: ClassVar[Sequence[tuple[str, str]]] = ()

    def _pieces(self, response: Response) -> Results:
        return self.parse_nodes(response, self._nodes(response))

    def parse_node(self, response: Response, selector: Selector) -> Any:
        """Return an item, a request, or several."""
        raise NotImplementedError(f"{type(self).__name__}.parse_node is not defined")

    def parse_nodes(self, response: Response, nodes: Iterable[Selector]) -> Iterator[Any]:
        """Yield what the nodes give."""
        for selector in nodes:
            yield from each(self.process_results(response, each(self.parse_node(response, selector))))

    def _nodes(self, response: Response) -> Iterator[Selector]:
        if self.iterator == "iternodes":
            return self._registered(self._streamed(response))
        if self.iterator not in ("xml", "html"):
            raise UsageError(f'iterator must be "iternodes", "xml" or "html", got {self.iterator!r}')
        content_type = response.headers.text("Content-Type")
        encoding = response.given_encoding or encoding_of(response.body, content_type, kind=self.iterator)
        whole = document(response.body, encoding, kind=self.iterator, url=response.url)
        for prefix, uri in self.namespaces:
            whole.register_namespace(prefix, uri)
        return self._registered(whole.xpath(f"//{self.itertag}"))

    def _registered(self, nodes: Iterable[Selector]) -> Iterator[Selector]:
        for node in nodes:
            for prefix, uri in self.namespaces:
                node.register_namespace(prefix, uri)
            yield node

    def _streamed(self, response: Response) -> Iterator[Selector]:
        content_type = response.headers.text("Content-Type")
        feed = Document(pieces(response.body, 0), encoding=response.given_encoding, content_type=content_type)
        try:
            for element in feed.elements(_named(self.itertag, dict(self.namespaces))):
                node = deepcopy(element)  # the spider may keep it
                node.tail = None
                yield Selector(root=node, type="xml")
        except BadMarkup as error:
            raise BadMarkup(f"feed {response.url}: {error}") from error
        if feed.problem:
            self.logger.warning("Feed %s is damaged: %s", masked(response.url), feed.problem)


def _named(name: str, namespaces: dict[str, str]) -> Callable[[etree._Element], bool]:
    """Return a function that tells whether an element has that name.

    A prefix that is not in ``namespaces`` is looked up in the document.
    """
    prefix, _, local = name.rpartition(":")
    if not prefix:
        return lambda element: bool(element.tag == name)

    def is_named(element: etree._Element) -> bool:
        uri = namespaces.get(prefix) or element.nsmap.get(prefix)
        return bool(element.tag == f"{{{uri}}}{local}")

    return is_named


class CSVFeedSpider(FeedSpider):
    """Call ``parse_row(response, row)`` for each row, a dict by ``headers`` (by default the first row).

    A row with more or fewer fields than there are headers is logged and left out.
    """

    delimiter: ClassVar[str | None] = None
    quotechar: ClassVar[str | None] = None
    headers: ClassVar[Sequence[str] | None] = None

    def _pieces(self, response: Response) -> Results:
        return self.parse_rows(response)

    def parse_row(self, response: Response, row: dict[str, str]) -> Any:
        """Return an item, a request, or several."""
        raise NotImplementedError(f"{type(self).__name__}.parse_row is not defined")

    def parse_rows(self, response: Response) -> Iterator[Any]:
        """Yield what the rows give."""
        for row in self._rows(response):
            yield from each(self.process_results(response, each(self.parse_row(response, row))))

    def _rows(self, response: Response) -> Iterator[dict[str, str]]:
        text = StringIO(response.text.removeprefix("\ufeff"), newline="")
        rows = csv.reader(text, delimiter=self.delimiter or ",", quotechar=self.quotechar or '"')
        headers = self.headers or next(rows, [])
        for row in rows:
            if len(row) == len(headers):
                yield dict(zip(headers, row, strict=True))
            elif row:
                self.logger.warning(
                    "%s line %d: ignoring a row of %d fields where %d are expected",
                    masked(response.url), rows.line_num, len(row), len(headers),
                )  # fmt: skip
