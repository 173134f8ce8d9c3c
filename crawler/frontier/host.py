"""What waits for one host, and when may it be asked next?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

from crawler.model.request import Request


class Attempt(NamedTuple):
    """One exchange of a request, for `crawler explain`: ``outcome`` is a status or an error's name."""

    when: float
    url: str
    outcome: str
    detail: str


class Entry:
    """An accepted request in its queue, in flight, or waiting for its turn again.

    ``token`` names it in the store; 0: it is ``carried``, it has no row of its own there and waits under its
    parent's lease. ``order`` is the number under which it was found; within a host the smallest ``key`` (priority
    first, then order) goes first.
    ``host`` is the slot key, ``origin`` is "scheme://host:port", whose robots.txt is asked. ``unit`` belongs
    to the engine: the unit of work whose commit this request's results are part of; so does
    ``attempts_log``, what its exchanges came to since it was last committed.
    """

    __slots__ = ("attempts_log", "carried", "host", "key", "order", "origin", "request", "robots", "token", "unit")

    def __init__(
        self,
        request: Request,
        *,
        token: int,
        order: int,
        host: str,
        origin: str,
        robots: bool = False,
        unit: Any = None,
    ) -> None:
        self.request = request
        self.token = token
        self.carried = token == 0
        self.order = order
        self.key = (-request.priority, order)
        self.host = host
        self.origin = origin
        self.robots = robots
        self.unit = unit
        self.attempts_log: list[Attempt] | None = None

    def __repr__(self) -> str:
        return f"<Entry {self.token} {self.request.method} {self.request.url} key={self.key}>"


Key = tuple[int, int]

Item = tuple[Key, int, Entry, bool]
"""(key, serial, entry, pinned) in a heap: the serial keeps equal keys from comparing entries; a pinned
entry is not given back to the store, because the store may not know its present form yet."""


class HostLimits(NamedTuple):
    """What a host may be asked: requests at once, and seconds between two of them.

    ``jitter``: by which part a delay may be shorter, and longer, as chance has it; None: by none.
    """

    concurrency: int
    delay: float
    jitter: tuple[float, float] | None


@dataclass(slots=True, eq=False)
class LimitsByHost:
    """What each host may be asked until the throttle or a Crawl-delay says otherwise: its ``own``, or as all others.

    Both may be replaced while the crawl runs; ``ByHand.relimit`` tells the hosts that are there.
    """

    general: HostLimits
    own: Mapping[str, HostLimits] = field(default_factory=dict)

    def of(self, host: str) -> HostLimits:
        """Return the limits that a host begins with."""
        return self.own.get(host, self.general)


@dataclass(slots=True, eq=False)
class HostQueue:
    """The waiting requests of one host and the state of its politeness.

    ``ready`` is a heap of what may go by time; ``delayed`` a heap of (not_before, item); ``parked`` holds,
    by origin, what waits for robots.txt; ``asks`` the origins whose robots.txt is to be fetched.

    Times are monotonic seconds: ``sent_at`` of the last request, ``next_send`` from when on another may go,
    ``before_sending`` what both were before the last one, and ``timer`` when the host is woken (None: it is not).
    ``in_line``: it stands in the row of those that may be asked now. ``limits_changed``: its limits are not those it
    began with, so it is not forgotten when it is idle.

    ``limit``: how many may be in flight now. That is ``concurrency``; if workers share the crawl, it is not more
    than the ``permits`` that this one has (None: none are needed), and than the ``target`` it was asked to go down to.
    None while the host is ``halted``: somebody has paused it.

    ``origins`` are those of which it has had entries, if robots.txt is obeyed.

    With a window, ``stored`` requests of the host are in the store only, and every one of them sorts
    behind ``mark`` (None: nothing was loaded yet, so all of them do). ``lease_count`` is not 0 while a refill
    is under way, and ``lease_lacks`` then gathers the keys that went to the store meanwhile. ``waits_for_lease``: the
    next in memory is a pinned one that sorts behind the mark, so the store's have to come first.
    """

    name: str
    concurrency: int
    delay: float
    jitter: tuple[float, float] | None
    crawl_delay: float = 0.0
    limits_changed: bool = False
    in_flight: int = 0
    sent_at: float | None = None
    before_sending: tuple[float | None, float] = (None, float("-inf"))
    next_send: float = float("-inf")
    paused_until: float = float("-inf")
    in_line: bool = False
    timer: float | None = None
    ready: list[Item] = field(default_factory=list)
    delayed: list[tuple[float, Item]] = field(default_factory=list)
    parked: dict[str, list[Item]] = field(default_factory=dict)
    parked_count: int = 0
    asks: deque[str] = field(default_factory=deque)
    waits_for_lease: bool = False
    stored: int = 0
    mark: Key | None = None
    lease_count: int = 0
    lease_mark: Key | None = None
    lease_lacks: list[Key] = field(default_factory=list)
    origins: tuple[str, ...] = ()
    permits: int | None = None
    target: int | None = None
    limit: int = 0
    halted: bool = False

    def __repr__(self) -> str:
        return (
            f"<HostQueue {self.name} ready={len(self.ready)} delayed={len(self.delayed)} "
            f"parked={self.parked_count} stored={self.stored} in_flight={self.in_flight}>"
        )

    def set_limit(self) -> None:
        """Work out ``limit`` anew."""
        least = min(each for each in (self.concurrency, self.permits, self.target) if each is not None)
        self.limit = 0 if self.halted else least

    @property
    def waiting(self) -> int:
        """Count what takes a place in the window: delayed requests do not, or they would close it."""
        return len(self.ready) + self.parked_count

    def room(self, share: int) -> int:
        """Tell how many more the window of ``share`` requests may take in; delayed ones count only in crowds."""
        crowd = len(self.delayed) - 16 * share
        return share - self.waiting - (crowd if crowd > 0 else 0)

    @property
    def idle(self) -> bool:
        """Tell whether nothing is here nor expected."""
        return not (self.ready or self.delayed or self.parked_count or self.asks or self.in_flight or self.stored)

    def may_be_forgotten(self, now: float) -> bool:
        """Tell whether nothing is lost with the host: it is idle and owes no delay."""
        return self.next_send <= now and self.idle

    def park(self, item: Item) -> None:
        """Let an item wait for the robots.txt of its origin."""
        self.parked.setdefault(item[2].origin, []).append(item)
        self.parked_count += 1

    def unpark(self, origin: str) -> list[Item]:
        """Remove and return what waits for this origin."""
        items = self.parked.pop(origin, [])
        self.parked_count -= len(items)
        return items

    def push_all(self, items: list[Item]) -> None:
        """Make items ready."""
        if len(items) * 8 > len(self.ready):
            self.ready += items
            heapify(self.ready)
        else:
            for item in items:
                heappush(self.ready, item)

    def pace(self, random: Callable[[], float]) -> None:
        """Work out the next send time from the last one and the present delay."""
        delay = self.delay if self.delay > self.crawl_delay else self.crawl_delay
        if self.sent_at is None:
            return
        if delay and self.jitter is not None:
            shorter, longer = self.jitter
            delay *= 1.0 - shorter + (shorter + longer) * random()
            if delay < self.crawl_delay:
                delay = self.crawl_delay
        self.next_send = max(self.sent_at + delay, self.paused_until)

    def pause(self, until: float) -> None:
        """Send nothing before a time: the host asked for that."""
        self.paused_until = max(self.paused_until, until)
        self.next_send = max(self.next_send, until)

    def remove_some(self, count: int) -> list[Entry]:
        """Remove and return at most so many waiting entries; what asks for a robots.txt stays."""
        removed: list[Entry] = []
        asking: list[tuple[float, Item]] = []
        while (self.ready or self.delayed) and len(removed) < count:
            when, item = (0.0, heappop(self.ready)) if self.ready else heappop(self.delayed)
            if item[2].robots:
                asking.append((when, item))
            else:
                removed.append(item[2])
        while self.parked and len(removed) < count:
            removed += [item[2] for item in self.unpark(next(iter(self.parked)))]
        for pair in asking:
            heappush(self.delayed, pair)
        return removed

    def remove_origin(self, origin: str) -> list[Entry]:
        """Remove and return all waiting entries of an origin, its robots.txt itself apart."""

        def stays(item: Item) -> bool:
            return item[2].origin != origin or item[2].robots

        removed = self.unpark(origin)
        removed += [item for item in self.ready if not stays(item)]
        removed += [item for _, item in self.delayed if not stays(item)]
        self.ready = [item for item in self.ready if stays(item)]
        self.delayed = [pair for pair in self.delayed if stays(pair[1])]
        heapify(self.ready)
        heapify(self.delayed)
        return [item[2] for item in sorted(removed, key=lambda item: item[0])]

    def remove_all(self) -> list[Entry]:
        """Remove and return every entry in memory."""
        items = self.ready + [item for _, item in self.delayed]
        for parked in self.parked.values():
            items += parked
        self.ready, self.delayed, self.parked, self.parked_count = [], [], {}, 0
        self.asks.clear()
        return [item[2] for item in items]

    def evict(self, keep: int) -> list[Entry]:
        """Give all but the first ``limits_changed`` requests back to the store; return what went.

        The window's end becomes the last one kept, so that what went sorts behind it. Pinned and
        carried requests stay, wherever they sort: a refill skips what is in memory.
        """
        items = list(self.ready)
        for parked in self.parked.values():
            items += parked
        items.sort()
        movable = [item for item in items if not item[3]]
        gone = movable[keep:]
        if not gone:
            return []
        end = movable[keep - 1][0]
        if not self.stored or self.mark is None or end < self.mark:  # never forward, past what is in the store
            self.mark = end
        leaving = {item[1] for item in gone}
        self.ready = sorted(item for item in self.ready if item[1] not in leaving)
        for origin in list(self.parked):
            staying = [item for item in self.parked[origin] if item[1] not in leaving]
            if staying:
                self.parked[origin] = staying
            else:
                del self.parked[origin]
        self.parked_count = sum(map(len, self.parked.values()))
        self.stored += len(gone)
        return [item[2] for item in gone]
