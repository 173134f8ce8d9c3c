"""When is it looked what can be done?

Whenever the ledger tells that something ended or came in, and when something becomes ready by time alone. The loop
waits for nothing, and ends when the phase has nothing to wait for.
"""

from __future__ import annotations

from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.engine.clock import Clock, Timer
from crawler.engine.ending import Ending
from crawler.engine.frames import error_of
from crawler.engine.keeping.committer import Committer
from crawler.engine.life import Kind, Life, Phase
from crawler.engine.sending.sender import DepthFirstSender, Sender
from crawler.engine.user_code.callbacks import Callbacks
from crawler.engine.waiting.queue import RequestQueue
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry
from crawler.frontier.store import Store
from crawler.policy.outcome import Rules


@dataclass(eq=False, repr=False, slots=True)
class Leasing:
    """Asks a store that has requests which memory has not for those that the frontier needs."""

    _store: Store
    _frontier: Frontier
    _queue: RequestQueue
    _clock: Clock
    _ending: Ending
    _rules: Rules

    def refill(self) -> None:
        """Ask for what is needed."""
        for host, count, after in self._frontier.needs():
            self._ending.life.ledger.begin(Kind.LEASE)
            leased = self._store.lease(host, count, after)
            leased.addCallbacks(self._leased, self._failed, callbackArgs=(host,))
            leased.addErrback(lambda failure: self._ending.fail(error_of(failure)))  # an answer that does not fit

    def _leased(self, rows: list[tuple[Entry, float]], host: str) -> None:
        now, wall, longest = self._clock.seconds(), self._clock.wall(), self._rules.longest_wait
        # A wall clock that jumped must not keep a request waiting longer than any rule would.
        entries = [(entry, now + min(max(before - wall, 0.0), longest)) for entry, before in rows]
        if self._store.takes:
            self._queue.accept_taken(len(entries))
        for entry in self._frontier.refill(host, entries, now):
            self._queue.leased(entry)
        self._ending.life.ledger.end(Kind.LEASE)
        self._ending.life.ledger.changed()

    def _failed(self, failure: Failure) -> None:
        self._ending.life.ledger.end(Kind.LEASE)
        self._ending.fail(error_of(failure))


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
        self._free = sender.free if isinstance(sender, DepthFirstSender) else life.free  # asked for each page
        self._leasing = leasing
        self._callbacks = callbacks
        self._committer = committer
        self._paused: frozenset[str] = frozenset()
        self._idlers: list[Deferred[None]] = []
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
            self._sender.turns.end_refused()
        self._end_if_done()

    def pause(self, reason: str) -> None:
        """Look no more until ``go_on`` for the same reason: nothing is sent, and the crawl does not end."""
        self._paused |= {reason}
        self._disarm()

    def go_on(self, reason: str) -> None:
        """Look again, unless there is another reason not to."""
        self._paused -= {reason}
        self.changed()

    @property
    def paused(self) -> frozenset[str]:
        """For which reasons the loop looks at nothing."""
        return self._paused

    def idle(self) -> Deferred[None]:
        """Fire in a later turn, once nothing is under way or queued but start(); does not fire if the crawl ends."""
        idle: Deferred[None] = Deferred()
        self._idlers.append(idle)
        self._clock.callLater(0, self.changed)
        return idle

    def is_idle(self) -> bool:
        """Tell whether nothing is under way or queued but start()."""
        return self._life.is_idle(self._frontier, bool(self._sender.starts.running))

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
        when = self._frontier.next_time() if self._free() > 0 else None
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
        elif self._idlers and self.is_idle():
            idlers, self._idlers = self._idlers, []
            for idle in idlers:
                if not idle.called:
                    idle.callback(None)
