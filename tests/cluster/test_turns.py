"""Are calls numbered, made in time without the reactor, and trusted only for as long as their lease lasts?"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from twisted.python.failure import Failure

from crawler.errors import LateWorker
from crawler.storage.cluster.turns import HANGS_AFTER, Turns

LEASE = 0.15


class Time:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Calls:
    """Stands for the reactor and for the server: ``made`` are the calls, ``heard`` what came back."""

    def __init__(self) -> None:
        self.made: queue.Queue[tuple[int, str]] = queue.Queue()
        self.waiting: queue.Queue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.Queue()
        self.answers = threading.Semaphore(1000)
        self.heard: list[Any] = []
        self.error: Exception | None = None

    def callFromThread(self, function: Callable[..., None], *arguments: Any) -> None:
        self.waiting.put((function, arguments))

    def empty(self) -> str:
        return ""

    def turn(self, number: int, turn: str) -> str:
        self.made.put((number, turn))
        self.answers.acquire()
        if self.error is not None:
            raise self.error
        return f"answer {number}"

    def answered(self, turn: str | None, reply: str) -> None:
        self.heard.append((turn, reply))

    def failed(self, failure: Failure) -> None:
        self.heard.append(failure.value)

    def turn_reactor(self) -> None:
        """Hand one answer over."""
        function, arguments = self.waiting.get(timeout=10)
        function(*arguments)


def made(calls: Calls, clock: Callable[[], float] = time.monotonic, lease: float = LEASE) -> Turns[str, str]:
    reactor: Any = calls
    return Turns(reactor, calls, calls, name="turns", lease=lease, clock=clock)


def started(turns: Turns[str, str], calls: Calls) -> None:
    joined: list[str] = []
    turns.start(lambda: "joined").addCallback(joined.append)
    calls.turn_reactor()
    assert joined == ["joined"]


def test_calls_are_numbered_and_answered_in_order() -> None:
    calls = Calls()
    turns = made(calls, lease=600.0)
    started(turns, calls)
    for turn in "abc":
        turns.carry_out(turn)
    for _ in "abc":
        calls.turn_reactor()
    turns.stop()
    assert [calls.made.get() for _ in "abc"] == [(1, "a"), (2, "b"), (3, "c")]
    assert calls.heard == [("a", "answer 1"), ("b", "answer 2"), ("c", "answer 3")]


def test_a_reactor_that_is_busy_loses_no_lease() -> None:
    calls = Calls()
    turns = made(calls)
    started(turns, calls)
    assert [calls.made.get(timeout=10) for _ in range(10)] == [(number, "") for number in range(1, 11)]
    assert turns.may_send()
    turns.stop()
    assert not calls.heard


def test_a_reactor_that_hangs_loses_it() -> None:
    calls, clock = Calls(), Time()
    turns = made(calls, clock)
    started(turns, calls)
    calls.made.get(timeout=10)
    clock.now += HANGS_AFTER + 1
    time.sleep(2 * LEASE)
    while not calls.made.empty():
        calls.made.get()
    time.sleep(2 * LEASE)
    assert calls.made.empty()
    assert not turns.may_send()
    turns.stop()


@pytest.mark.parametrize(
    ("age", "may_send", "may_stay_open"), [(10.9, True, True), (11.1, False, True), (12.1, False, False)]
)
def test_requests_are_sent_and_left_open_for_parts_of_the_lease(
    age: float, may_send: bool, may_stay_open: bool
) -> None:
    clock = Time()
    calls = Calls()
    turns = made(calls, clock, 15.0)
    started(turns, calls)
    clock.now += age
    assert (turns.may_send(), turns.may_stay_open()) == (may_send, may_stay_open)
    turns.stop()


def test_what_counts_is_when_the_answered_call_was_sent() -> None:
    calls, clock = Calls(), Time()
    calls.answers = threading.Semaphore(0)
    turns = made(calls, clock, 15.0)
    started(turns, calls)
    clock.now += 10
    turns.carry_out("slow")
    calls.made.get(timeout=10)
    clock.now += 10
    assert not turns.may_send()
    calls.answers.release()
    calls.turn_reactor()
    assert turns.may_send()
    clock.now += 2
    assert not turns.may_send()
    turns.stop()


def test_a_late_worker_calls_no_more() -> None:
    calls = Calls()
    calls.error = LateWorker("late")
    turns = made(calls)
    started(turns, calls)
    calls.turn_reactor()
    assert calls.heard == [calls.error]
    assert not turns.open
    assert calls.made.qsize() == 1


def test_a_worker_that_cannot_join_calls_nothing() -> None:
    calls = Calls()
    turns = made(calls)

    def join() -> str:
        raise LateWorker("no")

    failed: list[Any] = []
    turns.start(join).addErrback(lambda failure: failed.append(failure.type))
    calls.turn_reactor()
    assert failed == [LateWorker]
    assert not turns.open
    assert calls.made.empty()
