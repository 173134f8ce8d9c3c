"""Which hosts does the frontier know, and when may it forget one?"""

from __future__ import annotations

from collections.abc import Iterator, KeysView

from crawler.frontier.host import HostQueue, LimitsByHost
from crawler.frontier.origins import Origins

SWEEP_LEAST = 1000
"""From so many hosts on, the queues of those that may be forgotten are let go, now and then."""


class Hosts:
    """The queues of all hosts by name. Each begins with its ``limits``; ``origins`` lets go of those that go.

    ``shared``: none may be asked without permits. Those in ``halted`` are asked nothing, whether they are known yet or
    forgotten meanwhile.
    """

    def __init__(self, limits: LimitsByHost, origins: Origins, *, shared: bool = False) -> None:
        self._limits = limits
        self._permits = 0 if shared else None
        self._origins = origins
        self._queues: dict[str, HostQueue] = {}
        self.halted: set[str] = set()
        self._sweep_at = SWEEP_LEAST
        # The dict's own, for it is asked about each request: a method of ours would double its cost.
        self.get = self._queues.get

    def __len__(self) -> int:
        return len(self._queues)

    def __iter__(self) -> Iterator[HostQueue]:
        return iter(self._queues.values())

    def __repr__(self) -> str:
        return f"<Hosts {len(self._queues)}>"

    @property
    def names(self) -> KeysView[str]:
        """The names of all."""
        return self._queues.keys()

    def make(self, name: str, now: float | None) -> HostQueue:
        """Make the queue of a host that has none; at a known time, others may go."""
        if now is not None and len(self._queues) >= self._sweep_at:
            self._sweep(now)
        host = self._queues[name] = HostQueue(name, *self._limits.of(name), permits=self._permits)
        host.halted = name in self.halted
        host.set_limit()
        return host

    def reset(self, host: HostQueue) -> bool:
        """Give a host the limits it would begin with; tell whether it had others."""
        limits, host.limits_changed = self._limits.of(host.name), False
        if limits == (host.concurrency, host.delay, host.jitter):
            return False
        host.concurrency, host.delay, host.jitter = limits
        host.set_limit()
        return True

    def _sweep(self, now: float) -> None:
        """Forget hosts that have nothing, expect nothing, owe no delay and have the limits they began with."""
        gone = {host for host in self if not host.limits_changed and not host.permits and host.may_be_forgotten(now)}
        for host in gone:
            del self._queues[host.name]
        self._origins.forget(gone)
        self._sweep_at = 2 * len(self._queues) + SWEEP_LEAST
