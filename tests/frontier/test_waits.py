from collections.abc import Callable

import pytest

from crawler.frontier.frontier import Frontier, LimitsByHost
from crawler.frontier.host import Entry, HostLimits, HostQueue
from crawler.frontier.waits import wait_of
from crawler.model.request import Request

A = "http://a.test"


def frontier(*, delay: float = 0.0, concurrency: int = 2, robots: bool = False) -> Frontier:
    limits = LimitsByHost(HostLimits(concurrency, delay, None))
    return Frontier(window=None, limits=limits, random=lambda: 0.5, robots=robots)


def added(frontier: Frontier, number: int = 0, *, not_before: float = 0.0) -> HostQueue:
    frontier.add(Entry(Request(f"{A}/{number}"), token=0, order=number, host="a.test", origin=A), 0.0, not_before)
    queue = frontier.queues.get("a.test")
    assert queue is not None
    return queue


def nothing() -> HostQueue:
    return HostQueue("a.test", 1, 0.0, None, limit=1)


def ready() -> HostQueue:
    return added(frontier())


def full() -> HostQueue:
    made = frontier(concurrency=1)
    added(made, 1)
    made.take(0.0)
    return added(made, 2)


def delayed(*, crawl_delay: float = 0.0) -> HostQueue:
    made = frontier(delay=3.0, robots=crawl_delay > 0)
    added(made, 1)
    if crawl_delay:
        made.open_origin(A, crawl_delay, 0.0)
    made.take(0.0)
    return added(made, 2)


def patient() -> HostQueue:
    made = frontier(delay=3.0)
    made.pause_host("a.test", 60.0)
    return added(made)


def again() -> HostQueue:
    return added(frontier(), not_before=8.0)


def unknown_robots() -> HostQueue:
    made = frontier(robots=True)
    added(made)
    made.take(0.0)  # robots.txt itself
    return added(made, 2)


def elsewhere() -> HostQueue:
    queue = ready()
    queue.permits = 0
    queue.set_limit()
    return queue


def in_the_store() -> HostQueue:
    queue = nothing()
    queue.stored = 7
    return queue


@pytest.mark.parametrize(
    ("queue", "why", "seconds"),
    [
        (nothing, "nothing queued", None),
        (ready, "", None),
        (full, "concurrency", None),
        (delayed, "delay", 3.0),
        (lambda: delayed(crawl_delay=9.0), "Crawl-delay", 9.0),
        (patient, "Retry-After", 60.0),
        (again, "retry", 8.0),
        (unknown_robots, "robots.txt", None),
        (elsewhere, "another worker", None),
        (in_the_store, "store", None),
    ],
)
def test_a_host_says_what_it_waits_for_and_for_how_long(
    queue: Callable[[], HostQueue], why: str, seconds: float | None
) -> None:
    assert wait_of(queue(), 0.0) == (why, seconds)


def test_a_delay_that_has_passed_keeps_nothing_from_being_sent() -> None:
    assert wait_of(delayed(), 3.0) == ("", None)
