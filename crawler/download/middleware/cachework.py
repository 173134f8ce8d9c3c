"""How are many questions to the cache asked in one go?

The cache's file is used in a thread of its own, and going there and back costs as much as ten look-ups. So
while one batch is under way the next one gathers; it is done in the order in which it was asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.model.cached import CachedPage, CacheWork

logger = logging.getLogger(__name__)

MOST = 64
"""Most things in one batch; it is not to hold the file for long where several processes share it."""

BACKLOG = 256
"""With so many pages to be written, whoever brings one more waits until it is."""

Run = Callable[..., Deferred[Any]]
"""Calls a function with arguments in the cache's thread."""


class Pages(Protocol):
    """Where pages are kept (storage.cache.CacheFile); the calls block."""

    def work(self, batch: Sequence[CacheWork]) -> list[list[CachedPage]]: ...

    def close(self) -> None: ...


class CacheThread:
    """``pages`` as seen from the reactor. A cache that fails answers that it has nothing."""

    def __init__(self, pages: Pages, run: Run) -> None:
        self._pages = pages
        self._run = run
        self._waiting: list[tuple[CacheWork, Deferred[list[CachedPage]] | None]] = []
        self._under_way = False

    def __repr__(self) -> str:
        return f"<CacheThread {self._pages!r} waiting={len(self._waiting)}>"

    def find(self, key: bytes) -> Deferred[list[CachedPage]]:
        """Return the pages kept under a key, the latest first."""
        answer: Deferred[list[CachedPage]] = Deferred()
        self._add(CacheWork("find", key), answer)
        return answer

    def keep(self, key: bytes, page: CachedPage) -> Deferred[Any] | None:
        """Keep a page, soon; a Deferred is to be waited for, for the file does not keep up."""
        answer: Deferred[Any] | None = Deferred() if len(self._waiting) >= BACKLOG else None
        self._add(CacheWork("keep", key, page), answer)
        return answer

    def remove(self, key: bytes) -> None:
        """Remove what is kept under a key, soon."""
        self._add(CacheWork("remove", key), None)

    def close(self) -> None:
        """Write what waits, and close the file; the thread must have ended."""
        left, self._waiting = self._waiting, []
        if left:
            self._pages.work([work for work, _ in left if work.kind != "find"])
        self._pages.close()

    def _add(self, work: CacheWork, answer: Deferred[list[CachedPage]] | None) -> None:
        self._waiting.append((work, answer))
        if not self._under_way:
            self._begin()

    def _begin(self) -> None:
        batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        self._under_way = True
        self._run(self._pages.work, [work for work, _ in batch]).addBoth(self._ended, batch)

    def _ended(
        self,
        result: list[list[CachedPage]] | Failure,
        batch: list[tuple[CacheWork, Deferred[list[CachedPage]] | None]],
    ) -> None:
        if isinstance(result, Failure):
            logger.warning("The cache failed: %s", result.value)
            result = [[] for _ in batch]
        # What these answers lead to is part of the next batch, so that one is not begun before.
        for (_, answer), found in zip(batch, result, strict=True):
            if answer is not None:
                answer.callback(found)
        self._under_way = False
        if self._waiting:
            self._begin()
