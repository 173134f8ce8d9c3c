"""What becomes of the results that spiders yield?

Requests are offered to the store and queued when their unit is committed; items go through the
pipelines and, with the commit, to the feeds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from itemadapter import ItemAdapter
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from crawler.engine.books import Books
from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.deciding.inline import Inline
from crawler.engine.deciding.start_pages import StartPages
from crawler.engine.items.feed_writers import Outlet
from crawler.engine.items.pipelines import Pipelines
from crawler.engine.keeping.unit import Unit, current
from crawler.engine.user_code.frames import error_of
from crawler.engine.user_code.names import name_of, unfit
from crawler.errors import RequestDropped
from crawler.events import Events, RequestRefused, RequestScheduled, RequestsSpooled
from crawler.frontier.entry import Entry
from crawler.frontier.store import Committed, Offer, Refusal, Store
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.verdict import Drop

logger = logging.getLogger(__name__)

SPOOL = 2000
"""So many children of one callback wait in memory for its end."""


class Intake:
    """Takes results into units, and units' commits into the frontier and the feeds.

    ``admit(entry)`` queues an accepted request; ``commit(unit)`` hands a complete unit on;
    ``explain`` keeps refusals for the job store.
    """

    def __init__(
        self,
        *,
        store: Store,
        acceptance: Acceptance,
        start_pages: StartPages,
        pipelines: Pipelines,
        outlet: Outlet,
        books: Books,
        events: Events,
        inline: Inline,
        explain: bool,
        admit: Callable[[Entry], None],
        forget: Callable[[Entry], None],
        store_more: Callable[[str, int], None],
        made_room: Callable[[], None],
        failed: Callable[[BaseException], None],
        commit: Callable[[Unit], None],
        changed: Callable[[], None],
    ) -> None:
        self._store = store
        self._acceptance = acceptance
        self._start_pages = start_pages
        self._pipelines = pipelines
        self._outlet = outlet
        self._books = books
        self._events = events
        self._inline = inline
        self._explain = explain
        self._admit = admit
        self._forget = forget
        self._store_more = store_more
        self._made_room = made_room
        self._failed = failed
        self.staging = 0
        self._commit = commit
        self._changed = changed
        self._carried: set[int] = set()
        self._offered: set[int] = set()
        self._told: set[str] = set()
        self._carried_orders = 0
        self.open_units = 0
        self.abandoned = 0
        self.items = 0  # of committed units
        self.stopping = False
        self.refused = 0

    def open(self, entry: Entry | None, done: Callable[[Unit], None] | None = None) -> Unit:
        """Begin the unit of a request (None: of results of start())."""
        self.open_units += 1
        return Unit(entry, done or self.complete)

    def complete(self, unit: Unit) -> None:
        """A unit is complete: commit it, unless the crawl was stopped in its middle."""
        if unit.abandoned and self._store.durable:
            self.open_units -= 1
            self.abandoned += unit.entry is not None
            self._forget_offers(unit.children)
            self._changed()
        else:
            self._commit(unit)

    def take(self, result: Any, unit: Unit, response: Response | None) -> None:
        """Take one result of a callback; raises TypeError for what is neither request nor item."""
        if type(result) is dict:
            self._pipelines.submit(result, unit, response)
        elif isinstance(result, Request):
            self._take_request(result, unit, response)
        elif result is None:
            return
        elif ItemAdapter.is_item(result):
            self._pipelines.submit(result, unit, response)
        else:
            raise TypeError(unfit(result))

    def _take_request(self, request: Request, unit: Unit, response: Response | None) -> None:
        offer = self._acceptance.offer(request, response)
        if isinstance(offer, Drop):
            self._refuse(request, offer.reason, offer.detail, unit, response.url if response is not None else None)
            return
        offer = self._start_pages.taken(offer, unit)
        if self._carried and offer.check and self.carries(offer.fingerprint):
            self._refuse(request, "duplicate", "", unit, offer.found_on)
        elif self._store.can_store(offer.request):
            unit.children.append(offer)
            self._offered.add(offer.fingerprint)
            if len(unit.children) >= SPOOL:
                self._spool(unit)
        elif offer.check and self.offers(offer.fingerprint):
            self._refuse(request, "duplicate", "", unit, offer.found_on)
        else:
            self._carry(offer, unit)

    def _spool(self, unit: Unit) -> None:
        """A callback with very many results: they do not wait in memory for its end."""
        if self._store.window is not None and unit.entry is not None:
            children, unit.children = unit.children, []
            self._forget_offers(children)  # too many to be remembered
            self.staging += 1
            unit.hold()
            self._store.stage(unit.entry.token, children).addBoth(self._staged, unit)
        elif not self._store.durable:
            side = self.open(None)  # nothing can be lost or repeated, so they need not become visible together
            side.children, unit.children = unit.children, []
            side.end_one()

    def _forget_offers(self, offers: list[Offer]) -> None:
        self._offered.difference_update([offer.fingerprint for offer in offers])

    def _staged(self, result: Any, unit: Unit) -> None:
        self.staging -= 1
        if isinstance(result, Failure):
            unit.abandoned = True
            self._failed(error_of(result))
        unit.end_one()
        self._made_room()

    def carries(self, fingerprint: int) -> bool:
        """Tell whether a carried request has this fingerprint, which the store learns with its unit's commit only."""
        return fingerprint in self._carried

    def offers(self, fingerprint: int) -> bool:
        """Tell whether a request that waits for the commit of its unit has this fingerprint.

        A carried request asks: it is sent before any commit, and the store would let both through.
        """
        return fingerprint in self._offered

    def note_carried(self, fingerprint: int, unit: Unit) -> None:
        """A carried request has led to this one: both are registered with the commit of the unit."""
        self._carried.add(fingerprint)
        unit.extra.append(fingerprint)

    def _refuse(self, request: Request, reason: str, detail: str, unit: Unit, found_on: str | None) -> None:
        self._events.publish(RequestRefused(request, reason, detail and masked(detail), _shown(found_on)))
        self.refused += 1
        if self._explain:
            unit.refusals.append(Refusal(request.url, f"{reason}", f"{detail}", found_on or ""))

    def _carry(self, offer: Offer, unit: Unit) -> None:
        """Queue a request that cannot be stored: it works for this unit, once the store says it is new."""
        name = name_of(offer.request.callback)
        if name not in self._told:
            self._told.add(name)
            logger.info(
                "Requests to %s cannot be stored (a lambda, a closure, or an object in meta): they are kept in memory "
                "and repeated with the page that yielded them if the crawl is killed",
                name,
            )
        self._carried.add(offer.fingerprint)
        unit.hold()
        asked = self._store.seen([offer.fingerprint])
        asked.addCallbacks(self._carried_seen, self._carry_failed, callbackArgs=(offer, unit), errbackArgs=(unit,))
        asked.addErrback(lambda failure: self._failed(error_of(failure)))

    def _carried_seen(self, seen: list[bool], offer: Offer, unit: Unit) -> None:
        if seen[0] and offer.check:
            self._refuse(offer.request, "duplicate", "", unit, offer.found_on)
            unit.end_one()
            return
        unit.extra.append(offer.fingerprint)
        self._queue(self._carried_entry(offer, unit))
        self._changed()

    def _carry_failed(self, failure: Any, unit: Unit) -> None:
        unit.abandoned = True  # the store has failed, which ends the crawl
        unit.end_one()

    def _carried_entry(self, offer: Offer, unit: Unit) -> Entry:
        self._carried_orders -= 1  # ahead of its host's stored requests: its parent's unit waits for it
        return Entry(
            offer.request, token=0, order=self._carried_orders, host=offer.host, origin=offer.origin, unit=unit
        )

    def fetch(self, request: Request) -> Deferred[Response]:
        """Fetch inline, for whatever code runs now; the Deferred fails with a RequestError."""
        unit = current.get()
        offer = self._acceptance.inline(request, from_page=unit is not None and unit.entry is not None)
        if isinstance(offer, Drop):
            return fail(RequestDropped(offer.reason, request=request, detail=offer.detail))
        if unit is None or unit.pending == 0:  # code that goes on after its callback has ended works for itself
            unit = self.open(None, self._side_unit_done)
        else:
            unit.hold()
        entry = self._carried_entry(offer, unit)
        deferred = self._inline.wait(entry)
        if self.stopping:
            self._inline.abandon(entry)
            unit.end_one()
        else:
            self._queue(entry)
        return deferred

    def _side_unit_done(self, unit: Unit) -> None:
        self.open_units -= 1  # an inline fetch from outside a callback has nothing to commit
        self._changed()

    def _queue(self, entry: Entry) -> None:
        self._books.accepted += 1
        self._books.carried += entry.carried
        if self._events.wants(RequestScheduled):
            self._events.publish(RequestScheduled(entry.request))
        self._admit(entry)

    def committed(self, unit: Unit, answer: Committed) -> None:
        """A unit's commit is done: its children are queued, its items go to the feeds."""
        if unit.entry is not None:
            self._forget(unit.entry)
            self._books.end(unit.entry.request, unit.outcome, unit.reason, unit.detail, status=unit.status)
        self._forget_offers(unit.children)
        for offer, entry in zip(unit.children, answer.admitted, strict=True):
            if entry is not None:
                self._queue(entry)
            else:
                self._events.publish(RequestRefused(offer.request, "duplicate", "", _shown(offer.found_on)))
        for host, count in answer.stored.items():
            self._books.accepted += count
            self._store_more(host, count)
        if answer.stored or answer.duplicates:
            self._events.publish(RequestsSpooled(sum(answer.stored.values()), answer.duplicates))
        if unit.extra:
            self._carried.difference_update(unit.extra)
        if unit.items:
            self.items += len(unit.items)
            self._outlet.put(unit.items, answer.first_item + len(unit.items) - 1)
        self.open_units -= 1  # now: what becomes of a child at once must not find the crawl idle


def _shown(found_on: str | None) -> str | None:
    return masked(found_on) if found_on and "@" in found_on else found_on
