"""How fast may a host be asked, after what it has answered so far?

It says so itself: 429, 503 and time-outs mean too fast. Then the requests in flight at once are halved;
at one, the delay becomes half a second, then twice as long each time, up to a bound. All answers to
requests that were sent before a cut (an older ``generation``) report the same overload and cut nothing
more. After each window of clean answers the host gets a step back: the delay shrinks by a tenth, and
once it is the configured one again, one more request at once.

States are values; one is kept per slot key, and only for hosts that were slowed: a host without one, or
whose state is not ``slowed``, goes at the configured pace. The engine remembers with which generation
each request was sent (0 where there is no state).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from crawler.errors import FetchTimeout
from crawler.model.response import Response

OVERLOADED = frozenset({429, 503})
FIRST_DELAY = 0.5
# A window is at least so many answers: after fewer a host at one request at a time would be asked too
# fast again after seven good answers, and every seventh request would be the one too many.
CLEAN_WINDOW = 5
# Below this much more than configured, a delay is not worth keeping (and tenths never reach zero).
_NEGLIGIBLE = 0.05


@dataclass(frozen=True, slots=True)
class ThrottleRules:
    """The settings of those names."""

    throttle_enabled: bool = True
    throttle_max_delay: float = 60.0


class HostThrottle(NamedTuple):
    """The pace of one host. ``delay`` in seconds; ``clean`` good answers so far in this window."""

    full_concurrency: int
    full_delay: float
    concurrency: int
    delay: float
    generation: int = 0
    clean: int = 0

    @classmethod
    def at_full_pace(cls, concurrency: int, delay: float) -> HostThrottle:
        """Return the state of a host that was never slowed: the configured pace."""
        return cls(concurrency, delay, concurrency, delay)

    def at(self, concurrency: int, delay: float) -> HostThrottle:
        """Return the state where the configured pace is another one: as slow as it was, if it was slowed."""
        slower = min(self.concurrency, concurrency), max(self.delay, delay)
        return self._replace(
            full_concurrency=concurrency,
            full_delay=delay,
            concurrency=slower[0] if self.concurrency < self.full_concurrency else concurrency,
            delay=slower[1] if self.delay > self.full_delay else delay,
        )

    @property
    def slowed(self) -> bool:
        """Tell whether the host goes slower than configured."""
        return self.concurrency < self.full_concurrency or self.delay > self.full_delay


def is_overload(outcome: Response | Exception) -> bool:
    """Tell whether an outcome says "too fast": status 429 or 503, or a time-out in any phase."""
    if isinstance(outcome, Response):
        return outcome.status in OVERLOADED
    return isinstance(outcome, FetchTimeout)


def on_overload(state: HostThrottle, generation: int, rules: ThrottleRules) -> HostThrottle:
    """Return the state after an overload that answers a request sent under ``generation``."""
    if not rules.throttle_enabled or generation != state.generation:
        return state
    concurrency, delay = state.concurrency, state.delay
    if concurrency > 1:
        concurrency //= 2
    else:
        # A configured delay above the bound stays: the throttle only ever slows down.
        delay = max(delay, min(max(FIRST_DELAY, delay * 2), rules.throttle_max_delay))
    return HostThrottle(state.full_concurrency, state.full_delay, concurrency, delay, state.generation + 1, 0)


def on_success(state: HostThrottle, generation: int) -> HostThrottle:
    """Return the state after a clean answer to a request sent under ``generation``; the same object if
    nothing changes. Errors that say nothing of the host's load (a refused connection) are no success
    and no overload: ask for neither."""
    full_concurrency, full_delay, concurrency, delay, current, clean = state
    if (concurrency >= full_concurrency and delay <= full_delay) or generation != current:
        return state
    clean += 1
    if clean >= (concurrency if concurrency > CLEAN_WINDOW else CLEAN_WINDOW):
        clean = 0
        if delay > full_delay:
            delay *= 0.9
            if delay - full_delay < _NEGLIGIBLE:
                delay = full_delay
        else:
            concurrency += 1
    return HostThrottle(full_concurrency, full_delay, concurrency, delay, current, clean)
