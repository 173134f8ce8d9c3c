from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.basic import LineReceiver

from crawler.config.schema import CoreSettings
from crawler.download.schemes.ftp import FtpDownloader
from crawler.download.timed import TimedDownloader
from crawler.errors import BodyTooLarge, ConnectionFailed, FetchCancelled, FetchError, FetchTimeout
from crawler.model.request import Request
from crawler.model.response import Response
from tests.download.reactor import reactor, run, until

pytestmark = pytest.mark.process


class Data(Protocol):
    def __init__(self, server: Server) -> None:
        self.server = server

    def connectionMade(self) -> None:
        self.server.data.append(self)
        transport: Any = self.transport
        self.server.data_peers.append(transport.getHost().host)


class Control(LineReceiver):
    """As little of an FTP server as the tests need."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def say(self, line: str) -> None:
        self.sendLine(line.encode())  # type: ignore[no-untyped-call]  # Twisted's

    def connectionMade(self) -> None:
        self.server.controls.append(self)
        self.say(self.server.greeting)

    def lineReceived(self, line: bytes) -> None:
        self.server.lines.append(line.decode("latin-1"))
        command, _, rest = self.server.lines[-1].partition(" ")
        getattr(self, f"do_{command.lower()}", lambda rest: self.say("502 no"))(rest)

    def do_user(self, rest: str) -> None:
        self.say("331 password, please")

    def do_pass(self, rest: str) -> None:
        self.say("530 no" if rest == "wrong" else "230 in")

    def do_type(self, rest: str) -> None:
        self.say("200 ok")

    def do_pasv(self, rest: str) -> None:
        port = self.server.data_port
        self.say(f"227 Entering Passive Mode ({self.server.pasv_host},{port // 256},{port % 256})")

    def do_retr(self, rest: str) -> None:
        self.send(self.server.files.get(rest))

    def do_list(self, rest: str) -> None:
        self.send(b"-rw-r--r-- 1 u g 5 Jan 1 00:00 a.txt\r\n")

    def send(self, content: bytes | None) -> None:
        if content is None:
            self.say("550 no such file")
            return
        until_connected = self.server.data
        if not until_connected:
            reactor.callLater(0.005, self.send, content)
            return
        self.say("150 here it comes")
        transport: Any = until_connected.pop().transport
        transport.write(content)
        if not self.server.hangs:
            transport.loseConnection()
            self.say("226 done")

    def connectionLost(self, reason: Any = None) -> None:
        self.server.controls.remove(self)


class Server:
    def __init__(self) -> None:
        self.files = {"/dir/a b.txt": b"hello", "/large": b"x" * 100_000}
        self.greeting = "220 hello"
        self.pasv_host = "10,9,8,7"
        self.hangs = False
        self.lines: list[str] = []
        self.data: list[Any] = []
        self.data_peers: list[str] = []
        self.controls: list[Any] = []
        self.ports = [self.listen(lambda: Control(self)), self.listen(lambda: Data(self))]
        self.port, self.data_port = (port.getHost().port for port in self.ports)

    def listen(self, build: Any) -> Any:
        factory: Any = Factory.forProtocol(build)
        factory.noisy = False
        return reactor.listenTCP(0, factory, interface="127.0.0.1")

    def url(self, path: str, user: str = "") -> str:
        return f"ftp://{user}127.0.0.1:{self.port}{path}"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    until(lambda: not made.controls)
    for port in made.ports:
        run(port.stopListening())


@pytest.fixture
def ftp() -> Iterator[TimedDownloader]:
    settings = CoreSettings(DOWNLOAD_TIMEOUT=3.0)
    made = TimedDownloader(FtpDownloader(settings, reactor=reactor), settings, reactor)  # as the crawl does
    yield made
    run(made.close())


def fetch(ftp: TimedDownloader, url: str, **request: Any) -> Response:
    return run(ftp.fetch(Request(url, **request)))


def test_a_file(ftp: TimedDownloader, server: Server) -> None:
    response = fetch(ftp, server.url("/dir/a%20b.txt"))
    assert (response.status, response.body, response.protocol) == (200, b"hello", "FTP")
    assert server.lines[:3] == ["USER anonymous", "PASS guest@example.com", "TYPE I"]


def test_the_host_of_pasv_is_not_dialled(ftp: TimedDownloader, server: Server) -> None:
    fetch(ftp, server.url("/large"))
    assert server.data_peers == ["127.0.0.1"]


def test_a_listing(ftp: TimedDownloader, server: Server) -> None:
    assert b"a.txt" in fetch(ftp, server.url("/dir/")).body


def test_credentials(ftp: TimedDownloader, server: Server) -> None:
    fetch(ftp, server.url("/large", "me:se%20cret@"))
    assert server.lines[:2] == ["USER me", "PASS se cret"]
    with pytest.raises(FetchError):
        fetch(ftp, server.url("/large", "me:wrong@"))


def test_no_such_file(ftp: TimedDownloader, server: Server) -> None:
    assert fetch(ftp, server.url("/absent")).status == 404


@pytest.mark.parametrize("path", ["/a%0d%0aDELE%20b", "/a%00", "/a%0ab"])
def test_no_commands_in_paths(ftp: TimedDownloader, server: Server, path: str) -> None:
    with pytest.raises(FetchError, match="control characters"):
        fetch(ftp, server.url(path))
    with pytest.raises(FetchError, match="control characters"):
        fetch(ftp, server.url("/a", "u%0d%0aDELE%20b:p@"))
    assert not server.lines


def test_limits(ftp: TimedDownloader, server: Server) -> None:
    with pytest.raises(BodyTooLarge):
        fetch(ftp, server.url("/large"), max_size=1000)
    assert len(fetch(ftp, server.url("/large"), max_size=100_000).body) == 100_000


def test_silence(ftp: TimedDownloader, server: Server) -> None:
    server.hangs = True
    with pytest.raises(FetchTimeout):
        fetch(ftp, server.url("/large"), timeout=0.2)
    fetching = ftp.fetch(Request(server.url("/large")))
    until(lambda: bool(server.data_peers))
    fetching.cancel()
    with pytest.raises(FetchCancelled):
        run(fetching)


def test_a_server_that_is_none(ftp: TimedDownloader, server: Server) -> None:
    server.greeting = "SSH-2.0-OpenSSH\r\n" * 2000
    with pytest.raises(FetchError):
        fetch(ftp, server.url("/large"))
    with pytest.raises(ConnectionFailed):
        fetch(ftp, "ftp://127.0.0.1:1/x")
