"""What may somebody do to the hosts of a crawl while it runs?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crawler.frontier.hosts import Hosts
from crawler.frontier.turns import Turns


@dataclass(slots=True, eq=False)
class ByHand:
    """Halts hosts, lets them go on, and tells those that are there of new limits."""

    _hosts: Hosts
    _turns: Turns
    _random: Callable[[], float]

    def halted(self) -> frozenset[str]:
        """Return the hosts that are halted, known or not."""
        return frozenset(self._hosts.halted)

    def halt(self, name: str) -> None:
        """Ask a host for nothing until it goes on, robots.txt included; what is in flight ends as ever."""
        self._hosts.halted.add(name)
        self._set(name)

    def go_on(self, name: str, now: float) -> None:
        """Ask a host again that was halted."""
        self._hosts.halted.discard(name)
        self._set(name)
        host = self._hosts.get(name)
        if host is not None:
            self._turns.line_up(host, now)

    def _set(self, name: str) -> None:
        host = self._hosts.get(name)
        if host is not None:
            host.halted = name in self._hosts.halted
            host.set_limit()

    def relimit(self) -> None:
        """Give each host the limits with which it would begin now; whoever had changed some changes them again."""
        for host in self._hosts:
            if self._hosts.reset(host):
                host.pace(self._random)
                if host.ready or host.delayed or host.asks:
                    self._turns.schedule(host, host.next_send)
