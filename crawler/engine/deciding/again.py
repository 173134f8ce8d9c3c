"""How does a request get its turn again, later?"""

from __future__ import annotations

from crawler.engine.clock import Clock
from crawler.engine.keeping.committer import Committer
from crawler.engine.waiting.queue import RequestQueue
from crawler.events import Events, RequestDelayed
from crawler.frontier.host import Entry
from crawler.frontier.store import Postponed
from crawler.model.masking import masked
from crawler.policy.verdict import Later


class Again:
    """Postpones requests, in the store and in their queues."""

    def __init__(self, committer: Committer, queue: RequestQueue, clock: Clock, events: Events) -> None:
        self._committer = committer
        self._queue = queue
        self._clock = clock
        self._events = events

    def postpone(self, entry: Entry, verdict: Later) -> None:
        """Let a request wait for its turn; the store has it in its next group."""
        if not entry.carried:
            self._committer.postpone(self._postponed(entry, verdict.seconds))
        self.queue(entry, verdict)

    def queue(self, entry: Entry, verdict: Later) -> None:
        """Queue a request whose new row the store has, or will have."""
        # A stop leaves it to a resume, but what was answered is no page all the same.
        self._events.publish(
            RequestDelayed(entry.request, verdict.kind, masked(verdict.reason), verdict.seconds, verdict.status)
        )
        self._queue.add(entry, wait=verdict.seconds)

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
