"""What time is it, and who calls back later?"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.base import ReactorBase


class Timer(Protocol):
    """A later call."""

    def cancel(self) -> None:
        """Do not call."""

    def active(self) -> bool:
        """Tell whether it is still to be called."""

    def reset(self, secondsFromNow: float) -> None:  # noqa: N803 - Twisted's name
        """Call at another time."""


class Clock(Protocol):
    """Time for the engine: monotonic seconds, the wall's seconds since the epoch, and later calls.

    A reactor will not do: its seconds() follow the wall clock, which jumps.
    """

    def seconds(self) -> float:
        """Return monotonic seconds."""

    def wall(self) -> float:
        """Return seconds since the epoch."""

    def callLater(self, delay: float, call: Callable[..., Any], *args: Any) -> Timer:  # noqa: N802
        """Call back after ``delay`` seconds."""


class ReactorClock:
    """The Clock of a real crawl."""

    def __init__(self, reactor: ReactorBase) -> None:
        self.seconds: Callable[[], float] = time.monotonic
        self.wall: Callable[[], float] = time.time
        self.callLater: Callable[..., Timer] = reactor.callLater
