"""How does an accepted request end?

It is answered, has failed or is dropped, each once. With a row of its own it ends with the commit of its unit;
a carried one ends at once, and its callback works for the unit of its parent.
"""

from __future__ import annotations

import logging

from crawler.engine.frames import message_of
from crawler.engine.keeping.keeper import Keeper
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Books
from crawler.engine.user_code.delivery import Delivery
from crawler.engine.waiting.inline import Inline
from crawler.errors import HttpError, RequestDropped, RequestError
from crawler.events import Events, RequestEnded
from crawler.frontier.host import Entry
from crawler.model.masking import masked
from crawler.model.response import Response

logger = logging.getLogger(__name__)


class Ends:
    """Ends requests: hands outcomes to callbacks, errbacks and inline fetches."""

    def __init__(self, keeper: Keeper, delivery: Delivery, inline: Inline, books: Books, events: Events) -> None:
        self._keeper = keeper
        self._delivery = delivery
        self._inline = inline
        self._books = books
        self._events = events

    def deliver(self, entry: Entry, response: Response) -> None:
        """The request has its response: its callback gets it."""
        if entry.carried:
            self._end_carried(entry, "answered", "")
            if entry in self._inline:
                self._inline.answer(entry, response)
                entry.unit.end_one()
                return
        unit = entry.unit if entry.carried else self._keeper.open(entry)
        self._delivery.deliver(response, entry.request, unit)

    def give_up(self, entry: Entry, error: BaseException) -> None:
        """The request has failed: its errback gets the error."""
        if isinstance(error, RequestError) and error.request is None:
            error.request = entry.request
        if isinstance(error, HttpError) and entry.request.errback is None:
            logger.info("Ignoring response %r: its status is not handled (HTTPERROR_ALLOWED_CODES)", error.response)
        self._end(entry, "failed", type(error).__name__, error)

    def drop(self, entry: Entry, reason: str, detail: str = "") -> None:
        """The request ends without a response for a named reason."""
        self._end(entry, "dropped", reason, RequestDropped(reason, request=entry.request, detail=detail))

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
        if not self._delivery.fail(error, entry.request, unit):
            unit.end_one()

    def _end_carried(
        self, entry: Entry, outcome: str, reason: str, detail: str = "", status: int | None = None
    ) -> None:
        self._books.end(outcome, carried=True)
        self._events.publish(RequestEnded(entry.request, outcome, reason, detail and masked(detail), status))
