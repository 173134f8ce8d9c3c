"""Do several spiders run at once, each with a job and outputs of its own?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler

SPIDERS = """\
import os
import signal

from twisted.internet.task import deferLater

from crawler import Spider


class One(Spider):
    name = "one"
    start_urls = [f"data:,{number}" for number in range(20)]
    seen: set[str] = set()

    async def parse(self, response):
        from crawler.commands import running  # the reactor of this test

        self.seen.add(self.name)
        if response.text == "10":
            for _ in range(1000):
                await deferLater(running.install_reactor(), 0.01)
                if len(self.seen) == 2:
                    break
            else:
                raise RuntimeError("the other does not run meanwhile")
        yield {"spider": self.name}


class Two(One):
    name = "two"


class Bad(One):
    name = "bad"

    def parse(self, response):
        1 / 0


class Interrupted(One):
    name = "interrupted"
    start_urls = ["data:,x", "data:,y"]

    def parse(self, response):
        os.kill(os.getpid(), signal.SIGINT)


class Waiting(One):
    name = "waiting"

    async def start(self):
        from crawler import Request
        from crawler.commands import running

        for number in range(1000):
            yield Request(f"data:,{number}")
            await deferLater(running.install_reactor(), 0.01)

    def parse(self, response):
        pass


class Refusing:
    def open_spider(self, spider):
        raise ValueError("no database")

    def process_item(self, item):
        return item


class Unopened(One):
    name = "unopened"
    custom_settings = {"PIPELINES": [Refusing]}


class Picky(One):
    name = "picky"
    wanted: str = ""

"""


@pytest.fixture
def shop(project: Path) -> Path:
    (project / "spiders" / "several.py").write_text(SPIDERS)
    return project


def test_both_run_meanwhile_each_into_its_own_output(crawler: Crawler, shop: Path) -> None:
    done = crawler(
        "crawl", "one", "two", "-O", "%(name)s.jsonl", "--summary", "%(name)s.json", "--warc", "%(name)s.warc", cwd=shop
    )
    assert (done.status, done.out) == (0, ""), done.err
    for name in ("one", "two"):
        lines = (shop / f"{name}.jsonl").read_text().splitlines()
        assert [json.loads(line) for line in lines] == [{"spider": name}] * 20
        assert json.loads((shop / f"{name}.json").read_text())["items"] == 20
        assert (shop / f"{name}.warc").exists()
        assert f"Spider  {name}" in done.err
        assert f"Wrote 20 items to {name}.jsonl" in done.err
        assert f"Output  {name}.jsonl (20 items)" in done.err
    assert [state for _, state in jobs_in(crawler, shop)] == ["finished"] * 2


def test_the_status_is_the_worst_and_the_others_are_done(crawler: Crawler, shop: Path) -> None:
    done = crawler("crawl", "one", "two", "bad", "-O", "%(name)s.jsonl", "--summary", "%(name)s.json", cwd=shop)
    assert done.status == 1
    reasons = [json.loads((shop / f"{name}.json").read_text())["exit_status"] for name in ("one", "two", "bad")]
    assert reasons == [0, 0, 1]


def test_one_that_cannot_be_opened_does_not_hide_the_others(crawler: Crawler, shop: Path) -> None:
    done = crawler("crawl", "unopened", "one", "two", "-O", "%(name)s.jsonl", cwd=shop)
    assert (done.status, "The crawl of unopened failed: ValueError: no database" in done.err) == (1, True), done.err
    assert len((shop / "one.jsonl").read_text().splitlines()) == 20


def test_ctrl_c_stops_all_and_each_can_go_on(crawler: Crawler, shop: Path) -> None:
    done = crawler("crawl", "interrupted", "waiting", "--job", "now-%(name)s", cwd=shop)
    assert done.status == 130
    assert sorted(jobs_in(crawler, shop)) == [("now-interrupted", "stopped"), ("now-waiting", "stopped")]
    assert "crawler resume now-waiting" in done.err


def jobs_in(crawler: Crawler, shop: Path) -> list[tuple[str, str]]:
    return [(job["name"], job["state"]) for job in json.loads(crawler("jobs", "--json", cwd=shop).out)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["one", "two", "-O", "x.jsonl"], "one and two would both have the output x.jsonl; %(name)s in it"),
        (["one", "two", "-o", "-"], "one and two would both have the output -"),
        (["one", "two", "--job", "x"], "one and two would both have --job x"),
        (["one", "two", "--warc", "x.warc"], "one and two would both have --warc x.warc"),
        (
            ["one", "two", "--status-port", "8123"],
            "one and two would both have port 8123 for its status page; `--status` alone gives each a port of its own",
        ),
        (["one", "two", "--summary", "x.json"], "one and two would both have --summary x.json"),
        (["one", "two", "-O", "%(name)s.x:json", "--summary", "%(name)s.x"], "--summary one.x are one file"),
        (["one", "two", "one"], "the spider one is given twice"),
        (["one", "none"], 'no spider is named "none"'),
        (["one", "two", "--workers", "2"], "give each its own command"),
        (["picky", "one", "-a", "wanted=x"], "spider one has no argument wanted"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(
    crawler: Crawler, shop: Path, arguments: list[str], said: str
) -> None:
    done = crawler("crawl", *arguments, cwd=shop)
    assert (done.status, said in done.err) == (2, True), done.err
    assert jobs_in(crawler, shop) == []
