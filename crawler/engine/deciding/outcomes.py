"""What follows from the outcome of one exchange?

The policies judge (pure functions); here the verdict is carried out: to the callback, back into a
queue, to the errback, or dropped with a named reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from crawler.engine.books import Books
from crawler.engine.clock import Clock
from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.deciding.inline import Inline
from crawler.engine.deciding.start_pages import StartPages
from crawler.engine.keeping.committer import Committer
from crawler.engine.keeping.results import Intake
from crawler.engine.keeping.unit import Unit
from crawler.engine.user_code.delivery import Delivery
from crawler.engine.user_code.frames import error_of, message_of
from crawler.errors import HttpError, RequestDropped, RequestError
from crawler.events import Events, RequestDelayed
from crawler.frontier.entry import Entry
from crawler.frontier.frontier import Frontier
from crawler.frontier.store import Attempt, Postponed, Store
from crawler.model.masking import masked
from crawler.model.response import Response
from crawler.policy.redirect import METHOD_KEY
from crawler.policy.verdict import Deliver, Drop, GiveUp, Later, Verdict

logger = logging.getLogger(__name__)


class Outcomes:
    """Carries out verdicts. ``deciding`` counts redirects whose target the store is being asked about."""

    def __init__(
        self,
        *,
        store: Store,
        frontier: Frontier,
        acceptance: Acceptance,
        start_pages: StartPages,
        committer: Committer,
        delivery: Delivery,
        intake: Intake,
        inline: Inline,
        books: Books,
        events: Events,
        clock: Clock,
        leave: Callable[[Entry], None],
        changed: Callable[[], None],
        store_failed: Callable[[BaseException], None],
        failed: Callable[[BaseException, Unit, str, Response | None], None],
    ) -> None:
        self._store = store
        self._frontier = frontier
        self._acceptance = acceptance
        self._start_pages = start_pages
        self._committer = committer
        self._delivery = delivery
        self._intake = intake
        self._inline = inline
        self._books = books
        self._events = events
        self._clock = clock
        self._leave = leave
        self._changed = changed
        self._store_failed = store_failed
        self._failed = failed
        self.deciding = 0

    def apply(self, entry: Entry, verdict: Verdict) -> None:
        """Carry out the verdict on an entry whose exchange is over."""
        if isinstance(verdict, Deliver):
            self._deliver(entry, verdict.response)
        elif isinstance(verdict, Later):
            if verdict.kind == "redirect":
                self._redirect(entry, verdict)
            else:
                self._again(entry, verdict)
        elif isinstance(verdict, GiveUp):
            self.give_up(entry, verdict.error)
        else:
            self.drop(entry, verdict.reason, verdict.detail)

    def _unit(self, entry: Entry) -> Unit:
        unit: Unit = entry.unit if entry.carried else self._intake.open(entry)
        if self._store.durable and not entry.carried:
            unit.attempts = entry.attempts_log or []
        return unit

    def _deliver(self, entry: Entry, response: Response) -> None:
        if entry in self._inline:
            self._books.end_carried(entry.request, "answered", "")
            self._inline.answer(entry, response)
            entry.unit.end_one()
            return
        unit = self._unit(entry)
        if entry.carried:
            self._books.end_carried(entry.request, "answered", "")
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
            self._books.end_carried(entry.request, outcome, reason, message_of(error), status=status)
        if entry in self._inline:
            self._inline.answer(entry, error)
            entry.unit.end_one()
            return
        unit = self._unit(entry)
        if not entry.carried:
            unit.outcome, unit.reason, unit.detail, unit.status = outcome, reason, message_of(error), status
        if not self._delivery.fail(error, entry.request, unit):
            unit.end_one()

    def _again(self, entry: Entry, verdict: Later) -> None:
        entry.request = verdict.request
        self._postpone(entry, verdict)

    def _redirect(self, entry: Entry, verdict: Later) -> None:
        try:
            offer = self._acceptance.redirected(verdict.request)
        except BaseException as error:  # a filter of the user's raised
            self._failed(error, Unit(entry, _nothing), "redirect", None)
            self.give_up(entry, error)
            return
        if isinstance(offer, Drop):
            self.drop(entry, offer.reason, offer.detail)
            return
        request = offer.request
        entry.request, entry.host, entry.origin = request, offer.host, offer.origin
        if entry in self._inline or request.url in (request.meta.get("redirect_urls") or ()):
            self._postpone(entry, verdict)  # in its own chain: a page that sets a cookie and comes back
            return
        self.deciding += 1
        if request.meta.get("depth") == 0:  # one of start(), so that its target is one, too
            side = self._intake.open(None)
            offer = self._start_pages.taken(offer, side)
            side.end_one()
        else:
            offer = self._start_pages.another(offer)
        if self._intake.carries(offer.fingerprint) or (entry.carried and self._intake.offers(offer.fingerprint)):
            asked: Deferred[bool] = succeed(False)
        elif entry.carried:
            asked = self._store.seen([offer.fingerprint]).addCallback(lambda seen: not seen[0])
            self._intake.note_carried(offer.fingerprint, entry.unit)
        else:
            postponed = self._committer.overtaken(self._postponed(entry, verdict.seconds))
            asked = self._store.redirect(postponed, offer.fingerprint)
        asked.addCallbacks(
            self._redirect_decided, self._redirect_failed, callbackArgs=(entry, verdict), errbackArgs=(entry,)
        )
        asked.addErrback(lambda failure: self._store_failed(error_of(failure)))  # of what followed the answer

    def _redirect_decided(self, new: bool, entry: Entry, verdict: Later) -> None:
        if new:
            self._queue(entry, verdict)
        elif entry.request.dont_filter or METHOD_KEY in entry.request.meta:
            self._postpone(entry, verdict)  # the answer to a form is wanted, whatever page it is
        else:
            self.drop(entry, "duplicate", f"the redirect's target {entry.request.url} was seen before")
        self.deciding -= 1
        self._changed()

    def _redirect_failed(self, failure: Failure, entry: Entry) -> None:
        self.deciding -= 1
        self._store_failed(error_of(failure))

    def _postpone(self, entry: Entry, verdict: Later) -> None:
        if not entry.carried:
            self._committer.postpone(self._postponed(entry, verdict.seconds))
        self._queue(entry, verdict)

    def _postponed(self, entry: Entry, seconds: float) -> Postponed:
        log, entry.attempts_log = entry.attempts_log, None
        return Postponed(
            token=entry.token,
            request=entry.request,
            host=entry.host,
            origin=entry.origin,
            not_before=self._clock.wall() + seconds,
            attempts=log or [],
        )

    def _queue(self, entry: Entry, verdict: Later) -> None:
        # A stop leaves it to a resume, but what was answered is no page all the same.
        self._events.publish(
            RequestDelayed(entry.request, verdict.kind, masked(verdict.reason), verdict.seconds, verdict.status)
        )
        if self._intake.stopping:
            self._leave(entry)
            return
        now = self._clock.seconds()
        self._frontier.later(entry, now, now + verdict.seconds)

    def log_attempt(self, entry: Entry, outcome: Response | Exception) -> None:
        """Keep what one exchange came to, for `crawler explain`."""
        if not self._store.durable or entry.carried:
            return
        if isinstance(outcome, Response):
            attempt = Attempt(self._clock.wall(), entry.request.url, str(outcome.status), "")
        else:
            attempt = Attempt(self._clock.wall(), entry.request.url, type(outcome).__name__, message_of(outcome))
        if entry.attempts_log is None:
            entry.attempts_log = [attempt]
        else:
            entry.attempts_log.append(attempt)


def _nothing(_: Unit) -> None:
    """A unit that only names a request has nothing to commit."""
