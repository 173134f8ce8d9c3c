"""What is a random web, and what does a crawl of it by the frontier alone look like?"""

from __future__ import annotations

import heapq
import random
from typing import Any

from crawler.frontier.frontier import Frontier, HostLimits, LimitsByHost
from crawler.frontier.host import Entry
from crawler.model.request import Request


def make_entry(number: int, host: str = "a", priority: int = 0, origin: str | None = None) -> Entry:
    """Make the entry that a store would."""
    request = Request(f"http://{host}/{number}", priority=priority)
    return Entry(request, token=number, order=number, host=host, origin=request.origin if origin is None else origin)


class Crawl:
    """Crawls a web that a seed determines, and checks the frontier's promises on the way.

    Pages have random links and priorities; some are retried with a back-off, some redirect to another host.
    The store is a dict; a lease is answered at the next step, as a thread would.
    """

    def __init__(self, seed: int, *, window: int | None, robots: bool, moves: bool = True) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.limits = HostLimits(1 + seed % 4, (0.0, 0.3, 2.0)[seed % 3], (0.0, 0.5))
        self.retries = seed % 2 == 0
        self.moves = moves
        self.frontier = Frontier(
            window=window, limits=LimitsByHost(self.limits), random=lambda: 0.25, robots=robots
        )  # a constant, so that both kinds of frontier see the same delays
        self.rows: dict[int, tuple[str, int, float]] = {}
        self.order: dict[str, list[int]] = {}
        self.fetched: dict[int, int] = {}
        self.busy: dict[str, int] = {}
        self.sent_at: dict[str, float] = {}
        self.in_flight: list[tuple[float, int, Entry]] = []
        self.asked: list[tuple[str, list[tuple[Entry, float]]]] = []
        self.pages = self.taken = 0
        self.most_in_memory = 0

    def run(self, pages: int, hosts: int) -> Crawl:
        self.wanted, self.hosts = pages, hosts
        for number in range(hosts):
            self.found(f"h{number}", 0, 0.0)
        now = 0.0
        while (then := self.step(now)) is not None:
            assert self.taken < 20 * pages, "the crawl does not end"
            now = max(now, then)
        assert not self.rows, f"never fetched: {self.rows}"
        assert len(self.frontier) == self.frontier.queued_in_memory == 0
        assert "in_flight=0" in repr(self.frontier)
        return self

    def step(self, now: float) -> float | None:
        """Send all that may go, answer leases, end what is due; return the next time, None at the end."""
        while (entry := self.frontier.take(now)) is not None:
            self.send(entry, now)
        self.most_in_memory = max(self.most_in_memory, self.frontier.queued_in_memory)
        answers, self.asked = self.asked, []
        for host, leased in answers:
            assert self.frontier.refill(host, leased, now) == []
        self.asked = [(host, self.lease(host, count, after)) for host, count, after in self.frontier.needs()]
        if answers or self.asked:
            return now
        while self.in_flight and self.in_flight[0][0] <= now:
            self.end(heapq.heappop(self.in_flight)[2], now)
        times = [self.in_flight[0][0]] if self.in_flight else []
        ready = self.frontier.next_time()
        return min([*times, ready]) if ready is not None else min(times, default=None)

    def send(self, entry: Entry, now: float) -> None:
        host = entry.host
        self.taken += 1
        self.busy[host] = self.busy.get(host, 0) + 1
        assert self.busy[host] <= self.limits.concurrency, f"{host} is asked above its limit"
        if host in self.sent_at:
            assert now >= self.sent_at[host] + self.limits.delay, f"{host} is asked too soon"
        self.sent_at[host] = now
        if not entry.robots:
            self.fetched[entry.token] = self.fetched.get(entry.token, 0) + 1
            assert now >= self.rows[entry.token][2], "sent before its time"
            self.order.setdefault(host, []).append(entry.token)
        heapq.heappush(self.in_flight, (now + 1.0, entry.token or -self.taken, entry))

    def end(self, entry: Entry, now: float) -> None:
        self.busy[entry.host] -= 1
        self.frontier.release(entry, now)
        if entry.robots:
            self.frontier.open_origin(entry.origin, None, now)
            return
        dice = random.Random(self.seed * 100_003 + entry.token)
        tries = self.fetched[entry.token]
        fate = dice.random()
        if self.retries and fate < 0.2 and tries < 3:
            self.again(entry, now, now + 5 * dice.random())
        elif self.moves and 0.2 <= fate < 0.3 and tries < 2:
            entry.host = f"h{dice.randrange(self.hosts)}"
            entry.origin = f"http://{entry.host}:80"
            self.again(entry, now, now)
        else:
            del self.rows[entry.token]
            self.frontier.done(entry)
            for _ in range(dice.randrange(12)):
                self.found(f"h{dice.randrange(self.hosts)}", dice.choice([0, 0, 0, 1, -1, 5]), now)

    def again(self, entry: Entry, now: float, not_before: float) -> None:
        self.rows[entry.token] = (entry.host, entry.request.priority, not_before)
        self.frontier.later(entry, now, not_before)

    def found(self, host: str, priority: int, now: float) -> None:
        if self.pages < self.wanted:
            self.pages += 1
            self.rows[self.pages] = (host, priority, 0.0)
            self.frontier.add(make_entry(self.pages, host, priority), now)

    def lease(self, host: str, count: int, after: Any) -> list[tuple[Entry, float]]:
        rows = sorted(
            ((-priority, number), when) for number, (name, priority, when) in self.rows.items() if name == host
        )
        behind = [row for row in rows if after is None or row[0] > after]
        return [(make_entry(number, host, -rank), when) for (rank, number), when in behind[:count]]
