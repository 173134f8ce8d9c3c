"""Does the process use more memory than it may?

Goals: a crawl that is about to take all of a machine's memory warns, then takes nothing new, and then stops so that it
can be resumed. The settings and stats are Scrapy's (docs.scrapy.org, "Memory usage extension"), which stops at once.

Plan: at the limit nothing more is sent, callbacks and stages end, and what they leave is collected. Where that was
enough the crawl goes on; else it stops at the next look. What is looked at is what the process has in memory now,
not the most that it ever had.
"""

from __future__ import annotations

import gc
import logging

from crawler.engine.clock import Timer
from crawler.engine.ending import EXCEEDED, Ending
from crawler.engine.parts import Parts
from crawler.engine.sending.loop import Loop
from crawler.events import CrawlClosed, CrawlOpened, MemoryHigh
from crawler.resident import MEBIBYTE, mebibytes, resident_bytes

logger = logging.getLogger(__name__)

MEMORY = "memory"
"""Why the loop is paused: the process uses too much."""

AGAIN_SECONDS = 10.0
"""Nothing is sent for no longer than that before it is looked again, whatever the interval."""


class MemoryLimit:
    """Looks at intervals, while a crawl is open. Without limits it looks at nothing."""

    def __init__(self, parts: Parts, loop: Loop, ending: Ending) -> None:
        core, events = parts.core, parts.events
        self._limit = core.MEMUSAGE_LIMIT_MB * MEBIBYTE
        self._warning = core.MEMUSAGE_WARNING_MB * MEBIBYTE
        self._interval = core.MEMUSAGE_CHECK_INTERVAL_SECONDS
        self._store = parts.store
        self._clock = parts.machine.clock
        self._stats = parts.stats
        self._events = events
        self._loop = loop
        self._ending = ending
        self._warned = False
        self._timer: Timer | None = None
        if core.MEMUSAGE_ENABLED and (self._limit or self._warning):
            events.subscribe(CrawlOpened, self._opened)
            events.subscribe(CrawlClosed, self._closed)

    def _opened(self, _: CrawlOpened) -> None:
        self._stats.set_value("memusage/startup", resident_bytes())
        self._timer = self._clock.callLater(self._interval, self._look)

    def _closed(self, _: CrawlClosed) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._stats.max_value("memusage/max", resident_bytes())

    def _look(self) -> None:
        size = resident_bytes()
        self._stats.max_value("memusage/max", size)
        if self._warning and size > self._warning and not self._warned:
            self._warned = True
            self._stats.set_value("memusage/warning_reached", 1)
            logger.warning("The process uses %s of memory, more than MEMUSAGE_WARNING_MB", mebibytes(size))
            self._events.publish(MemoryHigh(size, self._warning, "warning"))
        if self._limit and self._ending.life.begins:
            self._hold(size)
        paused = MEMORY in self._loop.paused
        self._timer = self._clock.callLater(
            min(self._interval, AGAIN_SECONDS) if paused else self._interval, self._look
        )

    def _hold(self, size: int) -> None:
        paused, said = MEMORY in self._loop.paused, mebibytes(size)
        if size <= self._limit:
            if paused:
                logger.info("The process uses %s of memory: the crawl goes on", said)
                self._loop.go_on(MEMORY)
        elif not paused:
            self._stats.set_value("memusage/limit_reached", 1)
            logger.warning("The process uses %s of memory, more than MEMUSAGE_LIMIT_MB: nothing more is sent now", said)
            self._loop.pause(MEMORY)
            gc.collect()
            self._events.publish(MemoryHigh(size, self._limit, "paused"))
        else:
            again = "; it can be resumed, in a new process" if self._store.durable else ""
            if self._store.takes:
                again = " in this process, and another worker takes its place"
            logger.error(
                "The process still uses %s of memory, more than MEMUSAGE_LIMIT_MB: the crawl stops%s",
                said,
                again,
            )
            self._events.publish(MemoryHigh(size, self._limit, "stopped"))
            self._ending.stop(EXCEEDED)
