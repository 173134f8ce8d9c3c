"""How does a command run one crawl, from the reactor to the exit status?

The first SIGINT or SIGTERM lets what is in flight finish. The second ends at once; the user's hooks and threads
have some seconds then to close what they opened. A third does not wait for anything, for user code may hold the
reactor.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from crawler.commands import STOPPED_BY_HAND
from crawler.commands.beside import debug_first_error
from crawler.commands.loading import usual_folder
from crawler.commands.options import RunOptions, remember
from crawler.commands.reactor import install_reactor, run_reactor
from crawler.commands.screen import RunningCrawl, Screen
from crawler.config.settings import Settings
from crawler.errors import CrawlerError, UsageError
from crawler.events import CrawlOpened
from crawler.observe.frames import describe, frames_of
from crawler.observe.log import LogCount, start_logging
from crawler.observe.report import check_summary_file, write_summary
from crawler.spider import Spider
from crawler.summary import Summary

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    from crawler.assembly import PreparedCrawl

PATIENCE_SECONDS = 5.0
"""So long after the second signal the user's code may still close what it has opened."""

logger = logging.getLogger("crawler")


Prepare = Callable[["AsyncioSelectorReactor"], RunningCrawl]


def run_spider(
    spider_class: type[Spider],
    settings: Settings,
    options: RunOptions,
    *,
    file: str | None = None,
    resume: str | None = None,
    usual: Path | None = None,
) -> int:
    """Run a crawl to its end; return the exit status. Raises UsageError before anything starts.

    ``file``: where the spider is from, if it was not found by name. ``resume``: the job that goes on. ``usual``: where
    commands look for jobs that are told nothing, if that is not to be found out here.
    """
    usual = usual or usual_folder()

    def prepared(reactor: AsyncioSelectorReactor) -> PreparedCrawl:
        return prepare_spider(reactor, spider_class, settings, options, file=file, resume=resume, usual=usual)

    return run_prepared(prepared, settings, summary_file=options.summary)


def prepare_spider(
    reactor: AsyncioSelectorReactor,
    spider_class: type[Spider],
    settings: Settings,
    options: RunOptions,
    *,
    file: str | None = None,
    resume: str | None = None,
    usual: Path,
) -> PreparedCrawl:
    """Make a crawl whose job remembers its command. Raises UsageError."""
    from crawler.assembly import prepare, real_world
    from crawler.assembly.job import JobPlan

    anew = frozenset(options.settings) if options.anew is None else options.anew
    plan = JobPlan(description=remember(spider_class.name, options, file=file), resume=resume, usual=usual, anew=anew)
    made = prepare(spider_class, settings, world=real_world(reactor), arguments=options.arguments, plan=plan)
    if options.debug:
        debug_first_error(made.events)
    return made


def run_prepared(
    prepare: Prepare,
    settings: Settings,
    *,
    summary_file: str | None = None,
    quiet: bool = False,
    part: bool = False,
    screen: Screen | None = None,
) -> int:
    """Run what ``prepare(reactor)`` makes; ``quiet``: neither progress nor a table at the end.

    ``part``: it is one worker of a crawl, and what concerns the whole crawl is said by whoever started it. ``screen``:
    where the crawl is shown, if that is not to be made here.
    """
    if summary_file is not None:
        check_summary_file(summary_file)
        summary_file = str(Path(summary_file).absolute())  # a callback may change the working directory
    reactor = install_reactor()
    core = settings.core
    screen = screen or Screen(core, quiet=quiet or part)
    stop_logging = start_logging(core, write=screen.write)
    try:
        prepared = _prepared(prepare, reactor)
        with _counted_log(prepared, core.LOG_LEVEL):
            for warning in settings.warnings if not part else ():
                logger.warning("%s", warning)
            summary = _run(reactor, prepared, screen, at_once=quiet, part=part)
            if not part and _asked_nothing(summary):
                logger.warning("The spider asked for nothing: start_urls is empty, or start() yielded nothing")
    finally:
        stop_logging()
    screen.summary(summary, go_on=prepared.go_on)
    if summary_file is not None:
        write_summary(summary, summary_file)
    return summary.exit_status


def _prepared(prepare: Prepare, reactor: AsyncioSelectorReactor) -> RunningCrawl:
    """Make the crawl. Raises UsageError, also for what the spider's constructor raised, who is given the arguments.

    What a stage or an extension raises while it is made is a failure to open it, as in open_spider.
    """
    try:
        return prepare(reactor)
    except CrawlerError:
        raise
    except Exception as error:
        from crawler.assembly.making import make

        frames = frames_of(error, ours=False)
        making = any(frame.f_code is make.__code__ for frame, _ in traceback.walk_tb(error.__traceback__))
        if not frames or not making:
            raise
        raise UsageError("\n  ".join(["the crawl cannot begin: " + describe(error), *frames])) from error


def _run(
    reactor: AsyncioSelectorReactor, prepared: RunningCrawl, screen: Screen, *, at_once: bool, part: bool
) -> Summary:
    """Run the reactor until the crawl is over; return the Summary, or raise what the crawl failed with."""
    interrupts = Interrupts(reactor, prepared, at_once=at_once, level=logging.DEBUG if part else logging.WARNING)

    def start() -> Deferred[Summary]:
        interrupts.install()
        prepared.log(part=part)
        screen.start(reactor, prepared)
        return prepared.run()

    try:
        summary = run_reactor(reactor, start)
    except Exception as error:
        if not interrupts.given_up:
            raise
        logger.warning("The crawl was stopped before it had begun: %s", describe(error))
        raise KeyboardInterrupt from error
    finally:
        screen.stop()
        interrupts.restore()
    # Where it was over already its job is gone: status 130 would ask for a resume.
    if interrupts.given_up or (interrupts.count and summary.reason != "finished"):
        summary.exit_status = STOPPED_BY_HAND
    return summary


def _asked_nothing(summary: Summary) -> bool:
    done = summary.reason == "finished" and summary.exit_status == 0
    return done and not (summary.items or summary.stats.get("scheduler/enqueued"))


class Interrupts:
    """SIGINT and SIGTERM, counted; ``at_once``: nothing under way is worth waiting for, the first is as the second.

    ``level``: how they are logged.
    """

    def __init__(
        self,
        reactor: AsyncioSelectorReactor,
        prepared: RunningCrawl,
        *,
        at_once: bool = False,
        level: int = logging.WARNING,
    ) -> None:
        self._at_once = at_once
        self._level = level
        self.count = 0
        self.given_up = False
        self._reactor = reactor
        self._prepared = prepared
        self._opened = False
        prepared.events.subscribe(CrawlOpened, self._open)
        self._before: dict[signal.Signals, Any] = {}
        self._restored = threading.Event()

    def install(self) -> None:
        """Take the signals over; after reactor.run(), which sets handlers of its own."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._received)

    def restore(self) -> None:
        """Give the signals back."""
        self._restored.set()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _received(self, number: int, frame: FrameType | None) -> None:
        self.count += 2 if self._at_once and not self.count else 1
        if self.count == 1:
            self._reactor.callFromThread(self._finish, signal.Signals(number).name)
        elif self.count == 2:
            self._reactor.callFromThread(self._stop_now)
            threading.Thread(target=self._end_in_time, name="second signal", daemon=True).start()
        else:
            os._exit(STOPPED_BY_HAND)

    def _open(self, _: CrawlOpened) -> None:
        self._opened = True
        if self.count:  # asked while the job and the feeds were being opened
            self._reactor.callLater(0, self._prepared.stop, "shutdown")

    def _finish(self, name: str) -> None:
        flying = self._prepared.in_flight
        said = "%s: finishing what is under way (%d in flight); once more stops now"
        logger.log(self._level, said, name, flying)
        if self._opened:
            self._prepared.stop("shutdown")

    def _end_in_time(self) -> None:
        """End the process though a thread or a hook of the user's hangs, or their code holds the reactor."""
        if self._restored.wait(PATIENCE_SECONDS):
            return
        self._reactor.callFromThread(self._give_up)
        if not self._restored.wait(PATIENCE_SECONDS):
            os._exit(STOPPED_BY_HAND)  # the job store is durable at any instant

    def _give_up(self) -> None:
        self.given_up = True
        logger.warning("What has not ended after %.0f seconds is given up", PATIENCE_SECONDS)
        self._prepared.give_up()

    def _stop_now(self) -> None:
        logger.log(self._level, "Stopping now")
        self._prepared.stop_now()


@contextmanager
def _counted_log(prepared: RunningCrawl, level: str) -> Iterator[None]:
    count = LogCount(prepared.stats)
    count.setLevel(level)
    logging.getLogger().addHandler(count)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(count)
