"""What failed of a crawl of many workers is listed, and fetched again by many workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.storage import history
from tests.commands.conftest import Result, command, environment
from tests.commands.failing_site import FAILING, SPIDER, FailingSite, expected, failing_site, items

pytestmark = pytest.mark.process


@pytest.fixture
def shop(tmp_path: Path, program: str) -> Iterator[FailingSite]:
    with failing_site() as site:
        (tmp_path / "pages.py").write_text(SPIDER.format(url=site.url))
        yield site


def run(folder: Path, *words: str) -> Result:
    done = subprocess.run(
        command(*words), cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    return Result(done.returncode, done.stdout, done.stderr)


def failed(folder: Path) -> list[str]:
    return [each["url"].rpartition("/")[2] for each in json.loads(run(folder, "jobs", "failed", "mine", "--json").out)]


def states(folder: Path) -> list[tuple[str, int]]:
    return [(job["state"], job["queued"]) for job in json.loads(run(folder, "jobs", "--json").out)]


CRAWL = (
    "run",
    "pages.py",
    "-O",
    "items.jsonl",
    "--job",
    "mine",
    "--workers",
    "2",
    "-L",
    "ERROR",
    "-s",
    "JOB_LEASE_SECONDS=3",
)


@pytest.mark.slow
def test_what_failed_of_a_finished_job_of_many_joins_its_output(shop: FailingSite, tmp_path: Path) -> None:
    assert run(tmp_path, *CRAWL).status == 0
    assert items(tmp_path / "items.jsonl") == expected(shop.broken)
    before = shop.broken
    assert sorted(map(int, failed(tmp_path))) == sorted(before)
    [first] = history.runs(tmp_path / ".crawler" / "jobs")
    pages = {page.url for page in history.pages(first)}
    assert (first.apart, first.failed, len(pages)) == (True, FAILING, 401)
    assert sum(path.stat().st_size for path in (tmp_path / ".crawler" / "jobs.history").iterdir()) < 60 * 401
    shop.heal()
    again = run(tmp_path, "resume", "mine", "--failed", "-L", "ERROR")
    assert again.status == 0, again.err
    assert items(tmp_path / "items.jsonl") == expected(shop.broken)
    assert set(shop.asked) == {str(number) for number in before} | {f"more{each}" for each in before - shop.broken}
    assert not list((tmp_path / ".crawler" / "jobs").iterdir())
    [second] = history.runs(tmp_path / ".crawler" / "jobs")
    assert {int(each.url.rpartition("/")[2]) for each in history.failed(second)} == shop.broken
    assert {page.url for page in history.pages(second)} == pages | {f"{shop.url}more{n}" for n in before - shop.broken}


@pytest.mark.slow
def test_a_starter_that_is_killed_in_the_middle_of_fetching_again_costs_no_item(
    shop: FailingSite, tmp_path: Path
) -> None:
    assert run(tmp_path, *CRAWL).status == 0
    before = shop.broken
    shop.heal()
    words = command("resume", "mine", "--failed", "-s", "CONCURRENT_REQUESTS=2", "-L", "ERROR")
    killed = subprocess.Popen(words, cwd=tmp_path, env=environment(), stderr=subprocess.DEVNULL)
    shop.on_page = lambda path: os.kill(killed.pid, signal.SIGKILL) if len(shop.asked) == FAILING // 2 else None
    assert killed.wait(60) == -signal.SIGKILL
    assert run(tmp_path, "resume", "mine", "-L", "ERROR").status == 0
    assert items(tmp_path / "items.jsonl") == expected(shop.broken)
    assert set(shop.asked) == {str(number) for number in before} | {f"more{each}" for each in before - shop.broken}
    assert states(tmp_path) == [("finished", 0)]


@pytest.mark.slow
def test_what_failed_of_a_stopped_job_of_many_is_queued_again(shop: FailingSite, tmp_path: Path) -> None:
    stop = ("-s", "CLOSESPIDER_PAGECOUNT=100", "-s", "RETRY_TIMES=0")
    assert run(tmp_path, *CRAWL, *stop).status == 0
    before, [(state, queued)] = failed(tmp_path), states(tmp_path)
    assert (state, bool(before)) == ("stopped", True)
    shop.heal()
    again = run(tmp_path, "resume", "mine", "--failed", "-s", "CLOSESPIDER_PAGECOUNT=0", "-L", "ERROR")
    assert again.status == 0, again.err
    assert f"{len(before)} requests that failed will be fetched again." in again.err
    assert set(before) <= set(shop.asked)
    assert queued <= len(shop.asked) - len(before)
    assert items(tmp_path / "items.jsonl") == expected(shop.broken)
    assert sorted(map(int, failed(tmp_path))) == sorted(shop.broken)
