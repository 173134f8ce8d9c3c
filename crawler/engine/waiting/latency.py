"""How fast is each host asked, where how long its answers take decides (THROTTLE_BY = "latency")?

policy/latency.py has the rule. A Retry-After holds a host as ever; other signs of overload come as long answers.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from crawler.config.schema import CoreSettings
from crawler.engine.waiting.throttle import Throttle
from crawler.events import HostPaced
from crawler.frontier.host import Entry
from crawler.model.response import Response
from crawler.policy.latency import LatencyRules, delay_after
from crawler.policy.throttle import OVERLOADED, HostThrottle


class _OfAll(OrderedDict[str, HostThrottle]):
    """States that are always asked for: every answer has a latency, also a host's first."""

    def __bool__(self) -> bool:
        return True


class LatencyThrottle(Throttle):
    """The delay of every host that has answered."""

    def __init__(self, core: CoreSettings, *arguments: Any, **options: Any) -> None:
        super().__init__(core, *arguments, **options)
        self.states = _OfAll()
        self._take(core)

    def _take(self, core: CoreSettings) -> None:
        self._by = LatencyRules(core.THROTTLE_TARGET_CONCURRENCY, core.THROTTLE_START_DELAY, core.THROTTLE_MAX_DELAY)
        self._least = {
            host: float(slot.get("delay", core.DOWNLOAD_DELAY)) for host, slot in core.DOWNLOAD_SLOTS.items()
        }
        self._least_of_others = core.DOWNLOAD_DELAY
        self._tells = core.THROTTLE_DEBUG

    def relimit(self, core: CoreSettings) -> None:
        """See Throttle. A delay that answers have led to is kept, but for the least and the longest."""
        self._take(core)
        for host, state in self.states.items():
            least = self._least.get(host, self._least_of_others)
            delay = min(max(state.delay, least), max(core.THROTTLE_MAX_DELAY, least))
            concurrency = self._configured.of(host).concurrency
            self.states[host] = HostThrottle(concurrency, least, concurrency, delay)
            self._changed.add(host)
            self._frontier.set_limits(host, delay=delay)

    def answered(self, entry: Entry, outcome: Response | Exception, generation: int) -> None:
        """Learn from a response; meta ``autothrottle_dont_adjust_delay`` leaves the delay as it is."""
        if not isinstance(outcome, Response):
            return
        host = entry.host
        if outcome.status in OVERLOADED:
            self._obey(host, outcome)
        if outcome.latency is None or entry.request.meta.get("autothrottle_dont_adjust_delay") is True:
            return
        least = self._least.get(host, self._least_of_others)
        state = self.states.get(host)
        if state is None:
            begun = self._configured.of(host)
            state = HostThrottle(begun.concurrency, least, begun.concurrency, begun.delay)
        delay = delay_after(state.delay, latency=outcome.latency, status=outcome.status, least=least, rules=self._by)
        self._keep(host, state._replace(delay=delay))
        if self._tells:
            self._events.publish(HostPaced(host, delay, state.concurrency, f"latency {outcome.latency:.3f} s"))

    def _keep(self, host: str, state: HostThrottle) -> None:
        self.states[host] = state
        self.states.move_to_end(host)
        self._changed.add(host)
        self._frontier.set_limits(host, delay=state.delay)
        self.waits(host)
        if len(self.states) > self._sweep_at:
            self._sweep()
