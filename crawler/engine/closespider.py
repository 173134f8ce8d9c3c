"""Has the crawl done enough? The CLOSESPIDER_* settings, with Scrapy's meanings and reasons."""

from __future__ import annotations

from typing import Any

from crawler.config.schema import CoreSettings
from crawler.engine.clock import Clock
from crawler.engine.ending import Ending
from crawler.events import CrawlClosing, CrawlOpened, Events, ItemFailed, ItemScraped, ResponseReceived, SpiderFailed


class CloseSpiderLimits:
    """Counts by events and stops the crawl with a named reason when a limit is reached."""

    def __init__(self, core: CoreSettings, clock: Clock, events: Events, ending: Ending) -> None:
        self._core = core
        self._clock = clock
        self._stop = ending.stop
        self._items = self._pages = self._errors = self._pages_without_item = self._items_seen = 0
        self._timers: list[Any] = []
        if core.CLOSESPIDER_ITEMCOUNT or core.CLOSESPIDER_TIMEOUT_NO_ITEM or core.CLOSESPIDER_PAGECOUNT_NO_ITEM:
            events.subscribe(ItemScraped, self._item)
        if core.CLOSESPIDER_PAGECOUNT or core.CLOSESPIDER_PAGECOUNT_NO_ITEM:
            events.subscribe(ResponseReceived, self._page)
        if core.CLOSESPIDER_ERRORCOUNT:
            events.subscribe(SpiderFailed, self._error)
            events.subscribe(ItemFailed, self._error)
        if core.CLOSESPIDER_TIMEOUT or core.CLOSESPIDER_TIMEOUT_NO_ITEM:
            events.subscribe(CrawlOpened, self._opened)
            events.subscribe(CrawlClosing, self._closing)

    def _opened(self, _: CrawlOpened) -> None:
        if self._core.CLOSESPIDER_TIMEOUT:
            self._timers.append(
                self._clock.callLater(self._core.CLOSESPIDER_TIMEOUT, self._stop, "closespider_timeout")
            )
        if self._core.CLOSESPIDER_TIMEOUT_NO_ITEM:
            self._timers.append(self._clock.callLater(self._core.CLOSESPIDER_TIMEOUT_NO_ITEM, self._no_item))

    def _closing(self, _: CrawlClosing) -> None:
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
