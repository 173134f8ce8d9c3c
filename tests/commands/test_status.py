"""``crawler status``: how a crawl goes, seen from another shell."""

from __future__ import annotations

import io
import json
import os
import pty
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from crawler.commands import status
from crawler.commands.looking.choose import chosen_job, reader_of
from crawler.commands.looking.looked import Looked, Reading
from crawler.commands.looking.screen import shares, sparkline, view
from crawler.commands.status import Whole
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.observe.board.shown import HostRow, Item, Job, Now, Totals
from crawler.observe.board.source import ROWS_PER_PAGE
from tests.commands.conftest import Crawler, Site, command, environment
from tests.commands.failing_site import FailingSite
from tests.commands.test_jobs import Started, read_until, started, when
from tests.observe.board.made_up import MadeUp

__all__ = ["started"]


def text_of(source: MadeUp | Looked, width: int, height: int | None = None) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    with console.capture() as captured:
        console.print(view(source, width=width, height=height))
    return captured.get()


# The screen


@pytest.mark.parametrize(("width", "height"), [(20, 5), (40, 12), (80, 24), (200, 50)])
def test_the_screen_fits_into_the_terminal(width: int, height: int) -> None:
    lines = text_of(MadeUp(300), width, height).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= height


def test_the_screen_says_what_there_is() -> None:
    source = MadeUp()
    source.tick()
    said = text_of(source, 160)
    for words in (
        "shop · shop-1 · running",
        "40 pages 40.0/s",
        "50 ms 200 ms 900 ms latency",
        "site-2.example       1          2  delay, 0.2 s    1 s        8      6",
        "2  KeyError in parse  spiders/shop.py:12 in parse: price = row['price']",
        "0.70 s  3 times  callback parse spiders/shop.py:12",
        "30  items.jsonl",
    ):
        assert words in said, said


def test_one_is_not_many() -> None:
    said = " ".join(text_of(MadeUp(1), 160).split())
    assert "1 host " in said
    assert "1 hosts" not in said


@pytest.mark.parametrize("width", [80, 110, 160])
def test_how_often_and_what_is_seen_of_an_error_on_any_terminal(width: int) -> None:
    [line] = [line for line in text_of(MadeUp(), width).splitlines() if "KeyError" in line]
    assert line.startswith("2  KeyError in parse  spiders/shop.py:12")


def test_nothing_from_the_network_moves_the_cursor() -> None:
    said = text_of(MadeUp(), 200)
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "alert(1)" in said


def test_lines_are_divided_among_the_lists() -> None:
    assert shares(10, [2, 100, 100]) == [2, 4, 4]
    assert shares(10, [1, 1]) == [1, 1]
    assert shares(-3, [5, 5]) == [0, 0]


def test_a_sparkline_shows_the_last_values_by_the_highest() -> None:
    assert sparkline([9, 0, 1, 2, 4, 8], 4) == "▁▂▄█"
    assert sparkline([0, 0], 9) == "▁▁"


# What lies elsewhere


def reading(pages: int, rows: list[HostRow], **more: object) -> Reading:
    now = Now(time=float(pages), job=Job(spider="shop", state="running"), totals=Totals(pages=pages))
    return msgspec.convert({"now": now, "hosts": rows, **more}, Reading, from_attributes=True)


def test_rates_and_changes_come_from_the_readings() -> None:
    rows = [HostRow(name=f"h{number:03}", queued=number) for number in range(300)]
    moved = [HostRow(name="h007", queued=1000), *rows[8:]]
    item = Item(time=0.0, url="", text="{}")
    readings = iter([reading(100, rows), reading(130, moved, items=[item])])
    clock = iter([0.0, 2.0])
    source = Looked(lambda: next(readings), clock=lambda: next(clock))
    source.look()
    first = source.changes(0)
    assert (len(first.hosts), source.now().rates.pages) == (ROWS_PER_PAGE, 0.0)
    source.look()
    assert source.now().rates.pages == 15.0
    assert source.series().pages == [15.0]
    later = source.changes(first.number)
    assert [row.queued for row in later.hosts] == [1000]
    assert list(later.parts) == ["items"]
    assert source.changes(later.number).parts == []


def test_hosts_are_shown_by_pages() -> None:
    rows = [HostRow(name=f"h{number:03}", queued=number % 7) for number in range(450)]
    source = Looked(lambda: reading(0, rows))
    source.look()
    found = source.hosts(3, "queued")
    assert (found.total, found.pages, len(found.rows), found.rows[-1].name) == (450, 3, 50, "h448")
    assert [row.name for row in source.hosts(9, "name", descending=False, containing="h44").rows][:2] == [
        "h440",
        "h441",
    ]
    with pytest.raises(UsageError, match="sorted by 'why'; they are by name, queued"):
        source.hosts(1, "why")


# Jobs


@pytest.mark.process
def test_a_running_crawl_a_stopped_and_a_finished_one(
    crawler: Crawler, started: Started, spider_file: Path, site: Site, folder: Path
) -> None:
    site.held = "/2"
    site.hold.clear()
    process = started("run", "pages.py", "-O", "items.jsonl", "--job", "mine")
    when(lambda: "/2" in site.asked)
    when(lambda: shown(crawler).now.totals.pages == 2)
    running = shown(crawler)
    assert (running.now.job.state, running.now.job.pid) == ("running", process.pid)
    assert running.now.totals.queued == 1
    assert [(host.name, host.queued) for host in running.hosts.rows] == [("127.0.0.1", 1)]
    assert [feed.path for feed in running.feeds] == ["items.jsonl"]
    process.send_signal(signal.SIGINT)
    read_until(process, "once more stops now")
    site.hold.set()
    process.communicate(timeout=60)
    stopped = shown(crawler, "mine")
    assert (stopped.now.job.state, stopped.now.job.reason, stopped.now.job.pid) == ("stopped", "shutdown", 0)
    assert stopped.feeds[0].items == 3
    assert crawler("resume").status == 0
    finished = shown(crawler, "mine")
    assert (finished.now.job.state, finished.now.totals.pages, finished.now.totals.items) == ("finished", 6, 6)
    assert [(run.job, run.items) for run in finished.history] == [("mine", 6)]


@pytest.mark.process
def test_a_killed_crawl(crawler: Crawler, started: Started, spider_file: Path, site: Site) -> None:
    site.held = "/2"
    site.hold.clear()
    process = started("run", "pages.py", "--job", "mine")
    when(lambda: "/2" in site.asked)
    process.kill()
    process.wait()
    site.hold.set()
    said = crawler("status")
    assert said.status == 0
    assert said.out.startswith("pages · mine · killed · ")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait between two looks."""
    monkeypatch.setattr(status, "LOOK_SECONDS", 0.0)


def shown(crawler: Crawler, *arguments: str) -> Whole:
    said = crawler("status", "--json", *arguments)
    assert said.status == 0, said.err
    return msgspec.json.decode(said.out, type=Whole)


def test_what_fails_is_told_by_kind_with_an_example(crawler: Crawler, shop: FailingSite) -> None:
    assert crawler("run", "pages.py", "--job", "mine", "-s", "JOB_KEEP=true").status == 0
    kept = shown(crawler, "mine").errors
    assert kept
    assert [(each.kind, each.count, each.url.partition("/")[0]) for each in kept] == [("status 503", 40, "http:")]


def test_an_error_of_the_users_code_is_told_with_its_line_also_of_a_finished_run(
    crawler: Crawler, spider_file: Path, folder: Path
) -> None:
    spider_file.write_text(
        spider_file.read_text().replace("yield from", "int('three') if '/3' in response.url else 0; yield from")
    )
    assert crawler("run", "pages.py", "--job", "mine").status == 1
    [error] = shown(crawler, "mine").errors
    assert (error.kind, error.count, error.url[-2:]) == ("ValueError in parse", 1, "/3")
    assert error.where.startswith("pages.py:12 in parse: int('three')")
    assert "ValueError in parse  pages.py:12 in parse: int('three')" in crawler("status", "mine").out


def test_no_job_and_a_wrong_name_say_what_there_is(crawler: Crawler, spider_file: Path) -> None:
    none = crawler("status")
    assert (none.status, none.err.startswith("crawler: there is no job in ")) == (2, True)
    assert crawler("run", "pages.py", "--job", "mine", "-s", "JOB_KEEP=true").status == 0
    wrong = crawler("status", "mien")
    assert wrong.status == 2
    assert 'did you mean "mine"?' in wrong.err


@pytest.mark.process
def test_q_ends_the_screen_and_not_the_crawl(started: Started, spider_file: Path, site: Site, folder: Path) -> None:
    site.held = "/2"
    site.hold.clear()
    process = started("run", "pages.py", "--job", "mine")
    when(lambda: "/2" in site.asked)
    ours, theirs = pty.openpty()
    watching = subprocess.Popen(
        command("status", "mine"), cwd=folder, env=environment() | {"TERM": "xterm"}, stdin=theirs, stdout=theirs,
        stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while b"running" not in seen:
        seen += os.read(ours, 10_000)
    os.write(ours, b"q")
    assert watching.wait(60) == 0
    assert process.poll() is None
    os.close(ours)
    site.hold.set()
    assert process.wait(60) == 0


# The page of a crawl


@contextmanager
def page(folder: Path, job: str, source: MadeUp, *, token: str = "secret") -> Iterator[ThreadingHTTPServer]:
    """Serve a source as the page of a job does, which its token file names."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            allowed = self.headers["Authorization"] == f"Bearer {token}"
            self.send_response(200 if allowed else 401)
            self.end_headers()
            if allowed:
                self.wfile.write(msgspec.json.encode(getattr(source, self.path.removeprefix("/api/"))()))

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}/"
        (folder / f"{job}.status").write_text(json.dumps({"url": url, "token": "secret", "pid": os.getpid()}))
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_a_page_is_asked_first_and_the_file_when_it_does_not_answer(
    crawler: Crawler, spider_file: Path, folder: Path
) -> None:
    assert crawler("run", "pages.py", "--job", "mine", "-s", "JOB_KEEP=true").status == 0
    core = Settings({"JOB_DIR": str(folder / ".crawler/jobs")}).core
    job_dir = folder / ".crawler/jobs"
    with page(job_dir, "mine", MadeUp()):
        live = shown(crawler, "mine")
        assert live.now.job.name == "shop-1"
        assert live.now.latency is not None
        with reader_of(core, chosen_job(core, "mine")) as read:
            assert read().series is not None
    assert shown(crawler, "mine").now.job.state == "finished"
    with page(job_dir, "mine", MadeUp(), token="another"):
        assert shown(crawler, "mine").now.job.state == "finished"
