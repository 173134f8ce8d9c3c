"""When is it looked what can be done?

Whenever the ledger tells that something ended or came in, and when something becomes ready by time alone. The loop
waits for nothing, and ends when the phase has nothing to wait for.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred

from crawler.engine.clock import Clock, Timer
from crawler.engine.keeping.committer import Committer
from crawler.engine.life import Kind, Life, Phase
from crawler.engine.sending.flight import Flight
from crawler.engine.sending.kept_answers import KeptAnswers
from crawler.engine.sending.leasing import Leasing
from crawler.engine.sending.turns import Turns
from crawler.engine.user_code.callbacks import Callbacks
from crawler.engine.user_code.starts import Starts
from crawler.frontier.frontier import Frontier

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

    def end_refused(self) -> None:
        """End the requests whose origins were known to be out of reach when they were to be queued."""
        self._turns.end_refused()

    def send_ready(self) -> None:
        """Begin look-ups in the cache and exchanges, as long as there is room for them."""
        if self._life.ledger.counts[Kind.REFUSAL]:
            self._turns.end_refused()
        if self._life.ledger.counts[Kind.UNSOUGHT]:
            self._kept.begin()
        now = self._clock.seconds()
        until = now + SLICE_SECONDS
        while (free := self._life.free()) > 0:
            entry = self._turns.take(now)
            if entry is None:
                self._committer.flush_children()
                self._starts.want(free)
                return
            self._flight.send(entry)
            now = self._clock.seconds()
            if now > until:
                self._clock.callLater(0, self._life.ledger.changed)
                return


class Loop:
    """Sends requests until the crawl stops; ``over`` fires when nothing is waited for any more."""

    def __init__(
        self,
        life: Life,
        clock: Clock,
        frontier: Frontier,
        sender: Sender,
        leasing: Leasing | None,
        callbacks: Callbacks,
        committer: Committer,
    ) -> None:
        self._life = life
        self._clock = clock
        self._frontier = frontier
        self._sender = sender
        self._leasing = leasing
        self._callbacks = callbacks
        self._committer = committer
        self._paused = False
        self._pumping = False
        self._pump_again = False
        self._timer: Timer | None = None
        self._timer_at = 0.0
        self.over: Deferred[None] = Deferred()

    def __repr__(self) -> str:
        return f"<Loop {self._life!r}>"

    def changed(self) -> None:
        """Something ended or came in: look what can be done."""
        if self._callbacks.waiting and self._life.may_go_on():
            self._callbacks.go_on()
        if self._pumping or self._paused:
            self._pump_again = True
            return
        if self._life.ledger.counts[Kind.JUDGING]:
            return  # called again when the outcome at hand is dealt with
        if self._life.begins:
            self._pump()
        if self._life.ledger.counts[Kind.REFUSAL]:
            self._sender.end_refused()
        self._end_if_done()

    def pause(self) -> None:
        """Look no more until ``go_on``: the end would count what is left while it is being left."""
        self._paused = True
        self._disarm()

    def go_on(self) -> None:
        """Look again."""
        self._paused = False
        self.changed()

    def end(self) -> None:
        """Wait for nothing more."""
        self._disarm()
        self._life.enter(Phase.CLOSING)
        if not self.over.called:
            self.over.callback(None)

    def _pump(self) -> None:
        self._pumping = True
        try:
            self._pump_again = True
            while self._pump_again and self._life.begins:
                self._pump_again = False
                self._sender.send_ready()
        finally:
            self._pumping = False
        if self._life.begins:
            if self._leasing is not None:
                self._leasing.refill()
            self._arm()

    def _arm(self) -> None:
        """Wake up when the frontier can next have something ready by time alone."""
        when = self._frontier.next_time() if self._life.free() > 0 else None
        if when is None:
            if self._timer is not None:
                self._disarm()
        elif self._timer is None or when != self._timer_at:
            self._disarm()
            self._timer_at = when
            self._timer = self._clock.callLater(max(when - self._clock.seconds(), 0.0), self._woken)

    def _woken(self) -> None:
        self._timer = None
        self.changed()

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_if_done(self) -> None:
        if self._life.is_done(self._frontier):
            self.end()
        elif self._life.phase is Phase.STOPPING:
            self._committer.flush()  # nothing else is going to join what has gathered
