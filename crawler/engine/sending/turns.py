"""Whose turn is it, and may it be sent? Those that robots.txt forbids end here."""

from __future__ import annotations

import logging

from crawler.engine.clock import Clock
from crawler.engine.deciding.ends import Ends
from crawler.engine.life import Ledger
from crawler.engine.waiting.origin_rules import Refused, fresh_error
from crawler.engine.waiting.queue import RequestQueue
from crawler.engine.waiting.robots import RobotsGate
from crawler.engine.waiting.throttle import Throttle
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry
from crawler.model.response import Response

logger = logging.getLogger(__name__)

FORBIDDEN_IN_A_ROW = 100
"""So many forbidden requests are dropped before the reactor gets its turn."""


class Turns:
    """Takes entries from the frontier, and lets robots.txt decide."""

    def __init__(
        self,
        queue: RequestQueue,
        frontier: Frontier,
        robots: RobotsGate,
        throttle: Throttle,
        ends: Ends,
        clock: Clock,
        ledger: Ledger,
    ) -> None:
        self._queue = queue
        self._frontier = frontier
        self._robots = robots
        self._throttle = throttle
        self._ends = ends
        self._clock = clock
        self._ledger = ledger

    def take(self, now: float) -> Entry | None:
        """Return the next entry that may be sent."""
        frontier, robots = self._frontier, self._robots
        for _ in range(FORBIDDEN_IN_A_ROW):
            entry = frontier.take(now)
            if entry is None:
                return None
            if entry.robots:
                refused = robots.too_soon(entry)
                if refused is None:
                    entry.request = robots.request(entry)
                    return entry
                frontier.withdraw(entry, now)
                self._refuse(refused)
                continue
            if robots.expired(entry):
                frontier.withdraw(entry, now)
                frontier.later(entry, now, now)
                continue
            refusal = robots.refusal(entry)
            if refusal is None:
                return entry
            frontier.withdraw(entry, now)
            self._ends.drop(entry, refusal.reason, refusal.detail)
        self._clock.callLater(0, self._ledger.changed)  # the reactor has its turn
        return None

    def answered(self, entry: Entry, outcome: Response | Exception) -> None:
        """A robots.txt request has its outcome."""
        host = entry.host
        refused = self._robots.answered(entry, outcome)
        self._throttle.waits(host)  # it may have a Crawl-delay now
        if refused is not None:
            logger.warning("%s: its requests fail, and it is asked again later", refused.error)
            self._refuse(refused)

    def end_refused(self) -> None:
        """End the requests whose origins were known to be out of reach when they were to be queued."""
        while self._queue.refused:
            entry, error = self._queue.next_refused()
            self._ends.give_up(entry, fresh_error(error, entry.request))

    def _refuse(self, refused: Refused) -> None:
        for waiting in refused.entries:
            self._ends.give_up(waiting, fresh_error(refused.error, waiting.request))
