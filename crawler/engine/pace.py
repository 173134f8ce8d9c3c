"""Which hosts must be asked more slowly than configured, and since when?"""

from __future__ import annotations

from typing import Any

from crawler.config.schema import CoreSettings
from crawler.engine.clock import Clock
from crawler.events import Events, HostSlowed
from crawler.frontier.entry import Entry
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import HostLimits
from crawler.model.response import Response
from crawler.policy.throttle import HostThrottle, ThrottleRules, is_overload, on_overload, on_success

_PREFIX = "throttle:"


class Pace:
    """The throttle states of the hosts that were slowed down; most crawls have none."""

    def __init__(
        self, core: CoreSettings, frontier: Frontier, clock: Clock, events: Events, *, limits: Any, crawl_delay: Any
    ) -> None:
        self._rules = ThrottleRules(core.THROTTLE_ENABLED, core.THROTTLE_MAX_DELAY)
        self._frontier = frontier
        self._clock = clock
        self._events = events
        self._limits = limits
        self._crawl_delay = crawl_delay
        self._states: dict[str, HostThrottle] = {}
        self._changed: set[str] = set()

    def generation(self, host: str) -> int:
        """Return under which cut a request to the host is sent now."""
        state = self._states.get(host)
        return 0 if state is None else state.generation

    def answered(self, entry: Entry, outcome: Response | Exception, generation: int) -> None:
        """Learn from the outcome of a request that was sent under ``generation``."""
        if not self._rules.throttle_enabled:
            return
        state = self._states.get(entry.host)
        if is_overload(outcome):
            new = on_overload(state or self._full(entry), generation, self._rules)
            reason = f"status {outcome.status}" if isinstance(outcome, Response) else type(outcome).__name__
        elif state is None or not isinstance(outcome, Response):
            return
        else:
            new, reason = on_success(state, generation), "clean answers"
        if new is not state:
            self._set(entry.host, state, new, reason)

    def _full(self, entry: Entry) -> HostThrottle:
        limits: HostLimits = self._limits(entry.host)
        return HostThrottle.at_full_pace(limits.concurrency, max(limits.delay, self._crawl_delay(entry.origin)))

    def _set(self, host: str, old: HostThrottle | None, new: HostThrottle, reason: str) -> None:
        self._states[host] = new
        self._changed.add(host)
        if old is None or (old.concurrency, old.delay) != (new.concurrency, new.delay):
            self._frontier.set_limits(host, concurrency=new.concurrency, delay=new.delay)
            self._events.publish(HostSlowed(host, new.delay, new.concurrency, reason))

    def changed_facts(self) -> dict[str, Any]:
        """Return the states that changed, by host."""
        changed, self._changed = self._changed, set()
        return {_PREFIX + host: list(self._states[host]) for host in changed}

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Go on as slowly as an earlier run of the job did."""
        for name, value in facts.items():
            if name.startswith(_PREFIX) and self._rules.throttle_enabled:
                host = name.removeprefix(_PREFIX)
                # The settings may have changed since: never faster than what is configured now.
                now: HostLimits = self._limits(host)
                kept = HostThrottle(*value)
                state = kept._replace(
                    full_concurrency=now.concurrency,
                    full_delay=now.delay,
                    concurrency=min(kept.concurrency, now.concurrency),
                    delay=max(kept.delay, now.delay),
                )
                self._states[host] = state
                self._frontier.set_limits(host, concurrency=state.concurrency, delay=state.delay)
