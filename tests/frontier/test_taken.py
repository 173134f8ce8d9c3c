"""Do requests that are taken out of a store go in the order in which they would go if all were in memory?"""

from __future__ import annotations

import random

import pytest

from crawler.frontier.host import Entry, HostLimits, Key, LimitsByHost
from crawler.frontier.shared import SharedFrontier
from tests.frontier.web import make_entry

WINDOW = 4


class Taking:
    """One host, from which one worker takes; requests are found, tried again, and given back with the host.

    The store is a dict of what is there; ``waiting`` is all that waits, there or here, by its key.
    """

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        limits = LimitsByHost(HostLimits(3, 0.0, None))
        self.frontier = SharedFrontier(window=WINDOW, limits=limits, random=lambda: 0.0, robots=False)
        self.there: dict[Key, Entry] = {}
        self.waiting: dict[Key, int] = {}
        self.leases: list[int] = []
        self.in_flight: list[Entry] = []
        self.sent: list[Key] = []
        self.tries = self.found_so_far = self.most = 0
        self.held = False
        self.again: set[int] = set()

    def tell(self) -> None:
        if self.held:
            self.frontier.told("a", len(self.there), min(self.there, default=None), 0.0)

    def found(self) -> None:
        for _ in range(self.dice.randrange(12)):
            self.found_so_far += 1
            entry = make_entry(self.found_so_far, priority=self.dice.choice([0, 0, 0, 1, -1, 5]))
            self.there[entry.key] = entry
            self.waiting[entry.key] = entry.token
        self.tell()

    def hold(self) -> None:
        if not self.held:
            self.held = True
            self.frontier.permit("a", 1_000_000, 0.0, wait=0.0)
            self.tell()

    def let_go(self) -> None:
        if self.held and not self.in_flight and not self.leases and self.dice.random() < 0.3:
            [host] = self.frontier.held()
            self.held = False
            self.there |= {entry.key: entry for entry, _ in self.frontier.give_up(host)}
            self.again.clear()
            self.take_back()

    def take_back(self) -> None:
        gone = self.frontier.returned()
        assert not self.there.keys() & {entry.key for entry in gone}
        self.there |= {entry.key: entry for entry in gone}
        self.tell()

    def refill(self) -> None:
        """Answer the leases that were asked for, and ask for others."""
        for count in self.leases:
            taken = sorted(self.there)[:count]
            self.frontier.refill("a", [(self.there.pop(key), 0.0) for key in taken], 0.0)
            self.tell()
        self.leases = [count for _, count, _ in self.frontier.needs()]

    def send(self) -> None:
        while (entry := self.frontier.take(0.0)) is not None:
            assert entry.key == min(self.waiting)
            del self.waiting[entry.key]
            self.again.discard(entry.token)
            self.sent.append(entry.key)
            self.in_flight.append(entry)

    def end(self) -> None:
        self.dice.shuffle(self.in_flight)
        while self.in_flight and self.dice.random() < 0.8:
            entry = self.in_flight.pop()
            self.frontier.release(entry, 0.0)
            if self.dice.random() < 0.2:
                self.tries += 1
                entry.request = entry.request.replace(priority=entry.request.priority - 1)
                self.frontier.later(entry, 0.0, 0.0)
                self.waiting[entry.key] = entry.token
                self.again.add(entry.token)
            else:
                self.frontier.done(entry)

    def step(self, *, finding: bool) -> None:
        steps = [self.hold, self.let_go, self.take_back, self.refill, self.send, self.end]
        self.dice.choice([self.found, *steps] if finding else steps)()
        self.most = max(self.most, self.frontier.queued_in_memory - len(self.again))


@pytest.mark.parametrize("seed", range(40))
def test_what_is_taken_goes_in_the_order_of_all_that_waits(seed: int) -> None:
    taking = Taking(seed)
    for number in range(100_000):
        taking.step(finding=number < 400)
        if number >= 400 and not taking.waiting and not taking.in_flight:
            break
    assert taking.waiting == {}
    assert taking.there == {}
    assert len(taking.sent) == taking.found_so_far + taking.tries
    assert len(set(taking.sent)) == len(taking.sent)
    assert taking.most <= 2 * WINDOW  # what is tried again apart


def test_how_a_host_would_be_asked_is_told_with_the_wish_for_it() -> None:
    limits = LimitsByHost(HostLimits(3, 0.0, None), {"a": HostLimits(1, 7.0, None)})
    frontier = SharedFrontier(window=WINDOW, limits=limits, random=lambda: 0.0, robots=False)
    frontier.add(make_entry(0), 0.0)  # without a row of its own
    [host] = frontier.lacking
    assert (list(frontier.changed), host.delay) == ([host], 7.0)
