"""Which hosts stand on a page?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from crawler.errors import UsageError
from crawler.observe.board.shown import HostPage, HostRow
from crawler.observe.board.source import ROWS_PER_PAGE, SORTS


def check_sort(sort: str) -> None:
    """Raise UsageError unless hosts may be sorted by that column."""
    if sort not in SORTS:
        raise UsageError(f"hosts are not sorted by {sort!r}; they are by {', '.join(SORTS)}")


def host_page(
    rows: Iterable[HostRow], page: int = 1, sort: str = "queued", *, descending: bool = True, containing: str = ""
) -> HostPage:
    """Return a page of rows, see Source.hosts. Raises UsageError."""
    check_sort(sort)
    fit = [row for row in rows if containing in row.name]
    fit.sort(key=attrgetter("name"))
    fit.sort(key=attrgetter(sort), reverse=descending)
    return paged(fit, page, lambda row: row)


def paged(order: Sequence[Any], page: int, row_of: Callable[[Any], HostRow]) -> HostPage:
    """Return a page of what is in order; the last one, if there are not so many."""
    pages = max(-(-len(order) // ROWS_PER_PAGE), 1)
    page = min(max(page, 1), pages)
    shown = order[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
    return HostPage(total=len(order), page=page, pages=pages, rows=[row_of(each) for each in shown])
