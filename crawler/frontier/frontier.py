"""Which request may be sent next, and when?

A queue per host and a heap of the times at which hosts may be asked again. A request leaves only when
it may be sent, so that waiting costs no slot, and taking costs O(log hosts). Time is an argument
(monotonic seconds), as is randomness.

With a window, a host's requests are in memory only up to a number and the rest stay in the store; the
order is the same as if all were here (window.py has the rule). The caller's part in that: lease what
``needs`` names, hand the whole answer to ``refill``, and say ``done`` when an entry's end is committed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappush

from crawler.frontier.by_hand import ByHand
from crawler.frontier.host import Entry, HostLimits, HostQueue, Item, Key, LimitsByHost
from crawler.frontier.hosts import Hosts
from crawler.frontier.origins import REFUSED, Origins
from crawler.frontier.turns import Turns, next_entry
from crawler.frontier.window import Window

__all__ = ["Frontier", "HostLimits", "LimitsByHost"]

NEVER = float("-inf")


class Frontier:
    """The waiting requests of a crawl, by host.

    ``window``: how many requests of a host to have in memory, None for all. ``limits`` are those that each
    host begins with. ``random()`` is uniform in [0, 1). ``robots``: whether an origin is
    closed until its robots.txt was answered; an entry with the origin "" is never closed.
    ``queued_in_memory`` counts the queued requests that are in memory.
    """

    def __init__(
        self,
        *,
        window: int | None,
        limits: LimitsByHost,
        random: Callable[[], float],
        robots: bool,
    ) -> None:
        self._window = None if window is None else Window(window)
        self._random = random
        self._origins = Origins(closed=robots)
        self._turns = Turns()
        self._hosts = Hosts(limits, self._origins)
        self._in_flight: dict[Entry, HostQueue] = {}
        self._serial = 0
        self.queued_in_memory = 0
        # The turns' own, for it is asked about each page: when to call ``take`` again, None if nothing becomes ready
        # by time alone. It may be too early (a host that was slowed down meanwhile), never too late.
        self.next_time = self._turns.next_time

    def __len__(self) -> int:
        """Count the queued requests, those in the store included, those in flight not."""
        return self.queued_in_memory if self._window is None else self.queued_in_memory + self._window.stored

    def __repr__(self) -> str:
        return f"<Frontier {self._hosts!r} {self._origins!r} queued={len(self)} in_flight={len(self._in_flight)}>"

    def hosts(self) -> list[str]:
        """Return the hosts with something queued or in flight, or with limits that were changed."""
        return [host.name for host in self._hosts if host.limits_changed or not host.idle]

    @property
    def queues(self) -> Hosts:
        """The queues of all hosts that are known here. To be looked at: nothing of them is to be changed."""
        return self._hosts

    @property
    def by_hand(self) -> ByHand:
        """What somebody who looks at the crawl may do to its hosts."""
        return ByHand(self._hosts, self._turns, self._random)

    # Entries in, entries out

    def add(self, entry: Entry, now: float, not_before: float = 0.0) -> None:
        """Queue a newly accepted entry; with a window it may stay in the store, and is forgotten here."""
        host = self._hosts.get(entry.host) or self._host(entry.host, now)
        window = self._window
        if window is None:
            self._put(host, entry, now, not_before, pinned=False)
        elif not_before > now or window.keeps(host, entry):
            if entry.token:
                window.claimed.add(entry.token)
            self._put(host, entry, now, not_before, pinned=not entry.token)
            self.queued_in_memory -= window.trim(host)

    def take(self, now: float) -> Entry | None:
        """Return the next entry that may be sent, or None; its host counts it until ``release``."""
        while (host := self._turns.next(now)) is not None:
            if host.in_flight >= host.limit:
                continue  # release() lines it up again
            entry = next_entry(host, now, self._origins, self._window) if host.next_send <= now else None
            if entry is not None:
                self.queued_in_memory -= not entry.robots
                self._in_flight[entry] = host
                host.in_flight += 1
                host.before_sending, host.sent_at = (host.sent_at, host.next_send), now
                host.pace(self._random)
                if host.stored and self._window is not None:
                    self._window.refill_if_low(host)
            elif host.waits_for_lease:
                continue  # refill() lines it up again
            if host.ready or host.delayed or host.asks:
                self._turns.line_up(host, now)
            if entry is not None:
                return entry
        return None

    def release(self, entry: Entry, now: float) -> None:
        """Note that the exchange of a taken entry is over: its place at its host is free."""
        host = self._in_flight.pop(entry, None)
        if host is None:
            raise ValueError(f"release() of an entry that is not in flight: {entry!r}")
        host.in_flight -= 1
        if host.ready or host.delayed or host.asks:
            self._turns.line_up(host, now)

    def withdraw(self, entry: Entry, now: float) -> None:
        """Give back the place of an entry that was taken just now and is not sent: its host owes no delay for it."""
        host = self._in_flight.get(entry)
        if host is not None:
            host.sent_at, host.next_send = host.before_sending
        self.release(entry, now)

    def later(self, entry: Entry, now: float, not_before: float) -> None:
        """Queue an entry again, not before a time; its request, host and origin may have changed.

        It takes its place by its (new) priority and its old order, and is never given back to the store.
        """
        if not entry.robots:
            entry.key = (-entry.request.priority, entry.order)
            self.claim(entry)
        host = self._hosts.get(entry.host) or self._host(entry.host, now)
        self._put(host, entry, now, not_before, pinned=True)

    def claim(self, entry: Entry) -> None:
        """Keep a refill from bringing an entry that somebody else has, until ``done``."""
        if self._window is not None and entry.token:
            self._window.claimed.add(entry.token)

    def done(self, entry: Entry) -> None:
        """Note that the entry's end is committed: the store will not hand out its row again."""
        if self._window is not None:
            self._window.claimed.discard(entry.token)

    def drain(self) -> list[Entry]:
        """Remove and return all entries in memory that wait, in no order."""
        entries: list[Entry] = []
        for host in self._hosts:
            entries += host.remove_all()
        self.queued_in_memory = 0
        self._turns.clear()
        return [entry for entry in entries if not entry.robots]

    def remove_queued(self, host: str, count: int) -> tuple[list[Entry], bool]:
        """Remove and return at most so many of a host's waiting requests, and whether more are here or to be leased."""
        queue = self._host(host)
        entries = queue.remove_some(count)
        self.queued_in_memory -= len(entries)
        if self._window is not None:
            self._window.refill_if_low(queue)
        return entries, bool(queue.waiting or queue.delayed or (queue.stored and queue.permits is None))

    # Origins and limits

    def open_origin(self, origin: str, delay: float | None, now: float) -> None:
        """Let the entries of an origin go; ``delay`` is its Crawl-delay in seconds, None if it has none."""
        for host in self._origins.open(origin, delay or 0.0, self._random):
            self._turns.line_up(host, now)

    def reclose_origin(self, origin: str) -> None:
        """Forget an origin's robots.txt: it is asked again before the next of its entries goes."""
        for host in self._origins.reclose(origin):
            self._turns.schedule(host, host.next_send)

    def drop_origin(self, origin: str) -> list[Entry]:
        """Remove and return the waiting entries of an origin whose robots.txt cannot be had.

        Until ``reclose_origin`` or ``open_origin``, ``refill`` hands its entries back, while an entry
        that is *added* makes the origin be asked again: look at ``origin_state`` first.
        """
        entries, hosts = self._origins.refuse(origin)
        self.queued_in_memory -= len(entries)
        if self._window is not None:
            for host in hosts:
                self._window.refill_if_low(host)
        return entries

    def forget_origin(self, origin: str, now: float) -> bool:
        """Forget an origin whose hosts have nothing, expect nothing and owe no delay; False if one has."""
        return self._origins.forget_origin(origin, now)

    def origin_state(self, origin: str) -> str:
        """Return "unknown", "asked" (robots.txt is under way), "open" or "refused"."""
        return self._origins.state(origin)

    def set_limits(self, host: str, *, concurrency: int | None = None, delay: float | None = None) -> None:
        """Change what a host may be asked from now on; None leaves a limit as it is."""
        queue = self._host(host)
        queue.limits_changed = True
        if concurrency is not None:
            queue.concurrency = concurrency
            queue.set_limit()
        if delay is not None and delay != queue.delay:
            queue.delay = delay
            queue.pace(self._random)
        if queue.ready or queue.delayed or queue.asks:
            self._turns.schedule(queue, queue.next_send)

    def forget_limits(self, host: str, now: float) -> bool:
        """Give a host that has nothing, expects nothing and owes no delay its first limits back; False if not so."""
        queue = self._hosts.get(host)
        if queue is not None and not queue.may_be_forgotten(now):
            return False
        if queue is not None:
            self._hosts.reset(queue)
        return True

    def pause_host(self, host: str, until: float) -> None:
        """Ask a host for nothing before a time, whatever its delay is."""
        self._host(host).pause(until)

    def asked_again_at(self, host: str) -> float | None:
        """Return when a host may be asked again; None if it owes no delay for the last request and is not paused."""
        queue = self._hosts.get(host)
        if queue is None or queue.next_send <= (NEVER if queue.sent_at is None else queue.sent_at):
            return None
        return queue.next_send

    def crawl_delay(self, host: str) -> float:
        """Return the longest Crawl-delay of a host's origins in seconds; 0 if they ask for none."""
        queue = self._hosts.get(host)
        return 0.0 if queue is None else queue.crawl_delay

    # The window

    def stored_more(self, host: str, count: int, now: float) -> None:
        """Note that ``count`` new requests of a host went to the store without passing here."""
        if self._window is not None:
            self._window.more(self._host(host, now), count)

    def stored(self, host: str, count: int) -> None:
        """Note at resume that ``count`` requests of a host are in the store; none may be here yet."""
        if self._window is not None:
            self._window.resume(self._host(host), count)

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
        queue = self._host(host, now)
        refused: list[Entry] = []
        for entry, not_before in self._window.take_in(queue, entries):
            if self._origins.state(entry.origin) == REFUSED:
                refused.append(entry)
            else:
                self._put(queue, entry, now, not_before, pinned=False)
        self._window.refill_if_low(queue)
        self._turns.line_up(queue, now)
        return refused

    # Inside

    def _put(self, host: HostQueue, entry: Entry, now: float, not_before: float, *, pinned: bool) -> None:
        """Queue an entry in memory: delayed, parked until its origin is open, or ready."""
        self._serial += 1
        item: Item = (entry.key, self._serial, entry, pinned)
        if not entry.robots:
            self.queued_in_memory += 1
        if not_before > now:
            heappush(host.delayed, (not_before, item))
            self._origins.expect(host, entry)
        elif not self._origins.closed or self._origins.admit(host, item):
            heappush(host.ready, item)
        if not host.in_line:
            self._turns.line_up(host, now)

    def _host(self, name: str, now: float | None = None) -> HostQueue:
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts.make(name, now)
            if self._window is not None:
                self._window.share_among(len(self._hosts))
        return host
