"""Why does the crawl end, and what went wrong in it?"""

from __future__ import annotations

import logging

from crawler.engine.frames import message_of, user_traceback
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Life, Phase
from crawler.errors import (
    BooksDoNotBalance,
    CloseSpider,
    CrawlerError,
    FeedError,
    LateWorker,
    LocalFailure,
    OutputClosed,
    StoreError,
)
from crawler.events import CrawlClosing, Events, ItemFailed, SpiderFailed
from crawler.model.masking import masked
from crawler.model.response import Response

logger = logging.getLogger(__name__)

RAISED = "raised"
"""The reason that an answered request has whose callback raised: what it yielded is not all that there is."""


class Ending:
    """Takes every wish and every reason to end, and keeps what went wrong.

    ``problems`` are sentences for the user; ``failures`` counts errors of the spider's code, ``lost_items`` items.
    ``early``: the crawl was to end before it had begun, and whether at once.
    """

    def __init__(self, life: Life, events: Events) -> None:
        self.life = life
        self.reason = "finished"
        self.problems: list[str] = []
        self.failures = self.lost_items = 0
        self.start_failed = False
        self.early: str | None = None
        self._early_at_once = False
        self._events = events
        events.subscribe(ItemFailed, self._item_lost)
        events.close = self.stop

    def stop(self, reason: str) -> None:
        """Take no new request; end when what is in flight has ended and its results are committed."""
        if self.life.phase is Phase.OPENING:
            self.early = reason
        if not self.life.enter(Phase.STOPPING):
            return  # what has ended by itself is not stopped any more
        self.reason = reason
        self._events.publish(CrawlClosing(reason))
        if self.life.listener is not None:
            self.life.listener.stop()

    def stop_now(self, reason: str) -> None:
        """End at once: what is in flight is cancelled, and repeated by a resume."""
        self.stop(reason)
        if self.life.phase is Phase.OPENING:
            self._early_at_once = True
        elif self.life.cut_off() and self.life.listener is not None:
            self.life.listener.cut_off()

    def opened(self) -> None:
        """Everything is open: what was to end before that ends now."""
        if self.early is not None:
            (self.stop_now if self._early_at_once else self.stop)(self.early)

    def fail(self, error: BaseException) -> None:
        """A feed, the store or a disk has failed: nothing more can be kept, so stop, and say why."""
        reason = reason_of(error)
        ours = not isinstance(error, CrawlerError)
        problem = f"internal error: {error!r}" if ours else str(error)
        if reason not in FAILURES:
            logger.info("%s", problem)
        elif problem not in self.problems:  # a full disk fails the commit and whatever else was under way
            self.problems.append(problem)
            logger.error("%s", problem, exc_info=error if ours else None)
        if self.life.over:
            self.reason = reason if self.reason == "finished" else self.reason
        elif reason not in ("store_error", "internal_error", LATE):
            self.stop(reason)
        else:
            self.stop_now(reason)

    def check_books(self, left: int) -> None:
        """Note it if a request was lost or counted twice."""
        try:
            self.life.books.check(left)
        except BooksDoNotBalance as error:
            self.problems.append(str(error))
            logger.error("%s", error)

    def spider_failed(self, error: BaseException, unit: Unit, name: str, response: Response | None) -> None:
        """A callback, errback or start() raised."""
        if isinstance(error, CloseSpider):
            self.stop(error.reason)
        elif not unit.abandoned:
            unit.reason = unit.reason or RAISED
            url = response.url if response is not None else None
            if url is None and unit.request is not None:
                url = unit.request.url
            self.report(error, name, url, response)

    def value_lost(self, what: str, error: BaseException) -> None:
        """A value of the user's cannot be kept in the job."""
        said = f"cannot be kept in the job, and a resume will not have it: {message_of(error)}"
        self.report(TypeError(said), what)

    def report(self, error: BaseException, name: str, url: str | None = None, response: Response | None = None) -> None:
        """Count and publish an error of the spider's code."""
        self.failures += 1
        self.start_failed = self.start_failed or name == "start"
        self._events.publish(SpiderFailed(error, name, url and masked(url), user_traceback(error), response))

    def _item_lost(self, _: ItemFailed) -> None:
        self.lost_items += 1


LATE = "late"
"""Others do the work of this worker; what started it starts another one in its place. No failure of the crawl."""

EXCEEDED = "memusage_exceeded"
"""The process goes on to use more memory than it may; Scrapy's word. Of a worker's, another one takes its place."""

FAILURES = frozenset({"feed_error", "store_error", "local_failure", "internal_error"})


def reason_of(error: BaseException) -> str:
    """Return the reason that an error stands for: one of FAILURES, or "output_closed" and LATE, which are none."""
    if isinstance(error, OutputClosed):
        return "output_closed"
    if isinstance(error, LateWorker):
        return LATE
    if isinstance(error, FeedError):
        return "feed_error"
    if isinstance(error, LocalFailure):
        return "local_failure"
    return "store_error" if isinstance(error, StoreError) else "internal_error"
