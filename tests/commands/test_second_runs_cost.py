"""What does a second run cost beside the first? The comparison of bench/second_runs.py on a small shop."""

from __future__ import annotations

import pytest

from bench.second_runs import measure


@pytest.mark.slow
@pytest.mark.process
def test_a_second_run_asks_for_little(outside: None) -> None:
    costs = measure(120, changed=4, new=3, gone=2)
    first, by_map = costs["first, shop"], costs["first, map"]
    again, since, only_new, since_by_map = list(costs.values())[2:]
    pages, books = 120, 116
    assert (first.requests, first.items) == (again.requests - 1, again.items - 1) == (pages, books)  # one more is there
    assert since.requests == again.requests
    assert since.items == again.items
    assert since.bytes < first.bytes / 5
    assert since.changes == since_by_map.changes == {"changed": 4, "new": 3, "gone": 2}
    assert only_new.requests == 1 + 3 + 3  # the root, the lists, what is new
    assert only_new.items == 3
    assert only_new.changes == {"new": 3, "gone": 2}
    assert since_by_map.requests == 1 + 4 + 3  # the map, what has changed, what is new
    assert since_by_map.items == since.items
    assert by_map.items == books
