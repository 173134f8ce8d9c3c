"""Where does an accepted request wait?

First for its look-up in the cache, if there is one; then in its host's queue. Where its origin is known to be
out of reach it waits for nothing, and is to fail. At a stop it is left for a resume.

An inline fetch (``await self.fetch(…)``) is carried: it has no row in the store, waits in its host's
queue under the lease of the request whose callback makes it, and is repeated with that one.
"""

from __future__ import annotations

from collections import deque

from twisted.internet.defer import Deferred

from crawler.engine.clock import Clock
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Kind, Ledger, Life
from crawler.engine.parts import Edge
from crawler.engine.waiting.robots import RobotsGate
from crawler.errors import RequestDropped, RequestError
from crawler.events import Events, RequestScheduled
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.known import KnownLeaves

SHUTDOWN = "shutdown"
"""The reason with which inline fetches are dropped when the crawl stops."""


class Inline:
    """The Deferreds of inline fetches, by the entry each waits for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._waiting: dict[Entry, Deferred[Response] | None] = {}

    def __contains__(self, entry: Entry) -> bool:
        return entry in self._waiting

    def wait(self, entry: Entry) -> Deferred[Response]:
        """Return the Deferred of this entry's outcome."""

        def cancelled(_: Deferred[Response]) -> None:
            if entry in self._waiting:
                self._waiting[entry] = None  # still an inline fetch, whose outcome nobody wants any more

        deferred: Deferred[Response] = Deferred(cancelled)
        self._waiting[entry] = deferred
        self._ledger.begin(Kind.INLINE)
        return deferred

    def answer(self, entry: Entry, outcome: Response | BaseException) -> None:
        """Hand the outcome to whoever waits for it."""
        if entry in self._waiting:
            self._ledger.end(Kind.INLINE)
        deferred = self._waiting.pop(entry, None)
        if deferred is None or deferred.called:
            return
        if isinstance(outcome, BaseException):
            deferred.errback(outcome)
        else:
            deferred.callback(outcome)

    def end(self) -> None:
        """Tell all who still wait, in threads for example, that nothing comes any more."""
        for entry in list(self._waiting):
            self.answer(entry, RequestDropped(SHUTDOWN, request=entry.request, detail="the crawl has been stopped"))

    def abandon(self, entry: Entry) -> None:
        """Give up one inline fetch because the crawl stops."""
        unit: Unit = entry.unit
        unit.abandoned = True
        self.answer(entry, RequestDropped(SHUTDOWN, request=entry.request, detail="the crawl is being stopped"))


UNSOUGHT = 10_000
"""With more than so many waiting for their look-up, the next ones join their queues at once; the cache is
then asked when they are sent."""


class RequestQueue:
    """Queues requests, and leaves them at a stop.

    ``unsought`` wait for their look-up; ``refused`` are to fail with an error, which the loop sees to. ``known`` are
    pages that are not asked for: they end when it would be their turn.
    """

    def __init__(
        self,
        life: Life,
        frontier: Frontier,
        robots: RobotsGate,
        clock: Clock,
        events: Events,
        edge: Edge,
        known: KnownLeaves | None = None,
    ) -> None:
        self.known = known
        self.inline = Inline(life.ledger)
        self.unsought: deque[Entry] = deque()
        self.refused: deque[tuple[Entry, RequestError]] = deque()
        self._life = life
        self._frontier = frontier
        self._robots = robots
        self._clock = clock
        self._events = events
        self._edge = edge

    def accept(self, entry: Entry) -> None:
        """Count a request as accepted, and queue it: first for its look-up."""
        self._life.books.accept(carried=entry.carried)
        if self._events.wants(RequestScheduled):
            self._events.publish(RequestScheduled(entry.request))
        if (
            self._edge.lookup is not None
            and self._life.begins
            and len(self.unsought) < UNSOUGHT
            and (self.known is None or entry.request not in self.known)
        ):
            self._frontier.claim(entry)
            self.unsought.append(entry)
            self._life.ledger.begin(Kind.UNSOUGHT)
        else:
            self.add(entry)

    def accept_stored(self, host: str, count: int) -> None:
        """Count requests as accepted that the store alone has: they are leased from it later."""
        self._life.books.accept(count)
        self._frontier.stored_more(host, count, self._clock.seconds())

    def add(self, entry: Entry, wait: float | None = None) -> None:
        """Queue an entry; one that was in flight before, or waited in the store, for ``wait`` seconds."""
        if not self._life.begins:
            self.leave(entry)
            return
        now = self._clock.seconds()
        if wait is not None:
            self._frontier.later(entry, now, now + wait)
        elif self._robots.known and (error := self._robots.unreachable(entry)) is not None:
            self.refuse(entry, error)
        else:
            self._frontier.add(entry, now)

    def accept_taken(self, count: int) -> None:
        """Count requests as accepted that were taken out of the store: others had them before."""
        self._life.books.accept(count)

    def hand_over(self, entry: Entry) -> None:
        """A request is somebody else's now."""
        self._life.others_idle = False
        self._life.books.hand_over()
        self._frontier.done(entry)

    def queued_elsewhere(self, request: Request) -> None:
        """The store has queued a new request for whoever takes it out."""
        self._life.others_idle = False
        if self._events.wants(RequestScheduled):
            self._events.publish(RequestScheduled(request))

    def release(self, entry: Entry) -> None:
        """Give back the place that an entry had at its host."""
        self._frontier.release(entry, self._clock.seconds())

    def leased(self, entry: Entry) -> None:
        """Queue an entry that came from the store, and whose origin was out of reach."""
        error = self._robots.unreachable(entry)
        if error is not None:
            self.refuse(entry, error)
        else:
            now = self._clock.seconds()
            self._frontier.later(entry, now, now)

    def refuse(self, entry: Entry, error: RequestError) -> None:
        """Let a request fail, whose origin is out of reach for example: when what goes on now is done."""
        self._life.ledger.begin(Kind.REFUSAL)
        self.refused.append((entry, error))

    def next_refused(self) -> tuple[Entry, RequestError]:
        """Remove and return the first that is to fail."""
        self._life.ledger.end(Kind.REFUSAL)
        return self.refused.popleft()

    def next_unsought(self) -> Entry:
        """Remove and return the first that waits for its look-up."""
        self._life.ledger.end(Kind.UNSOUGHT)
        return self.unsought.popleft()

    def leave(self, entry: Entry) -> None:
        """An entry stays undone at a stop: if it is carried, its parent is repeated instead."""
        if entry.robots:
            return
        if not entry.carried:
            self._life.books.leave()
            return
        self._life.books.take_back()
        unit: Unit = entry.unit
        unit.abandoned = True
        if entry in self.inline:
            self.inline.abandon(entry)
        unit.end_one()

    def leave_all(self) -> None:
        """Leave everything that waits."""
        waiting = [*self._frontier.drain(), *self.unsought]
        self._life.ledger.end(Kind.UNSOUGHT, len(self.unsought))
        self.unsought.clear()
        for entry in waiting:
            self.leave(entry)
