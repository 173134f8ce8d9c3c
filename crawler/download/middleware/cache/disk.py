"""How is the cache used without a wait for the disk?

A look-up is one read by primary key, which waits for no writer: 30 µs. It is done where it is asked for,
since handing it to a thread and back costs more. Pages are written in a thread, many in one go: while one
batch is under way the next one gathers.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.model.cached import CachedPage
from crawler.threads import Pool

logger = logging.getLogger(__name__)

MOST = 64
"""Most pages in one batch; it is not to hold the file for long where several processes share it."""

BACKLOG = 256
"""With so many pages to be written, whoever brings one more waits until some are."""

Work = tuple[bytes, CachedPage | None]


class Pages(Protocol):
    """Where pages are kept (storage.cache.CacheFile); the calls block."""

    def find(self, key: bytes) -> list[CachedPage]:
        """Return the pages kept under a key, the latest first."""

    def work(self, batch: Sequence[Work]) -> None:
        """Keep pages, or remove what is under a key (None), in this order."""

    def close(self) -> None:
        """Close the file."""


class KeptPages:
    """``pages`` as the middleware sees them: what is still to be written can be found already.

    They are written in ``thread``.
    """

    def __init__(self, pages: Pages, thread: Pool) -> None:
        self._pages = pages
        self._thread = thread
        self._waiting: list[Work] = []
        self._latest: dict[bytes, CachedPage | None] = {}
        self._under_way = False
        self._room: Deferred[None] | None = None
        self._written: list[Deferred[None]] = []

    def __repr__(self) -> str:
        return f"<KeptPages {self._pages!r} waiting={len(self._waiting)}>"

    def find(self, key: bytes) -> list[CachedPage]:
        """Return the pages kept under a key, the latest first."""
        if key not in self._latest:
            return self._pages.find(key)
        page = self._latest[key]
        return [] if page is None else [page, *self._pages.find(key)] if page.vary else [page]

    def keep(self, key: bytes, page: CachedPage) -> Deferred[None] | None:
        """Keep a page, soon; a Deferred is to be waited for, for the file does not keep up."""
        self._add((key, page))
        if len(self._waiting) < BACKLOG:
            return None
        if self._room is None:
            self._room = Deferred()
        waiting: Deferred[None] = Deferred()
        self._room.addCallback(lambda _: waiting.callback(None))
        return waiting

    def remove(self, key: bytes) -> None:
        """Remove what is kept under a key, soon."""
        self._add((key, None))

    def written(self) -> Deferred[None]:
        """Return a Deferred that fires when nothing waits to be written."""
        done: Deferred[None] = Deferred()
        self._written.append(done)
        self._tell_written()
        return done

    def _tell_written(self) -> None:
        if not (self._under_way or self._waiting):
            done, self._written = self._written, []
            for each in done:
                each.callback(None)

    def close(self) -> None:
        """Close the file, when all is ``written`` and the thread has ended."""
        self._pages.close()

    def _add(self, work: Work) -> None:
        self._waiting.append(work)
        self._latest[work[0]] = work[1]
        if not self._under_way:
            self._begin()

    def _begin(self) -> None:
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        self._under_way = True
        self._thread.run(self._pages.work, batch).addBoth(self._ended, batch)

    def _ended(self, result: Failure | None, batch: list[Work]) -> None:
        if isinstance(result, Failure):
            logger.warning("The cache failed: %s", result.value)
        for key, page in batch:
            if self._latest.get(key, page) is page:
                self._latest.pop(key, None)
        self._under_way = False
        room, self._room = self._room, None
        if room is not None:
            room.callback(None)
        if self._waiting and not self._under_way:
            self._begin()
        self._tell_written()
