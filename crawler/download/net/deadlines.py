"""Whose time is up?

One delayed call serves every connection: it sleeps until the earliest deadline it knows and then asks
all of them. A deadline that moved later costs nothing, so a fetch that goes well never touches a timer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from crawler.download.net.interfaces import DelayedCall, Reactor

FOREVER = float("inf")
# Two sweeps are at least so many seconds apart: the precision of every time-out.
_RESOLUTION = 0.02
# Reactors' delayed calls may follow the wall clock, so none is trusted for longer than this.
_LONGEST_SLEEP = 60.0


class Timed(Protocol):
    """Something that can run out of time."""

    def due(self) -> float:
        """Return the clock's time at which ``expire`` is to be called; FOREVER for never."""

    def expire(self, now: float) -> None:
        """The time ``due()`` has come."""


class Deadlines:
    """Everything that is waiting for something. ``clock`` is monotonic, in seconds."""

    def __init__(self, reactor: Reactor, clock: Callable[[], float]) -> None:
        self._reactor = reactor
        self._clock = clock
        self._watched: set[Timed] = set()
        self._call: DelayedCall | None = None
        self.wake = FOREVER

    def __len__(self) -> int:
        return len(self._watched)

    def watch(self, timed: Timed) -> None:
        """Call ``timed.expire`` when it is due, until ``forget``."""
        self._watched.add(timed)
        due = timed.due()
        if due < self.wake:
            self.hasten(due)

    def forget(self, timed: Timed) -> None:
        """Stop watching; it need not be watched."""
        self._watched.discard(timed)
        if not self._watched:
            self.stop()

    def hasten(self, due: float) -> None:
        """Something is due before ``wake``."""
        if self._call is not None:
            self._call.cancel()
        self.wake = due
        delay = min(max(due - self._clock(), _RESOLUTION), _LONGEST_SLEEP)
        self._call = self._reactor.callLater(delay, self._sweep)

    def stop(self) -> None:
        """Leave nothing in the reactor."""
        if self._call is not None:
            self._call.cancel()
            self._call = None
        self.wake = FOREVER

    def _sweep(self) -> None:
        self._call = None
        self.wake = FOREVER
        now = self._clock()
        earliest = FOREVER
        for timed in list(self._watched):
            due = timed.due()
            if due <= now:
                timed.expire(now)
                due = timed.due() if timed in self._watched else FOREVER
            earliest = min(earliest, due)
        if earliest < self.wake:
            self.hasten(max(earliest, now + _RESOLUTION))
