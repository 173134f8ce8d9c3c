"""How do the items of all workers get into the feeds of the process that was given -O?

It pulls the outbox on the server and writes by FeedWriters, as a crawl of one process does from its job file. What is
different: a server may be put back to an older state while it runs. Then its marks count, not what this process
remembers: the feeds are opened again where the server says, which cuts off what its requests will bring again.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from crawler.assembly import feeds_of_crawl, place_feeds
from crawler.assembly.job import begun_of
from crawler.assembly.second_run import SecondRun, with_digests
from crawler.config.settings import Settings
from crawler.engine.ending import Ending
from crawler.engine.items.feed_writers import CATCH_UP, FeedWriters, Outbox
from crawler.engine.life import Capacity, Kind, Life
from crawler.engine.machine import Machine
from crawler.events import Events
from crawler.feeds.seam import Feed
from crawler.spider import Spider
from crawler.storage.cluster.outbox import WentBack
from crawler.storage.jobs import Job, job_path, make_folder

logger = logging.getLogger("crawler")


class SharedOutbox(Outbox, Protocol):
    """The committed items of all workers. What it is asked fails with WentBack once the server is in an older state."""

    def open(self, names: Sequence[str]) -> Deferred[tuple[dict[str, Any], int]]:
        """Name the feeds; return their marks on the server by name, and the number of the newest item."""


@dataclass(frozen=True, slots=True)
class FeedsAnew:
    """The feeds of a job, made as often as they are opened. ``second`` has what it knows of an earlier run."""

    settings: Settings
    spider: Spider
    job: Job
    second: SecondRun = field(default_factory=SecondRun)

    def make(self) -> Sequence[Feed]:
        """Return them, not yet opened."""
        core, name = self.settings.core, self.job.name
        folder = make_folder(core.JOB_DIR)
        feeds = place_feeds(feeds_of_crawl(self.settings, self.spider, begun_of(self.job)), folder, name)
        return with_digests(feeds, core, job_path(folder, name), self.second)

    def check(self) -> FeedsAnew:
        """Raise OutputError for one that cannot be written, as far as that is known before the start; return these."""
        for feed in self.make():
            feed.check()
        return self


class WholeFeeds:
    """The feeds of a crawl of many workers. ``broken`` fires with the error after which nothing more is written.

    ``last`` takes the last items, as many as it has room for.
    """

    def __init__(self, feeds: FeedsAnew, outbox: SharedOutbox, *, machine: Machine, events: Events) -> None:
        self._feeds = feeds
        self._outbox = outbox
        self._machine = machine
        self._events = events
        self._ending = _Ending()
        self.broken = self._ending.broken
        self._writers = self._made(feeds.make())
        self._number = 0
        self.last: deque[Any] = deque(maxlen=0)

    def __repr__(self) -> str:
        return f"<WholeFeeds {self._writers.names} at {self._number}>"

    @property
    def names(self) -> list[str]:
        """The names of the feeds."""
        return self._writers.names

    def counts(self) -> list[tuple[str, int]]:
        """Return each feed's name and how many items it has."""
        return self._writers.counts()

    async def open(self) -> None:
        """Open each at the server's mark, and write what was committed since. Raises OutputError and StoreError.

        A server that goes back meanwhile has other marks, and closed feeds.
        """
        while True:
            marks, last = await self._outbox.open(self._writers.names)
            try:
                await self._writers.open(marks, last)
            except WentBack:
                logger.warning("The server has gone back to an older state; the feeds are opened again")
                self._writers = self._made(self._feeds.make())
                continue
            self._number = last
            return

    async def pull(self) -> int:
        """Take what is there, unless a feed is far behind; return how many items that were. Raises StoreError."""
        taken = 0
        while self._writers.names and not self._ending.life.ledger.counts[Kind.FEED]:
            if self._ending.went_back:
                await self._open_again()
            try:
                rows = await self._outbox.unfed_items(self._number, CATCH_UP)
            except WentBack:
                self._ending.went_back = True
                continue
            if not rows:
                break
            self._number = rows[-1][0]
            self._writers.put([item for _, item in rows], self._number)
            self.last.extend(item for _, item in rows)
            taken += len(rows)
        return taken

    async def close(self, *, finished: bool) -> list[tuple[str, int]]:
        """Write what is left and close; return each feed's name and its number of items."""
        counts = await self._writers.close(finished=finished)
        while self._ending.went_back:
            await self._open_again()
            await self.pull()
            counts = await self._writers.close(finished=finished)
        return counts

    async def _open_again(self) -> None:
        logger.warning("The server has gone back to an older state; the feeds are cut back to where it stands")
        self._ending.went_back = False
        self._writers.failed = True  # what waits in memory is not to be written: it comes again
        await self._writers.close(finished=False)
        self._writers = self._made(self._feeds.make())
        await self.open()

    def _made(self, feeds: Sequence[Feed]) -> FeedWriters:
        ending = self._ending
        return FeedWriters(feeds, self._outbox, machine=self._machine, ending=ending, events=self._events)


class _Ending(Ending):
    """Tells an error of the feeds from a server that has gone back."""

    def __init__(self) -> None:
        super().__init__(Life(Capacity(0, 0, 0)), Events())
        self.broken: Deferred[BaseException] = Deferred()
        self.went_back = False

    def fail(self, error: BaseException) -> None:
        """The feeds are opened again, or the crawl ends."""
        if isinstance(error, WentBack):
            self.went_back = True
        elif not self.broken.called:
            self.broken.callback(error)
