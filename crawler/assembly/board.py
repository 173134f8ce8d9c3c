"""How does a crawl of this process come to have a board, when something is to be shown of it?"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.assembly.companions import Companion, Watched
from crawler.assembly.leaving import is_secret
from crawler.commands.showing import as_typed, without_passwords
from crawler.model.masking import HIDDEN
from crawler.observe.board.board import Board, Described
from crawler.observe.board.shown import Setting
from crawler.summary import Summary


class BoardCompanion:
    """The board of a crawl, while that runs; None where somebody else knows how to look at it."""

    def __init__(self, board: Board | None) -> None:
        self._board = board

    async def open(self) -> None:
        """See Companion."""
        if self._board is not None:
            self._board.begin()

    async def close(self, summary: Summary | None) -> None:
        """See Companion."""
        if self._board is not None:
            self._board.end()


def companion(watched: Watched) -> Companion:
    """Make the board that the companions made after this one read, unless they have a source already."""
    if watched.view is None:
        return BoardCompanion(None)
    described = Described(spider=watched.spider.name, job=watched.job, settings=lambda: setting_rows(watched))
    board = Board(watched.view(), watched.events, watched.stats, watched.world.clock, described)
    watched.source = board
    return BoardCompanion(board)


def setting_rows(watched: Watched) -> Sequence[Setting]:
    """Return the settings that are not at their defaults, or that may be set while the crawl runs, by name."""
    settings, live = watched.settings, watched.control.live()
    names = {name for name in settings if settings.origin(name) != "default"} | live.keys()
    rows = []
    for name in sorted(names):
        known = live.get(name)
        value = settings.get(name) if known is None else known.value
        shown = HIDDEN if value and is_secret(name) else as_typed(without_passwords(name, value))
        rows.append(
            Setting(
                name=name, value=shown, origin=settings.origin(name), live=known is not None,
                who="" if known is None else known.who,
            )
        )  # fmt: skip
    return rows
