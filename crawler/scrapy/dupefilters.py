"""Which requests are the same? Scrapy's module of that name; the job knows what it has seen.

DUPEFILTER_CLASS may name a class of the project's: see ``crawler.scrapy.adapters.seen``.
"""

from __future__ import annotations

import logging
from typing import Any, Self

logger = logging.getLogger(__name__.removeprefix("crawler."))


class BaseDupeFilter:
    """Filters nothing."""

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the filter of a crawl."""
        return cls()

    def request_seen(self, request: Any) -> Any:
        """Tell whether a request is a duplicate."""
        return False

    def open(self) -> Any:
        """The crawl begins; a Deferred is waited for."""

    def close(self, reason: str) -> Any:
        """The crawl has ended; a Deferred is waited for."""

    def log(self, request: Any, spider: Any) -> None:
        """Log a duplicate."""


class RFPDupeFilter(BaseDupeFilter):
    """Filters by fingerprint, as the job does. What is derived from it may say otherwise of some requests.

    ``asked``: ``request_seen`` of this class was called last, so that the job's own answer is wanted, too.
    """

    def __init__(self, path: str | None = None, debug: bool = False, *, fingerprinter: Any = None) -> None:
        self.fingerprinter = fingerprinter
        self.fingerprints: set[Any] = set()
        self.logdupes = True
        self.debug = debug
        self.logger = logger
        self.asked = False

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the filter of a crawl."""
        debug = crawler.settings.getbool("DUPEFILTER_DEBUG")
        return cls(crawler.settings["JOBDIR"], debug, fingerprinter=crawler.request_fingerprinter)

    def request_seen(self, request: Any) -> Any:
        """Tell whether this process has asked for a request of the same fingerprint."""
        self.asked = True
        fingerprint = self.request_fingerprint(request)
        seen = fingerprint in self.fingerprints
        self.fingerprints.add(fingerprint)
        return seen

    def request_fingerprint(self, request: Any) -> str:
        """Return the text by which a request is known again."""
        return str(self.fingerprinter.fingerprint(request).hex())

    def log(self, request: Any, spider: Any) -> None:
        """Log a duplicate: the first one, or all with DUPEFILTER_DEBUG."""
        if self.debug or self.logdupes:
            more = "" if self.debug else " - no more duplicates will be shown (see DUPEFILTER_DEBUG)"
            self.logger.debug("Filtered duplicate request: %s%s", request, more, extra={"spider": spider})
            self.logdupes = False
