"""A crawl that is stopped or killed goes on, and its feeds are whole."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, Site, command, environment, items, jobs

pytestmark = pytest.mark.process

Started = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def started(folder: Path) -> Iterator[Started]:
    """Start a command and leave it running."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command(*arguments),
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def when(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def read_until(process: subprocess.Popen[str], words: str) -> None:
    """Read what it says up to a line with these words."""
    assert process.stderr is not None
    said = []
    while words not in (line := process.stderr.readline()):
        said.append(line)
        assert line, "".join(said)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_finishes_what_is_in_flight(
    crawler: Crawler, started: Started, spider_file: Path, site: Site, folder: Path, number: signal.Signals
) -> None:
    site.held = "/2"
    site.hold.clear()
    process = started("run", "pages.py", "-O", "items.jsonl", "--job", "mine")
    when(lambda: "/2" in site.asked)
    process.send_signal(number)
    read_until(process, "once more stops now")
    site.hold.set()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Go on with  crawler resume mine" in err
    assert items(folder / "items.jsonl") == ["0", "1", "2"]
    assert jobs(crawler) == [("mine", "stopped")]
    listed = crawler("jobs").out.splitlines()[1].split()
    assert listed[:7] == ["mine", "pages", "stopped", "(shutdown)", "3", "1", "3"]

    resumed = crawler("resume")
    assert resumed.status == 0, resumed.err
    assert "Resuming pages, job mine" in resumed.err
    assert items(folder / "items.jsonl") == ["0", "1", "2", "3", "4", "5"]
    assert sorted(site.asked) == ["/0", "/1", "/2", "/3", "/4", "/5"]
    assert jobs(crawler) == [("mine", "finished")]


def test_the_second_signal_stops_now(started: Started, spider_file: Path, site: Site) -> None:
    site.hold.clear()
    process = started("run", "pages.py")
    when(lambda: site.asked)
    for words in ("once more stops now", "Stopping now"):
        process.send_signal(signal.SIGINT)
        read_until(process, words)
    process.communicate(timeout=60)
    assert process.returncode == 130


def test_user_code_that_holds_the_reactor_does_not_hold_the_third(started: Started, folder: Path) -> None:
    (folder / "hold.py").write_text(
        "import time\nfrom crawler import Spider\nclass Hold(Spider):\n    name = 'hold'\n"
        "    start_urls = ['data:,x']\n    def parse(self, response):\n"
        "        open('held', 'w').close()\n        time.sleep(60)\n"
    )
    process = started("run", "hold.py")
    when((folder / "held").exists)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    process.communicate(timeout=5)
    assert process.returncode == 130


def test_a_killed_job_is_closed_and_resumed(
    crawler: Crawler, started: Started, spider_file: Path, site: Site, folder: Path
) -> None:
    site.held = "/3"
    site.hold.clear()
    process = started("run", "pages.py", "-a", "limit=7", "-O", "items.json", "--job", "mine")
    when(lambda: "/3" in site.asked)  # what led to it was committed first
    process.kill()
    process.communicate()
    site.hold.set()
    assert jobs(crawler) == [("mine", "stopped")]
    closed = crawler("jobs", "close", "mine")
    assert closed.status == 0, closed.err
    partly = json.loads((folder / "items.json").read_text())
    assert closed.out == f"items.json is closed, with {len(partly)} items\n"
    assert 1 <= len(partly) < 6
    before = list(site.asked)
    assert crawler("resume", "mine", "--summary", "s.json").status == 0
    whole = json.loads((folder / "items.json").read_text())
    assert [(item["url"][-1], item["limit"]) for item in whole] == [(str(number), 7) for number in range(6)]
    assert set(site.asked[len(before) :]).isdisjoint(before[:2])
    assert json.loads((folder / "s.json").read_text())["items"] == 6


def test_a_job_in_use_is_refused(crawler: Crawler, started: Started, spider_file: Path, site: Site) -> None:
    site.hold.clear()
    started("run", "pages.py", "--job", "mine")
    when(lambda: site.asked)
    assert jobs(crawler) == [("mine", "running")]
    for arguments, said in (
        (["resume", "mine"], "the job mine is in use by process"),
        (["jobs", "close", "mine"], "the job mine is in use by process"),
        (["jobs", "rm", "mine"], "the job mine is in use by process"),
        (["run", "pages.py", "--job", "mine"], "the job mine is in use by process"),
        (["resume"], "running: mine"),
    ):
        result = crawler(*arguments)
        assert result.status == 2
        assert said in result.err
        assert len(result.err.splitlines()) == 1, result.err


def test_a_narrow_terminal_shows_jobs_whole(
    crawler: Crawler, spider_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "a-job-with-a-name-of-more-than-forty-letters"
    assert crawler("run", "pages.py", "--job", name, "-s", "CLOSESPIDER_PAGECOUNT=1").status == 0
    monkeypatch.setenv("COLUMNS", "40")
    head, line = crawler("jobs").out.splitlines()
    assert head.split() == ["Job", "Spider", "State", "Done", "Queued", "Items", "Age"]
    assert line.split()[:4] == [name, "pages", "stopped", "(closespider_pagecount)"]


def test_jobs_are_removed(crawler: Crawler, started: Started, spider_file: Path, site: Site, folder: Path) -> None:
    site.hold.clear()
    process = started("run", "pages.py", "--job", "mine")
    when(lambda: site.asked)
    process.kill()
    process.communicate()
    assert crawler("jobs", "rm", "mine") == (0, "", "")
    assert list((folder / ".crawler" / "jobs").iterdir()) == []
    assert crawler("jobs") == (0, "", f"No jobs in {folder}/.crawler/jobs.\n")


EXPLAINED = """\
from crawler import Spider


class Pages(Spider):
    name = "pages"
    allowed_domains = ["127.0.0.1"]
    start_urls = ["{url}"]

    def parse(self, response):
        yield {{"url": response.url}}
        yield response.follow("/1")
        yield response.follow("/nope")
        yield response.follow("http://other.example/")
"""


def test_explain_says_what_became_of_a_url(crawler: Crawler, folder: Path, site: Site) -> None:
    (folder / "pages.py").write_text(EXPLAINED.format(url=site.url))
    done = crawler("run", "pages.py", "--job", "mine", "-s", "JOB_KEEP=true", "-s", "JOB_EXPLAIN=full")
    assert done.status == 0, done.err
    base = site.url[:-2]

    def explained(url: str) -> str:
        result = crawler("explain", url)
        assert result.status == 0, result.err
        return result.out

    first = explained(f"{base}/0#part")
    assert f"{base}/0#part in job mine (finished)\n  Accepted, from start().\n  Attempt 1" in first
    assert "gave 200\n  Answered: its callback yielded 1 item and 2 requests.\n" in first
    assert f"Accepted, found on {base}/0." in explained(f"{base}/1")
    assert "gave 404\n  It failed: HttpError.\n" in explained(f"{base}/nope")
    assert f"Refused (offsite: other.example), found on {base}/0." in explained("http://other.example/")
    assert "By the settings it is refused: offsite" in explained("http://third.example/")
    assert "By the settings it is refused: scheme: file: is opened from start() only" in explained("file:///etc/passwd")
    assert "No page that was answered has yielded a request for it" in explained(f"{base}/5")
    assert "is not a URL that can be fetched" in crawler("explain", "http://[").err
    assert crawler("explain", "x", "--job", "none").status == 2


FILTERED = """\
from crawler import Drop, Spider


def no_prices(request, found_on):
    return Drop("price", "is not for us") if "price" in request.url else request


def without_query(request, found_on):
    return request.replace(url=request.url.partition("?")[0])


def broken(request, found_on):
    raise LookupError("no table") if "broken" in request.url else 0


class Pages(Spider):
    name = "pages"
    custom_settings = {{
        "ROBOTSTXT_OBEY": False, "JOB_KEEP": True, "DEPTH_LIMIT": 2, "REQUEST_FILTERS": [no_prices, without_query]
    }}

    def __init__(self, site: str, **kwargs):
        super().__init__(**kwargs)
        self.allowed_domains = [site]
        self.start_urls = ["{url}"]

    def parse(self, response):
        yield from response.follow_all(css="a")
"""


def test_explain_goes_by_the_filters_of_the_crawl(crawler: Crawler, folder: Path, site: Site) -> None:
    (folder / "pages.py").write_text(FILTERED.format(url=site.url))
    done = crawler("run", "pages.py", "-a", "site=127.0.0.1")
    assert (done.status, site.asked) == (0, ["/0", "/1", "/2"]), done.err
    base = site.url[:-2]

    def explained(url: str) -> str:
        result = crawler("explain", url)
        assert result.status == 0, result.err
        return result.out

    assert "is refused: price: is not for us.\n" in explained(f"{base}/price")
    assert "is refused: offsite: other.example.\n" in explained("http://other.example/")
    turned = explained(f"{base}/1?from=mail")
    assert f"By the settings it becomes {base}/1.\n  Accepted, found on {base}/0." in turned
    deep = explained(f"{base}/3")
    assert "No page that was answered has yielded a request for it" in deep
    assert (
        "of depth 2, the deepest there is, links to it, it is refused: depth: 3 is deeper than DEPTH_LIMIT = 2" in deep
    )
    (folder / "pages.py").write_text(FILTERED.format(url=site.url).replace("without_query]", "broken]"))
    assert "By the settings it cannot be told, for a filter failed: LookupError: no table.\n" in explained(
        f"{base}/broken"
    )
    (folder / "pages.py").write_text(FILTERED.format(url=site.url).replace("(**kwargs)", "(no=1, **kwargs)[0]"))
    assert "nothing can be told, for the spider cannot be made: TypeError" in explained(f"{base}/5")


def test_explain_without_any_job(crawler: Crawler) -> None:
    result = crawler("explain", "http://a.example/")
    assert result.status == 2
    assert "there is no job in" in result.err


def test_a_job_that_no_command_began_is_not_guessed_at(crawler: Crawler, folder: Path) -> None:
    job = folder / ".crawler" / "jobs" / "odd.sqlite"
    job.parent.mkdir(parents=True)
    job.write_bytes(b"not a database, but long enough to be looked at" * 10)
    assert jobs(crawler) == [("odd", "damaged")]
    assert crawler("resume", "odd").status == 2
