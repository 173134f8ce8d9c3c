"""What is sent, or looked up in the cache, when it is looked what can be done?

As much as there is room for; where nothing is ready, more is wanted of the committer and of start().

A request is looked up in the cache before it joins its host's queue: a fresh answer waits for no delay,
no robots.txt and no place at the host. A few look-ups are under way at a time, and none while the
callbacks have enough to do.
"""

from __future__ import annotations

from dataclasses import dataclass

from twisted.python.failure import Failure

from crawler.engine.clock import Clock
from crawler.engine.deciding.judging import Judging
from crawler.engine.keeping.committer import Committer
from crawler.engine.life import Kind, Life
from crawler.engine.parts import Edge
from crawler.engine.sending.flight import Flight, Turns
from crawler.engine.user_code.starts import Starts
from crawler.engine.waiting.queue import RequestQueue
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry
from crawler.model.response import Response

AT_ONCE = 16


@dataclass(eq=False, repr=False, slots=True)
class KeptAnswers:
    """Looks up what waits for it in the queue; what is not found joins its host's queue."""

    _edge: Edge
    _queue: RequestQueue
    _frontier: Frontier
    _judging: Judging
    _flight: Flight
    _life: Life

    def begin(self) -> None:
        """Begin look-ups while there is room."""
        queue, ledger = self._queue, self._life.ledger
        while queue.unsought and ledger.counts[Kind.LOOKUP] < AT_ONCE and self._life.may_look_up():
            assert self._edge.lookup is not None
            entry = queue.next_unsought()
            ledger.begin(Kind.LOOKUP)
            self._edge.lookup(entry.request).addBoth(self._found, entry)

    def _found(self, result: Response | Failure | None, entry: Entry) -> None:
        try:
            if not isinstance(result, Response):
                self._frontier.done(entry)
                self._queue.add(entry)  # also if the cache is damaged: a miss
            elif not self._life.cut:  # and held until its end is committed: its row is still in the store
                self._judging.judge(entry, self._flight.outcome(result, entry.request))
        finally:
            self._life.ledger.end(Kind.LOOKUP)
            self._life.ledger.changed()


SLICE_SECONDS = 0.010
"""How long one turn of the loop may send requests before the reactor gets its turn."""


@dataclass(eq=False, repr=False, slots=True)
class Sender:
    """Sends what is ready; where nothing is, more is wanted of the committer and of start()."""

    _kept: KeptAnswers
    turns: Turns
    _flight: Flight
    _committer: Committer
    starts: Starts
    _life: Life
    _clock: Clock

    def send_ready(self) -> None:
        """Begin look-ups in the cache and exchanges, as long as there is room for them."""
        if self._life.ledger.counts[Kind.REFUSAL]:
            self.turns.end_refused()
        if self._life.ledger.counts[Kind.UNSOUGHT]:
            self._kept.begin()
        now = self._clock.seconds()
        until = now + SLICE_SECONDS
        while (free := self._life.free()) > 0:
            entry = self.turns.take(now)
            if entry is None:
                self._committer.flush_children()
                if self.starts.running:
                    self.starts.want(free)
                return
            self._flight.send(entry)
            now = self._clock.seconds()
            if now > until:
                self._clock.callLater(0, self._life.ledger.changed)
                return


PATIENCE_SECONDS = 0.25


class DepthFirstSender(Sender):
    """Sends one request at a time, and not before it is known what the last one has led to: that is newer.

    It is known when the unit is committed. One that takes long, since its callback waits for something, is waited for
    no longer than PATIENCE_SECONDS, and one that has carried requests not at all: they are to be sent.
    """

    _since: float | None = None

    def free(self) -> int:
        """Return how many requests may be sent now."""
        if self._life.ledger.counts[Kind.UNIT] == bool(self.starts.running) or self._life.books.carried:
            self._since = None
            return self._life.free()
        now = self._clock.seconds()
        if self._since is None:
            self._since = now
            self._clock.callLater(PATIENCE_SECONDS, self._life.ledger.changed)
        return 0 if now - self._since < PATIENCE_SECONDS else self._life.free()

    def send_ready(self) -> None:
        """See Sender."""
        if self.free() > 0:
            super().send_ready()
        elif self._life.begins:
            self._committer.flush_children()
