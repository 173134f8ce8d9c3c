"""Has the crawl done enough? The CLOSESPIDER_* settings, with Scrapy's meanings and reasons."""

from __future__ import annotations

from typing import Any

from crawler.config.schema import CoreSettings
from crawler.engine.clock import Clock
from crawler.engine.ending import Ending
from crawler.events import CrawlClosing, CrawlOpened, Events, ItemFailed, ItemScraped, ResponseReceived, SpiderFailed
from crawler.stats import Stats


class CloseSpiderLimits:
    """Counts by events and stops the crawl with a named reason when a limit is reached.

    Only what has a limit is counted. One that comes while the crawl runs begins with what the ``stats`` have counted
    since the start.
    """

    def __init__(self, core: CoreSettings, clock: Clock, events: Events, ending: Ending, stats: Stats) -> None:
        self._core = core
        self._clock = clock
        self._stop = ending.stop
        self._events = events
        self._stats = stats
        self._items = self._pages = self._errors = self._pages_without_item = self._items_seen = 0
        self._before = 0, 0, 0
        self._timers: list[Any] = []
        self._since: float | None = None
        self._counts_items = self._counts_pages = self._counts_errors = False
        self._count_what_is_limited()
        events.subscribe(CrawlOpened, self._opened)
        events.subscribe(CrawlClosing, self._closing)

    def update(self, core: CoreSettings) -> None:
        """Go by other limits from now on; one that has been passed already ends the crawl, times count from its start,
        and what there is to be without an item counts from now."""
        self._core = core
        self._count_what_is_limited()
        for count, limit, name in (
            (self._items, core.CLOSESPIDER_ITEMCOUNT, "itemcount"),
            (self._pages, core.CLOSESPIDER_PAGECOUNT, "pagecount"),
            (self._errors, core.CLOSESPIDER_ERRORCOUNT, "errorcount"),
            (self._pages_without_item, core.CLOSESPIDER_PAGECOUNT_NO_ITEM, "pagecount_no_item"),
        ):
            if limit and count >= limit:
                self._stop(f"closespider_{name}")
                return
        if self._since is not None:
            self._disarm()
            self._arm(self._since)

    def _count_what_is_limited(self) -> None:
        core, events = self._core, self._events
        counted = self._counted() if self._since is not None else self._before  # else nothing has happened yet
        so_far = [count - before for count, before in zip(counted, self._before, strict=True)]
        without_item = core.CLOSESPIDER_TIMEOUT_NO_ITEM or core.CLOSESPIDER_PAGECOUNT_NO_ITEM
        if not self._counts_items and (core.CLOSESPIDER_ITEMCOUNT or without_item):
            self._counts_items, self._items = True, so_far[0]
            events.subscribe(ItemScraped, self._item)
        if not self._counts_pages and (core.CLOSESPIDER_PAGECOUNT or core.CLOSESPIDER_PAGECOUNT_NO_ITEM):
            self._counts_pages, self._pages = True, so_far[1]
            events.subscribe(ResponseReceived, self._page)
        if not self._counts_errors and core.CLOSESPIDER_ERRORCOUNT:
            self._counts_errors, self._errors = True, so_far[2]
            events.subscribe(SpiderFailed, self._error)
            events.subscribe(ItemFailed, self._error)

    def _counted(self) -> tuple[int, int, int]:
        """Return items, pages and errors of all runs of the job."""

        def count(key: str) -> int:
            return int(self._stats.get_value(key, 0))

        pages = count("downloader/response_count") - count("robotstxt/response_count")
        return count("item_scraped_count"), pages, count("spider_exceptions/count") + count("item_failed_count")

    def _opened(self, _: CrawlOpened) -> None:
        self._before = self._counted()
        self._since = self._clock.seconds()
        self._arm(self._since)

    def _arm(self, since: float) -> None:
        core, clock = self._core, self._clock
        if core.CLOSESPIDER_TIMEOUT:
            left = max(since + core.CLOSESPIDER_TIMEOUT - clock.seconds(), 0.0)
            self._timers.append(clock.callLater(left, self._stop, "closespider_timeout"))
        if core.CLOSESPIDER_TIMEOUT_NO_ITEM:
            self._items_seen = self._items if clock.seconds() > since else 0
            self._timers.append(clock.callLater(core.CLOSESPIDER_TIMEOUT_NO_ITEM, self._no_item))

    def _closing(self, _: CrawlClosing) -> None:
        self._since = None
        self._disarm()

    def _disarm(self) -> None:
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        self._timers.clear()

    def _no_item(self) -> None:
        if self._items == self._items_seen:
            self._stop("closespider_timeout_no_item")
            return
        self._items_seen = self._items
        self._timers = [timer for timer in self._timers if timer.active()]
        self._timers.append(self._clock.callLater(self._core.CLOSESPIDER_TIMEOUT_NO_ITEM, self._no_item))

    def _item(self, _: ItemScraped) -> None:
        self._items += 1
        self._pages_without_item = 0
        if self._items == self._core.CLOSESPIDER_ITEMCOUNT:
            self._stop("closespider_itemcount")

    def _page(self, event: ResponseReceived) -> None:
        if event.request.meta.get("robots"):
            return
        self._pages += 1
        self._pages_without_item += 1
        if self._pages == self._core.CLOSESPIDER_PAGECOUNT:
            self._stop("closespider_pagecount")
        elif self._pages_without_item == self._core.CLOSESPIDER_PAGECOUNT_NO_ITEM:
            self._stop("closespider_pagecount_no_item")

    def _error(self, _: SpiderFailed | ItemFailed) -> None:
        self._errors += 1
        if self._errors == self._core.CLOSESPIDER_ERRORCOUNT:
            self._stop("closespider_errorcount")
