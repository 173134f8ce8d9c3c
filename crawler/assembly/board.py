"""How does a crawl of this process come to have a board, when something is to be shown of it?"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from twisted.python.failure import Failure

from crawler.assembly.companions import Companion, Watched
from crawler.commands.looking.file import runs_of
from crawler.commands.showing import setting_text
from crawler.observe.board.board import Board, Described
from crawler.observe.board.seen import Seen
from crawler.observe.board.shown import Run, Setting
from crawler.summary import Summary

logger = logging.getLogger("crawler")


class BoardCompanion:
    """The board of a crawl, while that runs. What is known of earlier runs of its spider is read once, in a thread."""

    def __init__(self, watched: Watched, view: Seen) -> None:
        self._watched = watched
        self._pool = watched.world.machine.pools("earlier runs", 1)
        self._runs: Sequence[Run] = ()
        described = Described(
            spider=watched.spider.name,
            job=watched.job,
            settings=lambda: setting_rows(watched),
            history=lambda: self._runs,
        )
        self._board = Board(view, watched.events, watched.stats, watched.world.clock, described)
        watched.source = self._board

    async def open(self) -> None:
        """See Companion."""
        self._board.begin()
        runs = self._pool.run(runs_of, self._watched.settings.core.JOB_DIR, self._watched.spider.name)
        runs.addCallbacks(self._found, self._unreadable)

    async def close(self, summary: Summary | None) -> None:
        """See Companion."""
        self._board.end()
        await self._pool.stop()

    def _found(self, runs: Sequence[Run]) -> None:
        self._runs = runs

    def _unreadable(self, failure: Failure) -> None:
        logger.warning("Earlier runs are not shown: %s", failure.value)


class Elsewhere:
    """Nothing to be made: the source of a crawl that others do came with it."""

    async def open(self) -> None:
        """See Companion."""

    async def close(self, summary: Summary | None) -> None:
        """See Companion."""


def companion(watched: Watched) -> Companion:
    """Make the board that the companions made after this one read, unless they have a source already."""
    return Elsewhere() if watched.view is None else BoardCompanion(watched, watched.view())


def setting_rows(watched: Watched) -> Sequence[Setting]:
    """Return the settings that are not at their defaults, or that may be set while the crawl runs, by name."""
    settings, live = watched.settings, watched.control.live()
    names = {name for name in settings if settings.origin(name) != "default"} | live.keys()
    rows = []
    for name in sorted(names):
        known = live.get(name)
        value = settings.get(name) if known is None else known.value
        rows.append(
            Setting(
                name=name, value=setting_text(name, value), origin=settings.origin(name), live=known is not None,
                who="" if known is None else known.who,
            )
        )  # fmt: skip
    return rows
