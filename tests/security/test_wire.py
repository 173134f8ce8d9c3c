"""What of ours goes out, and what of theirs reaches the log?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.internet.ssl import ContextFactory
from twisted.protocols.tls import TLSMemoryBIOFactory

from crawler.config.log_settings import LogSettings
from crawler.errors import InvalidRequest
from crawler.events import FetchFailed
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.lines import subscribe_lines
from crawler.observe.log import start_logging
from crawler.spider import Spider
from tests.download.chaos import answer
from tests.download.http.certificates import Authority
from tests.download.reactor import reactor
from tests.security.support import Everything, crawl, page, redirect, sites, walker

pytestmark = pytest.mark.process

# Referer


def referers(requests: list[bytes]) -> dict[str, str]:
    """Return the Referer of each path that was asked for, "" for none."""
    found = {}
    for request in requests:
        path = request.split(b" ", 2)[1].decode()
        line = re.search(rb"(?im)^referer: (.*?)\r$", request)
        found[path] = line[1].decode() if line else ""
    return found


@pytest.mark.parametrize(
    ("policy", "same", "other"),
    [
        ("", "full", "origin"),
        ("no-referrer", "", ""),
        ("unsafe-url", "full", "full"),
        ("same-origin", "full", ""),
        ("os.system", "full", "origin"),
        ("crawler.errors.CloseSpider", "full", "origin"),
        ("__import__('os').system('x'), origin", "origin", "origin"),
    ],
)
def test_referer(policy: str, same: str, other: str) -> None:
    with sites("127.0.7.1", "127.0.7.2") as (site, elsewhere):
        headers = f"Content-Type: text/html\r\nReferrer-Policy: {policy}\r\n".encode()
        body = f'<a href="/same">1</a><a href="{elsewhere.url("/other")}">2</a><a href="{elsewhere.url("/hop")}">3</a>'

        def scripts(path: str, request: bytes) -> bytes:
            if path == "/hop":
                return redirect(site.url("/back"))
            return answer(body.encode(), headers=headers) if path == "/?q=1" else page()

        site.scripts = elsewhere.scripts = Everything(scripts)
        start = site.url("/?q=1#part").replace("//", "//user:secret@")
        crawl(walker(start))
        meant = {"full": site.url("/?q=1"), "origin": site.url("/"), "": ""}
        assert referers(site.requests)["/same"] == meant[same]
        assert referers(elsewhere.requests)["/other"] == meant[other]
        # What no request carries: the fragment of a page, or who logged in there.
        every = b"".join(site.requests + elsewhere.requests)
        assert b"secret" not in every.replace(b"user:secret", b"")
        assert not any("secret" in value or "#" in value for value in referers(site.requests).values())
        assert not any("secret" in value or "#" in value for value in referers(elsewhere.requests).values())


# Requests


@pytest.mark.parametrize("bad", ["\r", "\n", "\0", "\r\nX-Injected: 1\r\n\r\nGET /second HTTP/1.1\r\n"])
def test_control_characters_never_reach_the_wire(bad: str) -> None:
    for arguments in ({"method": f"GET{bad}"}, {"headers": {"X": f"1{bad}"}}, {"headers": {f"X{bad}": "1"}}):
        with pytest.raises(InvalidRequest):
            Request("http://x.example/", **arguments)
    with sites("127.0.7.1") as (site,):

        class Sender(Spider):
            name = "sender"

            async def start(self) -> Any:
                yield Request(f"{site.url('/url')}{bad}x")
                yield Request(f"{site.url('/host')}".replace("127", f"127{bad}"))
                for number, cookies in enumerate(({"a": f"1{bad}2"}, {f"a{bad}b": "1"})):
                    try:
                        yield Request(site.url(f"/cookie-{number}"), cookies=cookies)
                    except InvalidRequest:
                        pass  # refused even earlier
                yield Request(site.url("/page"))

            def parse(self, response: Response) -> Any:
                if response.url.endswith("/page"):
                    yield response.follow(f"/li{bad}nk")

        site.scripts = Everything(lambda path, request: page())
        crawled = crawl(Sender)
        assert "invalid_url" in crawled.refused.values()
        for request in site.requests:
            head = request.partition(b"\r\n\r\n")[0]
            assert not re.search(rb"[\0]|\r(?!\n)|(?<!\r)\n", head)
            assert b"\nX-Injected" not in head
            assert request.startswith(b"GET ")
        assert not any(b"GET /second" in request for request in site.requests)


# The log

HOSTILE = "\r\n2026-01-01 00:00:00 ERROR forged: record\x1b[2J\x1b]0;title\x07\u2028\u2029\u202e\x00\x7f\x85"


@pytest.mark.parametrize("form", ["text", "json"])
def test_one_record_is_one_line(form: str) -> None:
    """Whatever a site puts into URLs, titles, headers, statuses and errors."""
    written: list[str] = []
    raw = HOSTILE.encode()

    def scripts(path: str, request: bytes) -> Iterator[Any]:
        if path == "/":
            links = [
                "/title",
                "/reason",
                "/location",
                "/header",
                "/bad",
                f"/x{HOSTILE}",
                f"ht{HOSTILE}tp://x/",
                "foo:" + HOSTILE,
            ]
            yield page(*links)
        elif path == "/title":
            yield answer(f"<title>{HOSTILE}</title>".encode(), headers=b"Content-Type: text/html; charset=utf-8\r\n")
        elif path == "/reason":
            yield answer(b"", status=b"503 Busy" + raw.replace(b"\r\n", b"").replace(b"\0", b""))
        elif path == "/location":
            yield answer(
                b"",
                status=b"302 Go",
                headers=b"Location: http://[" + raw.replace(b"\r\n", b"").replace(b"\0", b"") + b"\r\n",
            )
        elif path == "/header":
            yield answer(b"", headers=b"Content-Encoding: gzip\x1b[2J\r\nX" + raw[2:] + b": 1\r\n")
        elif path == "/bad":
            yield b"HTTP/1.1 200\x1b[2J OK\x07\r\n\r\n" + raw
        else:
            yield page()

    class Logging(Spider):
        name = "logging"
        start_urls: list[str] = []

        def parse(self, response: Response) -> Any:
            title = response.css("title::text").get()
            self.logger.info("title %s", title)
            self.logger.warning("headers %r %s", response.headers, response.reason)
            self.logger.error("of %s", response.url, extra={"trace": [f"ValueError: {title}"]})
            for href in response.css("a::attr(href)").getall():
                yield Request(href if ":" in href else response.urljoin(href), errback=self.failed)
            yield {"title": title}

        def failed(self, failure: Any) -> None:
            try:
                raise ValueError(HOSTILE)
            except ValueError:
                self.logger.exception("failed: %s", failure.value)

    stop = start_logging(LogSettings(LOG_LEVEL="DEBUG", LOG_FORMAT=form), write=written.append)
    try:
        with sites("127.0.7.1") as (site,):
            site.scripts = Everything(scripts)
            Logging.start_urls = [site.url()]
            crawl(Logging, lines=subscribe_lines)
    finally:
        stop()
    assert len(written) > 15
    for line in written:
        assert line.endswith("\n")
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]", line[:-1]), line
        assert not line.startswith("2026-01-01")
        if form == "json":
            message = json.loads(line)["message"]
            assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]", message)


# TLS


class _ServerContext(ContextFactory):
    def __init__(self, file: Path) -> None:
        self.context = SSL.Context(SSL.TLS_SERVER_METHOD)
        self.context.use_certificate_chain_file(str(file))
        self.context.use_privatekey_file(str(file))

    def getContext(self) -> SSL.Context:
        return self.context


@pytest.mark.parametrize("downloader", ["fast", "twisted"])
def test_tls_fails_closed(downloader: str, tmp_path: Path) -> None:
    """By link and by redirect, in both downloaders; and nothing of the request is sent."""
    root = Authority(tmp_path)
    between = Authority(tmp_path, "Between", issuer=root)
    files = {
        "expired": root.server("127.0.7.1", since=-20, until=-10),
        "not yet valid": root.server("127.0.7.1", since=10),
        "self-signed": root.server("127.0.7.1", self_signed=True),
        "untrusted root": Authority(tmp_path, "Other").server("127.0.7.1"),
        "does not send its whole chain": between.server("127.0.7.1"),
        "not for 127.0.7.1 but for 127.0.7.2": root.server("127.0.7.2"),
        "no name at all": root.server(common_name="127.0.7.1"),
        "": root.server("127.0.7.1"),
    }
    got: list[bytes] = []
    ports: list[Any] = []
    from twisted.internet.protocol import Factory, Protocol

    class Secret(Protocol):
        def dataReceived(self, data: bytes) -> None:
            got.append(data)
            transport: Any = self.transport
            transport.write(answer(b"hello"))

    causes: dict[int, str] = {}
    try:
        for cause, file in files.items():
            factory: Any = Factory.forProtocol(Secret)
            factory.noisy = False
            context: Any = _ServerContext(file)
            wrapped = TLSMemoryBIOFactory(context, False, factory, reactor)
            wrapped.noisy = False
            ports.append(reactor.listenTCP(0, wrapped, interface="127.0.7.1"))
            causes[ports[-1].getHost().port] = cause
        with sites("127.0.7.1") as (site,):
            links = [f"https://127.0.7.1:{port}/link" for port in causes]
            hops = {f"/{port}": f"https://127.0.7.1:{port}/hop" for port in causes}
            site.scripts = Everything(
                lambda path, request: redirect(hops[path]) if path in hops else page(*links, *hops)
            )
            settings = {"DOWNLOADER": downloader, "TLS_CA_FILE": str(root.file), "ROBOTSTXT_OBEY": False}
            crawled = crawl(walker(site.url()), settings)
    finally:
        for port in ports:
            port.stopListening()
    told = [
        (causes[int(each.request.url.split(":")[2].split("/")[0])], each.error)
        for each in crawled.happened(FetchFailed)
    ]
    assert len(told) == 2 * (len(files) - 1)
    for cause, error in told:
        assert type(error).__name__ == "TLSError"
        assert cause in str(error)
    assert len(got) == 2  # of the good one
