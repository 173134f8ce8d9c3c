"""Which request may be sent next, and when?

A queue per host and a heap of the times at which hosts may be asked again. A request leaves only when
it may be sent, so that waiting costs no slot, and taking costs O(log hosts). Time is an argument
(monotonic seconds), as is randomness.

With a window, a host's requests are in memory only up to a number and the rest stay in the store; the
order is the same as if all were here (window.py has the rule). The caller's part in that: lease what
``needs`` names, hand the whole answer to ``refill``, and say ``done`` when an entry's end is committed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from crawler.frontier.entry import Entry
from crawler.frontier.host import HostLimits, HostQueue, Item, Key
from crawler.frontier.origins import ASKED, OPEN, REFUSED, UNKNOWN, Origin, robots_entry
from crawler.frontier.window import Window

__all__ = ["Frontier", "HostLimits"]

WAKES_PER_TAKE = 4
"""How many due hosts one take() wakes while others are ready: a burst of them must not hold the loop."""


class Frontier:
    """The waiting requests of a crawl, by host.

    ``window``: how many requests of a host to hold in memory, None for all. ``limits(host)`` is asked
    once, when a host is first seen. ``random()`` is uniform in [0, 1). ``robots``: whether an origin is
    closed until its robots.txt was answered; an entry with the origin "" is never closed.
    """

    def __init__(
        self,
        *,
        window: int | None,
        limits: Callable[[str], HostLimits],
        random: Callable[[], float],
        robots: bool,
    ) -> None:
        self._window = None if window is None else Window(window)
        self._limits = limits
        self._random = random
        self._robots = robots
        self._hosts: dict[str, HostQueue] = {}
        self._origins: dict[str, Origin] = {}
        self._turns: deque[HostQueue] = deque()
        self._timers: list[tuple[float, int, HostQueue]] = []
        self._in_flight: dict[Entry, HostQueue] = {}
        self._serial = 0
        self._here = 0
        self._sweep_at = 1000

    def __len__(self) -> int:
        """Count the queued requests, those in the store included, those in flight not."""
        return self._here if self._window is None else self._here + self._window.stored

    def __repr__(self) -> str:
        return f"<Frontier queued={len(self)} in_memory={self._here} in_flight={len(self._in_flight)}>"

    @property
    def queued_in_memory(self) -> int:
        """Count the queued requests held in memory."""
        return self._here

    @property
    def in_flight(self) -> int:
        """Count the entries taken and not released, robots.txt included."""
        return len(self._in_flight)

    def hosts(self) -> list[str]:
        """Return the hosts that have something queued or in flight, or were given limits."""
        return [name for name, host in self._hosts.items() if host.keep or not host.idle]

    # Entries in, entries out

    def add(self, entry: Entry, now: float, not_before: float = 0.0) -> None:
        """Queue a newly accepted entry; with a window it may stay in the store, and is forgotten here."""
        host = self._hosts.get(entry.host) or self._new_host(entry.host, now)
        window = self._window
        if window is None:
            self._put(host, entry, now, not_before, pinned=False)
        elif not_before > now or window.keeps(host, entry):
            if entry.token:
                window.held.add(entry.token)
            self._put(host, entry, now, not_before, pinned=not entry.token)
            self._here -= window.trim(host)

    def take(self, now: float) -> Entry | None:
        """Return the next entry that may be sent, or None; its host counts it until ``release``."""
        turns = self._turns
        timers = self._timers
        while True:
            if timers and timers[0][0] <= now:
                self._wake_due(now)
            if not turns:
                return None
            host = turns.popleft()
            host.listed = False
            entry = self._pick(host, now)
            if entry is not None:
                return entry

    def release(self, entry: Entry, now: float) -> None:
        """Note that the exchange of a taken entry is over: its place at its host is free."""
        host = self._in_flight.pop(entry, None)
        if host is None:
            raise ValueError(f"release() of an entry that is not in flight: {entry!r}")
        host.in_flight -= 1
        self._list(host, now)

    def withdraw(self, entry: Entry, now: float) -> None:
        """Give back the place of an entry that was taken just now and is not sent: its host owes no delay for it."""
        host = self._in_flight.get(entry)
        if host is not None:
            host.unsend()
        self.release(entry, now)

    def later(self, entry: Entry, now: float, not_before: float) -> None:
        """Queue an entry again, not before a time; its request, host and origin may have changed.

        It takes its place by its (new) priority and its old order, and is never given back to the store.
        """
        if not entry.robots:
            entry.key = (-entry.request.priority, entry.order)
            if self._window is not None and entry.token:
                self._window.held.add(entry.token)
        host = self._hosts.get(entry.host) or self._new_host(entry.host, now)
        self._put(host, entry, now, not_before, pinned=True)

    def done(self, entry: Entry) -> None:
        """Note that the entry's end is committed: the store will not hand out its row again."""
        if self._window is not None:
            self._window.held.discard(entry.token)

    def drain(self) -> list[Entry]:
        """Remove and return all entries in memory that wait, in no order."""
        entries: list[Entry] = []
        for host in self._hosts.values():
            entries += host.remove_all()
        self._here = 0
        self._turns.clear()
        self._timers.clear()
        for host in self._hosts.values():
            host.listed, host.timer = False, None
        return [entry for entry in entries if not entry.robots]

    def next_time(self) -> float | None:
        """Return when to call ``take`` again; None if nothing becomes ready by time alone.

        It may be too early (a host that was slowed down meanwhile), never too late.
        """
        if self._turns:
            return 0.0
        timers = self._timers
        while timers and timers[0][2].timer != timers[0][0]:
            heappop(timers)
        return timers[0][0] if timers else None

    # Origins and limits

    def open_origin(self, origin: str, delay: float | None, now: float) -> None:
        """Let the entries of an origin go; ``delay`` is its Crawl-delay in seconds, None if it has none."""
        record = self._origin(origin)
        record.state = OPEN
        record.delay = delay or 0.0
        for host in record.hosts:
            if delay:
                host.crawl_delay = max(host.crawl_delay, delay)
                host.pace(self._random)
            host.push_all(host.unpark(origin))
            self._list(host, now)

    def reclose_origin(self, origin: str) -> None:
        """Forget an origin's robots.txt: it is asked again before the next of its entries goes."""
        record = self._origin(origin)
        record.state = UNKNOWN
        for host in record.hosts:
            if host.parked.get(origin):
                self._ask(record, host)
                self._schedule(host, host.next_send)

    def drop_origin(self, origin: str) -> list[Entry]:
        """Remove and return the waiting entries of an origin whose robots.txt cannot be had.

        Until ``reclose_origin`` or ``open_origin``, ``refill`` hands its entries back, while an entry
        that is *added* makes the origin be asked again: look at ``origin_state`` first.
        """
        record = self._origin(origin)
        record.state = REFUSED
        entries: list[Entry] = []
        for host in record.hosts:
            entries += host.remove_origin(origin)
            if self._window is not None:
                self._window.watch(host)
        self._here -= len(entries)
        return entries

    def origin_state(self, origin: str) -> str:
        """Return "unknown", "asked" (robots.txt is under way), "open" or "refused"."""
        record = self._origins.get(origin)
        return UNKNOWN if record is None else record.state

    def set_limits(self, host: str, *, concurrency: int | None = None, delay: float | None = None) -> None:
        """Change what a host may be asked from now on; None leaves a limit as it is."""
        queue = self._hosts.get(host) or self._new_host(host, None)
        queue.keep = True
        if concurrency is not None:
            queue.concurrency = concurrency
        if delay is not None and delay != queue.delay:
            queue.delay = delay
            queue.pace(self._random)
        if queue.ready or queue.delayed or queue.asks:
            self._schedule(queue, queue.next_send)

    # The window

    def has_stored(self, host: str) -> bool:
        """Tell whether requests of the host are in the store only."""
        queue = self._hosts.get(host)
        return queue is not None and queue.stored > 0

    def stored(self, host: str, count: int) -> None:
        """Note at resume that ``count`` requests of a host are in the store; none may be here yet."""
        if self._window is not None:
            self._window.resume(self._hosts.get(host) or self._new_host(host, None), count)

    def needs(self, limit: int = 100) -> list[tuple[str, int, Key | None]]:
        """Return (host, count, after) of hosts that run low: lease so many, and ``refill`` with the answer.

        Each host is named once until its refill, and at most ``limit`` hosts at a time.
        """
        return [] if self._window is None else self._window.needs(limit)

    def refill(self, host: str, entries: Sequence[tuple[Entry, float]], now: float) -> list[Entry]:
        """Take in the whole answer to one of ``needs``: fewer than asked means that there are no more.

        Returns the entries whose origin is "refused", which were not queued: the caller fails them.
        """
        if self._window is None:
            raise ValueError("refill() of a frontier without a window")
        queue = self._hosts.get(host) or self._new_host(host, now)
        refused: list[Entry] = []
        for entry, not_before in self._window.take_in(queue, entries):
            if self._robots and self.origin_state(entry.origin) == REFUSED:
                refused.append(entry)
            else:
                self._put(queue, entry, now, not_before, pinned=False)
        self._window.watch(queue)
        self._list(queue, now)
        return refused

    # Inside

    def _put(self, host: HostQueue, entry: Entry, now: float, not_before: float, *, pinned: bool) -> None:
        """Queue an entry in memory: delayed, parked until its origin is open, or ready."""
        self._serial += 1
        item: Item = (entry.key, self._serial, entry, pinned)
        if not entry.robots:
            self._here += 1
        if not_before > now:
            heappush(host.delayed, (not_before, item))
            if self._robots and entry.origin:
                self._touch(entry.origin, host)
        else:
            self._admit(host, item)
        if not host.listed:
            self._list(host, now)

    def _admit(self, host: HostQueue, item: Item) -> None:
        """Make an item ready, or park it if its origin is closed."""
        entry = item[2]
        if self._robots and entry.origin and not entry.robots:
            origin = self._touch(entry.origin, host)
            if origin.state is not OPEN:
                host.park(item)
                self._ask(origin, host)
                return
        heappush(host.ready, item)

    def _touch(self, name: str, host: HostQueue) -> Origin:
        """Return the record of an origin, which knows from now on that the host has entries of it."""
        origin = self._origins.get(name) or self._origin(name)
        if host not in origin.hosts:
            origin.hosts.add(host)
            host.crawl_delay = max(host.crawl_delay, origin.delay)
        return origin

    def _origin(self, name: str) -> Origin:
        origin = self._origins.get(name)
        if origin is None:
            origin = self._origins[name] = Origin(name)
        return origin

    @staticmethod
    def _ask(origin: Origin, host: HostQueue) -> None:
        """Have the robots.txt of an origin asked for by this host, unless it is under way."""
        if not origin.listed and origin.state is not ASKED and origin.state is not OPEN:
            origin.listed = True
            host.asks.append(origin.name)

    def _pick(self, host: HostQueue, now: float) -> Entry | None:
        """Take one entry from a host whose turn it is, if it may be asked; see to its next turn."""
        if host.in_flight >= host.concurrency:
            return None  # release() lists it again
        entry = None
        if host.next_send <= now:
            while host.delayed and host.delayed[0][0] <= now:
                self._admit(host, heappop(host.delayed)[1])
            entry = self._next_open(host)
            if entry is not None:
                self._in_flight[entry] = host
                host.in_flight += 1
                host.sent(now, self._random)
                if host.stored and self._window is not None:
                    self._window.watch(host)
            elif host.blocked:
                return None  # refill() lists it again
        self._list(host, now)
        return entry

    def _next_open(self, host: HostQueue) -> Entry | None:
        """Return the host's first entry that robots.txt does not hold up: that file itself, or one that is open."""
        while True:
            while host.asks:
                origin = self._origins[host.asks.popleft()]
                origin.listed = False
                if origin.state is UNKNOWN or origin.state is REFUSED:
                    origin.state = ASKED
                    return robots_entry(origin.name, host.name)
            if not host.ready:
                return None
            if host.stored and self._window is not None and self._window.holds_up(host):
                return None
            item = heappop(host.ready)
            entry = item[2]
            if entry.robots:
                return entry
            if not self._robots or not entry.origin or self._origins[entry.origin].state is OPEN:
                self._here -= 1
                return entry
            self._admit(host, item)  # closed again since it was queued

    def _list(self, host: HostQueue, now: float) -> None:
        """Give a host its next turn, or have it woken when it may have one."""
        if host.listed or host.blocked or host.in_flight >= host.concurrency:
            return
        if host.ready or host.asks:
            if host.next_send <= now:
                host.listed = True
                self._turns.append(host)
            else:
                self._schedule(host, host.next_send)
        elif host.delayed:
            self._schedule(host, max(host.next_send, host.delayed[0][0]))

    def _schedule(self, host: HostQueue, when: float) -> None:
        """Wake a host at a time; a timer that is earlier than needed wakes it in vain, and is set anew."""
        if host.timer is None or when < host.timer:
            host.timer = when
            self._serial += 1
            heappush(self._timers, (when, self._serial, host))

    def _wake_due(self, now: float) -> None:
        """Let hosts whose time has come have their turns."""
        timers = self._timers
        woken = 0
        while timers and timers[0][0] <= now and (woken < WAKES_PER_TAKE or not self._turns):
            when, _, host = heappop(timers)
            if host.timer == when:
                host.timer = None
                woken += 1
                if not host.listed:
                    if host.delayed and host.delayed[0][0] <= now:
                        self._admit(host, heappop(host.delayed)[1])
                    self._list(host, now)

    def _new_host(self, name: str, now: float | None) -> HostQueue:
        """Make the queue of a host; now and then, those of hosts that are through go."""
        if now is not None and len(self._hosts) >= self._sweep_at:
            self._sweep(now)
        host = self._hosts[name] = HostQueue(name, self._limits(name))
        if self._window is not None:
            self._window.fit(len(self._hosts))
        return host

    def _sweep(self, now: float) -> None:
        gone = {host for host in self._hosts.values() if host.idle and not host.keep and host.next_send <= now}
        for host in gone:
            del self._hosts[host.name]
        for origin in self._origins.values():
            origin.hosts -= gone
        self._sweep_at = 2 * len(self._hosts) + 1000
