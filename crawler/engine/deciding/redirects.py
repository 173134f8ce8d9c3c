"""What follows from a redirect?

The target is judged and looked for like a new request, but it is the same accepted request: it is postponed to
the target's host, or dropped if somebody else has asked for the target.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.deciding.again import Again
from crawler.engine.deciding.ends import Ends
from crawler.engine.deciding.start_pages import StartPages
from crawler.engine.ending import Ending
from crawler.engine.frames import error_of
from crawler.engine.keeping.keeper import Keeper
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Kind
from crawler.frontier.host import Entry
from crawler.frontier.store import Offer, Store
from crawler.policy.redirect import METHOD_KEY
from crawler.policy.verdict import Drop, Later


class Redirects:
    """Follows redirects."""

    def __init__(
        self,
        store: Store,
        acceptance: Acceptance,
        start_pages: StartPages,
        keeper: Keeper,
        again: Again,
        ends: Ends,
        ending: Ending,
    ) -> None:
        self._store = store
        self._acceptance = acceptance
        self._start_pages = start_pages
        self._keeper = keeper
        self._again = again
        self._ends = ends
        self._ending = ending
        self._ledger = ending.life.ledger

    def follow(self, entry: Entry, verdict: Later, *, inline: bool) -> None:
        """Go on with the target, unless it is refused or somebody else has asked for it."""
        try:
            offer = self._acceptance.redirected(verdict.request)
        except BaseException as error:  # a filter of the user's raised
            self._ending.spider_failed(error, Unit(entry, self._keeper), "redirect", None)
            self._ends.give_up(entry, error)
            return
        if isinstance(offer, Drop):
            self._ends.drop(entry, offer.reason, offer.detail)
            return
        request = offer.request
        entry.request, entry.host, entry.origin = request, offer.host, offer.origin
        if inline or request.url in (request.meta.get("redirect_urls") or ()):
            self._again.postpone(entry, verdict)  # in its own chain: a page that sets a cookie and comes back
            return
        self._ledger.begin(Kind.REDIRECT)
        if request.meta.get("depth") == 0:  # one of start(), so that its target is one, too
            side = self._keeper.open(None)
            offer = self._start_pages.taken(offer, side)
            side.end_one()
        else:
            offer = self._start_pages.another(offer)
        asked = self._is_new(entry, offer, verdict)
        asked.addCallbacks(self._decided, self._failed, callbackArgs=(entry, verdict))
        asked.addErrback(lambda failure: self._ending.fail(error_of(failure)))  # of what followed the answer

    def _is_new(self, entry: Entry, offer: Offer, verdict: Later) -> Deferred[bool]:
        uncommitted, fingerprint = self._keeper.uncommitted, offer.fingerprint
        if fingerprint in uncommitted.carried or (entry.carried and fingerprint in uncommitted.offered):
            return succeed(False)
        if entry.carried:
            asked = self._store.seen([fingerprint]).addCallback(lambda seen: not seen[0])
            uncommitted.note_carried(fingerprint, entry.unit)
            return asked
        return self._store.redirect(self._again.row(entry, verdict), fingerprint)

    def _decided(self, new: bool, entry: Entry, verdict: Later) -> None:
        if new:
            self._again.queue(entry, verdict)
        elif entry.request.dont_filter or METHOD_KEY in entry.request.meta:
            self._again.postpone(entry, verdict)  # the answer to a form is wanted, whatever page it is
        else:
            self._ends.drop(entry, "duplicate", f"the redirect's target {entry.request.url} was seen before")
        self._ledger.end(Kind.REDIRECT)
        self._ledger.changed()

    def _failed(self, failure: Failure) -> None:
        self._ledger.end(Kind.REDIRECT)
        self._ending.fail(error_of(failure))
