"""How does the process that started a crawl of many workers see it through?

It runs no spider. It starts workers, looks at the server several times a second, writes the feeds, and tells the user
how far all of them are together. The crawl is over when the server says so: what becomes of single processes, here or
on other machines, does not matter for that.
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from crawler.commands.cluster.child import Child
from crawler.commands.cluster.feeds import WholeFeeds
from crawler.commands.cluster.ground import Ground
from crawler.commands.cluster.leaving import leave_shared
from crawler.commands.cluster.limits import Limits, Reached
from crawler.commands.cluster.parts import worker_command
from crawler.commands.cluster.relaying import Relay
from crawler.commands.cluster.supervisor import USAGE, Supervisor
from crawler.commands.cluster.totals import SummedStats, WorkerRates, pages_of, reached, shares_of, summarise
from crawler.commands.cluster.watching import Watching
from crawler.config.schema import CoreSettings
from crawler.engine.keeping.facts import summed_stats
from crawler.engine.steering.live import LiveSettings
from crawler.errors import CrawlerError, JobInUse, StoreError, UsageError
from crawler.events import CrawlClosed, CrawlClosing, CrawlOpened, Events, FeedClosed, ItemFailed
from crawler.observe.lines import subscribe_lines
from crawler.spider import Spider
from crawler.stats import Stats
from crawler.storage.cluster.jobs import FINISHED
from crawler.storage.cluster.line import Line, State
from crawler.storage.itemrecord import remove_record
from crawler.storage.jobs import job_path, remove_feeds
from crawler.summary import Summary

if TYPE_CHECKING:
    from crawler.assembly import World

logger = logging.getLogger("crawler")

LOOK_SECONDS = 0.2
"""How often the server is looked at."""

START_ERROR = "start_error"
"""start() has raised, so it has more to bring once its error is mended: the rest is done, and the job is kept."""

START_FAILURES = "spider_exceptions/start"
IDLE_LOOKS = 10
"""So many looks in a row must find nothing to do before that is taken for the end of what start() brought."""


class WholeCrawl:
    """A crawl of many workers, to be run by a command as a PreparedCrawl is."""

    def __init__(
        self, spider: Spider, core: CoreSettings, world: World, ground: Ground, line: Line, relay: Relay, events: Events
    ) -> None:
        self.events = events
        self._summed = SummedStats()
        self.stats: Stats = self._summed
        self.rates = WorkerRates()
        self.go_on = ""
        self.verbose = False  # whether each worker is shown at the end
        self.job = ground.job.name
        self.said = relay.said
        self.feeds: WholeFeeds
        self.watching: Watching
        self.live: LiveSettings
        self.supervisor: Supervisor
        self.problems: list[str] = []
        self._spider = spider
        self._core = core
        self._world = world
        self._ground = ground
        self._line = line
        events.subscribe(ItemFailed, lambda _: self.stats.inc_value("item_failed_count"))
        self._state = State()
        self._wish: str | None = None
        self._cut = False
        self._idle_looks = self._start_failures = 0
        self._renewed = world.clock.seconds()

    def __repr__(self) -> str:
        return f"<WholeCrawl {self.job} {self.supervisor!r}>"

    @property
    def queued(self) -> int:
        """How many requests wait, at all workers and on the server."""
        return self._state.queued + self._state.taken

    @property
    def in_flight(self) -> int:
        """How many requests the workers have taken, and not yet finished."""
        return self._state.taken

    def log(self, *, part: bool = False) -> None:
        """Log what happens."""
        subscribe_lines(self.events, part=part)

    @property
    def phase(self) -> str:
        """See control.Steerable."""
        return "stopping" if self._wish or self._state.stopping else "running"

    def say_by(self, say: Callable[[str], None]) -> None:
        """Let what is for the user's eyes alone be printed so."""
        self.watching.watched.say = say

    def stop(self, reason: str = "shutdown") -> None:
        """Let all workers, here and elsewhere, finish what is under way, then end."""
        self._wish = self._wish or reason
        self.supervisor.stop()

    def stop_now(self) -> None:
        """Let the workers here end at once; what was under way is done again by a resume."""
        self._wish = self._wish or "shutdown"
        self._cut = True
        self.supervisor.stop()

    def give_up(self) -> None:
        """Wait no longer for workers that do not end, nor for a server that is away."""
        self.supervisor.stop(signal.SIGKILL)
        self._line.connection.close()

    def failed(self, error: BaseException | str, reason: str = "feed_error") -> None:
        """Nothing more can be written, or no worker can work: end, and say why."""
        problem = str(error)
        if problem not in self.problems:
            self.problems.append(problem)
            logger.error("%s", problem)
        self.stop(reason)

    def gave_up(self, problem: str) -> None:
        """See supervisor.Whose."""
        self.stop("worker_failed")

    # What the supervisor asks and tells

    def command(self, child: Child) -> list[str]:
        """See supervisor.Whose."""
        return worker_command(self._ground.address, self.job, child)

    def bury(self, identity: str, blamed: int) -> None:
        """See supervisor.Whose."""
        self._line.bury(identity, blamed)

    def done(self) -> int:
        """See supervisor.Whose."""
        return self._state.done

    # From its beginning to its end

    def run(self) -> Deferred[Summary]:
        """Run it to its end; fails with UsageError, OutputError or StoreError."""
        return Deferred.fromCoroutine(self._run())

    async def _run(self) -> Summary:
        clock = self._world.clock
        started, since = clock.wall(), clock.seconds()
        summary = None
        try:
            await self.watching.open()
            await self._open(since)
            await self._see_through()
            summary = await self._close()
            summary.started, summary.finished, summary.seconds = started, clock.wall(), clock.seconds() - since
        except BaseException:
            self.supervisor.stop(signal.SIGKILL)
            raise
        finally:
            await self.watching.close(summary)
            await self._let_go()
        return summary

    async def _let_go(self) -> None:
        """End what was opened for the job, which stays as it is, unless nobody could begin with it."""
        ground, unbegun = self._ground, not (self._ground.resumed or self.supervisor.begun)
        try:
            if unbegun:
                await self._line.run(self._forget)
            await self._line.run(ground.release)
        except StoreError as error:  # the server is away
            logger.debug("The job could not be let go: %s", error)
        self._line.close()
        ground.end()

    async def _open(self, since: float) -> None:
        self._since = since
        await self.feeds.open()
        await self._look()
        self._limits = Limits(self.live, self._reached(), since)
        self._start_failures = self.stats.get_value(START_FAILURES, 0)
        self.events.publish(CrawlOpened(self._spider, self.job, self._ground.resumed))
        if self._wish is None and not self._state.over:
            self.supervisor.start()
        else:
            self.supervisor.leave()

    async def _look(self) -> None:
        if self._ground.private is not None:
            self._ground.private.restart_if_dead()
        now = self._world.clock.seconds()
        if now >= self._renewed + self._core.JOB_LEASE_SECONDS / 4:
            self._renewed = now
            if not await self._line.run(self._ground.starter.renew):
                raise JobInUse(f"another process writes the feeds of job {self.job} now; this one ends")
        self._state = state = await self._line.state()
        self._summed.take(summed_stats([stats for _, _, stats in state.stats]))
        self.rates.add(now, pages_of(state))

    def _reached(self) -> Reached:
        return reached(self._state, self.stats.get_stats())

    async def _see_through(self) -> None:
        """Look until the crawl is over, or was stopped and nobody works on it any more."""
        while True:
            taken = await self.feeds.pull()
            await self._look()
            await self.watching.look()
            state = self._state
            if state.over:  # until they have left, workers may call it off; those elsewhere shall find the job
                self.supervisor.leave()
                if self.supervisor.over.called and not state.workers:
                    return
            elif not state.stopping:
                await self._ask_to_stop()
            elif self.supervisor.over.called and (self._cut or not state.workers) and not taken:
                return
            elif not self.supervisor.stopping:
                self.supervisor.leave()
            pause: Deferred[None] = Deferred()
            self._world.clock.callLater(LOOK_SECONDS, pause.callback, None)
            await pause

    async def _ask_to_stop(self) -> None:
        """Stop all if the user wishes it, a limit is reached or no worker is left that could go on."""
        reason = self._wish or self._limits.reason(self._reached(), self._world.clock.seconds())
        reason = reason or self._broken_off()
        if reason is None and self.supervisor.over.called and not self._state.workers:
            reason = "shutdown"  # each was stopped by hand
        if reason is not None:
            await self._line.stop(reason)

    def _broken_off(self) -> str | None:
        """Return the reason to stop for if start() has raised, and all that it brought before is done."""
        state, failures = self._state, self.stats.get_value(START_FAILURES, 0)
        idle = failures > self._start_failures and not (state.queued or state.taken)
        self._idle_looks = self._idle_looks + 1 if idle else 0
        return START_ERROR if self._idle_looks >= IDLE_LOOKS else None

    def _leave(self) -> str:
        """The crawl has finished: remove the job, but for what is kept of it, and unless JOB_KEEP is set.

        Return why that cannot be kept, "" if it is.
        """
        problem = leave_shared(self._ground, self._core, self.stats.get_stats(), self._world.clock.wall())
        if not (problem or self._core.JOB_KEEP):
            self._forget()
        return problem

    def _forget(self) -> None:
        self._ground.forget()
        remove_feeds(self._core.JOB_DIR, self.job)
        remove_record(job_path(self._core.JOB_DIR, self.job))

    async def _close(self) -> Summary:
        """Wait for the workers here, whose hooks may take their time; write and close what is left."""
        self.supervisor.leave()
        await self.supervisor.over
        await self._look()
        ended = FINISHED if self._state.over else self._state.stopping or "shutdown"
        reason = FINISHED if ended == START_ERROR else ended
        finished = reason == FINISHED
        self.events.publish(CrawlClosing(reason))
        counts = await self.feeds.close(finished=finished)
        if self.problems and ended == FINISHED:  # a feed lacks what the server has for it: a resume is to write that
            ended = reason = "feed_error"
        for path, items in counts:
            self.events.publish(FeedClosed(path, items))
        if self.verbose:
            seconds = max(self._world.clock.seconds() - self._since, 0.001)
            logger.info("By worker: %s", shares_of(self._state, seconds))
        problems = [*self.problems, *self.supervisor.problems]
        complete = self._state.over and not problems
        await self._line.finish(ended)
        if not (self._ground.resumed or self.supervisor.begun) and problems:
            raise (UsageError if USAGE in self.supervisor.statuses else CrawlerError)("\n".join(problems))
        if complete:
            problem = await self._line.run(self._leave)
            if problem and (changes := self._core.CHANGES_FILE) is not None:
                problems.append(f"{changes} is not written: {problem}")
        self.events.publish(CrawlClosed(self._spider, reason))
        stats, names = self.stats.get_stats(), (self._spider.name, self.job)
        return summarise(self._state, stats, self._core, names, reason, counts, problems, complete=complete)
