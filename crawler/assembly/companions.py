"""What runs beside a crawl, for those who watch it: its page, its consoles, its notices?

Each is made when its settings ask for it, and imported then. All are open before anything of the crawl is, so that a
port in use leaves nothing of a new job; and they are closed when the crawl is, so that a page can show its end.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred, succeed

from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.events import Events
from crawler.observe.board.seen import Seen
from crawler.observe.board.source import Source
from crawler.spider import Spider
from crawler.stats import Stats
from crawler.steering.control import Control
from crawler.summary import Summary

if TYPE_CHECKING:
    from crawler.assembly.world import World

logger = logging.getLogger("crawler")


def print_line(text: str) -> None:
    """Print a line to stderr, and nowhere else: not into the log. Nothing is wrong where nobody reads that."""
    if sys.stderr is not None:  # a program without a console has none
        with suppress(OSError):
            sys.stderr.write(f"{text}\n")


_NOT_YET: Any = None


@dataclass(slots=True, kw_only=True)
class Watched:
    """A crawl as its companions see it, of this process or of the workers that a starter looks after.

    ``control``: what may be done to it. ``source``: what is to be seen of it, which every companion may read; it is
    set by the first of them (crawler/assembly/board.py), unless it comes with the crawl: of workers, who have no
    ``view``. ``say`` prints a line for the user that the log must not have: a URL with a
    token. ``job`` is None for a crawl without one; ``go_on`` is the command that goes on with it, "" if none does.
    ``keep(name, value)`` keeps a plain value with the job, and fires when it is there; ``kept(name)`` is what was kept,
    also by earlier runs, once the crawl is open.
    """

    spider: Spider | type[Spider]
    settings: Settings
    job: str | None
    events: Events
    stats: Stats
    world: World
    control: Control
    view: Callable[[], Seen] | None = None
    source: Source = _NOT_YET
    keep: Callable[[str, Any], Deferred[None]] = lambda _, __: succeed(None)
    kept: Callable[[str], Any] = lambda _: None
    go_on: str = ""
    say: Callable[[str], None] = print_line


class Companion(Protocol):
    """Something beside a crawl. It is made when the crawl is prepared, and may subscribe to its events then."""

    async def open(self) -> None:
        """Begin, before the crawl opens its job. Raises UsageError, for a port that is in use for example."""

    async def close(self, summary: Summary | None) -> None:
        """End: the crawl is closed. ``summary``: how it went; None if it failed or did not begin."""


class Kind(NamedTuple):
    """One kind of companion: whether the settings ask for it, and the module whose ``companion(watched)`` makes it."""

    wanted: Callable[[CoreSettings], object]
    module: str


def is_looked_at(core: CoreSettings) -> object:
    """Tell whether anything is to be shown of the crawl while it runs."""
    return core.STATUS_ENABLED or core.CONSOLE_ENABLED or core.CONSOLE_PORT is not None or core.NOTICES


KINDS: tuple[Kind, ...] = (
    Kind(is_looked_at, "crawler.assembly.board"),
    Kind(lambda core: core.STATUS_ENABLED, "crawler.assembly.status_page"),
    Kind(lambda core: core.NOTICES, "crawler.notices.companion"),
    Kind(lambda core: core.CONSOLE_ENABLED or core.CONSOLE_PORT is not None, "crawler.assembly.consoles"),
)
"""In the order in which they are opened; the last is closed first."""


class Companions:
    """Those of one crawl: none, unless settings ask for some."""

    def __init__(self, watched: Watched, kinds: Sequence[Kind] = KINDS) -> None:
        self.watched = watched
        wanted = [kind for kind in kinds if kind.wanted(watched.settings.core)]
        self._all: list[Companion] = [import_module(kind.module).companion(watched) for kind in wanted]
        self._open: list[Companion] = []

    def __repr__(self) -> str:
        return f"<Companions {self._all!r}>"

    async def open(self) -> None:
        """Open all, or none. Raises UsageError."""
        for each in self._all:
            try:
                await each.open()
            except BaseException:
                await self.close(None)
                raise
            self._open.append(each)

    async def close(self, summary: Summary | None) -> None:
        """Close those that are open. What is wrong with one is logged: it harms neither the crawl nor the others."""
        while self._open:
            each = self._open.pop()
            try:
                await each.close(summary)
            except Exception:
                logger.exception("%r could not be closed", each)
