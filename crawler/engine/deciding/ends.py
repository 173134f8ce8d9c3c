"""How does an accepted request end?

It is answered, has failed or is dropped, each once. With a row of its own it ends with the commit of its unit, when
its children are accepted or were seen before and its items go to the feeds; a carried one ends at once, and its
callback works for the unit of its parent.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from crawler.engine.deciding.results import Refusing
from crawler.engine.ending import Ending
from crawler.engine.frames import message_of
from crawler.engine.items.feed_writers import FeedWriters
from crawler.engine.keeping.committer import Keeper, Uncommitted
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Books, Kind
from crawler.engine.user_code.around import Running
from crawler.engine.user_code.failure import RequestFailure
from crawler.engine.waiting.queue import Inline, RequestQueue
from crawler.errors import HttpError, RequestDropped, RequestError
from crawler.events import Events, ItemDropped, ItemScraped, RequestEnded, RequestsSpooled, ResponseDelivered
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry
from crawler.frontier.store import ELSEWHERE, Committed
from crawler.model.fields import Callback
from crawler.model.masking import masked
from crawler.model.response import Response
from crawler.spider import Spider, default_callback

logger = logging.getLogger(__name__)


@dataclass(eq=False, repr=False, slots=True)
class Ends:
    """Ends requests: hands outcomes to callbacks, errbacks and inline fetches."""

    _spider: Spider
    _callbacks: Running
    _keeper: Keeper
    _inline: Inline
    _books: Books
    _events: Events

    def deliver(self, entry: Entry, response: Response) -> None:
        """The request has its response: its callback gets it."""
        if self._events.wants(ResponseDelivered):
            self._events.publish(ResponseDelivered(response, entry.request))
        if entry.carried:
            self._end_carried(entry, "answered", "")
            if entry in self._inline:
                self._inline.answer(entry, response)
                entry.unit.end_one()
                return
        unit = entry.unit if entry.carried else self._keeper.open(entry)
        request = entry.request
        callback = request.callback or default_callback(self._spider)
        method = self._named(callback) if isinstance(callback, str) else callback
        self._callbacks.run(partial(method, response, **request.cb_kwargs), callback, unit, response)

    def give_up(self, entry: Entry, error: BaseException) -> None:
        """The request has failed: its errback gets the error."""
        if isinstance(error, RequestError) and error.request is None:
            error.request = entry.request
        if isinstance(error, HttpError) and error.response is not None and self._events.wants(ResponseDelivered):
            self._events.publish(ResponseDelivered(error.response, entry.request))
        if isinstance(error, HttpError) and entry.request.errback is None:
            logger.info("Ignoring response %r: its status is not handled (HTTPERROR_ALLOWED_CODES)", error.response)
        self._end(entry, "failed", type(error).__name__, error)

    def drop(self, entry: Entry, reason: str, detail: str = "", cause: Exception | None = None) -> None:
        """The request ends without a response for a named reason."""
        error = RequestDropped(reason, request=entry.request, detail=detail)
        error.__cause__ = cause
        self._end(entry, "dropped", reason, error)

    def _end(self, entry: Entry, outcome: str, reason: str, error: BaseException) -> None:
        status = error.response.status if isinstance(error, HttpError) else None
        if entry.carried:
            self._end_carried(entry, outcome, reason, message_of(error), status)
            if entry in self._inline:
                self._inline.answer(entry, error)
                entry.unit.end_one()
                return
            unit: Unit = entry.unit
        else:
            unit = self._keeper.open(entry)
            unit.outcome, unit.reason, unit.detail, unit.status = outcome, reason, message_of(error), status
        errback = entry.request.errback
        if errback is None:
            unit.end_one()
            return
        method = self._named(errback) if isinstance(errback, str) else errback
        failure = RequestFailure(error, entry.request)
        self._callbacks.run(partial(method, failure), errback, unit, getattr(error, "response", None))

    def _named(self, name: str) -> Callback:
        """Return what calls a method of the spider that a stored request names by a string."""
        return lambda *arguments, **keywords: getattr(self._spider, name)(*arguments, **keywords)

    def _end_carried(
        self, entry: Entry, outcome: str, reason: str, detail: str = "", status: int | None = None
    ) -> None:
        self._books.end(outcome, carried=True)
        self._events.publish(RequestEnded(entry.request, outcome, reason, detail and masked(detail), status))


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
                if entry is ELSEWHERE:
                    self._queue.queued_elsewhere(offer.request)
                elif entry is not None:
                    self._queue.accept(entry)
                else:
                    self._refusing.seen_by_store(offer)
        if answer.stored or answer.duplicates:
            for host, count in answer.stored.items():
                self._queue.accept_stored(host, count)
            self._events.publish(RequestsSpooled(sum(answer.stored.values()), answer.duplicates))
        if unit.fingerprints:
            self._uncommitted.carried.difference_update(unit.fingerprints)
        if unit.unsure:
            self._settle(unit, answer.dropped)
        if unit.items:
            self.items += len(unit.items) - len(answer.dropped)
            self._feeds.put(unit.items, answer.first_item + len(unit.items) - 1)
        self._ledger.end(Kind.UNIT)  # now: what becomes of a child at once must not find the crawl idle

    def _settle(self, unit: Unit, dropped: Sequence[int]) -> None:
        """Tell of items that the commit has decided on. What was remembered for one that was left out is forgotten:
        the store has not kept it, and says again what is there."""
        for place, stage, item, response in unit.unsure:
            if place in dropped:
                self._uncommitted.forget_added(unit, place)
                self._events.publish(ItemDropped(item, stage, "duplicate", response))
            else:
                self._events.publish(ItemScraped(item, response))
