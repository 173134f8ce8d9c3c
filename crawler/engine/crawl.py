"""How does one crawl run from its first request to its last?

It opens and closes everything, tells the loop when to begin and to halt, and keeps what went wrong.
"""

from __future__ import annotations

import logging

from twisted.internet.defer import Deferred

from crawler.engine.keeping.unit import Unit
from crawler.engine.parts import Parts
from crawler.engine.sending.flight import Sending
from crawler.engine.sending.loop import Loop
from crawler.engine.stopping import FAILURES, reason_of
from crawler.engine.user_code.frames import message_of, user_traceback
from crawler.engine.wiring import Wiring
from crawler.errors import BooksDoNotBalance, CloseSpider, CrawlerError
from crawler.events import CrawlClosed, CrawlClosing, CrawlOpened, FeedClosed, ItemFailed, SpiderFailed
from crawler.frontier.entry import Entry
from crawler.frontier.store import Resumed
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response

logger = logging.getLogger(__name__)


class Crawl:
    """One crawl. ``run()`` runs it; ``stop(reason)`` lets it end early, ``stop_now()`` at once.

    After the run, ``reason``, ``left`` (accepted requests not done), ``feeds`` (name, items) and
    ``problems`` (sentences for the user) tell how it went; ``complete``: nothing is left to do, and
    start() did not break off; ``unbegun``: a new job that could not even begin.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.reason = "finished"
        self.left = 0
        self.feeds: list[tuple[str, int]] = []
        self.problems: list[str] = []
        self.complete = False
        self.unbegun = False
        self._items_before = 0
        self.start_failed = False
        self.failures = self.lost_items = self.errors_before = 0
        parts.events.subscribe(ItemFailed, self._item_lost)
        parts.events.close = self.stop
        self._state = "new"
        self._stop_early: str | None = None
        self._hard = False
        self._leaving = False
        self._wired = Wiring(parts, self)
        self._sending = Sending(parts, self._wired, self)
        self.may_repeat = self._sending.may_repeat
        self._loop = Loop(parts, self._wired, self._sending, failed=self.fail)

    def __repr__(self) -> str:
        return f"<Crawl {self._state} {self._loop!r} {self._wired.frontier!r} {self._wired.books!r}>"

    # Beginning and end

    async def run(self) -> None:
        """Run to the end. Raises UsageError (before anything is fetched) and StoreError."""
        parts, wired = self.parts, self._wired
        resumed = await self._open()
        parts.events.publish(CrawlOpened(parts.spider, parts.job, not resumed.is_new))
        self._state = "running"
        if not resumed.start_ended and self._stop_early is None:
            wired.starts.begin(parts.spider.start, count=resumed.start_count, digests=resumed.start_digests)
        if self._stop_early is not None:
            self.stop(self._stop_early)
        if self._state == "running":
            self._loop.begin()
        await self._loop.over
        if self._state == "running":
            self._state = "ended"
        await self._close()

    async def _open(self) -> Resumed:
        parts, wired = self.parts, self._wired
        resumed = await parts.store.open()
        wired.watch.open()
        try:
            await parts.store.feeds(wired.outlet.names)
            await wired.outlet.open(resumed.feed_marks, resumed.items)
            try:
                self._restore(resumed)
                await wired.pipelines.open()
            except BaseException:
                await wired.outlet.close(finished=False)
                raise
        except BaseException:
            wired.watch.close()
            self.unbegun = resumed.is_new
            await parts.store.finish(ended=False, reason="failed")
            raise
        return resumed

    def _restore(self, resumed: Resumed) -> None:
        wired = self._wired
        for place, values in resumed.memory.items():
            self.parts.memory.setdefault(place, {}).update(values)  # a stage may hold it since it was made
        wired.facts.restore(resumed.facts)
        self.errors_before = wired.errors.before
        if not resumed.is_new:  # without those of callbacks that a kill cut off, which will be scraped again
            self.parts.stats.set_value("item_scraped_count", resumed.items)
        self._items_before = resumed.items
        wired.start_pages.restore(resumed.start_digests)
        for host, count in resumed.queued.items():
            wired.frontier.stored(host, count)
            wired.books.accepted += count

    def stop(self, reason: str) -> None:
        """Take no new request; end when what is in flight has ended and its results are committed."""
        if self._state == "new":
            self._stop_early = reason
        if self._state != "running":
            return  # what has ended by itself is not stopped any more
        self._state = "closing"
        self.reason = reason
        self.parts.events.publish(CrawlClosing(reason))
        wired = self._wired
        self._loop.halt()
        wired.intake.stopping = True
        wired.starts.stop()
        self._leaving = True
        for entry in [*wired.frontier.drain(), *self._sending.local.drain()]:
            self.leave(entry)
        self._leaving = False
        self.changed()

    def stop_now(self, reason: str = "shutdown") -> None:
        """End at once: what is in flight is cancelled, and repeated by a resume."""
        self.stop(reason)
        if self._hard or self._loop.over.called:
            return
        self._hard = True
        self._sending.cancel_all()
        self._wired.callbacks.stop()
        self._wired.pipelines.cancel()
        self._wired.inline.end()
        self._loop.end()

    def give_up(self) -> None:
        """Wait no longer for hooks and threads of the user's; what is committed is kept."""
        self._wired.patience.end()

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
        if self._loop.over.called:
            self.reason = reason if self.reason == "finished" else self.reason
        elif reason not in ("store_error", "internal_error"):
            self.stop(reason)
        else:
            self.stop_now(reason)

    def leave(self, entry: Entry) -> None:
        """An entry stays undone at a stop: if it is carried, its parent is repeated instead."""
        if not entry.carried:
            self.left += 1
            return
        self._wired.books.accepted -= 1
        self._wired.books.carried -= 1
        unit: Unit = entry.unit
        unit.abandoned = True
        if entry in self._wired.inline:
            self._wired.inline.abandon(entry)
        unit.end_one()

    async def _close(self) -> None:
        parts, wired = self.parts, self._wired
        finished = self.reason == "finished"
        if finished:
            parts.events.publish(CrawlClosing(self.reason))
        for stage, error in await wired.pipelines.close():
            self._report(error, None, f"{stage}.close_spider", None)
        await wired.committer.close()
        closed = getattr(parts.spider, "closed", None)
        if closed and (raised := await wired.patience.ended(closed, self.reason)):
            self._report(raised, None, "closed", None)
        self.feeds = await wired.outlet.close(finished=finished)
        for path, items in self.feeds:
            parts.events.publish(FeedClosed(path, items))
        # A stop at once has cancelled what was in flight, and leaves that too.
        self.left = wired.books.unfinished if self._hard else self.left + len(wired.frontier) + wired.intake.abandoned
        if not self._hard and not self.problems:
            self._check_books()
        broken_off = finished and wired.starts.broken_off  # there is more to come, once its error is mended
        self.complete = self.reason == "finished" and self.left == 0 and not self.problems and not broken_off
        await parts.store.finish(ended=self.complete, reason="start_error" if broken_off else self.reason)
        self._state = "closed"
        wired.watch.close()
        parts.events.publish(CrawlClosed(parts.spider, self.reason))

    def _check_books(self) -> None:
        try:
            self._wired.books.check(self.left)
        except BooksDoNotBalance as error:
            self.problems.append(str(error))
            logger.error("%s", error)

    # What the parts tell

    def admit(self, entry: Entry) -> None:
        """Queue an accepted entry."""
        if self._state == "running":
            self._sending.local.admit(entry)
        else:
            self.leave(entry)

    def fetch(self, request: Request) -> Deferred[Response]:
        """Fetch inline, for the code that runs now."""
        deferred = self._wired.intake.fetch(request)
        self.changed()
        return deferred

    def fetch_more(self, request: Request) -> Deferred[Response]:
        """Fetch another request for a middleware that is at work."""
        deferred = self._sending.fetch_more(request)
        self.changed()
        return deferred

    def changed(self) -> None:
        """Something ended or came in."""
        if not self._leaving:  # the end would count what is left while it is being left
            self._loop.changed()

    def room_for_results(self) -> bool:
        """Tell whether a callback may go on: there is room in the pipelines, and feeds and store keep up."""
        return self._wired.pipelines.room and self._wired.outlet.room and self._wired.intake.staging < 2

    def made_room(self) -> None:
        """There may be room again."""
        if self.room_for_results():
            self._wired.callbacks.go_on()
        self.changed()

    @property
    def queued(self) -> int:
        """How many requests wait, in memory and in the store."""
        return len(self._wired.frontier)

    @property
    def in_flight(self) -> int:
        """How many exchanges are under way."""
        return len(self._sending)

    @property
    def unfinished_items(self) -> int:
        """How many items were scraped of requests that a stop cut off: a resume scrapes them again."""
        if not (self._hard or self._wired.intake.abandoned):
            return 0
        scraped = self.parts.stats.get_value("item_scraped_count", 0) - self._items_before
        return max(int(scraped) - self._wired.intake.items, 0)

    @property
    def nothing_accepted(self) -> bool:
        """Whether all that start() yielded was refused: the crawl had nothing to do, though it was asked to."""
        return self._wired.books.accepted == 0 and self._wired.intake.refused > 0

    @property
    def ended(self) -> dict[str, int]:
        """How many requests were answered, failed and dropped."""
        return self._wired.books.ended

    def _item_lost(self, _: ItemFailed) -> None:
        self.lost_items += 1

    def spider_failed(self, error: BaseException, unit: Unit, name: str, response: Response | None) -> None:
        """A callback, errback or start() raised."""
        if isinstance(error, CloseSpider):
            self.stop(error.reason)
        elif not unit.abandoned:
            self._report(error, unit, name, response)

    def value_lost(self, what: str, error: BaseException) -> None:
        """A value of the user's cannot be kept in the job."""
        said = f"cannot be kept in the job, and a resume will not have it: {message_of(error)}"
        self._report(TypeError(said), None, what, None)

    def _report(self, error: BaseException, unit: Unit | None, name: str, response: Response | None) -> None:
        self.failures += 1
        self.start_failed = self.start_failed or name == "start"
        url = response.url if response is not None else None
        if url is None and unit is not None and unit.request is not None:
            url = unit.request.url
        self.parts.events.publish(SpiderFailed(error, name, url and masked(url), user_traceback(error), response))
