"""Which hosts are there, and how is each?

What a host waits for is asked of its queue when somebody looks; an event leaves no more than its name, and a number.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from crawler.frontier.host import HostQueue
from crawler.frontier.waits import Wait, wait_of
from crawler.observe.board.paging import check_sort, paged
from crawler.observe.board.seen import Clock, Seen
from crawler.observe.board.shown import HostPage, HostRow
from crawler.observe.board.source import ROWS_PER_PAGE

MOST_HOSTS = 100_000
"""Of so many hosts it is known what they have answered; beyond that those that came first are forgotten."""

ORDER_SECONDS = 2.0
"""How long an order of the hosts is good for: who turns the pages, or asks again each second, does not sort again."""

_ORDERS = 8
_NOBODY = (0, 0)

_COLUMNS: dict[str, Callable[[HostQueue], float]] = {
    "queued": lambda queue: len(queue.ready) + len(queue.delayed) + queue.parked_count + queue.stored,
    "in_flight": lambda queue: queue.in_flight,
    "delay": lambda queue: max(queue.delay, queue.crawl_delay),
    "concurrency": lambda queue: queue.concurrency,
}
_COUNTED = {"pages": 0, "errors": 1}


class HostTable:
    """The hosts of a crawl. ``touched``, a set, takes the names of those of which something has changed."""

    def __init__(self, seen: Seen, clock: Clock) -> None:
        self.touched: set[str] = set()
        self._paces: dict[str, str] = {}
        self._seen = seen
        self._clock = clock
        self._counts: dict[str, list[int]] = {}
        self._changed: dict[str, int] = {}  # by host, in the order of the last change: at which tick
        self._names: list[str] = []
        self._names_seen: set[str] = set()
        self._orders: dict[tuple[str, bool, str], tuple[float, list[str]]] = {}

    def __len__(self) -> int:
        names = self._seen.hosts.names
        return len(names) + len(self._counts.keys() - names)

    def count(self, host: str, *, error: bool, page: bool = True) -> None:
        """Count an answer, or a try that came to nothing."""
        counts = self._counts.get(host)
        if counts is None:
            if len(self._counts) >= MOST_HOSTS:
                for name in list(islice(self._counts, MOST_HOSTS // 10)):
                    del self._counts[name]
            counts = self._counts[host] = [0, 0]
        counts[0] += page
        counts[1] += error

    def paced(self, host: str, reason: str) -> None:
        """Note why the throttle has changed what a host is asked."""
        if len(self._paces) >= MOST_HOSTS:
            self._paces.clear()
        self._paces[host] = reason

    def tick(self, number: int) -> None:
        """Note that what was touched had changed by a tick."""
        for host in self.touched:
            self._changed.pop(host, None)
            self._changed[host] = number
        self.touched.clear()
        for name in list(islice(self._changed, max(len(self._changed) - MOST_HOSTS, 0))):
            del self._changed[name]

    def changed(self, since: int) -> list[HostRow]:
        """Return the hosts that changed after a tick, those that did so last first, no more than a page of them."""
        names: list[str] = []
        for host, tick in reversed(self._changed.items()):
            if tick <= since or len(names) == ROWS_PER_PAGE:
                break
            names.append(host)
        return [self._row(name) for name in names]

    def page(self, page: int, sort: str, *, descending: bool, containing: str) -> HostPage:
        """See Source.hosts. Raises UsageError."""
        check_sort(sort)
        key, now = (sort, descending, containing), self._clock.seconds()
        made, order = self._orders.get(key, (float("-inf"), []))
        if now - made >= ORDER_SECONDS:
            order = self._sorted(sort, descending=descending, containing=containing)
            self._orders.pop(key, None)
            self._orders[key] = (now, order)
            while len(self._orders) > _ORDERS:
                del self._orders[next(iter(self._orders))]
        return paged(order, page, self._row)

    def row(self, host: str) -> HostRow | None:
        """Return a host; None if nothing is known of it."""
        return self._row(host) if host in self._counts or self._seen.hosts.get(host) is not None else None

    def _sorted(self, sort: str, *, descending: bool, containing: str) -> list[str]:
        queues, counts = self._seen.hosts, self._counts
        names = self._by_name()
        if containing:
            names = [name for name in names if containing in name]
        if sort == "name":
            return names[::-1] if descending else names
        if sort in _COUNTED:
            place = _COUNTED[sort]
            values: dict[str, float] = {name: each[place] for name, each in counts.items()}
        else:
            column = _COLUMNS[sort]
            values = {queue.name: column(queue) for queue in queues}
        keys = [values.get(name, 0) for name in names]
        order = sorted(range(len(names)), key=keys.__getitem__, reverse=descending)
        return [names[place] for place in order]

    def _by_name(self) -> list[str]:
        """Return the names of all hosts, sorted: of those that were there before, only the new ones take time."""
        known = self._seen.hosts.names
        if len(self._names) != len(self) or not self._names_seen.issuperset(known):
            self._names_seen = set(known).union(self._counts)
            new = self._names_seen.difference(self._names)
            self._names = [name for name in self._names if name in self._names_seen] + sorted(new)
            self._names.sort()
        return self._names

    def _row(self, name: str) -> HostRow:
        queue, (pages, errors) = self._seen.hosts.get(name), self._counts.get(name, _NOBODY)
        if queue is None:
            return HostRow(name=name, why="nothing queued", pages=pages, errors=errors)
        seen, paused = self._seen, self._seen.paused(name)
        wait = wait_of(queue, self._clock.seconds())
        if paused and wait.why != "nothing queued":
            wait = Wait("paused")
        elif not wait.why and seen.full:
            wait = Wait("slots")
        delay = max(queue.delay, queue.crawl_delay)
        throttle = ""
        if seen.slowed(name):
            reason = self._paces.get(name)
            throttle = f"{queue.concurrency} at once, {delay:.1f} s apart" + (f": {reason}" if reason else "")
        return HostRow(
            name=name, queued=int(_COLUMNS["queued"](queue)), in_flight=queue.in_flight, delay=delay,
            concurrency=queue.concurrency, why=wait.why, seconds=wait.seconds, throttle=throttle,
            robots=seen.robots(queue), pages=pages, errors=errors, paused=paused,
        )  # fmt: skip
