"""Whose turn is it, and what is in flight?

Those that robots.txt forbids end here, when it would be their turn, and those that --only-new leaves out. A slot is
held from the send to the last body byte only. What the outcome means is judged by the policies; this module sends,
learns from the answer and hands it on.
"""

from __future__ import annotations

import logging
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.python.failure import Failure

from crawler.engine.clock import Clock
from crawler.engine.deciding.ends import Ends
from crawler.engine.deciding.judging import Judging
from crawler.engine.ending import Ending
from crawler.engine.frames import error_of, user_traceback
from crawler.engine.keeping.unit import current
from crawler.engine.life import Kind, Ledger
from crawler.engine.parts import Edge
from crawler.engine.waiting.origin_rules import Refused, fresh_error
from crawler.engine.waiting.queue import SHUTDOWN, RequestQueue
from crawler.engine.waiting.robots import RobotsGate
from crawler.engine.waiting.throttle import Throttle
from crawler.errors import (
    CloseSpider,
    CrawlerError,
    FetchCancelled,
    FetchError,
    IgnoreRequest,
    LocalFailure,
    NotBegun,
    RequestDropped,
    RequestError,
)
from crawler.events import Events, FetchFailed, NothingQueued, RequestSent, ResponseReceived, SpiderFailed
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.throttle import OVERLOADED
from crawler.policy.verdict import Instead

logger = logging.getLogger(__name__)

FORBIDDEN_IN_A_ROW = 100
"""So many forbidden requests are dropped before the reactor gets its turn."""


@dataclass(eq=False, repr=False, slots=True)
class Turns:
    """Takes entries from the frontier, and lets robots.txt decide, and what an earlier run knew."""

    _queue: RequestQueue
    _frontier: Frontier
    _robots: RobotsGate
    _throttle: Throttle
    _ends: Ends
    _clock: Clock
    _ledger: Ledger
    _events: Events

    def take(self, now: float) -> Entry | None:
        """Return the next entry that may be sent."""
        frontier, robots, known = self._frontier, self._robots, self._queue.known
        for _ in range(FORBIDDEN_IN_A_ROW):
            entry = frontier.take(now)
            if entry is None:
                if self._events.wants(NothingQueued) and not len(frontier):
                    self._events.publish(NothingQueued())
                return None
            if entry.robots:
                refused = robots.too_soon(entry)
                if refused is None:
                    entry.request = robots.request(entry)
                    return entry
                frontier.withdraw(entry, now)
                self._refuse(refused)
                continue
            if robots.known and robots.expired(entry):
                frontier.withdraw(entry, now)
                frontier.later(entry, now, now)
                continue
            refusal = robots.refusal(entry) if robots.known else None
            if refusal is None and known is not None and not entry.carried:
                refusal = known.refusal(entry.request)
            if refusal is None:
                return entry
            frontier.withdraw(entry, now)
            self._ends.drop(entry, refusal.reason, refusal.detail)
        self._clock.callLater(0, self._ledger.changed)  # the reactor has its turn
        return None

    def answered(self, entry: Entry, outcome: Response | Exception) -> None:
        """A robots.txt request has its outcome."""
        host = entry.host
        refused = self._robots.answered(entry, outcome)
        self._throttle.waits(host)  # it may have a Crawl-delay now
        if refused is not None:
            logger.warning("%s: its requests fail, and it is asked again later", refused.error)
            self._refuse(refused)

    def end_refused(self) -> None:
        """End the requests whose origins were known to be out of reach when they were to be queued."""
        while self._queue.refused:
            entry, error = self._queue.next_refused()
            self._ends.give_up(entry, fresh_error(error, entry.request))

    def _refuse(self, refused: Refused) -> None:
        for waiting in refused.entries:
            self._ends.give_up(waiting, fresh_error(refused.error, waiting.request))


being_sent: ContextVar[Entry | None] = ContextVar("being_sent", default=None)
"""The entry whose middlewares run now."""


class Flight:
    """Sends entries, and hands their outcomes on; ``in_flight`` is to be looked at."""

    def __init__(
        self,
        edge: Edge,
        queue: RequestQueue,
        turns: Turns,
        throttle: Throttle,
        judging: Judging,
        ending: Ending,
        events: Events,
    ) -> None:
        self._edge = edge
        self._queue = queue
        self._turns = turns
        self._throttle = throttle
        self._judging = judging
        self._events = events
        self._ending = ending
        self._life = ending.life
        self._ledger = ending.life.ledger
        self._paused: set[Entry] = set()
        self._sent_twice: set[Entry] = set()
        self._withdrawn: set[Entry] = set()
        self.in_flight: dict[Entry, Deferred[Any]] = {}

    def __repr__(self) -> str:
        return f"<Flight of {len(self.in_flight)}>"

    def send(self, entry: Entry) -> None:
        """Send one exchange of an entry."""
        request = entry.request
        if self._events.wants(RequestSent):
            self._events.publish(RequestSent(request))
        throttle = self._throttle
        generation = throttle.sending(entry.host) if throttle.states or throttle.durable else 0
        unit, sent = current.set(entry.unit), being_sent.set(entry)
        try:
            fetched: Deferred[Any] = self._edge.fetch(request)
        except BaseException:  # a downloader of the user's that raises instead of failing
            fetched = fail()
        finally:
            current.reset(unit)
            being_sent.reset(sent)
        self.in_flight[entry] = fetched
        self._ledger.begin(Kind.EXCHANGE)
        fetched.addBoth(self._fetched, entry, generation)

    def pause(self) -> None:
        """A middleware that is at work fetches another request: what it works on gives its place up meanwhile.

        With its slot and its place at the host held, a crawl of one request at a time would wait for itself.
        """
        entry = being_sent.get()
        if entry is not None and entry in self.in_flight and entry not in self._paused:
            self._paused.add(entry)
            self._ledger.begin(Kind.PAUSED)
            self._queue.release(entry)

    def refuse_taken(self, entry: Entry, error: RequestError) -> None:
        """Let a request fail that was taken out of the store, and is not to be sent."""
        self._queue.accept_taken(1)
        self._queue.refuse(entry, error)

    def cancel_all(self) -> None:
        """Cancel what is in flight; nothing of it is judged any more."""
        for deferred in list(self.in_flight.values()):
            deferred.cancel()
        self.in_flight.clear()

    def withdraw_all(self) -> None:
        """Cancel what is in flight, and let it wait for its turn again: it is no try."""
        self._withdrawn |= self.in_flight.keys()
        for deferred in list(self.in_flight.values()):
            deferred.cancel()

    def outcome(self, result: Response | Failure, request: Request) -> Response | Exception | Instead:
        """Return what the middlewares and the downloader came to."""
        if isinstance(result, Response):
            if self._events.wants(ResponseReceived):
                self._events.publish(ResponseReceived(result, request))
            return result
        if isinstance(result, Request | Instead):
            return self._instead(result, request)
        error = error_of(result) if isinstance(result, Failure) else _no_response(result)
        if isinstance(error, CancelledError):
            error = FetchCancelled("the fetch was cancelled", request=request)
        if not isinstance(error, Exception):
            error = RuntimeError(f"a middleware raised {error!r}").with_traceback(error.__traceback__)
        if not isinstance(error, CrawlerError):
            self._events.publish(SpiderFailed(error, "middleware", masked(request.url), user_traceback(error)))
        elif isinstance(error, CloseSpider):
            self._ending.stop(error.reason)
        elif not isinstance(error, IgnoreRequest):
            self._events.publish(FetchFailed(request, error))
        return error

    def _instead(self, result: Request | Instead, request: Request) -> Instead:
        """A middleware asks another request instead; what had come is told all the same."""
        instead = Instead(result) if isinstance(result, Request) else result
        if isinstance(instead.of, Response):
            self.outcome(instead.of, request)
        elif isinstance(instead.of, FetchError):
            self._events.publish(FetchFailed(request, instead.of))
        return instead

    def _fetched(self, result: Response | Failure, entry: Entry, generation: int) -> None:
        if self._life.cut:
            return
        del self.in_flight[entry]
        ledger = self._ledger
        ledger.go_over(Kind.EXCHANGE, Kind.JUDGING)  # nothing that happens below can find the crawl idle and end it
        try:
            if entry in self._paused:
                self._paused.discard(entry)
                ledger.end(Kind.PAUSED)
            else:
                self._queue.release(entry)
            if not ((type(result) is Failure or self._sent_twice) and self._goes_again(result, entry)):
                self._judge(entry, self.outcome(result, entry.request), generation)
        except BaseException as error:
            self._ending.fail(error)
        finally:
            ledger.end(Kind.JUDGING)
            ledger.changed()

    def _judge(self, entry: Entry, outcome: Response | Exception | Instead, generation: int) -> None:
        begins = self._life.begins
        if not begins and isinstance(outcome, RequestDropped) and outcome.reason == SHUTDOWN:
            self._queue.leave(entry)  # a middleware wanted one more fetch, which a stop refuses
            return
        if isinstance(outcome, LocalFailure):
            # What came cannot be kept, and nor can what comes next: the crawl stops, and a resume asks again.
            self._ending.fail(outcome)
            self._queue.leave(entry)
            return
        if self._throttle.states or not isinstance(outcome, Response) or outcome.status in OVERLOADED:
            came = outcome.of if isinstance(outcome, Instead) else outcome
            if came is not None:
                self._throttle.answered(entry, came, generation)
        if not entry.robots:
            self._judging.judge(entry, outcome)
        elif self._life.begins:
            self._turns.answered(entry, _for_robots(outcome) if isinstance(outcome, Instead) else outcome)

    def _goes_again(self, result: Response | Failure, entry: Entry) -> bool:
        """Queue an entry once more whose connection the peer had closed, or that could not be begun; tell whether.

        The downloader does so itself, at once, where ``may_repeat`` allows that.
        """
        error = result.value if isinstance(result, Failure) else None
        if isinstance(error, NotBegun) or entry in self._withdrawn:
            self._withdrawn.discard(entry)
            self._queue.add(entry, wait=0.0)
            return True
        if not (isinstance(error, FetchError) and error.may_repeat) or entry in self._sent_twice:
            self._sent_twice.discard(entry)
            return False
        self._sent_twice.add(entry)
        self._queue.add(entry, wait=0.0)
        return True


def _for_robots(instead: Instead) -> Response | Exception:
    """Return what came for robots.txt, whose redirects and tries are the robots gate's own."""
    said = f"a middleware asked {instead.request.url} instead of robots.txt, which is fetched by itself"
    return instead.of if instead.of is not None else FetchError(said, sent=False)


def _no_response(result: object) -> TypeError:
    return TypeError(
        f"the middlewares must return a Response or a Request, the downloader a Response, but here came {result!r:.80}"
    )
