"""What is sent in one turn of the loop?"""

from __future__ import annotations

from crawler.engine.clock import Clock
from crawler.engine.keeping.committer import Committer
from crawler.engine.life import Life
from crawler.engine.sending.flight import Flight
from crawler.engine.sending.kept_answers import KeptAnswers
from crawler.engine.sending.turns import Turns
from crawler.engine.user_code.starts import Starts

SLICE_SECONDS = 0.010
"""How long one turn of the loop may send requests before the reactor gets its turn."""


class Sender:
    """Sends what is ready; where nothing is, more is wanted of the committer and of start()."""

    def __init__(
        self,
        kept: KeptAnswers,
        turns: Turns,
        flight: Flight,
        committer: Committer,
        starts: Starts,
        life: Life,
        clock: Clock,
    ) -> None:
        self._kept = kept
        self._turns = turns
        self._flight = flight
        self._committer = committer
        self._starts = starts
        self._life = life
        self._clock = clock

    def send_ready(self) -> None:
        """Begin look-ups in the cache and exchanges, as long as there is room for them."""
        self._kept.begin()
        now = self._clock.seconds()
        until = now + SLICE_SECONDS
        while (free := self._life.free()) > 0:
            entry = self._turns.take(now)
            if entry is None:
                self._committer.flush_children()
                self._starts.want(free, self._turns.in_memory)
                return
            self._flight.send(entry)
            now = self._clock.seconds()
            if now > until:
                self._clock.callLater(0, self._life.ledger.changed)
                return
