"""Does a pickle that somebody planted in a job or a cache ever run, and does a name lead out of its folder?"""

from __future__ import annotations

import pickle
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from crawler.assembly import prepare, real_world
from crawler.assembly.job import JobPlan
from crawler.errors import CrawlerError
from crawler.model.response import Response
from crawler.spider import Spider
from tests.download.reactor import reactor, run
from tests.security.support import QUICK, Everything, crawl, page, sites

pytestmark = pytest.mark.process

RAN: list[str] = []


def boom(text: str) -> str:
    """Tell that the planted code ran."""
    RAN.append(text)
    return text


class Planted:
    def __reduce__(self) -> Any:
        return boom, ("it ran",)


def poison(file: Path) -> int:
    """Put a pickle in place of every stored value; return of how many."""
    count = 0
    with sqlite3.connect(file) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        for table in tables:
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            for number, column in enumerate(columns):
                done = database.execute(
                    f"UPDATE OR IGNORE {table} SET {column} = ? WHERE typeof({column}) = 'blob'",
                    (pickle.dumps(Planted(), (0, 2, 5)[number % 3]),),
                )
                count += done.rowcount
    database.close()
    return count


def test_it_would_run_if_it_were_loaded() -> None:
    RAN.clear()
    pickle.loads(pickle.dumps(Planted()))  # noqa: S301 - the proof that the bait works
    assert RAN == ["it ran"]
    RAN.clear()


class Walk(Spider):
    name = "walk"
    site = ""

    async def start(self) -> Any:
        from crawler import Request

        for number in range(30):
            yield Request(f"{self.site}{number}", meta={"number": number}, cb_kwargs={"kind": "x"})

    def parse(self, response: Response, kind: str) -> Any:
        yield {"url": response.url}


def test_a_pickle_in_a_job(tmp_path: Path) -> None:
    RAN.clear()
    settings = {**QUICK, "JOB_STORE": "sqlite", "JOB_DIR": str(tmp_path), "JOB_NAME": "planted", "JOB_KEEP": True}
    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(lambda path, request: page())
        spider = type("Walk", (Walk,), {"site": site.url()})
        stopped = {**settings, "CLOSESPIDER_PAGECOUNT": 3, "CONCURRENT_REQUESTS": 1}
        run(prepare(spider, stopped, world=real_world(reactor), feeds=[]).run())
        (file,) = (path for path in tmp_path.iterdir() if path.suffix == ".sqlite" or path.stat().st_size > 4096)
        assert poison(file) > 5
        try:
            prepared = prepare(spider, settings, world=real_world(reactor), feeds=[], plan=JobPlan(resume="planted"))
            summary = run(prepared.run())
        except CrawlerError as error:
            said = str(error)
        else:
            said = " ".join(summary.problems) or summary.reason
        assert said
        assert RAN == []


def test_a_pickle_in_the_cache(tmp_path: Path) -> None:
    RAN.clear()
    settings = {
        "HTTPCACHE_ENABLED": True,
        "HTTPCACHE_POLICY": "everything",
        "HTTPCACHE_FILE": str(tmp_path / "cache.sqlite"),
    }
    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(lambda path, request: page())
        spider = type("Walk", (Walk,), {"site": site.url()})
        assert len(crawl(spider, settings).items) == 30
        asked = len(site.requests)
        assert poison(tmp_path / "cache.sqlite") >= 30
        assert len(crawl(spider, settings).items) == 30
        assert len(site.requests) > asked  # a page that cannot be read is fetched again
        assert RAN == []


NAMES = ["../../outside", "/tmp/outside", "..", "a/../../b", "a\0b", "a\nb", "con\\..\\x", "é" * 300]


@pytest.mark.parametrize("name", NAMES)
def test_a_spiders_name_stays_in_the_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = tmp_path / "a" / "b" / "project"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    settings = {
        **QUICK,
        "JOB_STORE": "sqlite",
        "JOB_DIR": str(inside / "jobs"),
        "JOB_KEEP": True,
        "FEEDS": {str(inside / "out" / "%(name)s-%(kind)s.jl"): {}},
    }
    (inside / "out").mkdir()
    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(lambda path, request: page())
        spider = type("Walk", (Walk,), {"site": site.url(), "name": name, "kind": name})
        try:
            run(prepare(spider, settings, world=real_world(reactor)).run())
        except CrawlerError:
            pass  # refusing the name is an answer, too
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    places = [inside / "jobs", inside / "jobs.history"]
    assert all(path.parent == inside / "out" or any(map(path.is_relative_to, places)) for path in written), written
    assert not Path("/tmp/outside").exists()
