"""How is a CSV file crawled row by row?

The API is that of Scrapy's CSVFeedSpider.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any, ClassVar

from crawler.generic.readymade import FeedSpider
from crawler.model.masking import masked
from crawler.model.response import Response
from crawler.results import each


class CSVFeedSpider(FeedSpider):
    """Call ``parse_row(response, row)`` for each row, a dict by ``headers`` (by default the first row).

    A row with more or fewer fields than there are headers is logged and left out.
    """

    delimiter: ClassVar[str | None] = None
    quotechar: ClassVar[str | None] = None
    headers: ClassVar[Sequence[str] | None] = None

    def _parse(self, response: Response, **kwargs: Any) -> Iterator[Any]:
        return self.parse_rows(self.adapt_response(response))

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
