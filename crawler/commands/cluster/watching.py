"""What runs beside a crawl of many workers, and what does it see of them?

The page, the consoles and the notices are the starter's. They read what the server of the job knows, which is looked
at once a second in the thread of the line, and the items that are pulled for the feeds.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from functools import cache, partial
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from crawler.assembly.board import setting_rows
from crawler.assembly.companions import Companions, Watched, is_looked_at
from crawler.commands.cluster.control import ClusterControl
from crawler.commands.cluster.feeds import WholeFeeds
from crawler.commands.cluster.looking import ServerReader
from crawler.commands.looking.file import runs_of
from crawler.commands.looking.looked import Looked, Reading
from crawler.engine.keeping.facts import Notes
from crawler.model.keyed import Keyed
from crawler.observe.board.short import short_json
from crawler.observe.board.shown import FeedRow, Item, Now
from crawler.observe.frames import shorten
from crawler.storage.cluster.line import Line
from crawler.summary import Summary

LOOK_SECONDS = 1.0
LAST_ITEMS = 50


class Watching:
    """The companions of a crawl of many workers, and the Source that they read; nothing, if settings ask for none.

    ``watched.source`` is set here, and ``keep`` and ``kept``: what companions keep lies with the job on its server.
    """

    def __init__(
        self, watched: Watched, line: Line, read: ServerReader, feeds: WholeFeeds, control: ClusterControl
    ) -> None:
        self.watched = watched
        self._line = line
        self._read = read
        self._feeds = feeds
        self._control = control
        self._shown: deque[Item] = deque(maxlen=LAST_ITEMS)
        self._looked: Looked | None = None
        self._notes = Notes()
        if is_looked_at(watched.settings.core):
            feeds.last = deque(maxlen=LAST_ITEMS)
            runs = cache(partial(runs_of, watched.settings.core.JOB_DIR, watched.spider.name or ""))
            self._looked = watched.source = Looked(self._reading, runs=runs, clock=watched.world.clock.seconds)
        watched.keep, watched.kept = self._keep, self._notes.get
        self._companions = Companions(watched)

    def __repr__(self) -> str:
        return f"<Watching {self._companions!r}>"

    async def open(self) -> None:
        """Open the companions. Raises UsageError."""
        await self._control.open()
        if self._looked is not None:
            await self._line.run(self._looked.look)
            self._notes.restore_facts(await self._line.told(Notes.PREFIX))
        await self._companions.open()

    def _keep(self, name: str, value: Any) -> Deferred[None]:
        self._notes.set(name, value)
        return self._line.tell(self._notes.changed_facts())

    async def look(self) -> None:
        """Look at the server, if it is time to."""
        looked = self._looked
        if looked is not None and self.watched.world.clock.seconds() >= looked.looked_at + LOOK_SECONDS:
            await self._line.run(looked.look)

    async def close(self, summary: Summary | None) -> None:
        """Show how the crawl has ended, and close the companions."""
        if self._looked is not None and summary is not None:
            reading = self._looked.reading
            state = "stopped" if summary.resumable else "finished"
            now = replace(reading.now, job=replace(reading.now.job, state=state, reason=summary.reason))
            self._looked.take(replace(reading, now=now))
        await self._companions.close(summary)

    # In the thread of the line

    def _reading(self) -> Reading:
        found = self._read()
        while self._feeds.last:
            item, url = _parts(self._feeds.last.popleft())
            self._shown.appendleft(Item(time=found.now.time, url=shorten(url), text=short_json(item)))
        return replace(
            found,
            now=self._of_here(found.now),
            items=list(self._shown),
            feeds=[FeedRow(path=path, items=items) for path, items in self._feeds.counts()],
            settings=setting_rows(self.watched),
        )

    def _of_here(self, now: Now) -> Now:
        job = replace(now.job, pid=os.getpid(), machine=socket.gethostname())
        return replace(now, job=job)


def _parts(item: Any | Keyed) -> tuple[Any, str]:
    """Return an item of the outbox, and the URL of its page where that comes with it."""
    if type(item) is tuple:
        bare, _, page, _ = item
        return bare, page
    return item, ""
