"""How a host's delay follows the time its answers take."""

from __future__ import annotations

import pytest

from crawler.policy.latency import LatencyRules, delay_after


@pytest.mark.parametrize(
    ("delay", "latency", "status", "new"),
    [
        (5.0, 1.0, 200, 3.0),  # half of the way down
        (5.0, 1.0, 404, 5.0),  # only a 200 makes it fall
        (1.0, 4.0, 200, 4.0),  # at once up
        (1.0, 4.0, 503, 4.0),  # whatever the status is
        (5.0, 900.0, 200, 60.0),  # up to the longest
        (0.5, 0.01, 200, 0.5),  # down to the least
    ],
)
def test_the_delay_falls_by_half_and_rises_at_once(delay: float, latency: float, status: int, new: float) -> None:
    assert delay_after(delay, latency=latency, status=status, least=0.5, rules=LatencyRules()) == new


def test_with_a_higher_target_the_delay_is_a_part_of_the_latency() -> None:
    rules = LatencyRules(target_concurrency=4.0)
    assert delay_after(0.0, latency=2.0, status=200, least=0.0, rules=rules) == 0.5


def test_a_configured_delay_above_the_longest_stays() -> None:
    rules = LatencyRules(max_delay=10.0)
    assert delay_after(20.0, latency=1.0, status=200, least=20.0, rules=rules) == 20.0
