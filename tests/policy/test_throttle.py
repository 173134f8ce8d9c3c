"""How a host is slowed down and let go again."""

from __future__ import annotations

import random
from collections import deque

import pytest

from crawler import errors
from crawler.model.response import Response
from crawler.policy.throttle import (
    CLEAN_WINDOW,
    HostThrottle,
    ThrottleRules,
    is_overload,
    on_overload,
    on_success,
)

RULES = ThrottleRules()
FULL = HostThrottle.at_full_pace(8, 0.0)


def overloads(state: HostThrottle, count: int, rules: ThrottleRules = RULES) -> list[tuple[int, float]]:
    paces = []
    for _ in range(count):
        state = on_overload(state, state.generation, rules)
        paces.append((state.concurrency, state.delay))
    return paces


def test_concurrency_halves_then_the_delay_doubles_up_to_its_bound() -> None:
    assert overloads(FULL, 12) == [
        (4, 0), (2, 0), (1, 0), (1, 0.5), (1, 1), (1, 2), (1, 4), (1, 8), (1, 16), (1, 32), (1, 60), (1, 60),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("concurrency", "delay", "bound", "paces"),
    [
        (5, 0.0, 60.0, [(2, 0.0), (1, 0.0), (1, 0.5)]),
        (1, 1.0, 60.0, [(1, 2.0), (1, 4.0), (1, 8.0)]),
        (1, 0.1, 60.0, [(1, 0.5), (1, 1.0), (1, 2.0)]),
        (1, 90.0, 60.0, [(1, 90.0), (1, 90.0), (1, 90.0)]),
        (1, 0.0, 0.0, [(1, 0.0), (1, 0.0), (1, 0.0)]),
    ],
)
def test_where_it_starts(concurrency: int, delay: float, bound: float, paces: list[tuple[int, float]]) -> None:
    rules = ThrottleRules(throttle_max_delay=bound)
    assert overloads(HostThrottle.at_full_pace(concurrency, delay), 3, rules) == paces


def test_one_cut_for_all_that_was_in_flight() -> None:
    state = FULL
    for _ in range(8):
        state = on_overload(state, 0, RULES)
    assert (state.concurrency, state.generation) == (4, 1)
    assert on_success(state, 0) is state, "an answer from before the cut says nothing of the pace after it"


def test_disabled_it_does_nothing() -> None:
    assert on_overload(FULL, 0, ThrottleRules(throttle_enabled=False)) is FULL


def test_a_host_at_full_pace_costs_nothing() -> None:
    assert on_success(FULL, 0) is FULL
    assert not FULL.slowed


def clean_windows(state: HostThrottle, count: int) -> HostThrottle:
    for _ in range(count):
        for _ in range(max(CLEAN_WINDOW, state.concurrency)):
            state = on_success(state, state.generation)
        assert state.clean == 0
    return state


def test_recovery_is_one_more_for_each_clean_window() -> None:
    state = on_overload(FULL, 0, RULES)
    assert [clean_windows(state, count).concurrency for count in range(6)] == [4, 5, 6, 7, 8, 8]
    assert not clean_windows(state, 4).slowed


def test_the_delay_goes_first_by_tenths() -> None:
    state = HostThrottle(8, 0.0, 1, 1.0, generation=5)
    assert clean_windows(state, 1).delay == pytest.approx(0.9)
    assert clean_windows(state, 2).delay == pytest.approx(0.81)
    recovered = clean_windows(state, 29)
    assert (recovered.delay, recovered.concurrency) == (0.0, 1)
    assert clean_windows(state, 40).slowed is False


def test_an_overload_begins_the_window_anew() -> None:
    state = HostThrottle(8, 0.0, 4, 0.0, generation=1, clean=4)
    assert on_overload(state, 1, RULES).clean == 0


@pytest.mark.parametrize(
    ("outcome", "overload"),
    [
        *(
            (Response("http://h/", status), status in (429, 503))
            for status in (200, 302, 404, 408, 429, 500, 502, 503, 504)
        ),
        (errors.FetchTimeout("x", phase="connect"), True),
        (errors.FetchTimeout("x", phase="total"), True),
        (errors.ConnectionFailed("x"), False),
        (errors.NameNotResolved("x"), False),
        (ValueError("x"), False),
    ],
)
def test_what_says_too_fast(outcome: Response | Exception, overload: bool) -> None:
    assert is_overload(outcome) is overload


@pytest.mark.parametrize("seed", range(20))
def test_in_random_worlds_the_pace_keeps_its_bounds_and_comes_back(seed: int) -> None:
    world = random.Random(seed)
    full = HostThrottle.at_full_pace(world.randint(1, 32), world.choice([0.0, 0.3, 2.0, 100.0]))
    state, flight = full, deque([0])
    for _ in range(3000):
        while len(flight) < state.concurrency:
            flight.append(state.generation)
        generation = flight.popleft()
        before = state
        state = on_overload(state, generation, RULES) if world.random() < 0.1 else on_success(state, generation)
        assert 1 <= state.concurrency <= full.concurrency
        assert full.delay <= state.delay <= max(60.0, full.delay)
        assert state.generation - before.generation in (0, 1)
        assert state.generation == before.generation or generation == before.generation
    for _ in range(10_000):
        state = on_success(state, state.generation)
    assert not state.slowed
