"""Is the worked example of a URL scheme in docs/extending.md right, also in each way it can fail?"""

from __future__ import annotations

import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

import crawler
from crawler import Request, Settings
from crawler.download.timed import TimedDownloader
from tests.docs.blocks import ROOT, blocks, load

DOCUMENT = "docs/extending.md"


class _Server(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        selector = self.rfile.readline().strip().decode()
        port = self.server.server_address[1]  # type: ignore[index]  # an IPv4 server
        menus = {
            "": f"0About\t/about\t127.0.0.1\t{port}\r\n1More\t/more, 100%\t127.0.0.1\t{port}\r\n.\r\n",
            "/more, 100%": f"0Last\t/last\t127.0.0.1\t{port}\r\n\r\n\t\r\n.\r\n",
        }
        self.wfile.write(menus[selector].encode())


@pytest.fixture
def port(outside: None) -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Server) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_the_scheme_and_the_format_work_from_the_command_line(port: int, tmp_path: Path) -> None:
    for block in blocks(ROOT / DOCUMENT):
        if block.file in {"gopher.py", "formats.py"}:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
    command = [sys.executable, "-m", "crawler", "run", "gopher.py", "-a", f"url=gopher://127.0.0.1:{port}"]
    command += ["-s", 'FEED_FORMATS={"md": "formats.MarkdownList"}', "-O", "out.txt:md", "-s", "JOB_STORE=none"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    lines = (tmp_path / "out.txt").read_text().splitlines()
    assert sorted(lines) == ["- kind: 0, title: About", "- kind: 0, title: Last", "- kind: 1, title: More"]


class Exchange:
    """One fetch of the example over a transport in memory."""

    def __init__(self, url: str, *, meta: dict[str, Any] | None = None, peer: str = "127.0.0.1", **given: Any) -> None:
        self.reactor = MemoryReactorClock()
        self.transport: Any = StringTransport(peerAddress=IPv4Address("TCP", peer, 70))
        self.outcome: list[Any] = []
        core = Settings(given).core
        downloader = load(DOCUMENT, "gopher.py")["GopherDownloader"](core, reactor=self.reactor)
        downloader = TimedDownloader(downloader, core, self.reactor)  # as the crawl does
        self.fetching: Deferred[Any] = downloader.fetch(Request(url, meta=meta))
        self.fetching.addBoth(self.outcome.append)
        self.protocol: Any = None

    def connect(self) -> Any:
        _, self.port, factory, _, _ = self.reactor.tcpClients[0]
        self.protocol = factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        return self

    def end(self, reason: Exception) -> Any:
        self.protocol.connectionLost(Failure(reason))
        return self.outcome[0]

    @property
    def error(self) -> Any:
        assert isinstance(self.outcome[0], Failure)
        return self.outcome[0].value


@pytest.mark.parametrize(
    ("url", "port", "line"),
    [
        ("gopher://gopher.example", 70, b"\r\n"),
        ("gopher://gopher.example/1/about", 70, b"/about\r\n"),
        ("gopher://Gopher.Example:7070/0/a b%25%09c", 7070, b"/a b%\tc\r\n"),
    ],
)
def test_the_selector_is_sent_to_the_port_of_the_url(url: str, port: int, line: bytes) -> None:
    exchange = Exchange(url).connect()
    assert (exchange.port, exchange.transport.value()) == (port, line)
    exchange.protocol.dataReceived(b"tex")
    exchange.protocol.dataReceived(b"t\r\n")
    response = exchange.end(ConnectionDone())
    assert (response.status, response.text, response.url) == (200, "text\r\n", Request(url).url)


def test_a_line_end_in_the_url_sends_nothing() -> None:
    exchange = Exchange("gopher://mail.example:25/1x%0d%0aMAIL%20FROM:<a@b>")
    assert isinstance(exchange.error, crawler.FetchError)
    assert not exchange.reactor.tcpClients


def test_a_silent_server_is_left_when_the_time_is_up() -> None:
    exchange = Exchange("gopher://gopher.example/", DOWNLOAD_TIMEOUT=5).connect()
    exchange.reactor.advance(4.9)
    assert not exchange.outcome
    exchange.reactor.advance(0.2)
    assert isinstance(exchange.error, crawler.FetchTimeout)
    assert exchange.transport.disconnecting


def test_a_connection_that_is_never_made_is_left_when_the_time_is_up() -> None:
    exchange = Exchange("gopher://gopher.example/", meta={"download_timeout": 2})
    exchange.reactor.advance(2.1)
    assert isinstance(exchange.error, crawler.FetchTimeout)


def test_a_stop_cuts_the_connection_off() -> None:
    exchange = Exchange("gopher://gopher.example/").connect()
    exchange.fetching.cancel()
    assert isinstance(exchange.error, CancelledError)
    assert exchange.transport.disconnecting
    assert not [call for call in exchange.reactor.getDelayedCalls() if call.func.__name__ == "timeItOut"]


def test_a_large_document_is_not_read_to_its_end() -> None:
    exchange = Exchange("gopher://gopher.example/", DOWNLOAD_MAXSIZE=10).connect()
    exchange.protocol.dataReceived(b"x" * 10)
    assert not exchange.outcome
    exchange.protocol.dataReceived(b"x")
    assert isinstance(exchange.error, crawler.BodyTooLarge)
    assert exchange.transport.disconnecting
    exchange.protocol.connectionLost(Failure(ConnectionDone()))
    unlimited = Exchange("gopher://gopher.example/", DOWNLOAD_MAXSIZE=0).connect()
    unlimited.protocol.dataReceived(b"x" * 1000)
    assert len(unlimited.end(ConnectionDone()).body) == 1000


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.88.99.1", "224.0.0.1"])  # the last two are global to Python
def test_a_private_address_is_asked_nothing(peer: str) -> None:
    exchange = Exchange("gopher://gopher.example/", peer=peer, DENY_PRIVATE_ADDRESSES=True).connect()
    assert isinstance(exchange.error, crawler.AddressForbidden)
    assert exchange.transport.value() == b""
    allowed = Exchange("gopher://gopher.example/", peer="9.9.9.9", DENY_PRIVATE_ADDRESSES=True).connect()
    assert allowed.transport.value() == b"\r\n"


def test_a_connection_lost_in_the_middle_is_no_answer() -> None:
    exchange = Exchange("gopher://gopher.example/").connect()
    exchange.protocol.dataReceived(b"half")
    exchange.end(ConnectionLost())
    assert isinstance(exchange.error, crawler.ConnectionLost)


def test_a_refused_connection_says_that_nothing_was_sent() -> None:
    exchange = Exchange("gopher://gopher.example/")
    factory = exchange.reactor.tcpClients[0][2]
    factory.clientConnectionFailed(exchange.reactor.connectors[0], Failure(ConnectionLost()))
    exchange.reactor.advance(1)
    assert isinstance(exchange.error, crawler.ConnectionFailed)
    assert exchange.error.sent is False


def test_it_is_short() -> None:
    text = next(block.text for block in blocks(ROOT / DOCUMENT) if block.file == "gopher.py")
    classes = text[text.index("class GopherProtocol") : text.index("class Menus")]
    assert len([line for line in classes.splitlines() if line.strip()]) < 50
