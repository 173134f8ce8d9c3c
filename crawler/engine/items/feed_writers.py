"""How do committed items get into the feeds, in order and each exactly once?

Each feed has a thread of its own and one write under way. With a durable store the items are in its
outbox already; what a feed has written and synced is marked in the store, and the mark is where a
resume goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from crawler.engine.clock import Timer
from crawler.engine.ending import Ending
from crawler.engine.frames import error_of
from crawler.engine.life import Kind
from crawler.engine.machine import Machine
from crawler.errors import FeedError, StoreError
from crawler.events import Events, ItemFailed
from crawler.feeds.seam import Feed
from crawler.model.keyed import bare

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.1
"""How long items may wait so that one write takes several."""

WRITE_ITEMS = 500
"""So many waiting items are written at once without waiting longer."""

BACKLOG = 10_000
"""Callbacks wait while a feed is so many items behind, unless it has a ``backlog`` of its own."""

SETTLED_SECONDS = 0.5
"""After so long a file that a mark speaks of takes the name of another one.

The mark is on the disk before, so that a power cut cannot take the job back behind the name. Disks that only say
so, and copies of a job that somebody puts back, are seldom older.
"""

CATCH_UP = 1000
"""Items read from the outbox at once on a resume."""


class Outbox(Protocol):
    """The committed items, and how far each feed has written them. Every Store is one."""

    durable: bool

    def unfed_items(self, after: int, count: int) -> Deferred[list[tuple[int, Any]]]:
        """See Store."""

    def fed(self, feed: str, mark: Mapping[str, Any], *, on_disk: bool = False) -> Deferred[None]:
        """See Store."""


class _Writer:
    """One feed, its thread and the items it has not written yet."""

    def __init__(self, writers: FeedWriters, feed: Feed, machine: Machine) -> None:
        self._writers = writers
        self.feed = feed
        self.keyed: bool = getattr(feed, "keyed", False)
        self.pool = machine.pools(f"feed {feed.name}", 1)
        self.backlog: int = getattr(feed, "backlog", BACKLOG)
        self.items: list[Any] = []
        self.number = 0
        self.marked = 0
        self.busy = False
        self.behind = False
        self._timer: Timer | None = None
        self._idle: Deferred[None] | None = None
        self.unsettled: dict[Any, Deferred[Any]] = {}  # timers, of which each has a mark with renames

    def put(self, items: Sequence[Any], last: int) -> None:
        if self._writers.failed:
            return
        self.items += items
        self.number = last
        if len(self.items) >= self.backlog:
            self.tell_behind()
        if self.busy:
            return
        if len(self.items) >= WRITE_ITEMS:
            self.write()
        elif self._timer is None:
            self._timer = self._writers.clock.callLater(GATHER_SECONDS, self._due)

    def _due(self) -> None:
        self._timer = None
        self.write()

    def write(self) -> None:
        if self.busy or not self.items or self._writers.failed:
            self._tell_idle()
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        items, self.items = self.items, []
        if self.behind:
            self.tell_behind()
        self.busy = True
        self._writers.mark(self, self.run_write(items)).addBoth(self._written)

    def run_write(self, items: Sequence[Any]) -> Deferred[dict[str, Any]]:
        """Write items in the feed's thread, up to the present number; fires with the mark."""
        return self.pool.run(self.feed.write, items if self.keyed else bare(items), self.number)

    def _written(self, result: Failure | None) -> None:
        self.busy = False
        if isinstance(result, Failure):
            self._writers.fail(self.feed, error_of(result))
        self._writers.ledger.changed()
        if len(self.items) >= WRITE_ITEMS or self._idle is not None:
            self.write()
        elif self.items and self._timer is None:
            self._timer = self._writers.clock.callLater(GATHER_SECONDS, self._due)
        self._tell_idle()

    def tell_behind(self) -> None:
        """Let callbacks wait while this feed is far behind; one that writes nothing more is not waited for."""
        behind = len(self.items) >= self.backlog and not self._writers.failed
        if behind is not self.behind:
            self.behind = behind
            (self._writers.ledger.begin if behind else self._writers.ledger.end)(Kind.FEED)

    def flush(self) -> Deferred[None]:
        self._idle = Deferred()
        idle = self._idle
        self.write()
        return idle

    def _tell_idle(self) -> None:
        if self._idle is not None and not self.busy and (not self.items or self._writers.failed):
            idle, self._idle = self._idle, None
            idle.callback(None)


class FeedWriters:
    """All feeds of a crawl. After the first error nothing more is written.

    Goals: every committed item is in every feed once, in the order of the commits, whenever the crawl is killed; a
    file never shows what its job does not have; a slow disk slows the callbacks down, not the reactor.

    Plan: the store numbers the items of each commit and, if it is durable, keeps them until every feed has marked
    them. A feed takes what has gathered, writes and syncs it in its thread, and answers with a mark: the last number,
    and how far its files are good. The store keeps the mark; only then may the feed do what cannot be undone (a
    rename, the end of a part), which it is told by ``kept`` and ``committed``. A resume opens each feed at its mark,
    which cuts off what was written behind it, and writes the store's items from there on.

    Known limits: one write a feed is under way, so a feed is as fast as its disk syncs; what waits for a file to be
    settled waits in memory; an item that a function of the user's keeps out of a feed is lost for that feed alone.
    """

    def __init__(
        self, feeds: Sequence[Feed], store: Outbox, *, machine: Machine, ending: Ending, events: Events
    ) -> None:
        self.clock = machine.clock
        self.ledger = ending.life.ledger
        self.failed = False
        self._store = store
        self._ending = ending
        self._events = events
        self._writers = [_Writer(self, feed, machine) for feed in feeds]

    @property
    def names(self) -> list[str]:
        """The names of the feeds."""
        return [writer.feed.name for writer in self._writers]

    def counts(self) -> list[tuple[str, int]]:
        """Return the name of each feed that the user named, and how many items it has so far."""
        return [(writer.feed.name, writer.feed.count()) for writer in self._writers if not writer.keyed]

    async def open(self, marks: dict[str, Any], last: int) -> None:
        """Open every feed at its mark and write what was committed but not fed; ``last`` is the newest item's number.

        Raises OutputError; the feeds opened before it are closed again.
        """
        opened: list[_Writer] = []
        try:
            for writer in self._writers:
                mark = marks.get(writer.feed.name)
                await writer.pool.run(partial(writer.feed.open, mark, durable=self._store.durable))
                opened.append(writer)
                number = int(mark["number"]) if mark else 0
                if self._store.durable:
                    number = await self._stand(writer, number, last)
                await self._catch_up(writer, number, last)
        except BaseException:
            for writer in opened:
                for timer in writer.unsettled:
                    timer.cancel()
                await writer.pool.run(partial(writer.feed.close, finished=False))
            for writer in self._writers:
                await writer.pool.stop()
            raise

    async def _stand(self, writer: _Writer, number: int, last: int) -> int:
        """Keep a first mark, which tells the job's own bytes from those before it; return where to go on.

        What keeps its mark itself may be ahead of the job's, and does not get again what it has.
        """
        mark = await writer.pool.run(writer.feed.write, (), number)
        if mark["number"] > last:
            logger.warning(
                "The feed %s has items up to number %d, and the job's last is %d: the job was put back to an older "
                "state, and what it brings again may be in the feed twice",
                writer.feed.name,
                mark["number"],
                last,
            )
            mark = await writer.pool.run(writer.feed.write, (), number)
        await self.mark(writer, succeed(mark), on_disk=True)
        return int(mark["number"])

    async def _catch_up(self, writer: _Writer, number: int, last: int) -> None:
        writer.number = number
        while writer.number < last:
            # Where several workers share a job more is committed meanwhile: that comes by ``put``, to all feeds.
            rows = [row for row in await self._store.unfed_items(writer.number, CATCH_UP) if row[0] <= last]
            if not rows:
                return
            writer.number = rows[-1][0]
            await self.mark(writer, writer.run_write([item for _, item in rows]))

    def put(self, items: Sequence[Any], last: int) -> None:
        """Take committed items, the last of which has number ``last``."""
        for writer in self._writers:
            writer.put(items, last)

    def mark(self, writer: _Writer, written: Deferred[dict[str, Any]], *, on_disk: bool = False) -> Deferred[Any]:
        """Make durable what was written, then let the feed finish what had to wait for that."""

        def keep(mark: dict[str, Any]) -> Deferred[Any]:
            lost = getattr(writer.feed, "lost", None)  # a feed of one's own need not have it
            while lost:
                item, error = lost.pop(0)
                stage = writer.feed.name if isinstance(error, FeedError) else f"the filter of {writer.feed.name}"
                self._events.publish(ItemFailed(item, stage, error, None))
            if not self._store.durable:
                return writer.pool.run(writer.feed.committed, mark)
            if mark.get("renames"):
                kept = self._store.fed(writer.feed.name, mark, on_disk=True)
                kept.addCallback(lambda _: writer.pool.run(writer.feed.kept, mark))
                return kept.addCallback(lambda _: self._settle_later(writer, mark))
            kept = self._store.fed(writer.feed.name, mark, on_disk=on_disk)
            return kept.addCallback(lambda _: writer.pool.run(writer.feed.committed, mark))

        return written.addCallback(keep)

    def _settle_later(self, writer: _Writer, mark: dict[str, Any]) -> None:
        def settle() -> None:
            del writer.unsettled[timer]
            settled = writer.pool.run(writer.feed.committed, mark)
            settled.addErrback(lambda failure: self.fail(writer.feed, error_of(failure))).chainDeferred(done)

        done: Deferred[Any] = Deferred()
        timer = self.clock.callLater(SETTLED_SECONDS, settle)
        writer.unsettled[timer] = done

    def fail(self, feed: Feed, error: BaseException) -> None:
        """Stop writing; tell the crawl, once."""
        if self.failed:
            return
        self.failed = True
        for writer in self._writers:
            writer.tell_behind()
        if not isinstance(error, FeedError | StoreError):
            error = FeedError(f"the feed {feed.name} failed: {type(error).__name__}: {error}")
        self._ending.fail(error)

    async def close(self, *, finished: bool) -> list[tuple[str, int]]:
        """Write what is left, close the feeds; returns the name and the number of items of each that the user named."""
        for writer in self._writers:
            await writer.flush()
            for settled in list(writer.unsettled.values()):
                await settled
            try:
                mark = await writer.pool.run(partial(writer.feed.close, finished=finished))
                if self._store.durable and not self.failed:
                    await self._store.fed(writer.feed.name, mark)
            except Exception as error:
                self.fail(writer.feed, error)
            await writer.pool.stop()
        return self.counts()
