"""What follows when a unit is committed?

Its request has ended, its children are accepted or were seen before, and its items go to the feeds.
"""

from __future__ import annotations

from crawler.engine.deciding.refusing import Refusing
from crawler.engine.ending import Ending
from crawler.engine.items.feed_writers import FeedWriters
from crawler.engine.keeping.keeper import Uncommitted
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Kind
from crawler.engine.waiting.queue import RequestQueue
from crawler.events import Events, RequestEnded, RequestsSpooled
from crawler.frontier.frontier import Frontier
from crawler.frontier.store import Committed
from crawler.model.masking import masked


class CommittedUnits:
    """Takes the store's answers. ``items`` counts those of committed units."""

    def __init__(
        self,
        frontier: Frontier,
        queue: RequestQueue,
        feeds: FeedWriters,
        uncommitted: Uncommitted,
        refusing: Refusing,
        ending: Ending,
        events: Events,
    ) -> None:
        self._frontier = frontier
        self._queue = queue
        self._feeds = feeds
        self._uncommitted = uncommitted
        self._refusing = refusing
        self._books = ending.life.books
        self._ledger = ending.life.ledger
        self._events = events
        self.failed = ending.fail
        self.items = 0

    def committed(self, unit: Unit, answer: Committed) -> None:
        """A unit's commit is done: its children are queued, its items go to the feeds."""
        if unit.entry is not None:
            self._frontier.done(unit.entry)
            self._books.end(unit.outcome)
            detail = unit.detail and masked(unit.detail)
            self._events.publish(RequestEnded(unit.entry.request, unit.outcome, unit.reason, detail, unit.status))
        if unit.children:
            self._uncommitted.forget_offers(unit.children)
            for offer, entry in zip(unit.children, answer.admitted, strict=True):
                if entry is not None:
                    self._queue.accept(entry)
                else:
                    self._refusing.seen_by_store(offer)
        if answer.stored or answer.duplicates:
            for host, count in answer.stored.items():
                self._queue.accept_stored(host, count)
            self._events.publish(RequestsSpooled(sum(answer.stored.values()), answer.duplicates))
        if unit.fingerprints:
            self._uncommitted.carried.difference_update(unit.fingerprints)
        if unit.items:
            self.items += len(unit.items)
            self._feeds.put(unit.items, answer.first_item + len(unit.items) - 1)
        self._ledger.end(Kind.UNIT)  # now: what becomes of a child at once must not find the crawl idle
