"""HTTP/1.1 with nginx: connections used again, codings, ranges, TLS, and the ways it ends a connection."""

from __future__ import annotations

import getpass
import gzip
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import brotli
import pytest
import zstandard
from twisted.internet.defer import DeferredList

from crawler.download.agent.agent import FastAgent
from crawler.download.agent.client import Client
from crawler.download.seam import Exchange
from crawler.errors import BodyTooLarge, ConnectionLost, FetchCancelled, FetchTimeout, HeadTooLarge, TLSError
from crawler.model.request import Request
from tests.download.http.certificates import Authority
from tests.download.http.support import World
from tests.servers.process import folder, free_port, program, running

pytestmark = pytest.mark.slow

PAGE = b"<title>hello</title>" + b"<p>some text\n" * 400
LARGE = bytes(range(256)) * 8192
KEPT = 25  # exchanges that nginx allows on a connection of the "few" server

CONFIGURATION = """\
daemon off;
{user}
worker_processes 1;
pid {private}/pid;
error_log {private}/error.log;
events {{ worker_connections 1000; }}
http {{
    types {{ text/html html; }}
    log_format connections '$server_port $connection $request_method $uri $status';
    access_log {private}/access.log connections;
    client_body_temp_path {private}/body;
    proxy_temp_path {private}/proxy;
    fastcgi_temp_path {private}/fastcgi;
    uwsgi_temp_path {private}/uwsgi;
    scgi_temp_path {private}/scgi;
    server {{
        listen 127.0.0.1:{plain} backlog=1000;
        listen 127.0.0.1:{secure} ssl;
        ssl_certificate {certificate};
        ssl_certificate_key {certificate};
        root {private}/site;
        location /zipped/ {{ alias {private}/site/; gzip on; gzip_min_length 1; }}
        location /br/ {{ alias {private}/br/; types {{ text/html html; }} add_header Content-Encoding br; }}
        location /zstd/ {{ alias {private}/zstd/; types {{ text/html html; }} add_header Content-Encoding zstd; }}
        location /nothing {{ return 444; }}
        location /slow/ {{ alias {private}/site/; limit_rate 4k; }}
        location /moved {{ return 301 /page.html; }}
        location /long {{ add_header X-Long {long}; return 200 "long"; }}
        location /many {{ {many} return 200 "many"; }}
        location /echo {{ return 200 "$request_method $content_length $http_x_mine"; }}
        location /close {{ keepalive_timeout 0; return 200 "closed"; }}
        location /chunked/ {{
            proxy_pass http://127.0.0.1:{plain}/zipped/;
            proxy_http_version 1.1;
            proxy_set_header Accept-Encoding gzip;
        }}
        location /old/ {{ proxy_pass http://127.0.0.1:{plain}/; proxy_http_version 1.0; gzip on; }}
        location /dead {{ proxy_pass http://127.0.0.1:9; }}
    }}
    server {{
        listen 127.0.0.1:{few};
        keepalive_requests {kept};
        root {private}/site;
    }}
    server {{
        listen 127.0.0.1:{hasty};
        keepalive_timeout 200ms;
        root {private}/site;
    }}
}}
"""


class Site(NamedTuple):
    """The URLs without a path; the log of who asked for what on which connection."""

    plain: str
    secure: str
    few: str
    hasty: str
    private: Path

    def connections(self, server: str) -> Counter[str]:
        """How many requests came on each connection of a server."""
        port = server.rpartition(":")[2]
        time.sleep(0.05)  # nginx writes a line after the answer went out
        lines = (self.private / "access.log").read_text().splitlines()
        return Counter(line.split()[1] for line in lines if line.startswith(port + " "))


@pytest.fixture(scope="module")
def site(certificate: Path) -> Iterator[Site]:
    path = program("nginx")
    with folder("nginx") as private:
        for name, body in (("site", PAGE), ("br", brotli.compress(PAGE)), ("zstd", zstandard.compress(PAGE))):
            (private / name).mkdir()
            (private / name / "page.html").write_bytes(body)
        (private / "site" / "large.bin").write_bytes(LARGE)
        (private / "site" / "empty.html").write_bytes(b"")
        plain, secure, few, hasty = (free_port() for _ in range(4))
        configuration = private / "nginx.conf"
        configuration.write_text(
            CONFIGURATION.format(
                user=f"user {getpass.getuser()};" if getpass.getuser() == "root" else "",
                private=private,
                certificate=certificate,
                plain=plain,
                secure=secure,
                few=few,
                hasty=hasty,
                kept=KEPT,
                long="l" * 3900,
                many="".join(f"add_header X-{number} {number};" for number in range(300)),
            )
        )
        with running([path, "-e", private / "error.log", "-p", private, "-c", configuration], plain, private):
            host = "http://127.0.0.1"
            yield Site(f"{host}:{plain}", f"https://127.0.0.1:{secure}", f"{host}:{few}", f"{host}:{hasty}", private)


def test_one_after_another_on_one_connection(world: World, site: Site) -> None:
    downloader = world.downloader()
    before = site.connections(site.plain)
    for _ in range(20):
        response = world.wait(downloader.fetch(Request(f"{site.plain}/page.html")))
        assert (response.status, response.body, response.protocol) == (200, PAGE, "HTTP/1.1")
    assert sorted((site.connections(site.plain) - before).values()) == [20]


def test_many_at_once(world: World, site: Site) -> None:
    downloader = world.downloader(CONCURRENT_REQUESTS=100, CONCURRENT_REQUESTS_PER_DOMAIN=100)
    before = site.connections(site.plain)
    for _ in range(3):
        fetches = [downloader.fetch(Request(f"{site.plain}/page.html?{number}")) for number in range(100)]
        answers = world.wait(DeferredList(fetches))
        assert all(success and answer.body == PAGE for success, answer in answers)
    used = site.connections(site.plain) - before
    assert sum(used.values()) == 300
    assert len(used) == 100, "the connections of the first hundred serve the others"


def test_a_server_that_ends_connections_loses_no_fetch(world: World, site: Site) -> None:
    downloader = world.downloader()
    before = site.connections(site.few)
    for number in range(3 * KEPT):
        assert world.wait(downloader.fetch(Request(f"{site.few}/page.html?{number}"))).body == PAGE
    assert sorted((site.connections(site.few) - before).values()) == [KEPT, KEPT, KEPT]


def test_a_connection_that_idled_too_long_is_not_a_failure(world: World, site: Site) -> None:
    downloader = world.downloader()
    for _ in range(3):
        assert world.wait(downloader.fetch(Request(f"{site.hasty}/page.html"))).body == PAGE
        world.until(lambda: len(downloader.pool) == 0)
    assert len(site.connections(site.hasty)) == 3
    # The reactor has not seen the end yet: the request goes into a connection that is gone.
    for method in ("GET", "HEAD"):
        world.wait(downloader.fetch(Request(f"{site.hasty}/page.html")))
        time.sleep(0.5)
        assert world.wait(downloader.fetch(Request(f"{site.hasty}/page.html", method=method))).status == 200


def test_the_server_closes_after_the_answer(world: World, site: Site) -> None:
    downloader = world.downloader()
    for _ in range(2):
        assert world.wait(downloader.fetch(Request(f"{site.plain}/close"))).body == b"closed"
        world.until(lambda: len(downloader.pool) == 0)


@pytest.mark.parametrize(
    ("place", "coding"), [("zipped", b"gzip"), ("br", b"br"), ("zstd", b"zstd"), ("chunked", b"gzip"), ("old", b"gzip")]
)
def test_codings(world: World, site: Site, place: str, coding: bytes) -> None:
    exchange = Exchange(keep_raw=True)
    response = world.fetch(f"{site.plain}/{place}/page.html", exchange=exchange)
    assert (response.status, response.body) == (200, PAGE)
    assert b"Content-Encoding: " + coding in exchange.response_head
    assert "Content-Encoding" not in response.headers
    head = world.fetch(f"{site.plain}/{place}/page.html", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    plain = world.fetch(f"{site.plain}/zipped/page.html", settings={"COMPRESSION_ENABLED": False})
    assert (plain.body, "Content-Encoding" in plain.headers) == (PAGE, False)


def test_codings_stay_where_decoding_is_off(world: World, site: Site) -> None:
    raw = world.fetch(
        f"{site.plain}/zipped/page.html", headers={"Accept-Encoding": "gzip"}, settings={"COMPRESSION_ENABLED": False}
    )
    assert raw.headers["Content-Encoding"] == b"gzip"
    assert gzip.decompress(raw.body) == PAGE


def test_head_and_conditions_and_ranges(world: World, site: Site) -> None:
    downloader = world.downloader()

    def ask(path: str, **request: Any) -> Any:
        return world.wait(downloader.fetch(Request(site.plain + path, **request)))

    before = site.connections(site.plain)
    head = ask("/large.bin", method="HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(LARGE)).encode())
    page = ask("/page.html")
    for name, value in (("If-None-Match", page.headers["ETag"]), ("If-Modified-Since", page.headers["Last-Modified"])):
        answer = ask("/page.html", headers={name: value})
        assert (answer.status, answer.body) == (304, b"")
    part = ask("/large.bin", headers={"Range": "bytes=100-299"})
    assert (part.status, part.body) == (206, LARGE[100:300])
    parts = ask("/large.bin", headers={"Range": "bytes=0-9,20-29"})
    assert parts.status == 206
    assert parts.headers["Content-Type"].startswith(b"multipart/byteranges")
    assert LARGE[20:30] in parts.body
    assert ask("/large.bin", headers={"Range": "bytes=99999999-"}).status == 416
    assert ask("/empty.html").body == b""
    assert ask("/missing").status == 404
    moved = ask("/moved")
    assert (moved.status, moved.headers["Location"]) == (301, f"{site.plain}/page.html".encode())
    assert ask("/dead").status == 502
    assert ask("/echo", method="POST", body="abc", headers={"X-Mine": "1"}).body == b"POST 3 1"
    assert ask("/echo", method="DELETE").body == b"DELETE  "
    assert ask("/large.bin").body == LARGE
    # nginx refuses what it knows to be wrong, and says so; each answer must leave the connection usable or closed.
    assert ask("/page.html", method="TRACE").status == 405
    assert len(site.connections(site.plain) - before) <= 3


def test_large_heads(world: World, site: Site) -> None:
    long = world.fetch(f"{site.plain}/long")
    assert (long.body, len(long.headers["X-Long"])) == (b"long", 3900)
    many = world.fetch(f"{site.plain}/many")
    assert (many.body, many.headers["X-299"]) == (b"many", b"299")
    with pytest.raises(HeadTooLarge, match="HEADER_MAX_COUNT"):
        world.fetch(f"{site.plain}/many", settings={"HEADER_MAX_COUNT": 200})
    with pytest.raises(HeadTooLarge, match="HEADER_MAX_LINE"):
        world.fetch(f"{site.plain}/long", settings={"HEADER_MAX_LINE": 2000})
    # The other way round: nginx takes 8 kB of a request's line and answers with an error before it closes.
    assert world.fetch(f"{site.plain}/page.html?{'q' * 9000}").status == 414
    assert world.fetch(f"{site.plain}/page.html", headers={"X-Long": "l" * 40_000}).status == 400


def test_444_is_a_connection_without_an_answer(world: World, site: Site) -> None:
    downloader = world.downloader()
    with pytest.raises(ConnectionLost, match="without an answer"):
        world.wait(downloader.fetch(Request(f"{site.plain}/nothing")))
    # On a connection that was used before it might have been idle for too long: one more try, then the error.
    world.wait(downloader.fetch(Request(f"{site.plain}/page.html")))
    with pytest.raises(ConnectionLost, match="without an answer"):
        world.wait(downloader.fetch(Request(f"{site.plain}/nothing")))
    world.until(lambda: len(downloader.pool) == 0)
    assert world.wait(downloader.fetch(Request(f"{site.plain}/page.html"))).body == PAGE


def test_a_slow_answer(world: World, site: Site) -> None:
    """4 kB a second: slower than the deadline of the whole, but never silent for long."""
    downloader = world.downloader(DOWNLOAD_READ_TIMEOUT=2.5)
    assert world.wait(downloader.fetch(Request(f"{site.plain}/slow/page.html"))).body == PAGE
    for request, error in (
        (Request(f"{site.plain}/slow/large.bin", timeout=0.5), FetchTimeout),
        (Request(f"{site.plain}/slow/large.bin", max_size=8_000), BodyTooLarge),
        (Request(f"{site.plain}/large.bin", max_size=1_000_000), BodyTooLarge),
    ):
        with pytest.raises(error):
            world.wait(downloader.fetch(request))
    heads: list[Any] = []
    fetching = downloader.fetch(
        Request(f"{site.plain}/slow/large.bin"), Exchange(on_head=lambda _, head: heads.append(head))
    )
    world.until(lambda: bool(heads))
    fetching.cancel()
    with pytest.raises(FetchCancelled):
        world.wait(fetching)
    routes = downloader.pool.routes.values()
    world.until(lambda: len(downloader.pool) == sum(len(route.idle) for route in routes))


def test_tls(world: World, site: Site, authority: Authority) -> None:
    downloader = world.downloader(TLS_CA_FILE=str(authority.file))
    before = site.connections(site.secure)
    fetches = [downloader.fetch(Request(f"{site.secure}/page.html?{number}")) for number in range(8)]
    assert all(answer.body == PAGE for _, answer in world.wait(DeferredList(fetches)))
    for _ in range(8):
        answer = world.wait(downloader.fetch(Request(f"{site.secure}/zipped/page.html")))
        assert (answer.body, answer.protocol) == (PAGE, "HTTP/1.1")
        assert answer.certificate is not None
    assert world.wait(downloader.fetch(Request(f"{site.secure}/large.bin"))).body == LARGE
    with pytest.raises(ConnectionLost):
        world.wait(downloader.fetch(Request(f"{site.secure}/nothing")))
    used = site.connections(site.secure) - before
    assert len(used) <= 9
    with pytest.raises(TLSError, match="untrusted root"):
        world.fetch(f"{site.secure}/page.html")
    with pytest.raises(TLSError):
        world.fetch(site.plain.replace("http:", "https:"))
    assert world.fetch(site.secure.replace("https:", "http:")).status == 400


def test_treq_over_our_agent(world: World, site: Site) -> None:
    client = Client(FastAgent(world.downloader()), reactor=world.reactor)
    page = world.wait(client.get(f"{site.plain}/zipped/page.html"))
    assert world.wait(page.content()) == PAGE
    said = world.wait(client.post(f"{site.plain}/echo", data={"a": "b"}, headers={"X-Mine": "1"}))
    assert world.wait(said.text()) == "POST 3 1"
    moved = world.wait(client.get(f"{site.plain}/moved"))
    assert (moved.code, world.wait(moved.content())) == (200, PAGE)
