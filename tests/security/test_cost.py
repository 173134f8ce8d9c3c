"""What does a hostile site cost us: memory, time, a slot?"""

from __future__ import annotations

import gzip
import json
import os
import signal
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import brotli
import pytest
import zstandard
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol

from tests.download.chaos import HANG, Step, answer, steps
from tests.download.reactor import reactor, run
from tests.security.measured import LIMIT
from tests.security.support import Everything, crawl, page, paths, sites, walker

pytestmark = pytest.mark.process

SIZE = 60_000_000


class _Said(ProcessProtocol):
    def __init__(self) -> None:
        self.ended: Deferred[dict[str, Any]] = Deferred()
        self.out = self.err = b""

    def outReceived(self, data: bytes) -> None:
        self.out += data

    def errReceived(self, data: bytes) -> None:
        self.err += data

    def processEnded(self, reason: Any) -> None:
        try:
            self.ended.callback(json.loads(self.out.splitlines()[-1]))
        except (ValueError, IndexError):
            self.ended.errback(AssertionError(self.err.decode()[-3000:]))


def measured(name: str, url: str) -> dict[str, Any]:
    """Run a crawl in a process of its own (see tests.security.measured)."""
    said = _Said()
    arguments = [sys.executable, "-m", "tests.security.measured", name, url]
    reactor.spawnProcess(said, sys.executable, arguments, env=dict(os.environ))
    return run(said.ended, seconds=110)


@pytest.fixture(scope="module", autouse=True)
def _children() -> Iterator[None]:
    """Let Twisted reap the processes it starts."""
    from twisted.internet import process

    before = signal.signal(signal.SIGCHLD, lambda *_: reactor.callFromThread(process.reapAllProcesses))
    yield
    signal.signal(signal.SIGCHLD, before)


def _bomb(coding: str) -> bytes:
    zeros = bytes(1_000_000)
    compress: Any = {
        "gzip": zlib.compressobj(9, wbits=31),
        "deflate": zlib.compressobj(9),
        "br": brotli.Compressor(quality=5),
        "zstd": zstandard.ZstdCompressor().compressobj(),
    }[coding]
    feed = compress.process if coding == "br" else compress.compress
    end = compress.finish if coding == "br" else compress.flush
    made: bytes = b"".join(feed(zeros) for _ in range(SIZE // len(zeros))) + end()
    return made


def coded(body: bytes, coding: str, **more: Any) -> bytes:
    headers = f"Content-Encoding: {coding}\r\nContent-Type: text/html\r\n".encode() + more.pop("headers", b"")
    return answer(body, headers=headers, **more)


def test_decompression_bombs() -> None:
    """On a page, in each coding and stacked, on a redirect, on robots.txt, and in a sitemap.xml.gz."""
    bombs = {coding: _bomb(coding) for coding in ("gzip", "deflate", "br", "zstd")}
    scripts = {f"/{coding}": coded(bomb, coding) for coding, bomb in bombs.items()}
    scripts["/stacked"] = coded(gzip.compress(bombs["gzip"]), "gzip, gzip")
    scripts["/stacked-2"] = coded(brotli.compress(bombs["zstd"], quality=5), "zstd, br")
    scripts["/redirect"] = coded(bombs["br"], "br", status=b"302 Found", headers=b"Location: /end\r\n")
    scripts["/error"] = coded(bombs["zstd"], "zstd", status=b"404 Not Found")
    links = [*scripts]
    scripts["/"] = page(*links)
    scripts["/sitemap.xml.gz"] = answer(bombs["gzip"], headers=b"Content-Type: application/gzip\r\n")
    with sites("127.0.7.1", scripts=scripts) as (site,):
        said = measured("walk", site.url())
        assert said["errors"] == {site.url(link): "BodyTooLarge" for link in links}
        assert said["grown"] < 3 * LIMIT, said["grown"]
        assert said["cpu"] < 10
        assert said["ports"] == []
        # robots.txt and a sitemap
        site.scripts = {**site.scripts, "/robots.txt": steps(coded(bombs["br"], "br"))}
        said = measured("walk", site.url("/unreached"))
        assert (
            site.url("/robots.txt") not in said["errors"]
        )  # its beginning counts (RFC 9309 §2.5), and no more is read
        assert said["grown"] < 3 * LIMIT
        del site.scripts["/robots.txt"]
        said = measured("sitemap", site.url("/sitemap.xml.gz"))
        assert said["grown"] < 3 * LIMIT
        assert said["stats"]["spider_exceptions/BadMarkup"] == 1


TRICKLE = 0.05
SLOW: dict[str, list[Step]] = {
    "/head": [step for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"y" * 500 for step in (bytes([byte]), TRICKLE)],
    "/body": [
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n",
        *(step for _ in range(500) for step in (b"x", TRICKLE)),
    ],
    "/silent": [b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", HANG],
    "/deaf": [HANG],
    "/endless": [b"HTTP/1.1 200 OK\r\n\r\n", *(step for _ in range(500) for step in (b"x" * 1000, TRICKLE))],
    "/chunks": [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        *(step for _ in range(500) for step in (b"1\r\nx\r\n", TRICKLE)),
    ],
    "/informed": [step for _ in range(500) for step in (b"HTTP/1.1 103 Early Hints\r\n\r\n", TRICKLE)],
}


@pytest.mark.parametrize("downloader", ["fast", "twisted"])
def test_slow_servers_give_their_slot_back(downloader: str) -> None:
    """One slot: each slow page holds it no longer than DOWNLOAD_TIMEOUT, and the last page is fetched."""
    scripts: dict[str, Any] = {path: steps(*script) for path, script in SLOW.items()}
    scripts |= {"/": page(*SLOW, "/last"), "/last": page()}
    with sites("127.0.7.1", scripts=scripts) as (site,):
        settings = {
            "DOWNLOADER": downloader,
            "CONCURRENT_REQUESTS": 1,
            "DOWNLOAD_TIMEOUT": 0.3,
            "DOWNLOAD_READ_TIMEOUT": 60.0,
            "THROTTLE_ENABLED": False,
            "ROBOTSTXT_OBEY": False,
        }
        crawled = crawl(walker(site.url()), settings)
        slow = {site.url(path) for path in SLOW}
        assert {url for url, error in crawled.errors.items() if error in ("FetchTimeout", "BadResponse")} == slow
        assert crawled.errors[site.url("/endless")] == "FetchTimeout"
        assert {"url": site.url("/last")} in crawled.items
        assert crawled.summary.seconds < 0.3 * len(SLOW) + 3


def test_a_resolver_that_hangs_stalls_its_host_alone() -> None:
    import threading

    release = threading.Event()

    def names(host: str) -> list[str]:
        if host.startswith("hangs"):
            release.wait(20)
            raise OSError("at last")
        return ["127.0.7.1"]

    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(lambda path, request: page())
        hanging = [f"http://hangs-{number}.example:{site.port}/" for number in range(8)]
        good = [f"http://good-{number}.example:{site.port}/" for number in range(100)]
        settings = {"ROBOTSTXT_OBEY": False, "DNS_TIMEOUT": 1.0, "DOWNLOAD_TIMEOUT": 2.0}
        try:
            crawled = crawl(walker(*hanging, *good), settings, names=names)
        finally:
            release.set()
        assert len(crawled.items) == 100
        assert {crawled.errors[url] for url in hanging} <= {"NameNotResolved", "FetchTimeout"}
        assert len(crawled.errors) == 8
        assert crawled.summary.seconds < 5


def test_answers_of_the_resolver_are_kept_within_bounds() -> None:
    asked: list[str] = []

    def names(host: str) -> list[str]:
        asked.append(host)
        if host.startswith("no"):
            raise OSError("no such host")
        return ["127.0.7.1"]

    def site_of(path: str, request: bytes) -> bytes:
        return answer(b"x", headers=b"Connection: close\r\n")

    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(site_of)
        urls = [f"http://{host}.example:{site.port}/{n}" for host in ("no", "yes") for n in range(20)]
        crawled = crawl(walker(*urls), {"ROBOTSTXT_OBEY": False}, names=names)
        assert len(crawled.errors) == 20
        assert sorted(asked) == ["no.example", "yes.example"]  # a failure is remembered as well


# Traps


def trap(path: str, request: bytes) -> bytes:
    """A site without end, several times over."""
    kind, _, rest = path.strip("/").partition("/")
    if kind == "calendar":
        month = int(rest or 0)
        return page(f"/calendar/{month + 1}", f"/calendar/{month - 1}")
    if kind == "a":
        return page(f"{path}a/", f"{path}b/")
    if kind == "session":
        return page(*(f"/session/{number}?sid={os.urandom(8).hex()}" for number in range(3)))
    if kind.startswith("search"):
        names = "abcdef"
        queries = ("&".join(f"{each}=1" for each in names[i:] + names[:i]) for i in range(len(names)))
        return page(*(f"/search?{query}" for query in queries))
    return page("/calendar/", "/a/", "/session/", "/search?a=1", "/" + "x" * 3000)


def test_traps_end_by_depth() -> None:
    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(
            lambda path, request: answer(b"", status=b"404 X") if "robots" in path else trap(path, request)
        )
        crawled = crawl(walker(site.url()), {"DEPTH_LIMIT": 4, "URLLENGTH_LIMIT": 100})
        asked = paths(site)
        assert len(asked) == len(crawled.items)
        calendar = [path for path in asked if path.startswith("/calendar")]
        assert len(calendar) == 8  # "", and ±1, ±2, ±3 and 0
        assert len([path for path in asked if path.startswith("/search")]) == 2  # the order of parameters is no page
        assert len(asked) < 100
        assert {"depth", "url_length", "duplicate"} <= set(crawled.refused.values())


def test_a_path_that_grows_ends_by_length() -> None:
    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(lambda path, request: page(path.rstrip("/") + "/aaaaaaaaa/"))
        crawled = crawl(walker(site.url("/a/")), {"URLLENGTH_LIMIT": 500, "ROBOTSTXT_OBEY": False})
        assert 40 < len(paths(site)) < 50
        assert "url_length" in crawled.refused.values()


def test_a_crawl_may_be_bounded_by_pages() -> None:
    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(trap)
        crawled = crawl(walker(site.url("/session/")), {"CLOSESPIDER_PAGECOUNT": 30})
        assert crawled.summary.reason == "closespider_pagecount"
        assert len(paths(site)) < 60


@pytest.mark.slow
def test_many_links_on_a_page_cost_no_memory_to_wait() -> None:
    """What waits is in the job's file: many times the links need little more memory."""
    grown = {}
    for count in (10_000, 60_000):
        body = b"<html>" + b"<a href=/1>" * count
        with sites("127.0.7.1") as (site,):
            site.scripts = Everything(lambda path, request, body=body: answer(body if path == "/" else b"x"))  # type: ignore[misc]
            said = measured("links", site.url())
            grown[count] = said["grown"] - 3 * len(body)
            assert said["stats"]["finish_reason"] == "closespider_pagecount"
    assert grown[60_000] < grown[10_000] + 40_000_000, grown


def test_ten_thousand_cookies_and_a_large_one() -> None:
    def cookies(path: str, request: bytes) -> bytes:
        if path == "/large":
            return answer(b"x", headers=b"Set-Cookie: large=%b\r\n" % (b"y" * 1_000_000))
        if path == "/last":
            return page()
        lines = b"".join(b"Set-Cookie: %b-%d=%b\r\n" % (path.strip("/").encode(), n, b"z" * 50) for n in range(500))
        return answer(b"x", headers=lines)

    with sites("127.0.7.1") as (site,):
        site.scripts = Everything(cookies)
        urls = [site.url(f"/{number}") for number in range(20)]
        settings = {"CONCURRENT_REQUESTS": 1, "ROBOTSTXT_OBEY": False}
        crawled = crawl(walker(*urls, site.url("/large"), site.url("/last")), settings)
        assert crawled.errors == {site.url("/large"): "HeadTooLarge"}
        assert len(crawled.items) == 21
        assert max(map(len, site.requests)) < 20_000
        assert b"Cookie: " in site.requests[-1]
        assert crawled.summary.seconds < 5
