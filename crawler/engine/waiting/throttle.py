"""Which hosts must be asked more slowly than configured, and since when?

A host says so by 429, 503 and time-outs (policy/throttle.py has the rule), and with ``Retry-After`` it
says until when it wants to be asked nothing at all.

A job also remembers when each host may be asked again, by the wall clock: neither a delay nor a Retry-After ends
because the crawl was stopped or killed.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from crawler.config.schema import CoreSettings
from crawler.engine.clock import Clock
from crawler.engine.keeping.committer import Committer
from crawler.events import Events, HostPaced
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import Entry, HostLimits, LimitsByHost
from crawler.model.response import Response
from crawler.policy.retry import retry_after
from crawler.policy.throttle import OVERLOADED, HostThrottle, ThrottleRules, is_overload, on_overload, on_success

KEPT_HOSTS = 10_000
"""From so many slowed hosts on, those that answered least lately are forgotten, if nothing waits for them."""

_PREFIX = "throttle:"
_WAIT = "wait:"
"""Before a host: the name of the fact that keeps when it may be asked again (wall clock), and how long that was then,
in seconds. A clock that was set back makes no wait longer than it was."""


class Throttle:
    """The throttle ``states`` of the hosts that were slowed down; most crawls have none.

    The ``committer`` is told of what is to be kept shortly; None: nothing is kept, the crawl is not ``durable``.
    """

    def __init__(
        self,
        core: CoreSettings,
        frontier: Frontier,
        clock: Clock,
        events: Events,
        *,
        limits: LimitsByHost,
        committer: Committer | None,
    ) -> None:
        self._rules = ThrottleRules(core.THROTTLE_ENABLED, core.THROTTLE_MAX_DELAY)
        self._longest_wait = core.RETRY_AFTER_MAX
        self._frontier = frontier
        self._clock = clock
        self._events = events
        self._configured = limits
        self._committer = committer
        self.durable = committer is not None
        self._asked: set[str] = set()
        self.states: OrderedDict[str, HostThrottle] = OrderedDict()  # the last that answered is the last
        self._sweep_at = KEPT_HOSTS
        self._changed: set[str] = set()

    def __repr__(self) -> str:
        return f"<Throttle {len(self.states)} hosts>"

    def sending(self, host: str) -> int:
        """Note that a request to the host is sent now; return under which cut."""
        if self._committer is not None:
            self._asked.add(host)
            if self._frontier.asked_again_at(host) is not None:
                self._committer.soon()
        state = self.states.get(host)
        return 0 if state is None else state.generation

    def waits(self, host: str) -> None:
        """Note that a host may now be asked later than was known when the last request was sent."""
        if self._committer is not None and self._frontier.asked_again_at(host) is not None:
            self._asked.add(host)
            self._committer.soon()

    def answered(self, entry: Entry, outcome: Response | Exception, generation: int) -> None:
        """Learn from the outcome of a request that was sent under ``generation``."""
        if not self._rules.throttle_enabled:
            return
        host = entry.host
        state = self.states.get(host)
        if state is not None:
            self.states.move_to_end(host)
        if is_overload(outcome):
            new = on_overload(self._present(host, state), generation, self._rules)
            reason = f"status {outcome.status}" if isinstance(outcome, Response) else type(outcome).__name__
            if isinstance(outcome, Response) and outcome.status in OVERLOADED:
                self._obey(host, outcome)
        elif state is None or not isinstance(outcome, Response):
            return
        else:
            new, reason = on_success(self._present(host, state), generation), "clean answers"
        if new is not state:
            self._set(host, state, new, reason)

    def _obey(self, host: str, response: Response) -> None:
        """Ask the host for nothing as long as it asks for that: it is not about one page."""
        seconds = retry_after(response, self._clock.wall())
        if seconds:
            self._frontier.pause_host(host, self._clock.seconds() + min(seconds, self._longest_wait))
            self.waits(host)

    def _present(self, host: str, state: HostThrottle | None) -> HostThrottle:
        """Return the state measured by the full pace of now: a Crawl-delay may have come or gone since."""
        limits = self._configured.of(host)
        delay = max(limits.delay, self._frontier.crawl_delay(host))
        if state is None:
            return HostThrottle.at_full_pace(limits.concurrency, delay)
        if state.full_delay == delay:
            return state
        slowed = state.delay > state.full_delay
        return state._replace(full_delay=delay, delay=max(delay, state.delay) if slowed else delay)

    def _set(self, host: str, old: HostThrottle | None, new: HostThrottle, reason: str) -> None:
        self.states[host] = new
        self._changed.add(host)
        if old is None or (old.concurrency, old.delay) != (new.concurrency, new.delay):
            self._frontier.set_limits(host, concurrency=new.concurrency, delay=new.delay)
            self._events.publish(HostPaced(host, new.delay, new.concurrency, reason))
            self.waits(host)
        if len(self.states) > self._sweep_at:
            self._sweep()

    def _sweep(self) -> None:
        """Forget hosts until a quarter is free: first those that recovered, then those that answered least lately.

        Never one that something waits for, or whose delay has not passed. What is too much in spite of that
        is looked at again when it has grown by a quarter.
        """
        now = self._clock.seconds()
        for host in sorted(self.states, key=lambda host: self.states[host].slowed):
            if len(self.states) <= KEPT_HOSTS * 3 // 4:
                break
            if self._frontier.forget_limits(host, now):
                del self.states[host]
                self._changed.add(host)
        self._sweep_at = max(KEPT_HOSTS, len(self.states) * 5 // 4)

    def relimit(self, core: CoreSettings) -> None:
        """Go by other settings from now on: the frontier has them, and slowed hosts stay as slow as they were."""
        self._rules = ThrottleRules(core.THROTTLE_ENABLED, core.THROTTLE_MAX_DELAY)
        for host, state in list(self.states.items()):
            if not core.THROTTLE_ENABLED:
                del self.states[host]
                self._changed.add(host)
                continue
            limits = self._configured.of(host)
            new = state.at(limits.concurrency, max(limits.delay, self._frontier.crawl_delay(host)))
            self.states[host] = new
            self._changed.add(host)
            self._frontier.set_limits(host, concurrency=new.concurrency, delay=new.delay)

    def changed_facts(self) -> dict[str, Any]:
        """Return the states that changed, by host, None for those forgotten; and when hosts may be asked again."""
        changed, self._changed = self._changed, set()
        states = {host: self.states.get(host) for host in changed}
        facts: dict[str, Any] = {
            _PREFIX + host: None if state is None else list(state) for host, state in states.items()
        }
        asked, self._asked = self._asked, set()
        now, wall = self._clock.seconds(), self._clock.wall()
        for host in asked:
            again = self._frontier.asked_again_at(host)
            if again is not None and again > now:
                facts[_WAIT + host] = [wall + again - now, again - now]
        return facts

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Go on as slowly as an earlier run of the job did, and not before its hosts may be asked."""
        now, wall = self._clock.seconds(), self._clock.wall()
        for name, value in facts.items():
            if name.startswith(_WAIT) and value[0] > wall:
                self._frontier.pause_host(name.removeprefix(_WAIT), now + min(value[0] - wall, value[1]))
            elif name.startswith(_PREFIX) and value is not None and self._rules.throttle_enabled:
                self._restore(name.removeprefix(_PREFIX), HostThrottle(*value))
        if len(self.states) > self._sweep_at:
            self._sweep()

    def _restore(self, host: str, kept: HostThrottle) -> None:
        """Go as slowly as the kept state, the settings (they may have changed since) and what is known here say."""
        now, known = self._configured.of(host), self.states.get(host)
        base = known or kept._replace(full_concurrency=now.concurrency, full_delay=now.delay)
        state = base._replace(
            concurrency=min(kept.concurrency, now.concurrency, base.concurrency),
            delay=max(kept.delay, now.delay, base.delay),
        )
        if state.slowed and state != known:
            self.states[host] = state
            self._frontier.set_limits(host, concurrency=state.concurrency, delay=state.delay)


def limits_of(core: CoreSettings) -> LimitsByHost:
    """Return the general limits, and for the hosts in DOWNLOAD_SLOTS their own."""
    delay = core.DOWNLOAD_DELAY
    if core.THROTTLE_ENABLED and core.THROTTLE_BY == "latency":
        delay = max(delay, core.THROTTLE_START_DELAY)
    general = HostLimits(core.CONCURRENT_REQUESTS_PER_DOMAIN, delay, _jitter(core, {}))
    own = {
        host: HostLimits(
            slot.get("concurrency", general.concurrency),
            slot.get("delay", general.delay),
            _jitter(core, slot),
        )
        for host, slot in core.DOWNLOAD_SLOTS.items()
    }
    own[""] = HostLimits(core.CONCURRENT_REQUESTS, 0.0, None)  # file: and data: have no host to be polite to
    return LimitsByHost(general, own)


_LONGER = (0.0, 0.5)


def _jitter(core: CoreSettings, slot: Mapping[str, Any]) -> tuple[float, float] | None:
    """Return by which part a delay may be shorter and longer: a jitter that is given means both, as in Scrapy."""
    given = slot.get("jitter", core.DOWNLOAD_DELAY_JITTER)
    if not slot.get("randomize_delay", core.RANDOMIZE_DOWNLOAD_DELAY) and "jitter" not in slot:
        return None
    if given is None:
        return _LONGER
    return (min(given, 1.0), given) if given else None
