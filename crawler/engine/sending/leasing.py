"""Which requests come back from the store, because their host's queue in memory runs low?"""

from __future__ import annotations

from twisted.python.failure import Failure

from crawler.engine.clock import Clock
from crawler.engine.ending import Ending
from crawler.engine.frames import error_of
from crawler.engine.life import Kind
from crawler.engine.waiting.queue import RequestQueue
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry
from crawler.frontier.store import Store
from crawler.policy.outcome import Rules


class Leasing:
    """Asks a store that has requests which memory has not for those that the frontier needs."""

    def __init__(
        self, store: Store, frontier: Frontier, queue: RequestQueue, clock: Clock, ending: Ending, rules: Rules
    ) -> None:
        self._store = store
        self._frontier = frontier
        self._queue = queue
        self._clock = clock
        self._ending = ending
        self._ledger = ending.life.ledger
        self._longest_wait = rules.longest_wait

    def refill(self) -> None:
        """Ask for what is needed."""
        for host, count, after in self._frontier.needs():
            self._ledger.begin(Kind.LEASE)
            leased = self._store.lease(host, count, after)
            leased.addCallbacks(self._leased, self._failed, callbackArgs=(host,))
            leased.addErrback(lambda failure: self._ending.fail(error_of(failure)))  # an answer that does not fit

    def _leased(self, rows: list[tuple[Entry, float]], host: str) -> None:
        now, wall = self._clock.seconds(), self._clock.wall()
        # A wall clock that jumped must not keep a request waiting longer than any rule would.
        entries = [(entry, now + min(max(before - wall, 0.0), self._longest_wait)) for entry, before in rows]
        for entry in self._frontier.refill(host, entries, now):
            self._queue.leased(entry)
        self._ledger.end(Kind.LEASE)
        self._ledger.changed()

    def _failed(self, failure: Failure) -> None:
        self._ledger.end(Kind.LEASE)
        self._ending.fail(error_of(failure))
