"""What is a crawl that is ready to run?"""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections.abc import Callable
from datetime import UTC, datetime

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.assembly.companions import Companions
from crawler.assembly.job import ChosenStore
from crawler.assembly.making import Making
from crawler.assembly.world import World, end_with_reactor
from crawler.download.edge import Edge
from crawler.engine.crawl import Crawl
from crawler.engine.result import summarise
from crawler.summary import Summary

logger = logging.getLogger("crawler.assembly")


class PreparedCrawl:
    """A crawl that is ready to run: everything is checked, nothing has been fetched.

    ``events`` and ``stats`` may be looked at and subscribed to before and during the run. ``go_on`` is the command
    that goes on with its job, if it is stopped. ``world`` has its clock, ``edge`` answers its requests. ``companions``
    run beside it.
    """

    def __init__(
        self, crawl: Crawl, making: Making, world: World, edge: Edge, chosen: ChosenStore, companions: Companions
    ) -> None:
        self._crawl = crawl
        self.world = world
        self.edge = edge
        self._chosen = chosen
        self.settings = making.settings
        self._making = making
        self.crawler = crawler = making.crawler
        self.events = crawler.events
        self.stats = crawler.stats
        self.job = crawl.parts.job
        self.companions = companions
        self.go_on = ""

    def __repr__(self) -> str:
        return f"<PreparedCrawl {self._crawl!r}>"

    @property
    def queued(self) -> int:
        """How many requests wait, in memory and in the store."""
        return self._crawl.queued

    @property
    def in_flight(self) -> int:
        """How many requests are being fetched."""
        return self._crawl.in_flight

    def log(self, *, part: bool = False) -> None:
        """Log what happens; ``part``: of one worker of a crawl."""
        self._making.log(part=part)

    def say_by(self, say: Callable[[str], None]) -> None:
        """Let what is for the user's eyes alone, and not for the log, be printed so."""
        self.companions.watched.say = say

    def stop(self, reason: str = "shutdown") -> None:
        """Let what is in flight finish, then end."""
        self._crawl.ending.stop(reason)

    def stop_now(self) -> None:
        """End at once; a durable job repeats what was in flight when it is resumed."""
        self._crawl.ending.stop_now("shutdown")

    def give_up(self) -> None:
        """After ``stop_now``: wait no longer for hooks and threads of the user's that do not end."""
        self._crawl.give_up()

    def abandon(self) -> None:
        """Leave nothing of a new job: the crawl shall not run after all."""
        self._chosen.abandon()

    def run(self) -> Deferred[Summary]:
        """Run the crawl; fails with UsageError or StoreError. Cancelling it stops the crawl at once.

        If the reactor is stopped meanwhile (reactor.stop(), or Ctrl-C in a script) the crawl is stopped, and
        the reactor waits for its end.
        """
        done: Deferred[Summary] = Deferred(lambda _: self.stop_now())

        def ended(result: Summary | Failure) -> None:
            if not done.called:
                done.callback(result)
            elif isinstance(result, Failure):  # it was cancelled, so nobody else hears of this
                logger.error("The cancelled crawl failed: %s", result.value)

        running = Deferred.fromCoroutine(self._run())
        if self.world.reactor is not None:
            end_with_reactor(self._crawl, running, self.world.reactor)
        running.addBoth(ended)
        return done

    def _left(self, wall: float) -> Deferred[str]:
        """Let the job leave what is kept of it, in a thread: that of a million pages takes some seconds.

        Fires with why that cannot be kept, "" if it is.
        """
        parts = self._crawl.parts
        pool = parts.machine.pools("history", 1)
        left = pool.run(self._chosen.leave, parts.core, wall)
        return left.addBoth(lambda result: pool.stop().addCallback(lambda _: result))

    async def _run(self) -> Summary:
        try:
            await self.companions.open()
        except BaseException:
            await self.edge.close()
            self._chosen.abandon()
            raise
        summary = None
        try:
            summary = await self._crawled()
        finally:
            await self.companions.close(summary)
        return summary

    async def _crawled(self) -> Summary:
        clock = self.world.clock
        started, since = clock.wall(), clock.seconds()
        try:
            await self._crawl.run()
        # The first two would end the loop instead of the crawl; a CancelledError is of something that was awaited.
        except (SystemExit, KeyboardInterrupt, CancelledError) as error:
            raise RuntimeError(f"{error!r} was raised") from error
        finally:
            await self.edge.close()
            if self._crawl.unbegun:
                self._chosen.forget()  # the same command can be given again when its error is mended
        if self._crawl.complete:
            problem = await self._left(clock.wall())
            if problem and (changes := self._crawl.parts.core.CHANGES_FILE) is not None:
                self._crawl.ending.problems.append(f"{changes} is not written: {problem}")
        seconds = clock.seconds() - since
        stats = self.stats
        stats.set_value("start_time", datetime.fromtimestamp(started, UTC))
        stats.set_value("finish_time", datetime.fromtimestamp(clock.wall(), UTC))
        stats.set_value("finish_reason", self._crawl.ending.reason)
        stats.set_value("elapsed_time_seconds", seconds)
        return summarise(self._crawl, started=started, finished=clock.wall(), seconds=seconds)
