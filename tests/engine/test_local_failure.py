"""Is nothing lost, and nothing hidden, when this machine cannot keep what came?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crawler.errors import LocalFailure
from tests.engine.virtual import ROOT, Request, Response, crawl, spider


def walker(**members: Any) -> Any:
    def parse(self: Any, response: Response) -> Any:
        yield {"url": response.url}
        if response.url == ROOT:
            yield from (Request(f"{ROOT}{number}") for number in range(6))

    return spider(parse=parse, **members)


def full(request: Request) -> Any:
    return LocalFailure("a full disk") if request.url.endswith("/3") else "page"


@pytest.mark.parametrize("kept", [True, False])
def test_it_stops_the_crawl_and_leaves_the_request_undone(kept: bool, tmp_path: Path) -> None:
    job = tmp_path / "job" if kept else None
    stopped = crawl(walker(), full, job=job)
    assert (stopped.summary.reason, stopped.summary.exit_status) == ("local_failure", 1)
    assert stopped.summary.problems == ["a full disk"]
    assert stopped.summary.queued >= 1
    assert stopped.summary.errors == 0
    if job is not None:
        resumed = crawl(walker(), lambda _: "page", job=job)
        assert resumed.summary.reason == "finished"
        urls = [item["url"] for item in stopped.items + resumed.items]
        assert sorted(urls) == sorted([ROOT, *(f"{ROOT}{number}" for number in range(6))])


def test_an_inline_fetch_repeats_its_page(tmp_path: Path) -> None:
    async def parse(self: Any, response: Response) -> Any:
        more = await self.fetch(Request(f"{ROOT}3"))
        yield {"more": more.url}

    stopped = crawl(spider(parse=parse), full, job=tmp_path / "job")
    assert (stopped.items, stopped.summary.exit_status) == ([], 1)
    resumed = crawl(spider(parse=parse), lambda _: "page", job=tmp_path / "job")
    assert resumed.items == [{"more": f"{ROOT}3"}]


def test_robots_txt_that_cannot_be_kept(tmp_path: Path) -> None:
    def site(request: Request) -> Any:
        return LocalFailure("a full disk") if request.url.endswith("robots.txt") else "page"

    settings = {"ROBOTSTXT_OBEY": True}
    stopped = crawl(walker(), site, job=tmp_path / "job", settings=settings)
    assert (stopped.items, stopped.summary.exit_status, stopped.summary.problems) == ([], 1, ["a full disk"])
    assert len(crawl(walker(), lambda _: "page", job=tmp_path / "job", settings=settings).items) == 7
