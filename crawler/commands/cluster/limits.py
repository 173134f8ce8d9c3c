"""Has the crawl of all workers together done enough? The CLOSESPIDER_* settings, by the totals on the server.

A worker knows those that it can reach alone, so that it does not go far beyond; whoever started the crawl knows the
sums. What was counted before a resume does not count, as in a crawl of one process.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from crawler.config.schema import CoreSettings

NOT_FOR_ONE_WORKER = ("CLOSESPIDER_TIMEOUT_NO_ITEM", "CLOSESPIDER_PAGECOUNT_NO_ITEM")
"""Limits of which a worker knows nothing: the others may have items."""


class Reached(NamedTuple):
    """How far the crawl is."""

    items: int
    pages: int
    errors: int


class Settable(Protocol):
    """Settings that may change while the crawl runs."""

    core: CoreSettings


class Limits:
    """Compares readings with the limits of now. ``since`` is the time of the start, ``before`` what there was then."""

    def __init__(self, live: Settable, before: Reached, since: float) -> None:
        self._live = live
        self._before = before
        self._since = since
        self._last_items = before.items
        self._looked, self._items_then = since, before.items
        self._pages_at_item = before.pages

    def reason(self, reached: Reached, now: float) -> str | None:
        """Return the reason for which the crawl is to stop, None if it goes on."""
        core, before = self._live.core, self._before
        if reached.items != self._last_items:
            self._pages_at_item = reached.pages
        stale = False
        if core.CLOSESPIDER_TIMEOUT_NO_ITEM and now - self._looked >= core.CLOSESPIDER_TIMEOUT_NO_ITEM:
            stale = reached.items == self._items_then
            self._looked, self._items_then = now, reached.items
        self._last_items = reached.items
        limits = (
            ("itemcount", core.CLOSESPIDER_ITEMCOUNT, reached.items - before.items),
            ("pagecount", core.CLOSESPIDER_PAGECOUNT, reached.pages - before.pages),
            ("errorcount", core.CLOSESPIDER_ERRORCOUNT, reached.errors - before.errors),
            ("timeout", core.CLOSESPIDER_TIMEOUT, now - self._since),
            ("pagecount_no_item", core.CLOSESPIDER_PAGECOUNT_NO_ITEM, reached.pages - self._pages_at_item),
            ("timeout_no_item", 1, int(stale)),
        )
        return next((f"closespider_{name}" for name, limit, count in limits if limit and count >= limit), None)
