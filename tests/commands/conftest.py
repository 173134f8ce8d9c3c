"""A command as a user types it, in a folder of its own: in this process, which is quick, or in one of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from twisted.internet.asyncioreactor import AsyncioSelectorReactor

from crawler import commands
from crawler.commands import again, closing, live, running
from crawler.scrapy.adapters.finder import Door
from tests.commands.failing_site import SPIDER as FAILING_SPIDER
from tests.commands.failing_site import FailingSite, failing_site

USERS = ("settings", "spiders", "pipelines", "pages", "hold")
"""Modules of the users' that the tests write."""

SPIDER = """\
from crawler import Spider


class Pages(Spider):
    name = "pages"
    start_urls = ["{url}"]
    custom_settings = {{"ROBOTSTXT_OBEY": False}}
    limit: int = 0

    def parse(self, response):
        yield {{"url": response.url, "limit": self.limit}}
        yield from response.follow_all(css="a")
"""


class Result(NamedTuple):
    """How a command ended and what it said."""

    status: int
    out: str
    err: str


Crawler = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder that is in no project."""
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@pytest.fixture
def crawler(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], folder: Path) -> Iterator[Crawler]:
    """``crawler(*arguments)`` does in this process what the command does, with a reactor of its own each time."""
    before = dict(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)

    used = {folder}

    def run(*arguments: str, cwd: Path | None = None) -> Result:
        monkeypatch.chdir(cwd or folder)
        used.add(cwd or folder)
        close_door(used)
        for name in [name for name in sys.modules if name.partition(".")[0] in USERS]:
            del sys.modules[name]
        capfd.readouterr()
        with own_reactor(monkeypatch):
            status = commands.status_of(list(arguments))
        said = capfd.readouterr()
        assert "Traceback (most recent call last)" not in said.err, said.err
        return Result(status, said.out, said.err)

    yield run
    close_door(used)
    for name in [name for name in sys.modules if name.partition(".")[0] in USERS]:
        del sys.modules[name]
    sys.modules.update({name: module for name, module in before.items() if name.partition(".")[0] in USERS})


def close_door(folders: set[Path]) -> None:
    """Let ``import scrapy`` give what it gave, and what lies in folders be imported anew: as in a new process."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Door)]
    ours = sys.modules["crawler"]
    ours.__path__[:] = ours.__path__[:1]
    for name, module in list(sys.modules.items()):
        top, file = name.partition(".")[0], str(getattr(module, "__file__", ""))
        joined = top == "crawler" and not file.startswith(ours.__path__[0])  # of a project's package of our name
        if top == "scrapy" or joined or any(str(folder) in file for folder in folders):
            del sys.modules[name]


@contextmanager
def own_reactor(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give commands a fresh asyncio reactor, that is not the global one, and clean up behind it."""
    loop = asyncio.new_event_loop()
    reactor = AsyncioSelectorReactor(loop)
    for module in (again, closing, live, running):
        monkeypatch.setattr(module, "install_reactor", lambda: reactor)
    asyncio.set_event_loop(loop)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)}
    try:
        yield
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        asyncio.set_event_loop(None)
        for reader in list(reactor._internalReaders):
            reactor.removeReader(reader)
            reader.connectionLost(None)
        loop.close()


@pytest.fixture
def process(folder: Path, outside: None) -> Crawler:
    """``process(*arguments)`` runs ``python -m crawler`` in the folder."""

    def run(*arguments: str, cwd: Path | None = None) -> Result:
        done = subprocess.run(
            command(*arguments),
            cwd=cwd or folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "crawler", *arguments]


def environment() -> dict[str, str]:
    """The user's, without proxies and without what a test run sets."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return kept | {"PYTHONWARNINGS": "default", "PYTHONPATH": str(Path(__file__).parents[2])}


@pytest.fixture
def project(crawler: Crawler, folder: Path) -> Path:
    """A project as startproject makes it."""
    assert crawler("startproject", "shop").status == 0
    return folder / "shop"


def jobs(crawler: Crawler) -> list[tuple[str, str]]:
    """Return the names and states of the jobs."""
    return [(job["name"], job["state"]) for job in json.loads(crawler("jobs", "--json").out)]


def items(path: Path) -> list[str]:
    """Return the last character of each item's URL."""
    return [json.loads(line)["url"][-1] for line in path.read_text().splitlines()]


class Site(ThreadingHTTPServer):
    """Pages in a chain, /0 to /N: each links to the next. ``asked`` are the paths in order.

    While ``hold`` is clear the page ``held`` is not answered, or none if that is "". A crawl comes to a certain page
    and no further only if this was said before it began.
    """

    daemon_threads = True
    pages = 5
    held = ""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.asked: list[str] = []
        self.hold = threading.Event()
        self.hold.set()
        self.url = f"http://127.0.0.1:{self.server_address[1]}/0"

    def handle_error(self, *args: object) -> None:
        """A crawler that was killed has gone."""


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.held in ("", self.path):
            self.server.hold.wait(60)
        number = int(self.path[1:]) if self.path[1:].isdigit() else None
        more = number is not None and number < self.server.pages
        body = (
            f"<title>{number}</title>" + (f'<a href="/{number + 1}">next</a>' if more and number is not None else "")
        ).encode()
        self.send_response(200 if number is not None else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(outside: None) -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.hold.set()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def spider_file(folder: Path, site: Site) -> Path:
    """A spider that walks the site."""
    path = folder / "pages.py"
    path.write_text(SPIDER.format(url=site.url))
    return path


@pytest.fixture
def shop(outside: None, folder: Path) -> Iterator[FailingSite]:
    """A site of which pages fail, and a spider that walks it."""
    with failing_site() as site:
        (folder / "pages.py").write_text(FAILING_SPIDER.format(url=site.url))
        yield site
