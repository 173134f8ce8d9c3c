"""What failed of a crawl is listed, and fetched again: of one that has finished, too."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, jobs

PAGES, FAILING = 400, 40
SPIDER = """\
from crawler import Spider


class Shop(Spider):
    name = "shop"
    start_urls = ["{url}"]
    custom_settings = {{
        "ROBOTSTXT_OBEY": False, "RETRY_TIMES": 1, "RETRY_BACKOFF": 0, "THROTTLE_ENABLED": False, "FAIL_ON": [],
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
    }}

    def parse(self, response):
        yield from response.follow_all(css="a", callback=self.parse_page)

    def parse_page(self, response, lot="none"):
        yield {{"url": response.url.rpartition("/")[2]}}
        yield from response.follow_all(css="a", callback=self.parse_page)
"""
QUIET = ("-L", "ERROR")


class FailingSite(ThreadingHTTPServer):
    """A listing of 400 pages, 40 of which answer 503 until half of them are mended; these link to one more page each,
    and to one that was there before."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.asked: list[str] = []
        self.broken = set(range(0, PAGES, PAGES // FAILING))
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"
        self.on_page: Callable[[str], None] = lambda path: None

    def heal(self) -> None:
        self.broken = set(range(0, PAGES, 2 * (PAGES // FAILING)))
        self.asked.clear()

    def handle_error(self, *args: object) -> None:
        """A crawler that was killed has gone."""


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FailingSite

    def do_GET(self) -> None:
        site, name = self.server, self.path[1:]
        site.asked.append(name)
        site.on_page(name)
        links: list[object] = []
        if name == "":
            links = list(range(PAGES))
        elif name.isdigit() and int(name) % (PAGES // FAILING) == 0:
            links = [f"more{name}", 1]
        failing = name.isdigit() and int(name) in site.broken
        body = "".join(f'<a href="/{link}">x</a>' for link in links).encode()
        self.send_response(503 if failing else 200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def shop(outside: None, folder: Path) -> Iterator[FailingSite]:
    site = FailingSite()
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    (folder / "pages.py").write_text(SPIDER.format(url=site.url))
    yield site
    site.shutdown()
    site.server_close()
    thread.join()


def items(path: Path) -> list[str]:
    return sorted(json.loads(line)["url"] for line in path.read_text().splitlines())


def failed(crawler: Crawler, job: str = "mine") -> list[str]:
    """Return what `crawler jobs failed` lists."""
    return [each["url"].rpartition("/")[2] for each in json.loads(crawler("jobs", "failed", job, "--json").out)]


def expected(broken: set[int]) -> list[str]:
    """Return the items of a site of which these pages are broken."""
    mended = [f"more{number}" for number in range(0, PAGES, PAGES // FAILING) if number not in broken]
    return sorted([str(number) for number in range(PAGES) if number not in broken] + mended)


def test_what_failed_of_a_finished_crawl_joins_its_output(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    first = crawler("run", "pages.py", "-O", "items.jsonl", "--job", "mine", *QUIET)
    assert first.status == 0, first.err
    assert items(folder / "items.jsonl") == expected(shop.broken)
    assert not list((folder / ".crawler" / "jobs").iterdir())
    assert jobs(crawler) == [("mine", "finished")]
    assert failed(crawler) == [str(number) for number in sorted(shop.broken)]
    listed = crawler("jobs", "failed", "mine")
    assert listed.out.startswith(f"{shop.url}0\n  HttpError 503, 2 attempts, the last at 20")
    assert listed.out.count(f"  found on {shop.url}\n") == FAILING
    assert "40 requests failed; fetch again:  crawler resume mine --failed" in listed.err

    broken = shop.broken
    shop.heal()
    again = crawler("resume", "mine", "--failed", *QUIET)
    assert again.status == 0, again.err
    assert "40 requests that failed will be fetched again." in again.err
    assert items(folder / "items.jsonl") == expected(shop.broken)
    assert set(shop.asked) == {str(number) for number in broken} | {f"more{each}" for each in broken - shop.broken}
    assert "Failed    20 (20 status 503)" in again.err
    assert failed(crawler) == [str(number) for number in sorted(shop.broken)]
    assert jobs(crawler) == [("mine", "finished")]


def test_what_failed_of_a_stopped_job_is_queued_again(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    stop = ("-s", "CLOSESPIDER_PAGECOUNT=100", "-s", "RETRY_TIMES=0")
    assert crawler("run", "pages.py", "-O", "items.jsonl", "--job", "mine", *stop, *QUIET).status == 0
    before = failed(crawler)
    assert before
    shop.heal()
    again = crawler("resume", "mine", "--failed", "-s", "CLOSESPIDER_PAGECOUNT=0", *QUIET)
    assert again.status == 0, again.err
    assert f"{len(before)} requests that failed will be fetched again." in again.err
    assert set(before) <= set(shop.asked)
    assert items(folder / "items.jsonl") == expected(shop.broken)
    assert failed(crawler) == [str(number) for number in sorted(shop.broken)]


def test_a_crawl_that_failed_nowhere_says_so(crawler: Crawler, shop: FailingSite) -> None:
    shop.broken = set()
    assert crawler("run", "pages.py", "--job", "mine", *QUIET).status == 0
    assert "Nothing failed in job mine." in crawler("jobs", "failed", "mine").err
    again = crawler("resume", "mine", "--failed")
    assert (again.status, again.out) == (2, "")
    assert again.err == "crawler: nothing failed in job mine: there is nothing to fetch again\n"
    plain = crawler("resume", "mine")
    assert plain.err == "crawler: job mine is finished; there is nothing to resume\n"
    none = crawler("resume", "other", "--failed")
    assert (none.status, "no job 'other'" in none.err) == (2, True)


def test_a_finished_crawl_is_explained_and_removed(crawler: Crawler, shop: FailingSite) -> None:
    assert crawler("run", "pages.py", "--job", "mine", *QUIET).status == 0
    said = crawler("explain", f"{shop.url}10").out
    assert f"Accepted, found on {shop.url}." in said
    assert said.count(" gave 503\n") == 2
    assert "It failed: HttpError." in said
    assert "Answered: its callback yielded 1 item and 0 requests." in crawler("explain", f"{shop.url}1").out
    assert "`crawler resume mine --failed` fetches again what failed (40)" in crawler("resume", "mine").err
    assert crawler("jobs", "rm", "mine").status == 0
    assert jobs(crawler) == []
    assert "no job 'mine'" in crawler("jobs", "rm", "mine").err


def test_secrets_of_the_command_are_not_kept(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    (folder / "pages.py").write_text(
        (folder / "pages.py").read_text().replace("    name", "    api_token: str\n    name")
    )
    secrets = ("-a", "api_token=hush-hush", "-s", 'HTTP_AUTH={"http://a.example": "me:hush-hush"}')
    assert crawler("run", "pages.py", "--job", "mine", *secrets, *QUIET).status == 0
    [path] = (folder / ".crawler" / "history").iterdir()
    from crawler.storage.history import read_run

    assert "hush-hush" not in repr(read_run(path))
    missing = crawler("resume", "mine", "--failed", *QUIET)
    assert missing.status == 2
    assert "give -a api_token=… again" in missing.err
    shop.heal()
    again = crawler("resume", "mine", "--failed", "-a", "api_token=new", *QUIET)
    assert again.status == 0, again.err
    assert "does not keep its HTTP_AUTH" in again.err


def test_no_history_is_kept_where_none_is_wanted(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    for name in ("JOB_HISTORY_DAYS", "JOB_HISTORY_RUNS"):
        assert crawler("run", "pages.py", "--job", "mine", "-s", f"{name}=0", *QUIET).status == 0
    assert jobs(crawler) == []
    assert not (folder / ".crawler" / "history").exists()


def test_a_kept_job_whose_process_was_killed_before_its_history_leaves_one_to_the_next(
    crawler: Crawler, shop: FailingSite, folder: Path
) -> None:
    assert crawler("run", "pages.py", "--job", "mine", "-s", "JOB_KEEP=true", *QUIET).status == 0
    [kept] = (folder / ".crawler" / "history").iterdir()
    kept.unlink()
    assert failed(crawler) == [str(number) for number in sorted(shop.broken)]
    shop.heal()
    assert crawler("run", "pages.py", "--job", "mine", *QUIET).status == 0
    assert [state for _, state in jobs(crawler)] == ["finished", "finished"]


def test_a_history_that_is_damaged_is_listed_as_that(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    assert crawler("run", "pages.py", "--job", "mine", *QUIET).status == 0
    [path] = (folder / ".crawler" / "history").iterdir()
    path.write_bytes(path.read_bytes()[:30])
    assert jobs(crawler) == [("mine", "damaged")]
    assert crawler("resume", "mine", "--failed").status == 2
    assert crawler("jobs", "rm", "mine").status == 0
    assert jobs(crawler) == []


def test_an_output_that_was_moved_away_is_begun_anew(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    assert crawler("run", "pages.py", "-O", "items.json", "--job", "mine", *QUIET).status == 0
    (folder / "items.json").rename(folder / "before.json")
    shop.heal()
    assert crawler("resume", "mine", "--failed", *QUIET).status == 0
    assert len(json.loads((folder / "items.json").read_text())) == 2 * FAILING // 2
    assert len(json.loads((folder / "before.json").read_text())) == PAGES - FAILING
