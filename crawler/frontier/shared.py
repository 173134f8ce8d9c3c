"""Which request may be sent next, in a crawl that processes share?

As in one process, on the hosts for which this one has permits: the others may be asked by somebody else just now.
What waits here was taken out of the store, and nobody else has it. A host that is given up goes back to the store with
all that waits for it; what has no row there stays, and the host is wanted again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crawler.frontier.by_hand import ByHand
from crawler.frontier.frontier import NEVER, Frontier
from crawler.frontier.host import Entry, HostQueue, Key, LimitsByHost
from crawler.frontier.hosts import Hosts
from crawler.frontier.origins import OPEN
from crawler.frontier.window import TakenWindow


class SharedFrontier(Frontier):
    """A Frontier whose hosts need permits. ``window`` None is that of a store with very large ones.

    ``lacking`` are the hosts without permits that something here waits for, ``changed`` these and those with permits of
    which the next send or the limits have changed. Until ``rests_until`` nothing can be sent, whatever is ready.
    """

    def __init__(self, *, window: int | None, limits: LimitsByHost, random: Callable[[], float], robots: bool) -> None:
        super().__init__(window=None, limits=limits, random=random, robots=robots)
        self._window = self._taken = TakenWindow(window or 1000)
        self._hosts = Hosts(limits, self._origins, shared=True)
        self.lacking: dict[HostQueue, None] = {}
        self.changed: dict[HostQueue, None] = {}
        self.rests_until = NEVER
        self.next_time = self._next_time

    def _next_time(self) -> float | None:
        when = self._turns.next_time()
        return None if when is None else max(when, self.rests_until)

    def take(self, now: float) -> Entry | None:
        """See Frontier."""
        entry = super().take(now)
        if entry is not None:
            self.changed[self._in_flight[entry]] = None
        return entry

    def set_limits(self, host: str, *, concurrency: int | None = None, delay: float | None = None) -> None:
        """See Frontier."""
        super().set_limits(host, concurrency=concurrency, delay=delay)
        self._has_changed(host)

    @property
    def by_hand(self) -> ByHand:
        """See Frontier. What is done to hosts is told to the others."""
        self.changed |= dict.fromkeys(self.held())
        return super().by_hand

    def pause_host(self, host: str, until: float) -> None:
        """See Frontier."""
        super().pause_host(host, until)
        self._has_changed(host)

    def _has_changed(self, name: str) -> None:
        host = self._host(name)
        if host.permits:
            self.changed[host] = None

    def _put(self, host: HostQueue, entry: Entry, now: float, not_before: float, *, pinned: bool) -> None:
        super()._put(host, entry, now, not_before, pinned=pinned)
        if host.permits == 0:
            self.lacking[host] = self.changed[host] = None

    def permit(self, name: str, permits: int, now: float, *, wait: float) -> HostQueue:
        """Let a host be asked with so many requests at once, the next one in ``wait`` seconds; return its queue."""
        host = self._host(name, now)
        host.permits, host.target = permits, None
        host.set_limit()
        host.next_send = max(host.next_send, now + wait) if wait > 0 else host.next_send
        self.lacking.pop(host, None)
        self._turns.line_up(host, now)
        return host

    def ask(self, name: str, permits: int) -> None:
        """Let a host have no more than so many in flight from now on, so that it can go on with so many permits."""
        host = self._hosts.get(name)
        if host is not None and host.permits:
            host.target = permits
            host.set_limit()

    def told(self, name: str, count: int, first: Key | None, now: float) -> None:
        """Note that ``count`` requests of a host are in the store, of which ``first`` is the smallest key."""
        host = self._host(name, now)
        self._taken.tell(host, count, first)
        self._turns.line_up(host, now)

    def refill(self, host: str, entries: Sequence[tuple[Entry, float]], now: float) -> list[Entry]:
        """See Frontier. What came first may have come on top of a full window, whose last half then goes back."""
        refused = super().refill(host, entries, now)
        self.queued_in_memory -= self._taken.trim(self._host(host))
        return refused

    def held(self) -> list[HostQueue]:
        """Return the hosts that may be asked."""
        return [host for host in self._hosts if host.permits]

    def give_up(self, host: HostQueue) -> list[tuple[Entry, float]]:
        """Ask a host no more; return what waited and goes back to the store, each with its not_before.

        What has no row stays, and waits for permits.
        """
        waiting = [(entry, 0.0) for _, _, entry, _ in host.ready]
        waiting += [(item[2], when) for when, item in host.delayed]
        waiting += [(item[2], 0.0) for parked in host.parked.values() for item in parked]
        stay = [(entry, when) for entry, when in waiting if entry.carried]
        self._origins.unask(host)
        host.remove_all()
        self.queued_in_memory -= sum(not entry.robots for entry, _ in waiting)
        host.permits, host.target, host.stored, host.mark, host.limit = 0, None, 0, None, 0
        host.waits_for_lease = False
        self.changed.pop(host, None)
        for entry, when in stay:
            self._put(host, entry, NEVER, when, pinned=True)
        return [pair for pair in waiting if not pair[0].carried]

    def returned(self) -> list[Entry]:
        """Return what the windows have given back since the last call."""
        gone, self._taken.returned = self._taken.returned, []
        return gone

    def robots_known(self, host: HostQueue) -> bool:
        """Tell whether nothing of a host has to wait for a robots.txt. Where nothing is known yet, something will."""
        if not self._origins.closed:
            return True
        return bool(host.origins) and all(self._origins.state(name) == OPEN for name in host.origins)

    def surplus(self) -> list[HostQueue]:
        """Return half of the hosts whose turn it is, those that have to wait longest, without those that are being
        asked or that have something without a row."""
        waiting = self._turns.waiting()
        return [
            host
            for host in waiting[len(waiting) // 2 + 1 :]
            if not host.in_flight and not any(entry.carried for _, _, entry, _ in host.ready)
        ]
