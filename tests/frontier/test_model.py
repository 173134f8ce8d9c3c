"""Does the frontier keep its promises on any web?"""

from __future__ import annotations

import pytest

from tests.frontier.web import Crawl


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("window", [None, 4, 16])
@pytest.mark.parametrize("robots", [False, True])
def test_every_crawl_ends_and_nothing_is_fetched_twice_too_soon_or_too_often(
    seed: int, window: int | None, robots: bool
) -> None:
    crawl = Crawl(seed, window=window, robots=robots).run(pages=200, hosts=1 + seed % 7)
    allowed = 3 if crawl.retries else 2
    assert set(crawl.fetched) == set(range(1, crawl.pages + 1))
    assert max(crawl.fetched.values()) <= allowed


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("robots", [False, True])
def test_the_order_within_a_host_is_the_same_with_a_window_as_without(seed: int, robots: bool) -> None:
    everything = Crawl(seed, window=None, robots=robots, moves=False).run(pages=200, hosts=1 + seed % 7)
    windowed = Crawl(seed, window=4, robots=robots, moves=False).run(pages=200, hosts=1 + seed % 7)
    assert windowed.order == everything.order


def test_a_window_bounds_what_is_in_memory() -> None:
    crawl = Crawl(1, window=4, robots=False, moves=False).run(pages=5000, hosts=3)
    assert crawl.most_in_memory <= 3 * 2 * 4
