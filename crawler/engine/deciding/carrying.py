"""What becomes of requests that have no row of their own?

A request that cannot be stored, and an inline fetch, are carried: they wait in their hosts' queues under the
lease of the request whose callback asks for them, work for its unit, and are repeated with it after a kill.
"""

from __future__ import annotations

import logging

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.deciding.refusing import Refusing
from crawler.engine.ending import Ending
from crawler.engine.frames import error_of
from crawler.engine.keeping.keeper import Keeper
from crawler.engine.keeping.unit import Unit, current
from crawler.engine.user_code.names import name_of
from crawler.engine.waiting.queue import RequestQueue
from crawler.errors import RequestDropped
from crawler.frontier.host import Entry
from crawler.frontier.store import Offer, Store
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.verdict import Drop

logger = logging.getLogger(__name__)


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
        asked = self._store.seen([offer.fingerprint])
        asked.addCallbacks(self._seen, self._failed, callbackArgs=(offer, unit), errbackArgs=(unit,))
        asked.addErrback(lambda failure: self._ending.fail(error_of(failure)))

    def _seen(self, seen: list[bool], offer: Offer, unit: Unit) -> None:
        if seen[0] and offer.check:
            self._refusing.refuse_duplicate(offer, unit)
            unit.end_one()
            return
        unit.fingerprints.append(offer.fingerprint)
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
