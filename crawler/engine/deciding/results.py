"""What becomes of the results that spiders yield?

Requests are offered to the store and queued when their unit is committed; items go through the
pipelines and, with the commit, to the feeds.
"""

from __future__ import annotations

from typing import Any

from itemadapter import ItemAdapter
from twisted.python.failure import Failure

from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.deciding.carrying import Carrying
from crawler.engine.deciding.refusing import Refusing
from crawler.engine.deciding.start_pages import StartPages
from crawler.engine.ending import Ending
from crawler.engine.frames import error_of
from crawler.engine.items.pipelines import Pipelines
from crawler.engine.keeping.keeper import Keeper
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Kind
from crawler.engine.user_code.names import unfit
from crawler.frontier.store import Store
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.verdict import Drop

SPOOL = 2000
"""So many children of one callback wait in memory for its end."""


class Results:
    """Takes what callbacks yield, and what they raise."""

    def __init__(self, pipelines: Pipelines, requests: Requests, ending: Ending) -> None:
        self._pipelines = pipelines
        self._requests = requests
        self.room = ending.life.may_go_on
        self.failed = ending.spider_failed

    def take(self, result: Any, unit: Unit, response: Response | None) -> None:
        """Take one result of a callback; raises TypeError for what is neither request nor item."""
        if type(result) is dict:
            self._pipelines.submit(result, unit, response)
        elif isinstance(result, Request):
            self._requests.take(result, unit, response)
        elif result is None:
            return
        elif ItemAdapter.is_item(result):
            self._pipelines.submit(result, unit, response)
        else:
            raise TypeError(unfit(result))


class Requests:
    """Takes the requests that callbacks yield, into units or to be carried."""

    def __init__(
        self,
        store: Store,
        acceptance: Acceptance,
        start_pages: StartPages,
        keeper: Keeper,
        refusing: Refusing,
        carrying: Carrying,
        ending: Ending,
    ) -> None:
        self._store = store
        self._acceptance = acceptance
        self._start_pages = start_pages
        self._keeper = keeper
        self._uncommitted = keeper.uncommitted
        self._refusing = refusing
        self._carrying = carrying
        self._ending = ending
        self._ledger = ending.life.ledger

    def take(self, request: Request, unit: Unit, response: Response | None) -> None:
        """Take one request that was found on a page, or comes from start()."""
        offer = self._acceptance.offer(request, response)
        if isinstance(offer, Drop):
            self._refusing.refuse(request, offer, unit, response.url if response is not None else None)
            return
        offer = self._start_pages.taken(offer, unit)
        carried, offered = self._uncommitted.carried, self._uncommitted.offered
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

    def _spool(self, unit: Unit) -> None:
        """A callback with very many results: they do not wait in memory for its end."""
        if self._store.window is not None and unit.entry is not None:
            children, unit.children = unit.children, []
            self._uncommitted.forget_offers(children)  # too many to be remembered
            self._ledger.begin(Kind.SPOOL)
            unit.hold()
            self._store.stage(unit.entry.token, children).addBoth(self._spooled, unit)
        elif not self._store.durable:
            side = self._keeper.open(None)  # nothing can be lost or repeated, so they need not become visible together
            side.children, unit.children = unit.children, []
            side.end_one()

    def _spooled(self, result: Failure | None, unit: Unit) -> None:
        self._ledger.end(Kind.SPOOL)
        if isinstance(result, Failure):
            unit.abandoned = True
            self._ending.fail(error_of(result))
        unit.end_one()
        self._ledger.changed()
