"""A crawl from the command line: output, log, summary, exit status."""

from __future__ import annotations

import gc
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.model.cached import CachedPage
from crawler.storage.cache import CacheFile
from tests.commands.conftest import SPIDER, Crawler, Site, command, environment

pytestmark = pytest.mark.process


def test_a_crawl_writes_its_items_and_a_table(crawler: Crawler, spider_file: Path, site: Site, folder: Path) -> None:
    result = crawler("run", "pages.py", "-a", "limit=3", "-O", "a.jsonl", "-o", "b.csv", "-o", "c:xml")
    assert result.status == 0, result.err
    assert result.out == ""
    items = [json.loads(line) for line in (folder / "a.jsonl").read_text().splitlines()]
    assert [item["url"][-1] for item in items] == ["0", "1", "2", "3", "4", "5"]
    assert items[0]["limit"] == 3
    assert len((folder / "b.csv").read_text().splitlines()) == 7
    assert (folder / "c").read_text().count("<item>") == 6
    assert sorted(site.asked) == ["/0", "/1", "/2", "/3", "/4", "/5"]
    for words in ("INFO crawler: Crawling with pages", "Result  done", "Items   6", "Pages   6"):
        assert words in result.err
    assert not list((folder / ".crawler" / "jobs").glob("*.sqlite"))


def test_append_and_overwrite(crawler: Crawler, spider_file: Path, folder: Path) -> None:
    for expected, option in ((6, "-o"), (12, "-o"), (6, "-O")):
        assert crawler("runspider", "pages.py", option, "items.json").status == 0
        assert len(json.loads((folder / "items.json").read_text())) == expected


def test_stdout_is_for_items_alone(crawler: Crawler, spider_file: Path) -> None:
    result = crawler("run", "pages.py", "-o", "-")
    assert [json.loads(line)["limit"] for line in result.out.splitlines()] == [0] * 6
    assert "Result" in result.err


def test_json_log_lines(crawler: Crawler, spider_file: Path) -> None:
    result = crawler("run", "pages.py", "--log-format", "json", "-L", "DEBUG")
    records = [json.loads(line) for line in result.err.splitlines()]
    begun = next(record for record in records if record["message"].startswith("Crawling with"))
    assert {"time", "level", "logger", "message"} == set(begun)
    assert any(record["message"].startswith("200 <GET http://127.0.0.1") for record in records)


def test_a_log_file(crawler: Crawler, spider_file: Path, folder: Path) -> None:
    result = crawler("run", "pages.py", "--logfile", "crawl.log")
    assert "Crawling with pages" in (folder / "crawl.log").read_text()
    assert "Crawling with" not in result.err
    assert "Result  done" in result.err


def test_no_log_says_nothing(crawler: Crawler, spider_file: Path) -> None:
    assert crawler("run", "pages.py", "--nolog") == (0, "", "")


def test_the_summary_as_json(crawler: Crawler, spider_file: Path, folder: Path) -> None:
    assert crawler("run", "pages.py", "--summary", "s.json", "-o", "x.csv").status == 0
    summary = json.loads((folder / "s.json").read_text())
    assert (summary["spider"], summary["pages"], summary["items"], summary["exit_status"]) == ("pages", 6, 6, 0)
    assert summary["feeds"] == [{"path": "x.csv", "items": 6}]
    stats = summary["stats"]
    assert stats["downloader/response_status_count/200"] == 6
    assert stats["item_scraped_count"] == stats["response_received_count"] == stats["scheduler/dequeued"] == 6
    assert stats["finish_reason"] == "finished"
    assert stats["log_count/INFO"] >= 2


RAISING = "    def parse(self, response):\n        1 / 0\n"
FAILING = "    def parse(self, response):\n        yield response.follow('/nope')\n"
NOTHING_COMES = "    start_urls = ['http://127.0.0.1:1/']\n"


@pytest.mark.parametrize(
    ("code", "fail_on", "status"),
    [
        (RAISING, None, 1),
        (RAISING, "start", 0),
        (RAISING, "none", 0),
        (FAILING, None, 0),
        (FAILING, "any-download", 1),
        (NOTHING_COMES, None, 1),
        (NOTHING_COMES, "callback,item", 0),
    ],
)
def test_the_exit_status_follows_the_rule(
    crawler: Crawler, spider_file: Path, code: str, fail_on: str | None, status: int
) -> None:
    head = spider_file.read_text().partition("    def parse")[0]
    spider_file.write_text(head + code)
    options = ["--fail-on", fail_on] if fail_on else []
    result = crawler("run", "pages.py", "-s", "RETRY_ENABLED=no", *options)
    assert result.status == status, result.err


def test_a_callback_that_raises_is_logged_with_frames_and_url(crawler: Crawler, spider_file: Path, site: Site) -> None:
    spider_file.write_text(spider_file.read_text().partition("    def parse")[0] + RAISING)
    (line,) = [line for line in crawler("run", "pages.py").err.splitlines() if " ERROR " in line]
    assert f"parse on {site.url} failed: ZeroDivisionError: division by zero" in line
    assert line.endswith("pages.py:11 in parse: 1 / 0")


def test_a_limit_is_a_success(crawler: Crawler, spider_file: Path) -> None:
    result = crawler("run", "pages.py", "-s", "CLOSESPIDER_PAGECOUNT=2", "-s", "JOB_STORE=none")
    assert result.status == 0
    assert "closespider_pagecount" in result.err


def test_settings_of_scrapy_without_effect_are_named_once(crawler: Crawler, spider_file: Path) -> None:
    result = crawler("run", "pages.py", "-s", "LOG_COLOR=true")
    assert result.status == 0
    assert result.err.count("Settings of Scrapy without effect here: LOG_COLOR (command line)") == 1


def test_fetch_prints_what_came(crawler: Crawler, site: Site) -> None:
    base = site.url[:-1]
    assert crawler("fetch", f"{base}5") == (0, "<title>5</title>", "")
    assert crawler("fetch", f"{base}nope").status == 0
    shown = crawler("fetch", "--headers", f"{base}5").out.splitlines()
    assert f"> GET {base}5" in shown
    assert "< 200 HTTP/1.1" in shown
    assert "< Content-Type: text/html" in shown


def test_fetch_says_why_nothing_came(crawler: Crawler) -> None:
    result = crawler("fetch", "http://127.0.0.1:1/", "-s", "ROBOTSTXT_OBEY=no", "-s", "RETRY_ENABLED=no")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith("crawler: no response from http://127.0.0.1:1/: ConnectionFailed")
    assert len(result.err.splitlines()) == 1
    refused = crawler("fetch", "s3://bucket/key")
    assert refused.status == 1
    assert "s3://bucket/key: the request was refused (scheme: no downloader is enabled for s3:)" in refused.err


def test_the_cache_is_looked_at_and_emptied(crawler: Crawler, folder: Path) -> None:
    assert crawler("cache", "stats").out == ".crawler/cache.sqlite: 0 pages, 0 bytes\n"
    assert not (folder / ".crawler").exists()
    (folder / ".crawler").mkdir()
    cache = CacheFile(folder / ".crawler" / "cache.sqlite")
    page = CachedPage(url="http://a.example/", status=200, headers=[], sent=1e9, received=1e9, body=b"x" * 2000)
    cache.keep(b"key", page)
    cache.close()
    shown = crawler("cache", "stats").out
    assert shown.startswith(".crawler/cache.sqlite: 1 pages, ")
    assert "received between" in shown
    assert crawler("cache", "clear").out == "1 pages removed\n"
    assert json.loads(crawler("cache", "stats", "--json").out)["pages"] == 0
    alone = crawler("cache")
    assert (alone.status, alone.err) == (0, "")
    assert "stats" in alone.out
    assert crawler("cache", "stat").err == 'crawler: there is no command "cache stat"; did you mean "stats"?\n'


def test_a_terminal_has_a_live_line_and_whole_log_lines(spider_file: Path, site: Site, folder: Path) -> None:
    terminal, end = pty.openpty()
    arguments = command("run", "pages.py", "-O", "items.csv", "-s", "DOWNLOAD_DELAY=0.1")
    environ = environment() | {"TERM": "xterm", "COLUMNS": "100", "LINES": "30"}
    with subprocess.Popen(arguments, cwd=folder, env=environ, stderr=end, stdout=subprocess.PIPE) as process:
        os.close(end)
        shown = b""
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            shown += part
        assert process.wait(20) == 0
    os.close(terminal)
    text = shown.decode()
    assert " pages · " in text
    assert " pages/s · " in text
    assert "INFO crawler: Crawling with pages" in text
    assert "items.csv (6 items)" in text


def test_a_spider_that_asks_for_nothing_is_told_of(crawler: Crawler, folder: Path) -> None:
    (folder / "pages.py").write_text("from crawler import Spider\n\n\nclass Pages(Spider):\n    name = 'pages'\n")
    result = crawler("run", "pages.py", "-L", "WARNING")
    assert result.status == 0
    assert "WARNING crawler: The spider asked for nothing: start_urls is empty" in result.err


def test_a_shell_completes_commands_and_options(folder: Path) -> None:
    words = {"_CRAWLER_COMPLETE": "bash_complete", "COMP_WORDS": "crawler crawl --summ", "COMP_CWORD": "2"}
    done = subprocess.run(
        [Path(sys.executable).with_name("crawler")],
        cwd=folder,
        env=environment() | words,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("plain,--summary\n", "")


def test_one_start_url_may_be_written_without_a_list(crawler: Crawler, folder: Path, site: Site) -> None:
    (folder / "pages.py").write_text(SPIDER.format(url=site.url).replace(f'["{site.url}"]', f'"{site.url}"'))
    assert len(crawler("run", "pages.py", "-o", "-", "--nolog").out.splitlines()) == 6


HOLDING = """\
import logging
import threading
from crawler import Spider

told = threading.Event()


class Told(logging.Handler):
    def emit(self, record):
        if "has held the reactor" in record.getMessage():
            told.set()


class Pages(Spider):
    name = "pages"
    start_urls = ["{url}"]
    custom_settings = {{"ROBOTSTXT_OBEY": False}}

    def parse(self, response):
        logging.getLogger("crawler").addHandler(handler := Told())
        assert told.wait(20)
        logging.getLogger("crawler").removeHandler(handler)
"""


def test_a_callback_that_holds_the_reactor_is_told_with_its_line(process: Crawler, folder: Path, site: Site) -> None:
    (folder / "pages.py").write_text(HOLDING.format(url=site.url))
    result = process("run", "pages.py", "-L", "WARNING")
    assert result.status == 0, result.err
    (line,) = [line for line in result.err.splitlines() if "held the reactor" in line]
    said, frame = line.split(" | ")[:2]
    assert said.endswith("nothing else moves meanwhile")
    assert frame.endswith("pages.py:21 in parse: assert told.wait(20)")


def test_garbage_is_sought_seldom_while_a_crawl_runs(crawler: Crawler, folder: Path) -> None:
    """It costs a page of very many links a tenth of its time; a process that is not the crawl's is left as it was."""
    (folder / "garbage.py").write_text(
        "import gc\nfrom crawler import Spider\nclass Garbage(Spider):\n    name = 'garbage'\n"
        "    start_urls = ['data:text/html,<p>x']\n    def parse(self, response):\n"
        "        yield {'frozen': gc.get_freeze_count() > 10_000, 'at': gc.get_threshold()[0]}\n"
    )
    before = gc.get_threshold()
    result = crawler("run", "garbage.py", "-o", "-")
    assert json.loads(result.out) == {"frozen": True, "at": 10_000}
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
