"""Who waits for an inline fetch?

An inline fetch (``await self.fetch(…)``) is carried: it has no row in the store, waits in its host's
queue under the lease of the request whose callback makes it, and is repeated with that one.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Kind, Ledger
from crawler.errors import RequestDropped
from crawler.frontier.host import Entry
from crawler.model.response import Response

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
