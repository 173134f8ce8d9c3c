"""Has the feed of a Scrapy project every item once when its crawl is killed at any moment and resumed?"""

from __future__ import annotations

import random
import signal
import subprocess
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.docs.served import Page
from tests.jobs.running import end, wait_for
from tests.scrapy_projects.projects import PROJECTS
from tests.scrapy_projects.running import OURS, SCRAPY, Run, canonical, real_command, run_by
from tests.scrapy_projects.sites import named, shop
from tests.scrapy_projects.web import FakeWeb, fake_web

pytestmark = [
    pytest.mark.process,
    pytest.mark.slow,
    pytest.mark.skipif(not (SCRAPY / "scrapy").exists(), reason="Scrapy is not there: make scrapy-setup"),
]

KILLS = 3
IN_FLIGHT = 16
"""Requests under way at once, by Scrapy's default: what a kill may have asked for in vain."""


def start(*words: str, log: Path, cwd: Path) -> subprocess.Popen[bytes]:
    """Start the command in a project's folder."""
    with log.open("ab") as file:
        return subprocess.Popen([str(OURS), *words], cwd=cwd, stdout=file, stderr=file)


def crawl_killed(folder: Path, spider: str, web: FakeWeb, *, kills: int, pages: int) -> list[str]:
    """Crawl with SIGKILLs spread at random over ``pages`` requests; return the lines of the feed."""
    rng = random.Random(f"{spider} {kills}")
    log = folder.parent / "log"
    store = ("-s", "CRAWLER_JOB_DIR=jobs")
    process = start("crawl", spider, "--job", "k", "-O", "items.jsonl", *store, log=log, cwd=folder)
    for number in range(kills):
        goal = len(web.seen) + pages / (kills + 1) * rng.uniform(0.3, 1.0)
        wait_for(lambda goal=goal, running=process: len(web.seen) >= goal or running.poll() is not None)
        assert process.poll() is None, f"kill {number + 1} came too late: {log.read_text()[-3000:]}"
        end(process, signal.SIGKILL)
        process = start("resume", "k", *store, log=log, cwd=folder)
    assert process.wait(60) == 0, log.read_text()[-3000:]
    return (folder / "items.jsonl").read_text().splitlines()


@pytest.mark.parametrize(
    ("name", "spider", "site", "pages"),
    [
        ("named", "pages", partial(named.answer, pages=200), 200),
        ("shop", "products", partial(shop.answer, pages=20), 240),
    ],
)
def test_nothing_is_lost_and_nothing_double(
    name: str, spider: str, site: Page, pages: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy, run = PROJECTS[name].copier(), Run(("crawl", spider))
    copy(tmp_path / "real")
    whole = run_by(real_command(run), run, site=site, folder=tmp_path / "real", path="")
    copy(tmp_path / "ours")
    with fake_web(site) as (web, proxy):
        monkeypatch.setenv("http_proxy", proxy)
        lines = crawl_killed(tmp_path / "ours", spider, web, kills=KILLS, pages=pages)
        asked = Counter(seen[:2] for seen in web.seen)
    assert sorted(map(canonical, lines)) == whole.items
    assert set(asked) == {seen[:2] for seen in whole.requests}
    assert sum(asked.values()) - len(asked) <= KILLS * 3 * IN_FLIGHT
