"""Can a job go on whose start() raised?"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crawler import Request, Response, Spider
from crawler.assembly import prepare, real_world
from crawler.assembly.job import JobPlan
from crawler.storage.jobs import list_jobs
from crawler.summary import Summary
from tests.download.reactor import reactor, run


class Listed(Spider):
    """Goes through a list that breaks off before its item number ``gap``."""

    name = "listed"
    gap = 3
    ran = 0

    async def start(self) -> AsyncIterator[Any]:
        type(self).ran += 1
        for number in range(6):
            if number == self.gap:
                raise OSError("the list is gone")
            yield Request(f"data:,{number}")

    def parse(self, response: Response) -> Any:
        yield {"text": response.text}


class OneBad(Listed):
    """Yields something that is no request."""

    async def start(self) -> AsyncIterator[Any]:
        yield Request("data:,0")
        yield 5
        yield Request("data:,1")


def crawl(folder: Path, spider: type[Spider], *, resume: str | None = None, **more: Any) -> Summary:
    settings = {"JOB_DIR": str(folder), "JOB_NAME": "nightly", "FEEDS": {str(folder / "out.jsonl"): {}}, **more}
    summary = run(prepare(spider, settings, world=real_world(reactor), plan=JobPlan(resume=resume)).run())
    assert isinstance(summary, Summary)
    return summary


def texts(folder: Path) -> list[str]:
    return sorted(json.loads(line)["text"] for line in (folder / "out.jsonl").read_text().splitlines())


@pytest.mark.parametrize("keep", [True, False])
def test_a_job_whose_start_raised_late_goes_on_where_that_was(tmp_path: Path, keep: bool) -> None:
    spider: Any = type("Late", (Listed,), {})
    summary = crawl(tmp_path, spider, JOB_KEEP=keep)
    assert (summary.reason, summary.exit_status, summary.resumable) == ("finished", 1, True)
    assert [(job.name, job.state, job.reason) for job in list_jobs(tmp_path)] == [("nightly", "stopped", "start_error")]
    assert texts(tmp_path) == ["0", "1", "2"]

    spider.gap = 5
    summary = crawl(tmp_path, spider, resume="nightly", JOB_KEEP=keep)
    assert (summary.exit_status, summary.resumable, len(list_jobs(tmp_path))) == (1, True, 1)

    spider.gap = 0
    summary = crawl(tmp_path, spider, resume="nightly", JOB_KEEP=keep)
    assert (summary.exit_status, summary.resumable) == (1, True)

    spider.gap = None
    summary = crawl(tmp_path, spider, resume="nightly", JOB_KEEP=keep)
    assert (summary.exit_status, summary.resumable) == (0, False)
    assert spider.ran == 4
    assert texts(tmp_path) == ["0", "1", "2", "3", "4", "5"]
    assert [job.state for job in list_jobs(tmp_path)] == ["finished"] * keep


def test_a_job_whose_start_raised_before_all_else_leaves_nothing(tmp_path: Path) -> None:
    spider: Any = type("AtOnce", (Listed,), {"gap": 0})
    summary = crawl(tmp_path, spider)
    assert (summary.exit_status, summary.resumable) == (1, False)
    assert list_jobs(tmp_path) == []


def test_a_bad_result_of_start_does_not_keep_the_job(tmp_path: Path) -> None:
    summary = crawl(tmp_path, OneBad)
    assert (summary.exit_status, summary.resumable) == (1, False)
    assert texts(tmp_path) == ["0", "1"]
    assert list_jobs(tmp_path) == []
