"""What is in flight?

A slot is held from the send to the last body byte only. What the outcome means is judged by the
policies; this module sends, learns from the answer and hands the verdict on.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.python.failure import Failure

from crawler.engine.deciding.inline import SHUTDOWN
from crawler.engine.keeping.unit import current
from crawler.engine.parts import Parts
from crawler.engine.sending.kept_answers import LocalAnswers
from crawler.engine.sending.origin_rules import Refused, fresh_error
from crawler.engine.user_code.frames import error_of, message_of, user_traceback
from crawler.engine.wiring import Hooks, Wiring
from crawler.errors import (
    CloseSpider,
    CrawlerError,
    FetchCancelled,
    FetchError,
    IgnoreRequest,
    InvalidRequest,
    LocalFailure,
    RequestDropped,
)
from crawler.events import FetchFailed, RequestSent, ResponseReceived, SpiderFailed
from crawler.frontier.entry import Entry
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.outcome import judge
from crawler.policy.verdict import GiveUp

logger = logging.getLogger(__name__)

FORBIDDEN_IN_A_ROW = 100
"""So many forbidden requests are dropped before the reactor gets its turn."""

being_sent: ContextVar[Entry | None] = ContextVar("being_sent", default=None)
"""The entry whose middlewares run now."""


class Sending:
    """Takes entries from the frontier, fetches them and hands their outcomes on."""

    def __init__(self, parts: Parts, wired: Wiring, hooks: Hooks) -> None:
        self._parts = parts
        self._wired = wired
        self._hooks = hooks
        self._changed = hooks.changed
        self.local = LocalAnswers(
            parts.lookup, wired.frontier, answered=self._kept, queue=self.queue, changed=hooks.changed
        )
        self._waiting_for_more: set[Entry] = set()
        self._sent_twice: set[Entry] = set()
        self._limit = parts.core.CONCURRENT_REQUESTS
        self._in_flight: dict[Entry, Deferred[None]] = {}
        self._handling = 0
        self._cancelled = False

    def __len__(self) -> int:
        return len(self._in_flight) + self._handling + len(self.local)

    def __repr__(self) -> str:
        return f"<Sending {len(self._in_flight)} of {self._limit}>"

    @property
    def handling(self) -> bool:
        """Whether an outcome is being dealt with right now."""
        return self._handling > 0

    @property
    def free(self) -> int:
        """How many slots are free."""
        return self._limit - len(self._in_flight) + len(self._waiting_for_more)

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way that will be answered."""
        return len(self._in_flight) == len(self._waiting_for_more) and not self.local.under_way

    def take(self, now: float) -> Entry | None:
        """Return the next entry that may be sent; those that robots.txt forbids end here."""
        wired = self._wired
        for _ in range(FORBIDDEN_IN_A_ROW):
            entry = wired.frontier.take(now)
            if entry is None:
                return None
            if entry.robots:
                refused = wired.gate.too_soon(entry)
                if refused is None:
                    return entry
                wired.frontier.withdraw(entry, now)
                self._refuse(refused)
                continue
            if wired.gate.expired(entry):
                wired.frontier.withdraw(entry, now)
                wired.frontier.later(entry, now, now)
                continue
            refusal = wired.gate.refusal(entry)
            if refusal is None:
                return entry
            wired.frontier.withdraw(entry, now)
            wired.outcomes.drop(entry, refusal.reason, refusal.detail)
        self._parts.clock.callLater(0, self._changed)  # the reactor has its turn
        return None

    def queue(self, entry: Entry) -> None:
        """Queue an accepted entry, unless its origin is known to be out of reach."""
        if self._wired.intake.stopping:
            self._hooks.leave(entry)
            return
        error = self._wired.gate.unreachable(entry)
        if error is not None:
            self._wired.outcomes.give_up(entry, fresh_error(error, entry.request))
        else:
            self._wired.frontier.add(entry, self._parts.clock.seconds())

    def refuse_unreachable(self, entry: Entry) -> None:
        """End an entry that came from the store, and whose origin is out of reach."""
        error = self._wired.gate.unreachable(entry)
        if error is not None:
            self._wired.outcomes.give_up(entry, fresh_error(error, entry.request))
        else:
            now = self._parts.clock.seconds()
            self._wired.frontier.later(entry, now, now)

    def send(self, entry: Entry) -> None:
        """Send one exchange of an entry."""
        parts, wired = self._parts, self._wired
        if entry.robots:
            entry.request = wired.gate.request(entry)
        request = entry.request
        if parts.events.wants(RequestSent):
            parts.events.publish(RequestSent(request))
        generation = wired.pace.sending(entry.host)
        unit, sent = current.set(entry.unit), being_sent.set(entry)
        try:
            fetched = parts.fetch(request)
        except BaseException:  # a downloader of the user's that raises instead of failing
            fetched = fail()
        finally:
            current.reset(unit)
            being_sent.reset(sent)
        self._in_flight[entry] = fetched  # type: ignore[assignment]  # what it gives is seen below
        fetched.addBoth(self._fetched, entry, generation)

    def fetch_more(self, request: Request) -> Deferred[Response]:
        """Fetch another request for a middleware that is at work; what it works on gives its place up meanwhile.

        With its slot and its place at the host held, a crawl of one request at a time would wait for itself.
        """
        entry = being_sent.get()
        if entry is not None and entry in self._in_flight and entry not in self._waiting_for_more:
            self._waiting_for_more.add(entry)
            self._wired.frontier.release(entry, self._parts.clock.seconds())
        return self._wired.intake.fetch(request)

    def cancel_all(self) -> None:
        """Cancel what is in flight; nothing of it is judged any more."""
        self._cancelled = True
        for deferred in list(self._in_flight.values()):
            deferred.cancel()
        self._in_flight.clear()

    def _fetched(self, result: Response | Failure, entry: Entry, generation: int) -> None:
        if self._cancelled:
            return
        wired = self._wired
        del self._in_flight[entry]
        self._handling += 1  # nothing that happens below can find the crawl idle and end it
        try:
            if entry in self._waiting_for_more:
                self._waiting_for_more.discard(entry)
            else:
                wired.frontier.release(entry, self._parts.clock.seconds())
            if (type(result) is Failure or self._sent_twice) and self._goes_again(result, entry):
                return
            outcome = self._outcome(result, entry)
            if wired.intake.stopping and isinstance(outcome, RequestDropped) and outcome.reason == SHUTDOWN:
                self._hooks.leave(entry)  # a middleware wanted one more fetch, which a stop refuses
                return
            if isinstance(outcome, LocalFailure):
                self._left_undone(entry, outcome)
                return
            wired.pace.answered(entry, outcome, generation)
            if not entry.robots:
                self._judge(entry, outcome)
            elif not wired.intake.stopping:
                self._robots(entry, outcome)
        except BaseException as error:
            self._hooks.fail(error)
        finally:
            self._handling -= 1
            self._changed()

    def _left_undone(self, entry: Entry, error: LocalFailure) -> None:
        """What came cannot be kept, and nor can what comes next: the crawl stops, and a resume asks again."""
        self._hooks.fail(error)
        if not entry.robots:
            self._hooks.leave(entry)

    def _goes_again(self, result: Response | Failure, entry: Entry) -> bool:
        """Queue an entry once more whose connection the peer had closed; tell whether it was that.

        The downloader does so itself, at once, where ``may_repeat`` allows that.
        """
        error = result.value if isinstance(result, Failure) else None
        if not (isinstance(error, FetchError) and error.may_repeat) or entry in self._sent_twice:
            self._sent_twice.discard(entry)
            return False
        self._sent_twice.add(entry)
        now = self._parts.clock.seconds()
        if not self._wired.intake.stopping:
            self._wired.frontier.later(entry, now, now)
        elif not entry.robots:
            self._hooks.leave(entry)
        return True

    def may_repeat(self, request: Request) -> bool:
        """Tell whether a request may be sent again at once: its host owes no delay for it."""
        return self._wired.frontier.asked_again_at(self._parts.slot_key(request)) is None

    def _outcome(self, result: Response | Failure, entry: Entry) -> Response | Exception:
        events = self._parts.events
        if isinstance(result, Response):
            if events.wants(ResponseReceived):
                events.publish(ResponseReceived(result, entry.request))
            return result
        error = error_of(result) if isinstance(result, Failure) else _no_response(result)
        if isinstance(error, CancelledError):
            error = FetchCancelled("the fetch was cancelled", request=entry.request)
        if not isinstance(error, Exception):
            error = RuntimeError(f"a middleware raised {error!r}").with_traceback(error.__traceback__)
        if not isinstance(error, CrawlerError):
            events.publish(SpiderFailed(error, "middleware", masked(entry.request.url), user_traceback(error)))
        elif isinstance(error, CloseSpider):
            self._hooks.stop(error.reason)
        elif not isinstance(error, IgnoreRequest):
            events.publish(FetchFailed(entry.request, error))
        return error

    def _kept(self, entry: Entry, response: Response) -> None:
        """The cache has a fresh answer."""
        if self._cancelled:
            return
        if self._parts.events.wants(ResponseReceived):
            self._parts.events.publish(ResponseReceived(response, entry.request))
        self._judge(entry, response)

    def _judge(self, entry: Entry, outcome: Response | Exception) -> None:
        parts, wired = self._parts, self._wired
        wired.outcomes.log_attempt(entry, outcome)
        try:
            verdict = judge(entry.request, outcome, parts.rules, wall=parts.clock.wall(), random=parts.random)
        except BaseException as error:  # by the request's meta, which is the user's
            said = f"a value in its meta cannot be used: {type(error).__name__}: {message_of(error)}"
            verdict = GiveUp(InvalidRequest(said).with_traceback(error.__traceback__))
        wired.outcomes.apply(entry, verdict)

    def _robots(self, entry: Entry, outcome: Response | Exception) -> None:
        host = entry.host
        refused: Refused | None = self._wired.gate.answered(entry, outcome)
        self._wired.pace.waits(host)  # it may have a Crawl-delay now
        if refused is not None:
            logger.warning("%s: its requests fail, and it is asked again later", refused.error)
            self._refuse(refused)

    def _refuse(self, refused: Refused) -> None:
        for waiting in refused.entries:
            self._wired.outcomes.give_up(waiting, fresh_error(refused.error, waiting.request))


def _no_response(result: object) -> TypeError:
    return TypeError(f"the middlewares and the downloader must return a Response, but here came {result!r:.80}")
