"""What does the user see of a crawl: a live line, log lines, a table at the end?

All of it goes to stderr, for stdout may be a feed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console

from crawler.config.schema import CoreSettings
from crawler.events import CrawlOpened, Events, PromptClosed, PromptOpened
from crawler.observe.progress import LiveLine, ProgressLines, read
from crawler.observe.report import print_summary
from crawler.stats import Stats
from crawler.summary import Summary

if TYPE_CHECKING:
    from twisted.internet.base import ReactorBase
    from twisted.internet.defer import Deferred
    from twisted.internet.task import LoopingCall

LIVE_SECONDS = 0.25


class RunningCrawl(Protocol):
    """A crawl that a command runs: PreparedCrawl in this process, or one that is done by many."""

    events: Events
    stats: Stats
    go_on: str

    @property
    def queued(self) -> int:
        """How many requests wait."""

    @property
    def in_flight(self) -> int:
        """How many requests are being fetched."""

    def log(self, *, part: bool = False) -> None:
        """Log what happens."""

    def say_by(self, say: Callable[[str], None]) -> None:
        """Let what is for the user's eyes alone, and not for the log, be printed so."""

    def stop(self, reason: str = "shutdown") -> None:
        """Let what is in flight finish, then end."""

    def stop_now(self) -> None:
        """End at once."""

    def give_up(self) -> None:
        """Wait no longer for what does not end."""

    def run(self) -> Deferred[Summary]:
        """Run it."""


class Screen:
    """Progress while the crawl runs, and the table behind it."""

    def __init__(self, core: CoreSettings, *, quiet: bool = False) -> None:
        console = Console(stderr=True, highlight=False)
        on_terminal = console.is_terminal and not console.is_dumb_terminal
        readable = core.LOG_FORMAT != "json" or core.LOG_FILE is not None
        # None: closed by whoever started us.
        feed_on_terminal = "-" in core.FEEDS and sys.stdout is not None and sys.stdout.isatty()
        self._console = console
        self._live = None
        self._lines = None
        self._interval = LIVE_SECONDS
        self._table = not quiet and readable and (core.LOG_ENABLED or on_terminal)
        if not quiet and core.LOG_ENABLED:
            if on_terminal and readable and not feed_on_terminal:
                self._live = LiveLine(console)
            elif core.LOGSTATS_INTERVAL:
                self._lines = ProgressLines()
                self._interval = core.LOGSTATS_INTERVAL
        self._looking: LoopingCall | None = None
        self._pages_before = 0

    def beside(self) -> str:
        """Return what is shown beside a reading."""
        return ""

    def write(self, line: str) -> None:
        """Write a log line, above the live line if there is one."""
        if self._live is not None:
            self._live.write(line)
        else:
            sys.stderr.write(line)

    def start(self, reactor: ReactorBase, prepared: RunningCrawl) -> None:
        """Look at the crawl now and then, from when it is open: a resumed one has its pages by then."""
        prepared.events.subscribe(CrawlOpened, lambda _: self._opened(reactor, prepared))
        prepared.say_by(lambda line: self.write(f"{line}\n"))
        if (live := self._live) is not None:
            live.start()
            prepared.events.subscribe(PromptOpened, lambda _: live.stop())
            prepared.events.subscribe(PromptClosed, lambda _: live.start())
            if sys.breakpointhook is sys.__breakpointhook__:
                sys.breakpointhook = self._breakpoint

    def _breakpoint(self, *arguments: Any, **keywords: Any) -> None:
        """Debug what called breakpoint(); the live line is gone from then on."""
        self._release()
        if "PYTHONBREAKPOINT" in os.environ:
            sys.breakpointhook(*arguments, **keywords)
            return
        import pdb

        debugger = pdb.Pdb(nosigint=True)  # Ctrl-C stops the crawl, as ever
        debugger.set_trace(sys._getframe(1))

    def _release(self) -> None:
        """Give the terminal back."""
        if self._live is not None:
            self._live.stop()
            if sys.breakpointhook == self._breakpoint:
                sys.breakpointhook = sys.__breakpointhook__

    def _opened(self, reactor: ReactorBase, prepared: RunningCrawl) -> None:
        from twisted.internet.task import LoopingCall

        before = read(prepared.stats, queued=prepared.queued, seconds=reactor.seconds())
        if self._looking is not None:
            return  # one more of several crawls
        self._pages_before = before.pages
        shown = self._live or self._lines
        if shown is None:
            return
        shown.begin(before)

        def look() -> None:
            reading = read(prepared.stats, queued=prepared.queued, seconds=reactor.seconds())
            shown.show(reading, self.beside())

        self._looking = LoopingCall(look)
        self._looking.start(self._interval, now=self._live is not None)

    def stop(self) -> None:
        """The crawl is over: take the live line away."""
        if self._looking is not None and self._looking.running:
            self._looking.stop()
        self._release()

    def summary(self, summary: Summary, *, go_on: str = "") -> None:
        """Print the table; ``go_on`` is the command that goes on with the job."""
        if self._table:
            try:
                print_summary(summary, self._console, pages_before=self._pages_before, go_on=go_on)
            except SystemExit as error:
                if not isinstance(error.__context__, BrokenPipeError):  # so says rich that nobody reads stderr
                    raise
