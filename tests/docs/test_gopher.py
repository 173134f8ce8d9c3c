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
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

import crawler
from crawler import Request, Settings
from crawler.download.seam import Exchange
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


class Fetch:
    """One fetch of the example over a transport in memory."""

    def __init__(
        self, url: str, *, meta: dict[str, Any] | None = None, exchange: Exchange | None = None, **given: Any
    ) -> None:
        self.reactor = MemoryReactorClock()
        self.transport: Any = StringTransport(peerAddress=IPv4Address("TCP", "192.0.2.7", 70))
        self.outcome: list[Any] = []
        core = Settings(given).core
        made = load(DOCUMENT, "gopher.py")["GopherDownloader"](core, reactor=self.reactor)
        self.downloader = TimedDownloader(made, core, self.reactor)  # as the crawl does
        self.exchange = exchange or Exchange()
        self.request = Request(url, meta=meta)
        self.fetching: Deferred[Any] = self.downloader.fetch(self.request, self.exchange)
        self.fetching.addBoth(self.outcome.append)
        self.protocol: Any = None

    def connect(self) -> Any:
        _, self.port, factory, _, _ = self.reactor.tcpClients[0]
        self.protocol = factory.buildProtocol(None)
        self.protocol.makeConnection(self.transport)
        return self

    def receive(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def end(self, reason: Exception) -> Any:
        self.protocol.connectionLost(Failure(reason))
        return self.outcome[0]

    @property
    def error(self) -> Any:
        assert isinstance(self.outcome[0], Failure)
        error = self.outcome[0].value
        assert isinstance(error, crawler.FetchError)
        assert error.request is self.request
        return error


@pytest.mark.parametrize(
    ("url", "port", "line"),
    [
        ("gopher://192.0.2.7", 70, b"\r\n"),
        ("gopher://192.0.2.7/1/about", 70, b"/about\r\n"),
        ("gopher://192.0.2.7:7070/0/a b%25%09c", 7070, b"/a b%\tc\r\n"),
        ("gopher://[2001:db8::7]/0/x", 70, b"/x\r\n"),
    ],
)
def test_the_selector_is_sent_to_the_port_of_the_url(url: str, port: int, line: bytes) -> None:
    fetch = Fetch(url).connect()
    assert (fetch.port, fetch.transport.value()) == (port, line)
    fetch.receive(b"tex")
    fetch.receive(b"t\r\n")
    response = fetch.end(ConnectionDone())
    assert (response.status, response.text, response.url) == (200, "text\r\n", Request(url).url)
    assert response.protocol == "gopher"


def test_a_line_end_in_the_url_sends_nothing() -> None:
    fetch = Fetch("gopher://192.0.2.7:25/1x%0d%0aMAIL%20FROM:<a@b>")
    assert fetch.error.sent is False
    assert not fetch.reactor.tcpClients


def test_a_silent_server_is_left_when_the_time_is_up() -> None:
    fetch = Fetch("gopher://192.0.2.7/", DOWNLOAD_TIMEOUT=5).connect()
    fetch.reactor.advance(4.9)
    assert not fetch.outcome
    fetch.reactor.advance(0.2)
    assert isinstance(fetch.error, crawler.FetchTimeout)
    assert fetch.transport.disconnecting


def test_a_connection_that_is_never_made_is_left_when_the_time_is_up() -> None:
    fetch = Fetch("gopher://192.0.2.7/", meta={"download_timeout": 2})
    fetch.reactor.advance(2.1)
    assert isinstance(fetch.error, crawler.FetchTimeout)


def test_a_stop_cuts_the_connection_off() -> None:
    fetch = Fetch("gopher://192.0.2.7/").connect()
    fetch.fetching.cancel()
    assert isinstance(fetch.error, crawler.FetchCancelled)
    assert fetch.transport.disconnecting
    assert not [call for call in fetch.reactor.getDelayedCalls() if call.func.__name__ == "timeItOut"]


@pytest.mark.parametrize("connected", [False, True])
def test_closing_the_downloader_ends_what_is_under_way(connected: bool) -> None:
    fetch = Fetch("gopher://192.0.2.7/")
    if connected:
        fetch.connect()
    fetch.downloader.close()
    assert isinstance(fetch.error, crawler.FetchCancelled)
    assert fetch.error.sent is connected


def test_a_large_document_is_not_read_to_its_end() -> None:
    fetch = Fetch("gopher://192.0.2.7/", DOWNLOAD_MAXSIZE=10).connect()
    fetch.receive(b"x" * 10)
    assert not fetch.outcome
    fetch.receive(b"x")
    assert isinstance(fetch.error, crawler.BodyTooLarge)
    assert fetch.transport.disconnecting
    fetch.protocol.connectionLost(Failure(ConnectionDone()))
    unlimited = Fetch("gopher://192.0.2.7/", DOWNLOAD_MAXSIZE=0).connect()
    unlimited.receive(b"x" * 1000)
    assert len(unlimited.end(ConnectionDone()).body) == 1000


def test_a_large_document_lies_in_a_file(tmp_path: Path) -> None:
    fetch = Fetch("gopher://192.0.2.7/", meta={"download_file": str(tmp_path / "a.txt")}).connect()
    fetch.receive(b"text")
    response = fetch.end(ConnectionDone())
    assert response.body_file == tmp_path / "a.txt"
    assert response.body_file.read_bytes() == b"text"
    broken = Fetch("gopher://192.0.2.7/", meta={"download_file": str(tmp_path / "b.txt")}).connect()
    broken.receive(b"text")
    broken.end(ConnectionLost())
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_the_exchange_is_told_what_was_sent_and_to_whom_and_hears_the_bytes() -> None:
    pieces: list[bytes] = []
    heads: list[Any] = []
    exchange = Exchange(on_head=lambda request, head: heads.append(head) is None, tap=pieces.append)
    fetch = Fetch("gopher://192.0.2.7/", exchange=exchange)
    assert not exchange.sent
    fetch.connect()
    assert (exchange.sent, exchange.remote) == (True, "192.0.2.7")
    fetch.receive(b"a")
    fetch.receive(b"b")
    assert fetch.end(ConnectionDone()).body == b"ab"
    assert pieces == [b"a", b"b"]
    assert [(head.status, head.protocol) for head in heads] == [(200, "gopher")]


def test_an_exchange_that_wants_no_body_stops_at_the_head() -> None:
    fetch = Fetch("gopher://192.0.2.7/", exchange=Exchange(on_head=lambda request, head: False)).connect()
    assert (fetch.outcome[0].body, fetch.outcome[0].flags) == (b"", ["stopped"])
    assert fetch.transport.disconnecting


@pytest.mark.parametrize("host", ["127.0.0.1", "192.88.99.1", "224.0.0.1"])  # the last two are global to Python
def test_a_private_address_is_asked_nothing(host: str) -> None:
    fetch = Fetch(f"gopher://{host}/", DENY_PRIVATE_ADDRESSES=True)
    assert isinstance(fetch.error, crawler.AddressForbidden)
    assert not fetch.reactor.tcpClients
    allowed = Fetch("gopher://9.9.9.9/", DENY_PRIVATE_ADDRESSES=True).connect()
    assert allowed.transport.value() == b"\r\n"
    assert allowed.end(ConnectionDone()).status == 200


def test_a_connection_lost_in_the_middle_is_no_answer() -> None:
    fetch = Fetch("gopher://192.0.2.7/").connect()
    fetch.receive(b"half")
    fetch.end(ConnectionLost())
    assert isinstance(fetch.error, crawler.ConnectionLost)
    assert fetch.error.sent is True


def test_a_refused_connection_says_that_nothing_was_sent() -> None:
    fetch = Fetch("gopher://192.0.2.7/")
    factory = fetch.reactor.tcpClients[0][2]
    factory.clientConnectionFailed(fetch.reactor.connectors[0], Failure(ConnectError()))
    assert isinstance(fetch.error, crawler.ConnectionFailed)
    assert fetch.error.sent is False


def test_it_is_short() -> None:
    text = next(block.text for block in blocks(ROOT / DOCUMENT) if block.file == "gopher.py")
    classes = text[text.index("class GopherDownloader") : text.index("class Menus")]
    assert len([line for line in classes.splitlines() if line.strip()]) < 20
