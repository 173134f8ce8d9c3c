"""How does one crawl run from its first request to its last?

It opens and closes everything, in an order that keeps what is there whatever fails.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from crawler.engine.life import Kind, Phase
from crawler.engine.made import Keeping, Sending, Steering, UsersCode
from crawler.engine.memory import MemoryLimit
from crawler.engine.parts import Parts
from crawler.engine.stalls import StallWatch
from crawler.engine.steering.control import CrawlControl
from crawler.engine.view import CrawlView
from crawler.events import CrawlClosed, CrawlClosing, CrawlOpened, FeedClosed
from crawler.frontier.store import Resumed
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.verdict import Drop
from crawler.summary import SlowStep

LEAVING, ASKED = "leaving", "asked"
"""Why the loop is paused: what is queued is being left, or somebody has asked for it."""


class Crawl:
    """One crawl. ``run()`` runs it; ``ending`` takes the wish to end it early, and tells what went wrong. ``control``
    is for those who look at it while it runs, and ``live`` has the settings that they may change.

    After the run, ``left`` (accepted requests not done), and ``feeds`` (name, items) tell how it went;
    ``complete``: nothing is left to do, and start() did not break off; ``unbegun``: a new job that could not even
    begin.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.left = 0
        self.feeds: list[tuple[str, int]] = []
        self.complete = False
        self.unbegun = False
        self._items_before = 0
        self._kept = Keeping(parts)
        self._users = UsersCode(parts, self._kept)
        self._sending = Sending(parts, self._kept, self._users)
        self.ending = self._kept.ending
        steering = Steering(parts, self._kept, self._sending)
        self.live = steering.live
        self.control = CrawlControl(self, self._sending.loop, self.ending, parts.events, self.live, steering.hosts)
        self._kept.facts.add(self.control)
        self.books = self._kept.life.books
        self._life = self._kept.life
        self._life.listener = self
        self._watches = (
            MemoryLimit(parts, self._sending.loop, self.ending),
            StallWatch(parts, self._kept, self._users, self._sending),
        )
        self._life.ledger.listener = self._sending.loop

    def __repr__(self) -> str:
        return f"<Crawl {self._life!r} {self._kept.frontier!r}>"

    # Beginning and end

    async def run(self) -> None:
        """Run to the end. Raises UsageError (before anything is fetched) and StoreError."""
        parts, loop, starts = self.parts, self._sending.loop, self._users.starts
        resumed = await self._open()
        parts.events.publish(CrawlOpened(parts.spider, parts.job, not resumed.is_new))
        self._life.enter(Phase.RUNNING)
        held = self._kept.keeper.open(None)  # what the hook fetches is sent, and the crawl does not end before start()
        if parts.opened is not None and (raised := await self._users.patience.ended(parts.opened)):
            self.ending.report(raised, "opened")
        if self._sending.holding is not None:
            self._sending.holding.begin(parts.start, starts, parts.events)
        elif not resumed.start_ended and self.ending.early is None and self._life.begins:
            starts.begin(parts.start, count=resumed.start_count, digests=resumed.start_digests)
        self.ending.opened()
        held.end_one()
        loop.changed()
        await loop.over
        try:
            await self._close()
        finally:
            self._users.watch.close()  # though the store fails at its end

    async def _open(self) -> Resumed:
        parts, kept, users = self.parts, self._kept, self._users
        resumed = await parts.store.open()
        users.watch.open()
        try:
            await parts.store.feeds(kept.feeds.names)
            await kept.feeds.open(resumed.feed_marks, resumed.items)
            try:
                self._restore(resumed)
                await users.pipelines.open()
            except BaseException:
                await kept.feeds.close(finished=False)
                raise
        except BaseException:
            users.watch.close()
            self._life.enter(Phase.CLOSING)
            self.unbegun = resumed.is_new
            await parts.store.finish(ended=False, reason="failed")
            raise
        return resumed

    def _restore(self, resumed: Resumed) -> None:
        for place, values in resumed.memory.items():
            self.parts.memory.setdefault(place, {}).update(values)  # a stage may hold it since it was made
        self._kept.facts.restore(resumed.facts)
        if not resumed.is_new:  # without those of callbacks that a kill cut off, which will be scraped again
            self.parts.stats.set_value("item_scraped_count", resumed.items)
        self._items_before = resumed.items
        self._users.start_pages.restore(resumed.start_digests)
        for host, count in resumed.queued.items():
            self._kept.frontier.stored(host, count)
            self.books.accept(count)

    def stop(self) -> None:
        """Send nothing new: leave what waits. What is under way is waited for."""
        loop = self._sending.loop
        loop.pause(LEAVING)
        self._users.starts.stop()
        self._kept.queue.leave_all()
        for reason in loop.paused:
            loop.go_on(reason)

    def cut_off(self) -> None:
        """Wait for nothing more: what is under way is cancelled, and repeated by a resume."""
        self._sending.flight.cancel_all()
        self._users.callbacks.stop()
        self._users.pipelines.cancel()
        self._kept.queue.inline.end()
        self._sending.loop.end()

    def give_up(self) -> None:
        """Wait no longer for hooks and threads of the user's; what is committed is kept."""
        self._users.patience.end()

    async def _close(self) -> None:
        parts, kept, users, ending = self.parts, self._kept, self._users, self.ending
        finished = ending.reason == "finished"
        if finished:
            parts.events.publish(CrawlClosing(ending.reason))
        for stage, error in await users.pipelines.close():
            ending.report(error, f"{stage}.close_spider")
        await kept.committer.close()
        closed = parts.closed or getattr(parts.spider, "closed", None)
        if closed and (raised := await users.patience.ended(closed, ending.reason)):
            ending.report(raised, "closed")
        self.feeds = await kept.feeds.close(finished=finished)
        for path, items in self.feeds:
            parts.events.publish(FeedClosed(path, items))
        # A stop at once has cancelled what was in flight, and leaves that too.
        cut, books = self._life.cut, self.books
        self.left = books.unfinished if cut else books.left + len(kept.frontier) + books.abandoned
        if not cut and not ending.problems:
            ending.check_books(self.left)
        broken_off = finished and users.starts.broken_off  # there is more to come, once its error is mended
        self.complete = ending.reason == "finished" and self.left == 0 and not ending.problems and not broken_off
        await parts.store.finish(ended=self.complete, reason="start_error" if broken_off else ending.reason)
        self._life.enter(Phase.CLOSED)
        users.watch.close()
        parts.events.publish(CrawlClosed(parts.spider, ending.reason))

    # What others ask of it

    def fetch(self, request: Request) -> Deferred[Response]:
        """Fetch inline, for the code that runs now."""
        return self._users.carrying.fetch(request)

    def submit(self, request: Request) -> Drop | None:
        """Take a request from code that is no callback; it is in the job with the next commit, as one of start().

        Returns why a filter refuses it. Raises RuntimeError when the crawl is over, and what the user's filters raise.
        """
        if self._life.over:
            raise RuntimeError(f"the crawl has ended, and takes no request any more: {request!r}")
        unit = self._kept.keeper.open(None)
        try:
            return self._users.requests.take(request, unit, None)
        finally:
            unit.end_one()
            self._life.ledger.changed()

    def keep(self, name: str, value: Any) -> Deferred[None]:
        """Keep a plain value with the job, by a name; fires when it is there, and never if the store fails."""
        self._kept.notes.set(name, value)
        return self._kept.committer.keep()

    def kept(self, name: str) -> Any:
        """Return what was kept by a name, also by earlier runs of the job; None for nothing."""
        return self._kept.notes.get(name)

    def idle(self) -> Deferred[None]:
        """Fire once nothing is under way or queued but start()."""
        return self._sending.loop.idle()

    def is_idle(self) -> bool:
        """Tell whether nothing is under way or queued but start()."""
        return self._sending.loop.is_idle()

    def pause(self) -> None:
        """Send nothing until ``unpause``; what is in flight is answered, and the crawl does not end."""
        if self._life.begins:
            self._sending.loop.pause(ASKED)

    def unpause(self) -> None:
        """Go on."""
        self._sending.loop.go_on(ASKED)

    @property
    def paused(self) -> bool:
        """Whether somebody has asked for a pause."""
        return ASKED in self._sending.loop.paused

    def fetch_more(self, request: Request) -> Deferred[Response]:
        """Fetch another request for a middleware that is at work."""
        self._sending.flight.pause()
        return self._users.carrying.fetch(request)

    def may_repeat(self, request: Request) -> bool:
        """Tell whether a request may be sent again at once: its host owes no delay for it."""
        return self._kept.frontier.asked_again_at(self.parts.acceptance.slot_key(request)) is None

    def view(self) -> CrawlView:
        """Return what may be looked at while it runs."""
        kept = self._kept
        return CrawlView(
            life=self._life,
            loop=self._sending.loop,
            frontier=kept.frontier,
            throttle=kept.throttle,
            feeds=kept.feeds,
            committer=kept.committer,
            host_of=self.parts.acceptance.slot_key,
            robots_obeyed=self.parts.core.ROBOTSTXT_OBEY,
        )

    @property
    def queued(self) -> int:
        """How many requests wait, in memory and in the store."""
        return len(self._kept.frontier)

    @property
    def in_flight(self) -> int:
        """How many exchanges are under way."""
        ledger = self._life.ledger
        return sum(ledger.counts[kind] for kind in (Kind.EXCHANGE, Kind.JUDGING, Kind.LOOKUP, Kind.UNSOUGHT))

    @property
    def errors(self) -> int:
        """How many errors there were in all runs of the job."""
        return self._kept.errors.total

    def slowest(self) -> list[SlowStep]:
        """Return which steps of the user's code held the reactor longest."""
        return self._users.watch.slowest()

    @property
    def unfinished_items(self) -> int:
        """How many items were scraped of requests that a stop cut off: a resume scrapes them again."""
        if not (self._life.cut or self.books.abandoned):
            return 0
        scraped = self.parts.stats.get_value("item_scraped_count", 0) - self._items_before
        return max(int(scraped) - self._kept.committed.items, 0)
