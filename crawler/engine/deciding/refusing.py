"""What becomes of a request that is refused before it is accepted?"""

from __future__ import annotations

from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Books
from crawler.events import Events, RequestRefused
from crawler.frontier.store import Offer, Refusal
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.policy.verdict import Drop


class Refusing:
    """Counts and publishes refusals; with ``explain`` the job keeps them."""

    def __init__(self, books: Books, events: Events, *, explain: bool) -> None:
        self._books = books
        self._events = events
        self._explain = explain

    def refuse(self, request: Request, drop: Drop, unit: Unit, found_on: str | None) -> None:
        """Refuse a request that a unit yielded."""
        self._publish(request, drop.reason, drop.detail and masked(drop.detail), found_on)
        self._books.refuse()
        if self._explain:
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
