"""What does a second run of a site cost that has changed a little?

    python -m bench.second_runs [--pages 2000] [--changed 30] [--new 5] [--gone 5] [--workers 1]

A shop of so many pages, on loopback, is crawled; then some of its pages change, some are new and some are gone, and
it is crawled again, each time from what the first run has left: as ever, with --since LAST, with --only-new as well,
and by its sitemap (the spider "map") with --since LAST. The server counts requests, and the bytes of its answers,
heads included.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

A_LIST = 50
"""Items on one list."""

SPIDERS = """\
from crawler import SitemapSpider, Spider


def book(self, response):
    yield {"url": response.url, "title": response.css("h1::text").get(), "price": response.css("p::text").get()}


class Shop(Spider):
    name = "shop"
    start_urls = ["URL/"]
    book = book
    shelf: int = 0

    def parse(self, response):
        yield from response.follow_all(css="nav a", callback=self.parse)
        yield from response.follow_all(css="li a", callback=self.book)


class Map(SitemapSpider):
    name = "map"
    sitemap_urls = ["URL/sitemap.xml"]
    sitemap_rules = [("/book/", "book")]
    book = book
"""

OLD, NOW = "2026-01-05T00:00:00Z", "2036-01-05T00:00:00Z"
"""When the pages changed last by the sitemap: long before the first run, or (it is some years off, so) after it."""


class Shop(ThreadingHTTPServer):
    """A shop whose every page has an ETag. ``requests`` counts by status, ``sent`` are bytes."""

    daemon_threads = True

    def __init__(self, books: Sequence[int]) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.books = list(books)
        self.revisions: Counter[int] = Counter()
        self.requests: Counter[int] = Counter()
        self.paths: list[str] = []
        self.sent = 0

    def page(self, path: str) -> str | None:
        """Return the page at a path; None if there is none."""
        lists = range(0, len(self.books), A_LIST)
        if path == "/":
            return "<nav>" + "".join(f'<a href="/list/{number // A_LIST}">more</a>' for number in lists) + "</nav>"
        if path == "/sitemap.xml":
            entries = (
                f"<url><loc>{self.url}/book/{book}</loc><lastmod>{NOW if self.revisions[book] else OLD}</lastmod></url>"
                for book in self.books
            )
            return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(entries)}</urlset>'
        kind, _, number = path[1:].partition("/")
        if kind == "list" and int(number) * A_LIST in lists:
            some = self.books[int(number) * A_LIST :][:A_LIST]
            return "<ul>" + "".join(f'<li><a href="/book/{book}">{book}</a></li>' for book in some) + "</ul>"
        if kind == "book" and int(number) in self.books:
            said = f"<h1>Book {number}</h1><p>£{self.revisions[int(number)]}.00</p>"
            return said + f"<div>{'what it is about, at some length. ' * 120}</div>"
        return None


class _Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Shop

    def do_GET(self) -> None:
        text = self.server.page(self.path)
        body = (text or "").encode()
        etag = f'"{hash((text, len(body))):x}"'
        status = 404 if text is None else 304 if self.headers.get("If-None-Match") == etag else 200
        head = [
            f"HTTP/1.1 {status} -",
            "Content-Type: text/html" if self.path[-4:] != ".xml" else "Content-Type: text/xml",
        ]
        head += [f"ETag: {etag}"] if text is not None else []
        head += [f"Content-Length: {len(body)}"] if status != 304 else []
        answer = "\r\n".join([*head, "", ""]).encode() + (body if status == 200 else b"")
        if self.path != "/robots.txt":
            self.server.requests[status] += 1
            self.server.paths.append(self.path)
            self.server.sent += len(answer)
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def shop(books: Sequence[int]) -> Iterator[Shop]:
    """Serve a shop on loopback."""
    server = Shop(books)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Cost(NamedTuple):
    """What one run cost, and what it said of the items."""

    requests: int
    unchanged: int
    bytes: int
    items: int
    seconds: float
    changes: dict[str, int]


def run(server: Shop, folder: Path, spider: str, *options: str) -> Cost:
    """Run a spider once, and return what it cost. Raises CalledProcessError if it failed."""
    server.requests.clear()
    server.paths.clear()
    server.sent = 0
    changes = ["--changes", "changes.jsonl"] if "--since" in options else []
    command = [sys.executable, "-m", "crawler", "run", f"shop.py:{spider}", "-O", "items.jsonl", "-L", "WARNING"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    began = time.monotonic()
    subprocess.run([*command, *changes, *options], cwd=folder, env=environment, check=True, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - began
    items = len((folder / "items.jsonl").read_text().splitlines())
    said: Counter[str] = Counter()
    if changes:
        said.update(json.loads(line)["change"] for line in (folder / "changes.jsonl").read_text().splitlines())
    return Cost(server.requests.total(), server.requests[304], server.sent, items, seconds, dict(said))


def measure(pages: int, *, changed: int, new: int, gone: int, workers: int = 1) -> dict[str, Cost]:
    """Return the cost of each kind of run; the first two are those before the change."""
    books = pages - 1 - -(-pages // (A_LIST + 1))
    many = ["--workers", str(workers)] if workers > 1 else []
    first = ["-s", "HTTPCACHE_ENABLED=true", *many]
    costs = {}
    with tempfile.TemporaryDirectory() as temporary, shop(range(books)) as server:
        for spider in ("shop", "map"):
            folder = Path(temporary) / spider
            folder.mkdir()
            (folder / "shop.py").write_text(SPIDERS.replace("URL", server.url))
            costs[f"first, {spider}"] = run(server, folder, spider, *first)
        server.revisions.update(range(changed))
        server.books = [*range(books - gone), *range(books, books + new)]
        for spider, options in WAYS:
            copy = Path(temporary) / f"second{len(costs)}"
            shutil.copytree(Path(temporary) / spider, copy)
            costs[" ".join([f"second, {spider}", *options])] = run(server, copy, spider, *options, *many)
    return costs


WAYS: tuple[tuple[str, list[str]], ...] = (
    ("shop", []),
    ("shop", ["--since", "LAST"]),
    ("shop", ["--since", "LAST", "--only-new"]),
    ("map", ["--since", "LAST"]),
)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in ("pages", 2000), ("changed", 30), ("new", 5), ("gone", 5), ("workers", 1):
        parser.add_argument(f"--{name}", type=int, default=default)
    wanted = vars(parser.parse_args())
    print(f"{'':38} {'requests':>9} {'of these 304':>13} {'kB':>8} {'items':>7} {'seconds':>8}  changes")
    for way, cost in measure(wanted.pop("pages"), **wanted).items():
        said = ", ".join(f"{count} {change}" for change, count in sorted(cost.changes.items()))
        print(
            f"{way:38} {cost.requests:>9,} {cost.unchanged:>13,} {cost.bytes / 1000:>8,.0f} {cost.items:>7,} "
            f"{cost.seconds:>8.1f}  {said}"
        )


if __name__ == "__main__":
    main()
