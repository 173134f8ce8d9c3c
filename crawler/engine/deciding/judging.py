"""What does the outcome of one exchange mean?

The policies judge (pure functions); here the verdict is carried out: to the callback, back into a
queue, to the errback, or dropped with a named reason.

The target of a redirect is judged and looked for like a new request, but it is the same accepted request: it is
postponed to the target's host, or dropped if somebody else has asked for the target. What a middleware asks instead is
such a target.
"""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from crawler.engine.clock import Clock
from crawler.engine.deciding.acceptance import Acceptance, StartPages, name_of
from crawler.engine.deciding.ends import Ends
from crawler.engine.ending import Ending
from crawler.engine.frames import error_of, message_of
from crawler.engine.keeping.committer import Committer, Keeper
from crawler.engine.keeping.unit import Unit
from crawler.engine.life import Kind
from crawler.engine.machine import Machine
from crawler.engine.waiting.queue import Inline, RequestQueue
from crawler.errors import InvalidRequest
from crawler.events import Events, RequestDelayed
from crawler.frontier.host import Entry
from crawler.frontier.store import Attempt, Offer, Postponed, Redirected, Store
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.policy.outcome import Rules, judge
from crawler.policy.redirect import METHOD_KEY
from crawler.policy.retry import reason_of
from crawler.policy.verdict import Deliver, Drop, GiveUp, Instead, Later, Verdict


@dataclass(eq=False, repr=False, slots=True)
class Again:
    """Postpones requests, in the store and in their queues."""

    _committer: Committer
    _queue: RequestQueue
    _clock: Clock
    _events: Events

    def postpone(self, entry: Entry, verdict: Later) -> None:
        """Let a request wait for its turn; the store has it in its next group."""
        if not entry.carried:
            self._committer.postpone(self._postponed(entry, verdict.seconds))
        self.queue(entry, verdict)

    def queue(self, entry: Entry, verdict: Later) -> None:
        """Queue a request whose new row the store has, or will have."""
        # A stop leaves it to a resume, but what was answered is no page all the same.
        self._publish(entry, verdict)
        self._queue.add(entry, wait=verdict.seconds)

    def _publish(self, entry: Entry, verdict: Later) -> None:
        self._events.publish(
            RequestDelayed(entry.request, verdict.kind, masked(verdict.reason), verdict.seconds, verdict.status)
        )

    def hand_over(self, entry: Entry, verdict: Later) -> None:
        """A request whose new row the store has given to others: it is theirs."""
        self._publish(entry, verdict)
        self._queue.hand_over(entry)

    def row(self, entry: Entry, verdict: Later) -> Postponed:
        """Return a request's new row, which the caller stores by itself; older ones do not come behind it."""
        return self._committer.overtaken(self._postponed(entry, verdict.seconds))

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


@dataclass(eq=False, repr=False, slots=True)
class Redirects:
    """Follows redirects."""

    _store: Store
    _acceptance: Acceptance
    _start_pages: StartPages
    _keeper: Keeper
    _again: Again
    _ends: Ends
    _ending: Ending

    def follow(self, entry: Entry, verdict: Later, *, inline: bool) -> None:
        """Go on with the target, unless it is refused or somebody else has asked for it."""
        try:
            offer = self._acceptance.offer(verdict.request, None, redirected=True)
        except BaseException as error:  # a filter of the user's raised
            self._ending.spider_failed(error, Unit(entry.token, entry=entry, keeper=self._keeper), "redirect", None)
            self._ends.give_up(entry, error)
            return
        if isinstance(offer, Drop):
            self._ends.drop(entry, offer.reason, offer.detail)
            return
        request = offer.request
        if not (inline or entry.carried or self._can_keep(request)):
            name = name_of(request.callback or "parse")
            said = (
                f"a middleware asks {request.url} instead, for {name}: only methods of the spider can be kept with it"
            )
            self._ends.give_up(entry, InvalidRequest(said))
            return
        entry.request, entry.host, entry.origin = request, offer.host, offer.origin
        own = verdict.kind == "redirect" and request.url in (request.meta.get("redirect_urls") or ())
        if inline or (own and not self._acceptance.redirects_as_new):
            self._again.postpone(entry, verdict)  # in its own chain: a page that sets a cookie and comes back
            return
        self._ending.life.ledger.begin(Kind.REDIRECT)
        if request.meta.get("depth") == 0:  # one of start(), so that its target is one, too
            side = self._keeper.open(None)
            offer = self._start_pages.taken(offer, side)
            side.end_one()
        else:
            offer = self._start_pages.another(offer)
        asked = self._is_new(entry, offer, verdict)
        asked.addCallbacks(self._decided, self._failed, callbackArgs=(entry, verdict))
        asked.addErrback(lambda failure: self._ending.fail(error_of(failure)))  # of what followed the answer

    def _can_keep(self, request: Request) -> bool:
        """Tell whether the store can; odd values in meta and cb_kwargs it leaves out by itself."""
        return self._store.can_store(request) or self._store.can_store(request.replace(meta={}, cb_kwargs={}))

    def _is_new(self, entry: Entry, offer: Offer, verdict: Later) -> Deferred[Redirected]:
        uncommitted, fingerprint = self._keeper.uncommitted, offer.fingerprint
        if fingerprint in uncommitted.carried or (entry.carried and fingerprint in uncommitted.offered):
            return succeed("duplicate")
        if entry.carried:
            uncommitted.carried.add(fingerprint)

            def claimed(new: list[bool]) -> Redirected:
                uncommitted.claimed(fingerprint, entry.unit, new=new[0])
                return "here" if new[0] else "duplicate"

            return self._store.claim(entry.unit.token, [fingerprint]).addCallback(claimed)
        return self._store.redirect(self._again.row(entry, verdict), fingerprint)

    def _decided(self, target: Redirected, entry: Entry, verdict: Later) -> None:
        if target == "here":
            self._again.queue(entry, verdict)
        elif target == "elsewhere":
            self._again.hand_over(entry, verdict)
        elif entry.request.dont_filter or (METHOD_KEY in entry.request.meta and not self._acceptance.redirects_as_new):
            self._again.postpone(entry, verdict)  # the answer to a form is wanted, whatever page it is
        else:
            self._ends.drop(entry, "duplicate", f"the redirect's target {entry.request.url} was seen before")
        self._ending.life.ledger.end(Kind.REDIRECT)
        self._ending.life.ledger.changed()

    def _failed(self, failure: Failure) -> None:
        self._ending.life.ledger.end(Kind.REDIRECT)
        self._ending.fail(error_of(failure))


@dataclass(eq=False, repr=False, slots=True)
class Judging:
    """Judges outcomes and carries out the verdicts. ``notes``: attempts are kept for `crawler explain`."""

    rules: Rules
    _machine: Machine
    _ends: Ends
    _again: Again
    _redirects: Redirects
    _inline: Inline
    notes: bool

    def judge(self, entry: Entry, outcome: Response | Exception | Instead) -> None:
        """Judge the outcome of an entry whose exchange is over."""
        wall = self._machine.clock.wall()
        if self.notes and not entry.carried:
            self._note(entry, outcome, wall)
        verdict: Verdict
        try:
            verdict = judge(entry.request, outcome, self.rules, wall=wall, random=self._machine.random)
        except BaseException as error:  # by the request's meta, which is the user's
            said = f"a value in its meta cannot be used: {type(error).__name__}: {message_of(error)}"
            verdict = GiveUp(InvalidRequest(said).with_traceback(error.__traceback__))
        if isinstance(verdict, Deliver):
            self._ends.deliver(entry, verdict.response)
        elif isinstance(verdict, Later):
            if verdict.kind != "retry":
                self._redirects.follow(entry, verdict, inline=entry in self._inline)
            else:
                entry.request = verdict.request
                self._again.postpone(entry, verdict)
        elif isinstance(verdict, GiveUp):
            self._ends.give_up(entry, verdict.error)
        else:
            self._ends.drop(entry, verdict.reason, verdict.detail, verdict.cause)

    def _note(self, entry: Entry, outcome: Response | Exception | Instead, wall: float) -> None:
        if isinstance(outcome, Response):
            attempt = Attempt(wall, entry.request.url, str(outcome.status), "")
        elif isinstance(outcome, Instead):
            said = "" if outcome.of is None else reason_of(outcome.of)[0]
            attempt = Attempt(wall, entry.request.url, "Instead", f"{said}: asked {outcome.request.url} instead")
        else:
            attempt = Attempt(wall, entry.request.url, type(outcome).__name__, message_of(outcome))
        if entry.attempts_log is None:
            entry.attempts_log = [attempt]
        else:
            entry.attempts_log.append(attempt)
