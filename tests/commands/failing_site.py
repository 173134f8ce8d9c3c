"""A site of 400 pages of which 40 fail, until half of them are mended."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PAGES, FAILING = 400, 40
QUIET = ("-L", "ERROR")
WORDS = ["run", "pages.py", "-O", "items.jsonl", "--job", "mine", *QUIET]
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

    def parse_page(self, response):
        yield {{"url": response.url.rpartition("/")[2]}}
        yield from response.follow_all(css="a", callback=self.parse_page)
"""


class FailingSite(ThreadingHTTPServer):
    """A listing of 400 pages, 40 of which answer 503 until half of them are mended; these link to one more page each,
    and to one that was there before."""

    daemon_threads = True
    pages = PAGES
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
            links = list(range(site.pages))
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


@contextmanager
def failing_site() -> Iterator[FailingSite]:
    """Serve it on loopback."""
    site = FailingSite()
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield site
    site.shutdown()
    site.server_close()
    thread.join()


def items(path: Path) -> list[str]:
    return sorted(json.loads(line)["url"] for line in path.read_text().splitlines())


def expected(broken: set[int]) -> list[str]:
    """Return the items of a site of which these pages are broken."""
    mended = [f"more{number}" for number in range(0, PAGES, PAGES // FAILING) if number not in broken]
    return sorted([str(number) for number in range(PAGES) if number not in broken] + mended)


def failed(crawler: Callable[..., Any], job: str = "mine") -> list[str]:
    """Return what `crawler jobs failed` lists."""
    return [each["url"].rpartition("/")[2] for each in json.loads(crawler("jobs", "failed", job, "--json").out)]
