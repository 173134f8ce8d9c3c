"""Where is it read what is shown of a crawl?

In the Board of a crawl in this process; or in what was read last of a job's file or history, its server, or its page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from crawler.observe.board.shown import (
    Changes,
    ErrorKind,
    FeedRow,
    HostPage,
    HostRow,
    Item,
    Latencies,
    Now,
    Point,
    Run,
    Series,
    Setting,
    Slow,
    Worker,
)

ROWS_PER_PAGE = 200
"""Most hosts that are shown at once, and told of at once."""

SORTS = ("name", "queued", "in_flight", "delay", "concurrency", "pages", "errors")
"""By which columns hosts may be sorted."""


class Source(Protocol):
    """A crawl, as it is shown. Nothing here waits: a source of what lies elsewhere reads that in a thread or by a timer
    of its own, and answers with what it has read last."""

    def now(self) -> Now:
        """Return the crawl at this moment."""

    def series(self) -> Series:
        """Return how the crawl went."""

    def newest(self) -> Point | None:
        """Return the last step of the series; None before there is one."""

    def latencies(self) -> Latencies:
        """Return how long answers took."""

    def stats(self) -> Mapping[str, Any]:
        """Return the crawl's stats, by Scrapy's names."""

    def hosts(self, page: int = 1, sort: str = "queued", *, descending: bool = True, containing: str = "") -> HostPage:
        """Return a page of the hosts whose name has ``containing`` in it, sorted by a column (one of SORTS), equal
        ones by name. A page beyond the last is the last; raises UsageError for another column."""

    def host(self, name: str) -> HostRow | None:
        """Return one host; None if nothing is known of it."""

    def errors(self) -> Sequence[ErrorKind]:
        """Return the kinds of errors, the most frequent first."""

    def items(self) -> Sequence[Item]:
        """Return the last items, the last one first."""

    def slow(self) -> Sequence[Slow]:
        """Return what held the reactor, the longest first."""

    def settings(self) -> Sequence[Setting]:
        """Return the settings, by name."""

    def feeds(self) -> Sequence[FeedRow]:
        """Return the feeds."""

    def workers(self) -> Sequence[Worker]:
        """Return who works on the job; nothing of a crawl of one process."""

    def history(self) -> Sequence[Run]:
        """Return the runs that are known of, the last one first."""

    def changes(self, since: int) -> Changes:
        """Return what has changed since a number that ``changes`` gave before; 0 for all that there is."""
