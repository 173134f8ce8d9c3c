"""What do the ready-made spiders share: how a page reaches the one way in which each of them reads it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, ClassVar

from crawler.model.response import Response
from crawler.spider import Spider

Results = Iterator[Any] | AsyncIterator[Any]


class ReadyMadeSpider(Spider):
    """Pages go to ``_parse``, so that a ``parse`` of the user's own is a method like any other."""

    _default_callback: ClassVar[str] = "_parse"

    def _parse(self, response: Response, **kwargs: Any) -> Results:
        raise NotImplementedError

    def parse(self, response: Response, **kwargs: Any) -> Results:
        """Read a page. A ``parse`` of the spider's own does not stand in its way."""
        return self._parse(response, **kwargs)

    def process_results(self, response: Response, results: Iterable[Any]) -> Iterable[Any]:
        """Change what a method of the spider's own gave before it goes on."""
        return results
