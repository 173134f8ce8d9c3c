"""Which requests have results that are still being made?

A unit is opened here and ends here, in one way: what is complete goes to the committer, what a stop cut off
stays for a resume.
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.engine.keeping.committer import Committer
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Kind, Life
from crawler.frontier.host import Entry
from crawler.frontier.store import Offer


class Uncommitted:
    """The fingerprints that the store learns of only with a commit.

    ``carried``: of requests that have no row of their own; ``offered``: of children that wait for their unit.
    """

    def __init__(self) -> None:
        self.carried: set[int] = set()
        self.offered: set[int] = set()

    def forget_offers(self, offers: Iterable[Offer]) -> None:
        """The store knows these now, or nobody wants them any more."""
        for offer in offers:
            self.offered.discard(offer.fingerprint)

    def note_carried(self, fingerprint: int, unit: Unit) -> None:
        """A carried request has led to this one: both are registered with the commit of the unit."""
        self.carried.add(fingerprint)
        unit.fingerprints.append(fingerprint)


class Keeper:
    """Opens units and takes them when they are complete. ``durable``: a resume repeats what is not committed."""

    def __init__(self, committer: Committer, uncommitted: Uncommitted, life: Life, *, durable: bool) -> None:
        self.uncommitted = uncommitted
        self._committer = committer
        self._ledger = life.ledger
        self._books = life.books
        self._durable = durable

    def open(self, entry: Entry | None, part_of: Unit | None = None) -> Unit:
        """Begin the unit of a request (None: of results of start(), or of code that works for itself)."""
        self._ledger.begin(Kind.UNIT)
        unit = Unit(entry, self, part_of)
        if entry is not None and self._durable:
            unit.attempts = entry.attempts_log or []
        return unit

    def complete(self, unit: Unit) -> None:
        """A unit is complete: commit it, unless the crawl was stopped in its middle or there is nothing to commit."""
        abandoned = unit.abandoned and self._durable
        if abandoned or (unit.entry is None and unit.is_empty):
            self._ledger.end(Kind.UNIT)
            if abandoned and unit.entry is not None:
                self._books.abandon()
            self.uncommitted.forget_offers(unit.children)
            self._ledger.changed()
        else:
            self._committer.add(unit)
        whole = unit.part_of
        if whole is not None:
            whole.start_ended = whole.start_ended and not unit.abandoned
            whole.end_one()
