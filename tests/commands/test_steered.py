"""Does a crawl of a command do what is asked of it while it runs, and does its job know that?"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crawler.storage.jobs import job_path
from crawler.storage.trace import facts
from tests.commands.conftest import Crawler, environment

FILE = """\
from crawler import Drop, Request, Spider


def no_seven(request, found_on):
    return Drop("seven", "not this one") if request.url.endswith("7") else request


class Asking(Spider):
    name = "asking"
    custom_settings = {"REQUEST_FILTERS": [no_seven], "SCHEMES": {}}

    async def start(self):
        yield Request("data:,first")
        await self.crawler.idle()
        yield Request("data:,second")

    async def parse(self, response):
        if response.url.endswith("second"):
            for url in ("data:,first", "http://a.test/7", "http://a.test/8", "no url"):
                try:
                    for line in await self.crawler.control.explain(url):
                        yield {"url": url, "line": line}
                except Exception as error:
                    yield {"url": url, "line": f"{type(error).__name__}: {error}"}
"""


def test_a_running_crawl_explains_urls_by_its_job(crawler: Crawler, folder: Path) -> None:
    (folder / "asking.py").write_text(FILE)
    settings = ("-s", "JOB_COMMIT_SECONDS=0", "-s", "CONCURRENT_REQUESTS=1")
    done = crawler("run", "asking.py", "-o", "-", "--nolog", *settings)
    assert done.status == 0, done.err
    assert "data:,first in job" in done.out
    assert "(running)" in done.out
    assert "Accepted, from start()." in done.out
    assert "By the settings it is refused: seven: not this one." in done.out
    assert "No page that was answered has yielded a request for it" in done.out
    assert "SteeringError: no url is no URL that can be asked for" in done.out


LIVE = """\
from crawler import Spider


class Changing(Spider):
    name = "changing"
    start_urls = [f"data:,{n}" for n in range(6)]
    custom_settings = {"CONCURRENT_REQUESTS": 1}

    def parse(self, response):
        control = self.crawler.control
        if response.url == "data:,2" and not self.crawler.stats.get_value("resumed"):
            control.set("CLOSESPIDER_PAGECOUNT", "4", host=None, who="page")
            control.set("DOWNLOAD_DELAY", "0.25", host=None, who="page")
            control.pause("late.test", who="attach root")
            control.stop(who="page")
        live = control.live()
        yield {"delay": live["DOWNLOAD_DELAY"].value, "who": live["DOWNLOAD_DELAY"].who,
               "pages": live["CLOSESPIDER_PAGECOUNT"].value}
"""


@pytest.fixture
def stopped(crawler: Crawler, folder: Path) -> Path:
    """A job that was stopped after settings of it had been changed."""
    (folder / "changing.py").write_text(LIVE)
    assert crawler("run", "changing.py", "--job", "live", "-o", "items.jsonl").status == 130
    return folder


def items(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]


def test_a_resume_says_what_was_changed_live_and_by_whom(crawler: Crawler, stopped: Path) -> None:
    done = crawler("resume", "live")
    assert "Settings changed while the crawl ran: CLOSESPIDER_PAGECOUNT = 4 (set live by page, 20" in done.err
    assert "DOWNLOAD_DELAY = 0.25 (set live by page, 20" in done.err
    assert "Nothing is sent to late.test: paused, set live by attach root, 20" in done.err
    assert [(item["delay"], item["who"]) for item in items(stopped)[3:]] == [(0.25, "page")] * 3


def test_the_settings_of_a_job_are_shown_with_who_has_changed_them(crawler: Crawler, stopped: Path) -> None:
    shown = crawler("settings", "--job", "live", "--changed").out
    assert "DOWNLOAD_DELAY = 0.25\n" not in shown
    assert "DOWNLOAD_DELAY = 0.25 (float; set live by page, 20" in shown
    assert "CONCURRENT_REQUESTS = 1 (int; spider changing)" in shown
    typed = crawler("settings", "--job", "live", "DOWNLOAD_DELAY", "-s", "DOWNLOAD_DELAY=3").out
    assert "DOWNLOAD_DELAY = 3.0 (float; command line)" in typed


def test_what_a_resume_is_given_wins_over_it_and_takes_its_place(crawler: Crawler, stopped: Path) -> None:
    done = crawler("resume", "live", "-s", "DOWNLOAD_DELAY=0.125", "-s", "CLOSESPIDER_PAGECOUNT=1")
    assert "DOWNLOAD_DELAY = 0.25 (set live by page, 20" in done.err
    assert "gives way to what this run was given" in done.err
    assert {(item["delay"], item["who"]) for item in items(stopped)[3:]} == {(0.125, "")}
    path = job_path(stopped / ".crawler" / "jobs", "live")
    assert facts(path, "live:DOWNLOAD_DELAY", "live:CLOSESPIDER_PAGECOUNT") == {}
    assert list(facts(path, "live:paused@late.test")) == ["live:paused@late.test"]


DROPPING = """\
import os
import signal
from crawler import Request, RequestEnded, RequestScheduled, Spider


class Dropping(Spider):
    name = "dropping"
    custom_settings = {"JOB_KEEP": True, "JOB_WINDOW": 16, "ROBOTSTXT_OBEY": False, "JOB_COMMIT_SECONDS": 0.001}
    queued = dropped = 0

    async def start(self):
        self.crawler.control.pause("127.0.0.1", who="page")
        yield Request("data:,links")

    def parse(self, response):
        self.crawler.events.subscribe(RequestScheduled, self.scheduled)
        self.crawler.events.subscribe(RequestEnded, self.ended)
        for number in range(400):
            yield Request(f"http://127.0.0.1:9/{number}")

    def scheduled(self, event):
        self.queued += 1
        if self.queued == 400:
            self.crawler.control.drop("127.0.0.1", who="page")

    def ended(self, event):
        self.dropped += event.reason == "by_hand"
        if self.dropped == 150:
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_drop_that_a_kill_cut_short_is_whole_after_a_resume(folder: Path) -> None:
    (folder / "dropping.py").write_text(DROPPING)
    command = [sys.executable, "-m", "crawler"]
    options: dict[str, Any] = {"cwd": folder, "env": environment(), "capture_output": True, "text": True, "timeout": 60}
    killed = subprocess.run([*command, "run", "dropping.py", "--job", "drop"], **options)
    assert killed.returncode == -signal.SIGKILL
    path = job_path(folder / ".crawler" / "jobs", "drop")
    assert 100 <= states(path)["by_hand"] < 400
    resumed = subprocess.run([*command, "resume", "drop"], **options)
    assert (resumed.returncode, "Nothing is sent to 127.0.0.1: paused" in resumed.stderr) == (0, True), resumed.stderr
    assert states(path) == {"by_hand": 400, None: 1}
    assert facts(path, "live:dropping@127.0.0.1") == {}


def states(path: Path) -> dict[str | None, int]:
    """Return how many requests of a job have ended, by the reason."""
    with closing(sqlite3.connect(path)) as sql:
        return dict(sql.execute("SELECT reason, count(*) FROM requests WHERE state > 0 GROUP BY reason"))
