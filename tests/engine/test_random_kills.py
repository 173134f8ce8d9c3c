"""Does a crawl that is killed at any moment, and resumed, feed every item once?

In virtual time, so that the moments are random but the same each time: before a commit and after it,
between a commit and its answer, between a write to the feed and its mark. (Real kills: tests/jobs.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from crawler import testing
from crawler.events import ItemDropped, ItemFailed
from tests.engine.forked import in_a_process
from tests.engine.random_world import Made, World, settings_of
from tests.engine.virtual import VirtualThread, crawl, later

pytestmark = pytest.mark.process

KILLS = 12


class FileLikeFeed:
    """A feed that outlives the process, as a file does: opened again, it is cut back to its mark."""

    name = "memory"

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.number = 0

    def check(self) -> None:
        pass

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        self.number = mark["number"] if mark else 0
        del self.items[mark["length"] if mark else 0 :]

    def write(self, items: Sequence[Any], number: int) -> dict[str, Any]:
        self.items += items
        self.number = number
        return {"number": number, "length": len(self.items)}

    def committed(self, mark: dict[str, Any]) -> None:
        pass

    def close(self, *, finished: bool) -> dict[str, Any]:
        return self.write((), self.number)

    def count(self) -> int:
        return len(self.items)


@dataclass
class Kept:
    """What is outside the process, and what the test knows of it."""

    world: World
    settings: dict[str, Any]
    feed: FileLikeFeed = field(default_factory=FileLikeFeed)
    lost: set[str] = field(default_factory=set)
    summary: Any = None


def run_once(kept: Kept, job: Path, die: Callable[[Any], None], *, killed: float | None) -> Kept:
    """Begin or resume the crawl; it dies at a virtual time, if it lives until then."""
    rng = kept.world.random
    kept.world.new_run()

    def during(ready: Any) -> None:
        for kind in (ItemDropped, ItemFailed):
            ready.events.subscribe(kind, lambda event: kept.lost.add(event.item["id"]))
        if killed is not None:
            later(ready, killed, die, kept)

    testing.ListFeed = lambda: kept.feed  # type: ignore[assignment, misc]  # in the child only
    made = type("Made", (Made,), {"world": kept.world})
    thread = VirtualThread(rng.choice([0.0, 0.003, 0.2]), late=rng.choice([True, False]))
    window = rng.choice([1, 4, 64])
    result = crawl(
        made, kept.world.site, settings=kept.settings, job=job, latency=0.0, during=during, thread=thread, window=window
    )
    kept.summary = result.summary
    return kept


@pytest.mark.filterwarnings("ignore:.*fork")
@pytest.mark.parametrize("seed", range(16))
def test_a_crawl_killed_at_any_moment_feeds_every_item_once(seed: int, tmp_path: Path) -> None:
    survive(seed, tmp_path)


def survive(seed: int, tmp_path: Path) -> int:
    """Kill and resume the crawl of a seed, assert that nothing is lost or doubled; return how often it was killed."""
    world = World(seed)
    kept = Kept(world, settings_of(world))
    for run in range(KILLS + 1):
        rng = kept.world.random
        moment = rng.choice([0.0, 0.01, 0.2, 1.0, 3.0]) * rng.random() + run * run / 100
        kept = in_a_process(
            lambda die, kept=kept, killed=moment if run < KILLS else None: run_once(
                kept, tmp_path / "job", die, killed=killed
            )
        )
        if kept.summary is not None:
            break
    assert kept.summary.reason == "finished"
    assert kept.summary.problems == []
    fed = Counter(item["id"] for item in kept.feed.items)
    assert not {name for name, count in fed.items() if count > 1}
    # Which request a page was reached by, directly or redirected, may differ from run to run.
    yielded = {name for name in kept.world.yielded if not name.startswith("failed")}
    assert yielded <= set(fed) | kept.lost
    assert yielded == {name for name in never_killed(seed) if not name.startswith("failed")}
    return run


def never_killed(seed: int) -> set[str]:
    """Return the names of all items that the same crawl yields when nothing happens to it."""
    world = World(seed)
    crawl(type("Made", (Made,), {"world": world}), world.site, settings=settings_of(world), latency=0.0)
    return set(world.yielded)
