"""Do crawls that mix everything end with balanced books, each page asked for once and each item fed once?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crawler.events import ItemDropped, ItemFailed, ItemScraped
from tests.engine.random_world import Made, World, check_once, settings_of
from tests.engine.virtual import crawl, later


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_a_random_crawl(seed: int, durable: bool, tmp_path: Path) -> None:
    world = World(seed)
    made = type("Made", (Made,), {"world": world})
    result = crawl(
        made, world.site, settings=settings_of(world), job=tmp_path / "job" if durable else None, latency=0.0
    )
    assert result.summary.reason == "finished"
    assert result.summary.problems == []
    assert result.summary.queued == 0
    assert not {number for number, count in world.run.items() if count > 1}
    check_once(world, result.items, [result])
    assert Counter(item["id"] for item in result.items) == Counter(e.item["id"] for e in result.happened(ItemScraped))


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("seed", range(25))
def test_a_random_crawl_that_is_stopped_and_resumed(seed: int, hard: bool, tmp_path: Path) -> None:
    world = World(seed)
    settings = settings_of(world)
    made = type("Made", (Made,), {"world": world})
    items: list[Any] = []
    results: list[Any] = []
    for run in range(60):
        world.new_run()
        when = world.random.choice([0.0, 0.01, 0.2, 1.0, 3.0]) + run * run / 4

        def stops(ready: Any, when: float = when) -> None:
            later(ready, when, ready.stop)
            if hard:
                later(ready, when + world.random.choice([0.0, 0.05, 1.0]), ready.stop_now)

        result = crawl(
            made, world.site, settings=settings, job=tmp_path / "job", latency=0.0, during=stops,
            window=world.random.choice([1, 4, 64]), delay=world.random.choice([0.0, 0.003, 0.2]),
        )  # fmt: skip
        assert result.summary.problems == []
        items += result.items
        results.append(result)
        if result.summary.reason == "finished":
            break
    assert result.summary.reason == "finished"
    if not hard:
        # A stop leaves carried requests and inline fetches behind: their pages are repeated. All others ran once.
        plain = {n for n in world.run if world.kind[n] not in ("carried", "inline")}
        assert not {n for n in plain if world.run[n] > 1 and not carried_below(world, n)}
    fed = Counter(item["id"] for item in items)
    assert not {name for name, count in fed.items() if count > 1}
    lost = {event.item["id"] for each in results for kind in (ItemDropped, ItemFailed) for event in each.happened(kind)}
    assert set(world.yielded) == set(fed) | lost


def carried_below(world: World, number: int) -> bool:
    return any(world.kind[link] == "carried" for link in world.links[number])
