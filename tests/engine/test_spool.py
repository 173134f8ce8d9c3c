"""Does a callback that yields very many requests keep them out of memory, and lose or double none?"""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from crawler.storage import commit
from tests.engine.random_world import PAGES, Made, World, check_once, settings_of
from tests.engine.virtual import ROOT, Request, Response, Spider, any_page, balanced, crawl, later, spider


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.engine.deciding.results.SPOOL", 5)
    monkeypatch.setattr(commit, "SPILL", 7)


def many(self: Spider, response: Response) -> Any:
    if response.url == ROOT:
        for n in range(300):
            yield Request(f"http://{'ab'[n % 2]}.test/{n % 250}", priority=n % 3)
    yield {"url": response.url}


def urls(result: Any) -> Counter[str]:
    return Counter(item["url"] for item in result.items)


@pytest.mark.parametrize("job", [False, True])
def test_each_of_very_many_is_fetched_once(job: bool, tmp_path: Path) -> None:
    result = crawl(spider(parse=many), any_page, job=tmp_path / "job" if job else None)
    assert result.summary.reason == "finished"
    assert urls(result) == Counter([ROOT, *(f"http://{'ab'[n % 2]}.test/{n}" for n in range(250))])
    assert balanced(result)
    stats = result.summary.stats
    assert (stats["scheduler/enqueued"], stats["dupefilter/filtered"]) == (251, 50)


def test_the_order_is_that_of_priorities(tmp_path: Path) -> None:
    result = crawl(
        spider(parse=many), any_page, job=tmp_path / "job", settings={"CONCURRENT_REQUESTS": 1, "DOWNLOAD_DELAY": 1.0}
    )
    ranks = [int(url.rsplit("/", 1)[1]) % 3 for url in result.urls[1:] if "a.test" in url]
    assert ranks == sorted(ranks, reverse=True)


def test_what_was_staged_when_the_crawl_was_killed_is_staged_again(tmp_path: Path) -> None:
    async def parse(self: Spider, response: Response) -> Any:
        for result in many(self, response):
            await asyncio.sleep(0.01 if response.url == ROOT else 0)
            yield result

    made, keep = spider(parse=parse), {"JOB_KEEP": True}
    first = crawl(
        made, any_page, job=tmp_path / "job", settings=keep, during=lambda ready: later(ready, 1, ready.stop_now)
    )
    assert first.items == []
    second = crawl(made, any_page, job=tmp_path / "job", settings=keep)
    assert len(second.items) == len(urls(second)) == 251
    assert balanced(second)


@pytest.mark.parametrize("seed", range(30, 50))
def test_a_random_crawl_that_spools(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.engine.deciding.results.SPOOL", 2)
    world = World(seed)
    world.kind = {n: kind if kind != "carried" else "generator" for n, kind in world.kind.items()}
    made = type("Made", (Made,), {"world": world})
    settings, items, results = settings_of(world), [], []
    for run in range(60):
        world.new_run()
        result = crawl(
            made, world.site, settings=settings, job=tmp_path / "job", latency=0.0,
            during=lambda ready, when=run * run / 4: later(ready, when, ready.stop), window=world.random.choice([1, 4]),
        )  # fmt: skip
        assert result.summary.problems == []
        items += result.items
        results.append(result)
        if result.summary.reason == "finished":
            break
    assert result.summary.reason == "finished"
    assert len(world.run) <= PAGES
    check_once(world, items, results)
