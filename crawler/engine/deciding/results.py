"""What becomes of the results that spiders yield?

Requests are offered to the store and queued when their unit is committed; items go through the
pipelines and, with the commit, to the feeds.

A request that cannot be stored, and an inline fetch, are carried: they wait in their hosts' queues under the
lease of the request whose callback asks for them, work for its unit, and are repeated with it after a kill.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from itemadapter import ItemAdapter
from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from crawler.engine.deciding.acceptance import Acceptance, StartPages
from crawler.engine.ending import Ending
from crawler.engine.frames import error_of
from crawler.engine.items.pipelines import Pipelines
from crawler.engine.keeping.committer import Keeper
from crawler.engine.keeping.unit import Unit, current
from crawler.engine.life import Books, Kind
from crawler.engine.user_code.names import name_of, unfit
from crawler.engine.waiting.queue import RequestQueue
from crawler.errors import RequestDropped
from crawler.events import Events, RequestRefused
from crawler.frontier.host import Entry
from crawler.frontier.store import Offer, Refusal, Store
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.verdict import Drop

logger = logging.getLogger(__name__)


@dataclass(eq=False, repr=False, slots=True)
class Refusing:
    """Counts and publishes refusals; with ``explain`` the job keeps them."""

    _books: Books
    _events: Events
    explain: bool

    def refuse(self, request: Request, drop: Drop, unit: Unit, found_on: str | None) -> None:
        """Refuse a request that a unit yielded."""
        self._publish(request, drop.reason, drop.detail and masked(drop.detail), found_on)
        self._books.refuse()
        if self.explain:
            unit.refusals.append(Refusal(request.url, f"{drop.reason}", f"{drop.detail}", found_on or ""))

    def refuse_duplicate(self, offer: Offer, unit: Unit) -> None:
        """Refuse a request that somebody else has asked for, and that waits for a commit."""
        self.refuse(offer.request, Drop("duplicate", ""), unit, offer.found_on)

    def seen_by_store(self, offer: Offer) -> None:
        """Publish that the store has seen a request before."""
        self._publish(offer.request, "duplicate", "", offer.found_on)

    def _publish(self, request: Request, reason: str, detail: str, found_on: str | None) -> None:
        shown = masked(found_on) if found_on and "@" in found_on else found_on
        self._events.publish(RequestRefused(request, reason, detail, shown))


class Carrying:
    """Queues requests that have no row of their own."""

    def __init__(
        self,
        store: Store,
        acceptance: Acceptance,
        queue: RequestQueue,
        keeper: Keeper,
        refusing: Refusing,
        ending: Ending,
    ) -> None:
        self._store = store
        self._acceptance = acceptance
        self._queue = queue
        self._keeper = keeper
        self._refusing = refusing
        self._ending = ending
        self._life = ending.life
        self._told: set[str] = set()
        self._orders = 0

    def carry(self, offer: Offer, unit: Unit) -> None:
        """Queue a request that cannot be stored: it works for this unit, once the store says it is new."""
        name = name_of(offer.request.callback)
        if name not in self._told:
            self._told.add(name)
            logger.info(
                "Requests to %s cannot be stored (a lambda, a closure, or an object in meta): they are kept in memory "
                "and repeated with the page that yielded them if the crawl is killed",
                name,
            )
        self._keeper.uncommitted.carried.add(offer.fingerprint)
        unit.hold()
        asked = self._store.claim(unit.token, [offer.fingerprint])
        asked.addCallbacks(self._claimed, self._failed, callbackArgs=(offer, unit), errbackArgs=(unit,))
        asked.addErrback(lambda failure: self._ending.fail(error_of(failure)))

    def _claimed(self, new: list[bool], offer: Offer, unit: Unit) -> None:
        taken = new[0] or not offer.check
        self._keeper.uncommitted.claimed(offer.fingerprint, unit, new=taken)
        if not taken:
            self._refusing.refuse_duplicate(offer, unit)
            unit.end_one()
            return
        self._queue.accept(self._entry(offer, unit))
        self._life.ledger.changed()

    def _failed(self, failure: Failure, unit: Unit) -> None:
        unit.abandoned = True  # the store has failed, which ends the crawl
        unit.end_one()

    def _entry(self, offer: Offer, unit: Unit) -> Entry:
        self._orders -= 1  # ahead of its host's stored requests: its parent's unit waits for it
        return Entry(offer.request, token=0, order=self._orders, host=offer.host, origin=offer.origin, unit=unit)

    def fetch(self, request: Request) -> Deferred[Response]:
        """Fetch inline, for whatever code runs now; the Deferred fails with a RequestError."""
        deferred = self._fetch(request)
        self._life.ledger.changed()
        return deferred

    def _fetch(self, request: Request) -> Deferred[Response]:
        unit = current.get()
        offer = self._acceptance.inline(request, from_page=unit is not None and unit.entry is not None)
        if isinstance(offer, Drop):
            return fail(RequestDropped(offer.reason, request=request, detail=offer.detail))
        if unit is None or unit.pending == 0:  # code that goes on after its callback has ended works for itself
            unit = self._keeper.open(None)
        else:
            unit.hold()
        entry = self._entry(offer, unit)
        deferred = self._queue.inline.wait(entry)
        if self._life.begins:
            self._queue.accept(entry)
        else:
            self._queue.inline.abandon(entry)
            unit.end_one()
        return deferred


SPOOL = 2000
"""So many children of one callback wait in memory for its end."""


class Results:
    """Takes what callbacks yield, and what they raise."""

    flat = True

    def __init__(self, pipelines: Pipelines, requests: Requests, ending: Ending) -> None:
        self._pipelines = pipelines
        self._requests = requests
        self.room = ending.life.may_go_on
        self.failed = ending.spider_failed

    def take(self, result: Any, unit: Unit, response: Response | None) -> None:
        """Take one result of a callback; raises TypeError for what is neither request nor item."""
        if isinstance(result, Request):
            self._requests.take(result, unit, response)
        elif type(result) is dict or ItemAdapter.is_item(result):
            self._pipelines.submit(result, unit, response)
        elif result is not None:
            raise TypeError(unfit(result))


class LooseResults(Results):
    """Takes all that is no request for an item, a list that was yielded, too: the stages say what becomes of it."""

    flat = False

    def take(self, result: Any, unit: Unit, response: Response | None) -> None:
        """Take one result of a callback."""
        if isinstance(result, Request):
            self._requests.take(result, unit, response)
        elif result is not None:
            self._pipelines.submit(result, unit, response)


@dataclass(eq=False, repr=False, slots=True)
class Requests:
    """Takes the requests that callbacks yield, into units or to be carried."""

    _store: Store
    _acceptance: Acceptance
    _start_pages: StartPages
    _keeper: Keeper
    _refusing: Refusing
    _carrying: Carrying
    _ending: Ending

    def take(self, request: Request, unit: Unit, response: Response | None) -> Drop | None:
        """Take one request that was found on a page, or comes from start(); return why a filter refuses it."""
        offer = self._acceptance.offer(request, response)
        if isinstance(offer, Drop):
            self._refusing.refuse(request, offer, unit, response.url if response is not None else None)
            return offer
        offer = self._start_pages.taken(offer, unit)
        carried, offered = self._keeper.uncommitted.carried, self._keeper.uncommitted.offered
        if carried and offer.check and offer.fingerprint in carried:
            self._refusing.refuse_duplicate(offer, unit)
        elif self._store.can_store(offer.request):
            unit.children.append(offer)
            offered.add(offer.fingerprint)
            if len(unit.children) >= SPOOL:
                self._spool(unit)
        elif offer.check and offer.fingerprint in offered:  # it is sent before any commit: the store passes both
            self._refusing.refuse_duplicate(offer, unit)
        else:
            self._carrying.carry(offer, unit)
        return None

    def _spool(self, unit: Unit) -> None:
        """A callback with very many results: they do not wait in memory for its end."""
        if self._store.window is not None and unit.entry is not None:
            children, unit.children = unit.children, []
            self._keeper.uncommitted.forget_offers(children)  # too many to be remembered
            self._ending.life.ledger.begin(Kind.SPOOL)
            unit.hold()
            self._store.stage(unit.entry.token, children).addBoth(self._spooled, unit)
        elif not self._store.durable:
            side = self._keeper.open(None)  # nothing can be lost or repeated, so they need not become visible together
            side.children, unit.children = unit.children, []
            side.end_one()

    def _spooled(self, result: Failure | None, unit: Unit) -> None:
        self._ending.life.ledger.end(Kind.SPOOL)
        if isinstance(result, Failure):
            unit.abandoned = True
            self._ending.fail(error_of(result))
        unit.end_one()
        self._ending.life.ledger.changed()
