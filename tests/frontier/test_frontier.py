"""Does each rule of the frontier hold by itself?"""

from __future__ import annotations

import re
from typing import Any

import pytest

from crawler.frontier.frontier import Frontier, HostLimits, LimitsByHost
from crawler.frontier.host import Entry
from tests.frontier.web import make_entry


def make(
    *, window: int | None = None, robots: bool = False, concurrency: int = 8, delay: float = 0.0, **more: Any
) -> Frontier:
    limits = LimitsByHost(HostLimits(concurrency, delay, more.pop("jitter", None)))
    return Frontier(window=window, limits=limits, random=more.pop("random", lambda: 0.5), robots=robots)


def taken(frontier: Frontier, now: float = 0.0) -> list[Entry]:
    entries = []
    while (entry := frontier.take(now)) is not None:
        entries.append(entry)
    return entries


def tokens(entries: list[Entry]) -> list[int]:
    return [entry.token for entry in entries]


def test_priority_first_then_as_found() -> None:
    frontier = make()
    for number, priority in enumerate([0, 5, 0, 5, -1], start=1):
        frontier.add(make_entry(number, priority=priority), 0.0)
    assert len(frontier) == 5
    assert tokens(taken(frontier)) == [2, 4, 1, 3, 5]
    assert frontier.next_time() is None
    assert len(frontier) == 0


def test_hosts_take_turns() -> None:
    frontier = make()
    for number in range(1, 10):
        frontier.add(make_entry(number, "abc"[(number - 1) // 3]), 0.0)
    assert tokens(taken(frontier)) == [1, 4, 7, 2, 5, 8, 3, 6, 9]


def test_a_host_gets_no_more_than_its_limit_and_goes_on_when_one_is_released() -> None:
    frontier = make(concurrency=2)
    for number in range(1, 5):
        frontier.add(make_entry(number), 0.0)
    first, _ = taken(frontier)
    assert frontier.next_time() is None
    frontier.release(first, 1.0)
    assert tokens(taken(frontier, 1.0)) == [3]
    with pytest.raises(ValueError, match="not in flight"):
        frontier.release(first, 1.0)


def test_a_delay_is_lengthened_never_shortened() -> None:
    frontier = make(delay=2.0, jitter=(0.0, 0.5), random=lambda: 0.999)
    for number in (1, 2):
        frontier.add(make_entry(number), 0.0)
    assert tokens(taken(frontier, 10.0)) == [1]
    assert frontier.next_time() == pytest.approx(10.0 + 2.0 * 1.4995)
    assert taken(frontier, 12.9) == []
    assert tokens(taken(frontier, 13.0)) == [2]


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 1.0), (0.5, 2.0), (0.999, 2.998)])
def test_a_delay_may_be_shorter_as_well_where_that_is_asked_for(chance: float, seconds: float) -> None:
    frontier = make(delay=2.0, jitter=(0.5, 0.5), random=lambda: chance)
    for number in (1, 2):
        frontier.add(make_entry(number), 0.0)
    assert tokens(taken(frontier, 10.0)) == [1]
    assert frontier.next_time() == pytest.approx(10.0 + seconds)


def test_one_slow_host_does_not_hold_up_the_others() -> None:
    frontier = make(delay=5.0)
    for number in range(1, 5):
        frontier.add(make_entry(number, "slow" if number < 3 else f"h{number}"), 0.0)
    assert tokens(taken(frontier)) == [1, 3, 4]


def test_later_waits_and_then_goes_by_its_key() -> None:
    frontier = make()
    entry = make_entry(1)
    frontier.add(entry, 0.0)
    frontier.take(0.0)
    frontier.release(entry, 0.0)
    frontier.later(entry, 0.0, 7.0)
    assert frontier.next_time() == 7.0
    frontier.add(make_entry(2), 6.0)
    frontier.add(make_entry(3), 6.0)
    assert tokens(taken(frontier, 7.0)) == [1, 2, 3]


def test_later_at_another_host_by_its_new_priority() -> None:
    frontier = make(concurrency=1)
    entry = make_entry(9, "a")
    frontier.add(entry, 0.0)
    frontier.take(0.0)
    frontier.release(entry, 0.0)
    frontier.add(make_entry(1, "b"), 0.0)
    entry.host, entry.request = "b", entry.request.replace(url="http://b/9", priority=2)
    frontier.later(entry, 0.0, 0.0)
    assert frontier.take(0.0) is entry


def test_limits_may_change_while_requests_wait() -> None:
    frontier = make(concurrency=1, delay=10.0)
    for number in (1, 2, 3):
        frontier.add(make_entry(number), 0.0)
    first = frontier.take(0.0)
    assert first is not None
    frontier.release(first, 0.0)
    frontier.set_limits("a", concurrency=2, delay=1.0)
    assert tokens(taken(frontier, 1.0)) == [2]
    frontier.set_limits("a", delay=60.0)
    assert taken(frontier, 2.5) == []
    assert tokens(taken(frontier, 61.0)) == [3]


def test_an_entry_that_is_withdrawn_costs_its_host_no_delay() -> None:
    frontier = make(delay=10.0)
    for number in (1, 2):
        frontier.add(make_entry(number), 0.0)
    entry = frontier.take(0.0)
    assert entry is not None
    frontier.withdraw(entry, 0.0)
    assert tokens(taken(frontier, 0.0)) == [2]


def test_robots_is_asked_first_and_once_and_the_origin_is_closed_until_then() -> None:
    frontier = make(robots=True, delay=1.0)
    for number in (1, 2):
        frontier.add(make_entry(number), 0.0)
    asked = frontier.take(0.0)
    assert asked is not None
    assert asked.robots
    assert asked.carried
    assert asked.request.url == "http://a/robots.txt"
    assert frontier.origin_state("http://a:80") == "asked"
    frontier.add(make_entry(3), 0.0)
    assert taken(frontier, 50.0) == []
    assert len(frontier) == 3
    frontier.release(asked, 50.0)
    frontier.open_origin("http://a:80", 4.0, 50.0)
    assert tokens(taken(frontier, 50.0)) == [1]
    assert frontier.next_time() == 54.0  # its Crawl-delay, as it is longer than the delay


def test_robots_may_be_asked_again_later_and_at_another_host() -> None:
    frontier = make(robots=True)
    frontier.add(make_entry(1), 0.0)
    asked = frontier.take(0.0)
    assert asked is not None
    frontier.release(asked, 0.0)
    asked.host = "b"
    frontier.later(asked, 0.0, 3.0)
    assert len(frontier) == 1
    assert frontier.take(2.0) is None
    assert frontier.take(3.0) is asked


def test_an_entry_without_origin_is_never_closed() -> None:
    frontier = make(robots=True)
    frontier.add(make_entry(1, origin=""), 0.0)
    assert tokens(taken(frontier)) == [1]


def test_a_dropped_origin_gives_back_what_waits_and_a_later_entry_asks_again() -> None:
    frontier = make(robots=True)
    for number in (2, 1):
        frontier.add(make_entry(number), 0.0)
    frontier.add(make_entry(3), 0.0, 90.0)
    asked = frontier.take(0.0)
    assert asked is not None
    frontier.release(asked, 0.0)
    assert tokens(frontier.drop_origin("http://a:80")) == [1, 2, 3]
    assert frontier.origin_state("http://a:80") == "refused"
    assert (len(frontier), frontier.take(100.0)) == (0, None)
    frontier.add(make_entry(4), 100.0)
    again = frontier.take(100.0)
    assert again is not None
    assert again.robots


def test_a_reclosed_origin_is_asked_before_the_next_of_its_entries() -> None:
    frontier = make(robots=True, concurrency=1)
    for number in (1, 2):
        frontier.add(make_entry(number), 0.0)
    frontier.open_origin("http://a:80", None, 0.0)
    first = frontier.take(0.0)
    assert first is not None
    assert first.token == 1
    frontier.reclose_origin("http://a:80")
    frontier.release(first, 0.0)
    again = frontier.take(0.0)
    assert again is not None
    assert again.robots


def test_with_a_window_what_sorts_behind_it_stays_in_the_store() -> None:
    frontier = make(window=4)
    for number in range(1, 21):
        frontier.add(make_entry(number), 0.0)
    assert (len(frontier), frontier.queued_in_memory) == (20, 4)
    frontier.add(make_entry(21, priority=1), 0.0)
    assert frontier.queued_in_memory == 5
    assert tokens(taken(frontier)) == [21, 1, 2, 3, 4]
    assert frontier.needs() == [("a", 4, (0, 4))]
    assert frontier.needs() == []


def test_a_refill_skips_what_was_handed_over_and_is_not_done() -> None:
    frontier = make(window=4)
    frontier.stored("a", 6)
    assert frontier.needs() == [("a", 4, None)]
    frontier.refill("a", [(make_entry(number), 0.0) for number in (1, 2, 3, 4)], 0.0)
    first = taken(frontier)
    assert tokens(first) == [1, 2, 3, 4]
    for number in range(7, 16):
        frontier.add(make_entry(number, priority=9), 0.0)
    assert frontier.queued_in_memory == 4  # the window's end lies before 1 to 4 now
    urgent = taken(frontier)
    assert tokens(urgent) == [7, 8, 9, 10]
    frontier.done(first[0])
    assert frontier.needs() == [("a", 4, (-9, 10))]
    frontier.refill("a", [(make_entry(number, priority=9), 0.0) for number in (11, 12, 13, 14)], 0.0)
    for entry in urgent:
        frontier.release(entry, 0.0)
    taken(frontier)
    assert frontier.needs() == [("a", 4, (-9, 14))]
    frontier.refill("a", [(make_entry(15, priority=9), 0.0), *((make_entry(n), 0.0) for n in (2, 3, 4))], 0.0)
    assert frontier.queued_in_memory == 1


def test_a_refill_that_was_overtaken_is_asked_for_again() -> None:
    frontier = make(window=4)
    frontier.stored("a", 3)
    [(_, _, after)] = frontier.needs()
    assert after is None
    frontier.add(make_entry(9, priority=-1), 0.0)  # between 2 and 3 in the order below; stored after the lease
    entries = [(make_entry(1), 0.0), (make_entry(2), 0.0), (make_entry(3, priority=-2), 0.0)]
    frontier.refill("a", entries, 0.0)
    assert tokens(taken(frontier)) == [1, 2]
    assert frontier.needs() == [("a", 4, (0, 2))]
    assert len(frontier) == 2


def test_fewer_than_asked_means_that_there_are_no_more() -> None:
    frontier = make(window=4)
    frontier.stored("a", 99)
    frontier.needs()
    frontier.refill("a", [(make_entry(1), 0.0)], 0.0)
    assert (len(frontier), frontier.queued_in_memory) == (1, 1)


def test_a_refill_hands_back_the_entries_of_a_refused_origin() -> None:
    frontier = make(window=4, robots=True)
    frontier.stored("a", 2)
    frontier.drop_origin("http://a:80")
    frontier.needs()
    entries = [(make_entry(number), 0.0) for number in (1, 2)]
    assert tokens(frontier.refill("a", entries, 0.0)) == [1, 2]
    assert len(frontier) == 0


def test_carried_entries_are_never_given_to_the_store() -> None:
    frontier = make(window=4)
    for number in range(20):
        entry = make_entry(0)
        entry.key = (0, -number)
        frontier.add(entry, 0.0)
    assert frontier.queued_in_memory == 20
    assert len(frontier.drain()) == 20
    assert frontier.take(0.0) is None


def test_delayed_requests_do_not_close_the_window() -> None:
    frontier = make(window=4)
    frontier.stored("a", 8)
    frontier.needs()
    frontier.refill("a", [(make_entry(number), 50.0) for number in (1, 2, 3, 4)], 0.0)
    assert frontier.needs() == [("a", 4, (0, 4))]


def test_with_many_hosts_each_gets_a_smaller_window() -> None:
    frontier = make(window=64)
    for host in range(10_000):
        frontier.stored(f"h{host}", 100)
    assert {count for _, count, _ in frontier.needs(limit=20_000)} == {6}


def test_hosts_that_are_through_are_forgotten() -> None:
    frontier = make()
    frontier.set_limits("slow", delay=3.0)
    for number in range(5000):
        frontier.add(make_entry(number + 1, f"h{number}"), 0.0)
        entry = frontier.take(0.0)
        assert entry is not None
        frontier.release(entry, 0.0)
    known = re.search(r"<Hosts (\d+)>", repr(frontier))
    assert known is not None
    assert int(known[1]) < 2500
    assert frontier.hosts() == ["slow"]
