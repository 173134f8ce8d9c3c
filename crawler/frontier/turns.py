"""Which host has its turn now, which of its entries goes, and when does the next host wake up?

Hosts that may be asked now take turns; the others are in a heap by the time at which they may be asked.
A timer may be earlier than needed (the host was slowed down since): it wakes the host in vain, and is
set anew. It is never later.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from crawler.frontier.host import Entry, HostQueue
from crawler.frontier.origins import Origins
from crawler.frontier.window import Window

WAKES_PER_TURN = 4
"""How many due hosts one turn wakes while others are ready: a burst of them must not hold the loop."""


class Turns:
    """The hosts that may be asked now, in order, and those that may be later."""

    def __init__(self) -> None:
        self._ready: deque[HostQueue] = deque()
        self._timers: list[tuple[float, int, HostQueue]] = []
        self._serial = 0

    def __repr__(self) -> str:
        return f"<Turns {len(self._ready)} ready, {len(self._timers)} timers>"

    def waiting(self) -> list[HostQueue]:
        """Return the hosts whose turn may come now, in order."""
        return list(self._ready)

    def next(self, now: float) -> HostQueue | None:
        """Take the host whose turn it is; it is lined up again by ``line_up``."""
        if self._timers and self._timers[0][0] <= now:
            self._wake_due(now)
        if not self._ready:
            return None
        host = self._ready.popleft()
        host.in_line = False
        return host

    def line_up(self, host: HostQueue, now: float) -> None:
        """Give a host its next turn, now or when it may have one; none if it waits for something else."""
        if host.in_line or host.waits_for_lease or host.in_flight >= host.limit:
            return  # lined up again by: its turn, a refill, a release
        when = host.next_send
        if not host.ready and not host.asks:
            if not host.delayed:
                return
            when = max(when, host.delayed[0][0])
        if when <= now:
            host.in_line = True
            self._ready.append(host)
        else:
            self.schedule(host, when)

    def schedule(self, host: HostQueue, when: float) -> None:
        """Wake a host at a time."""
        if host.timer is None or when < host.timer:
            host.timer = when
            self._serial += 1
            heappush(self._timers, (when, self._serial, host))

    def next_time(self) -> float | None:
        """Return when the next host may have its turn; None if none will by time alone."""
        if self._ready:
            return 0.0
        timers = self._timers
        while timers and timers[0][2].timer != timers[0][0]:
            heappop(timers)
        return timers[0][0] if timers else None

    def clear(self) -> None:
        """Forget all turns."""
        for host in self._ready:
            host.in_line = False
        for _, _, host in self._timers:
            host.timer = None
        self._ready.clear()
        self._timers.clear()

    def _wake_due(self, now: float) -> None:
        timers = self._timers
        woken = 0
        while timers and timers[0][0] <= now and (woken < WAKES_PER_TURN or not self._ready):
            when, _, host = heappop(timers)
            if host.timer == when:
                host.timer = None
                woken += 1
                self.line_up(host, now)


def next_entry(host: HostQueue, now: float, origins: Origins, window: Window | None) -> Entry | None:
    """Take the host's next entry; None if nothing may go by time, robots.txt and order.

    1. What was delayed until now joins the others.
    2. A robots.txt that has to be asked for comes first.
    3. What sorts behind something that is in the store only waits for it.
    4. What is ready goes by its key; if its origin was closed again meanwhile it is parked.
    """
    while host.delayed and host.delayed[0][0] <= now:
        item = heappop(host.delayed)[1]
        if not origins.closed or origins.admit(host, item):
            heappush(host.ready, item)
    while True:
        if host.asks:
            asked = origins.next_asked(host)
            if asked is not None:
                return asked
        if not host.ready or (host.stored and window is not None and window.must_refill_first(host)):
            return None
        item = heappop(host.ready)
        if not origins.closed or origins.passes(item[2]):
            return item[2]
        origins.admit(host, item)
