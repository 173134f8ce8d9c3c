"""What can be done now?

The loop takes what the frontier lets go, as long as slots are free, and wakes itself when something
becomes ready by time alone. It waits for nothing: whoever ends something calls ``changed``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.engine.parts import Parts
from crawler.engine.sending.flight import Sending
from crawler.engine.user_code.frames import error_of
from crawler.engine.user_code.starts import AHEAD
from crawler.engine.wiring import Wiring
from crawler.frontier.entry import Entry

SLICE_SECONDS = 0.010
"""How long one turn of the loop may send requests before the reactor gets its turn."""


class Loop:
    """Sends requests until ``halt()``; ``over`` fires when nothing is left to do, or nothing under way."""

    def __init__(
        self, parts: Parts, wired: Wiring, sending: Sending, *, failed: Callable[[BaseException], None]
    ) -> None:
        core = parts.core
        self._wired = wired
        self._sending = sending
        self._store = parts.store
        self._clock = parts.clock
        self._failed = failed
        self._most_bytes = core.SCRAPER_SLOT_MAX_ACTIVE_SIZE
        self._ahead = AHEAD if parts.store.window is None else None
        self._longest_wait = parts.rules.longest_wait
        self._running = False
        self._open = False
        self._pumping = False
        self._pump_again = False
        self._leasing = 0
        self._timer: Any = None
        self._timer_at = 0.0
        self.over: Deferred[None] = Deferred()

    def __repr__(self) -> str:
        return f"<Loop {'running' if self._running else 'halted'} {self._sending!r}>"

    def begin(self) -> None:
        """Begin to send."""
        self._open = self._running = True
        self.changed()

    def halt(self) -> None:
        """Send nothing new."""
        self._open = True
        self._running = False
        self._disarm()

    def end(self) -> None:
        """Wait for nothing more."""
        self.halt()
        if not self.over.called:
            self.over.callback(None)

    def changed(self) -> None:
        """Something ended or came in: look what can be done."""
        if self._pumping:
            self._pump_again = True
            return
        if self._sending.handling:
            return  # called again when the outcome at hand is dealt with
        if self._running:
            self._pump()
        self._end_if_idle()

    def _pump(self) -> None:
        self._pumping = True
        try:
            self._pump_again = True
            while self._pump_again and self._running:
                self._pump_again = False
                self._sending.local.pump(self._room_for_responses)
                self._send_ready()
        finally:
            self._pumping = False
        if self._running:
            self._refill()
            self._arm()

    def _send_ready(self) -> None:
        wired, sending, clock = self._wired, self._sending, self._clock
        now = clock.seconds()
        until = now + SLICE_SECONDS
        while sending.free > 0 and self._room_for_responses():
            entry = sending.take(now)
            if entry is None:
                wired.committer.flush_children()
                if self._ahead is None or wired.frontier.queued_in_memory < self._ahead:
                    wired.starts.want(sending.free)
                return
            sending.send(entry)
            now = clock.seconds()
            if now > until:
                clock.callLater(0, self.changed)
                return

    def _room_for_responses(self) -> bool:
        if self._wired.callbacks.bytes < self._most_bytes:
            return True
        # What holds the bytes may wait for an inline fetch: one exchange at a time goes on.
        return len(self._wired.inline) > 0 and self._sending.idle

    def _refill(self) -> None:
        if self._store.window is None:
            return
        for host, count, after in self._wired.frontier.needs():
            self._leasing += 1
            leased = self._store.lease(host, count, after)
            leased.addCallbacks(self._leased, self._lease_failed, callbackArgs=(host,))
            leased.addErrback(lambda failure: self._failed(error_of(failure)))  # an answer that does not fit

    def _leased(self, rows: list[tuple[Entry, float]], host: str) -> None:
        now, wall = self._clock.seconds(), self._clock.wall()
        # A wall clock that jumped must not keep a request waiting longer than any rule would.
        entries = [(entry, now + min(max(before - wall, 0.0), self._longest_wait)) for entry, before in rows]
        for entry in self._wired.frontier.refill(host, entries, now):
            self._sending.refuse_unreachable(entry)
        self._leasing -= 1
        self.changed()

    def _lease_failed(self, failure: Failure) -> None:
        self._leasing -= 1
        self._failed(error_of(failure))

    def _arm(self) -> None:
        """Wake up when the frontier can next have something ready by time alone."""
        when = self._wired.frontier.next_time() if self._sending.free > 0 and self._room_for_responses() else None
        if when is None:
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

    def _end_if_idle(self) -> None:
        if not self._open or self._pumping or self.over.called:
            return
        wired = self._wired
        if len(self._sending) or wired.intake.open_units or wired.outcomes.deciding or not wired.committer.idle:
            if not self._running:
                wired.committer.flush()
            return
        if not self._running or (wired.starts.ended and not len(wired.frontier) and not self._leasing):
            self.end()
