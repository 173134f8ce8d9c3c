"""What does the outcome of one exchange mean?

The policies judge (pure functions); here the verdict is carried out: to the callback, back into a
queue, to the errback, or dropped with a named reason.
"""

from __future__ import annotations

from crawler.engine.deciding.again import Again
from crawler.engine.deciding.ends import Ends
from crawler.engine.deciding.redirects import Redirects
from crawler.engine.frames import message_of
from crawler.engine.machine import Machine
from crawler.engine.waiting.inline import Inline
from crawler.errors import InvalidRequest
from crawler.frontier.host import Entry
from crawler.frontier.store import Attempt
from crawler.model.response import Response
from crawler.policy.outcome import Rules, judge
from crawler.policy.verdict import Deliver, GiveUp, Later, Verdict


class Judging:
    """Judges outcomes and carries out the verdicts. ``notes``: attempts are kept for `crawler explain`."""

    def __init__(
        self,
        rules: Rules,
        machine: Machine,
        ends: Ends,
        again: Again,
        redirects: Redirects,
        inline: Inline,
        *,
        notes: bool,
    ) -> None:
        self._rules = rules
        self._wall = machine.clock.wall
        self._random = machine.random
        self._ends = ends
        self._again = again
        self._redirects = redirects
        self._inline = inline
        self._notes = notes

    def judge(self, entry: Entry, outcome: Response | Exception) -> None:
        """Judge the outcome of an entry whose exchange is over."""
        if self._notes and not entry.carried:
            self._note(entry, outcome)
        verdict: Verdict
        try:
            verdict = judge(entry.request, outcome, self._rules, wall=self._wall(), random=self._random)
        except BaseException as error:  # by the request's meta, which is the user's
            said = f"a value in its meta cannot be used: {type(error).__name__}: {message_of(error)}"
            verdict = GiveUp(InvalidRequest(said).with_traceback(error.__traceback__))
        if isinstance(verdict, Deliver):
            self._ends.deliver(entry, verdict.response)
        elif isinstance(verdict, Later):
            if verdict.kind == "redirect":
                self._redirects.follow(entry, verdict, inline=entry in self._inline)
            else:
                entry.request = verdict.request
                self._again.postpone(entry, verdict)
        elif isinstance(verdict, GiveUp):
            self._ends.give_up(entry, verdict.error)
        else:
            self._ends.drop(entry, verdict.reason, verdict.detail)

    def _note(self, entry: Entry, outcome: Response | Exception) -> None:
        if isinstance(outcome, Response):
            attempt = Attempt(self._wall(), entry.request.url, str(outcome.status), "")
        else:
            attempt = Attempt(self._wall(), entry.request.url, type(outcome).__name__, message_of(outcome))
        if entry.attempts_log is None:
            entry.attempts_log = [attempt]
        else:
            entry.attempts_log.append(attempt)
