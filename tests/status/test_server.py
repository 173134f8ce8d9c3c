"""Where does it listen, who can get at it, and what is left of it? On real sockets."""

from __future__ import annotations

import logging
import os
import socket
import stat
import tracemalloc
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from msgspec import json

from crawler.errors import UsageError
from crawler.observe.board.shown import Changes
from crawler.status.channel import MAX_CONNECTIONS
from crawler.status.routes import crawl_routes
from crawler.status.server import Place, StatusServer
from crawler.status.streams import MAX_STREAMS, Streams
from tests.download.reactor import reactor, run, until
from tests.observe.board.made_up import MadeUp
from tests.status.sockets import UnixConnection, beside, fetch
from tests.status.wire import TOKEN

pytestmark = pytest.mark.process
BEARER = {"authorization": f"Bearer {TOKEN}"}


class Page:
    """A server of a made-up crawl."""

    def __init__(self, place: Place, **options: Any) -> None:
        self.source = options.pop("source", None) or MadeUp()
        self.server = StatusServer(reactor, place, token=TOKEN, **options)
        self.streams = Streams(self.source, self.server.complaints, reactor)
        self.server.open(crawl_routes(self.source, self.streams))

    @property
    def port(self) -> int:
        return int(self.server.url.rpartition(":")[2].strip("/"))

    def connection(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=10)

    def listen(self) -> socket.socket:
        """Open the events, and read nothing of them."""
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        head = f"GET /events HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
        client.sendall(head.encode())
        return client


@pytest.fixture
def page() -> Iterator[Callable[..., Page]]:
    opened: list[Page] = []

    def make(place: Place | None = None, **options: Any) -> Page:
        opened.append(Page(place or Place(), **options))
        return opened[-1]

    yield make
    for each in opened:
        run(each.server.close())


def test_a_port_of_loopback_with_a_token(page: Callable[..., Page]) -> None:
    served = page()
    assert served.server.entry() == {
        "url": f"http://127.0.0.1:{served.port}/?token={TOKEN}", "token": TOKEN, "pid": os.getpid(), "socket": None
    }  # fmt: skip
    assert beside(lambda: fetch(served.connection(), "/api/now", **BEARER)).status == 200
    assert beside(lambda: fetch(served.connection(), "/api/now")).status == 401


def test_a_token_of_its_own_for_each_page() -> None:
    tokens = {StatusServer(reactor, Place()).entry()["token"] for _ in range(10)}
    assert len(tokens) == 10
    assert min(map(len, tokens)) >= 40


@pytest.mark.parametrize(
    "token", ["short", "with a space in its midst", "with&more=of#it-in-a-url", "ü" * 20, "x" * 20 + "\n"]
)
def test_a_token_that_can_be_guessed_or_is_none_in_a_url_is_refused(token: str) -> None:
    with pytest.raises(UsageError, match="STATUS_TOKEN has to be 16 or more letters, digits"):
        StatusServer(reactor, Place(), token=token).open(lambda path: None)


def test_a_port_in_use_is_named_with_what_to_do(page: Callable[..., Page]) -> None:
    port = page().port
    with pytest.raises(UsageError) as caught:
        page(Place(port=port))
    assert str(caught.value) == (
        f"STATUS_PORT: port {port} of 127.0.0.1 is in use by another program; take another, or 0 for any that is free"
    )


def test_an_address_of_another_machine_is_refused(page: Callable[..., Page]) -> None:
    with pytest.raises(UsageError, match=r"^STATUS_HOST: 192\.0\.2\.1 is no address of this machine"):
        page(Place("192.0.2.1"))


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_beyond_loopback_it_is_said_once_that_http_is_plain(
    page: Callable[..., Page], host: str, caplog: pytest.LogCaptureFixture
) -> None:
    served = page(Place(host))
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"STATUS_HOST = {host}" in caplog.text
    assert "plain HTTP" in caplog.text
    assert TOKEN not in caplog.text
    assert served.server.url == f"http://localhost:{served.port}/"
    assert beside(lambda: fetch(served.connection(), "/api/now", **BEARER)).status == 200
    by_another = HTTPConnection("127.0.0.2", served.port, timeout=10)
    assert beside(lambda: fetch(by_another, "/api/now", **BEARER)).status == 200


def test_ipv6_is_in_brackets(page: Callable[..., Page]) -> None:
    served = page(Place("::1"))
    assert served.server.url == f"http://[::1]:{served.port}/"
    reply = beside(lambda: fetch(HTTPConnection("::1", served.port, timeout=10), "/api/now", **BEARER))
    assert reply.status == 200


def test_a_unix_socket_is_its_owner_s_and_goes_with_the_page(page: Callable[..., Page], tmp_path: Path) -> None:
    path = tmp_path / "page.socket"
    served = page(Place(socket=str(path)))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert served.server.entry()["socket"] == str(path)
    assert beside(lambda: fetch(UnixConnection(str(path)), "/api/now", **BEARER)).status == 200
    run(served.server.close())
    assert [*tmp_path.iterdir()] == []


def test_a_unix_socket_that_a_killed_process_left_is_replaced(page: Callable[..., Page], tmp_path: Path) -> None:
    path = tmp_path / "page.socket"
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(path))
    left.close()
    page(Place(socket=str(path)))
    assert beside(lambda: fetch(UnixConnection(str(path)), "/api/now", **BEARER)).status == 200


def test_a_unix_socket_in_use_and_a_file_that_is_none_are_left_alone(page: Callable[..., Page], tmp_path: Path) -> None:
    path = tmp_path / "page.socket"
    page(Place(socket=str(path)))
    with pytest.raises(UsageError, match=r"STATUS_SOCKET: .*page\.socket is in use by another program"):
        page(Place(socket=str(path)))
    assert beside(lambda: fetch(UnixConnection(str(path)), "/api/now", **BEARER)).status == 200
    file = tmp_path / "notes.txt"
    file.write_text("mine")
    with pytest.raises(UsageError, match=r"STATUS_SOCKET: .*notes\.txt"):
        page(Place(socket=str(file)))
    assert file.read_text() == "mine"


def test_a_folder_that_is_not_there_is_said(page: Callable[..., Page], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"STATUS_SOCKET: .* is in a folder that is not there"):
        page(Place(socket=str(tmp_path / "missing" / "page.socket")))


def test_a_unix_socket_that_somebody_removed_meanwhile_is_no_hindrance(
    page: Callable[..., Page], tmp_path: Path
) -> None:
    path = tmp_path / "page.socket"
    served = page(Place(socket=str(path)))
    path.unlink()
    run(served.server.close())
    assert [*tmp_path.iterdir()] == []


def test_a_path_that_is_too_long_for_a_unix_socket_is_said(page: Callable[..., Page], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"STATUS_SOCKET: .*xx is too long for a socket: 107 bytes"):
        page(Place(socket=str(tmp_path / ("x" * 200))))


def test_the_file_with_the_address_is_its_owner_s_from_the_first_moment_and_goes_with_the_page(
    page: Callable[..., Page], tmp_path: Path
) -> None:
    file = tmp_path / "shop.status"
    mask = os.umask(0)
    try:
        served = page(file=file)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.decode(file.read_bytes()) == served.server.entry()
    run(served.server.close())
    assert [*tmp_path.iterdir()] == []


def test_what_a_killed_process_left_is_replaced_and_no_link_is_followed(
    page: Callable[..., Page], tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    file = tmp_path / "shop.status"
    file.symlink_to(elsewhere)
    served = page(file=file)
    assert elsewhere.read_text() == "mine"
    assert not file.is_symlink()
    assert json.decode(file.read_bytes())["url"] == served.server.entry()["url"]


def test_a_file_that_cannot_be_written_leaves_no_port_open(tmp_path: Path) -> None:
    server = StatusServer(reactor, Place(), file=tmp_path / "missing" / "shop.status")
    with pytest.raises(UsageError, match=r"shop\.status cannot be written: No such file"):
        server.open(lambda path: None)
    assert reactor.getReaders() == [] or all("Site" not in repr(reader) for reader in reactor.getReaders())


def test_a_huge_post_is_told_why_while_it_is_sent(page: Callable[..., Page]) -> None:
    served = page()

    def post() -> bytes:
        client = socket.create_connection(("127.0.0.1", served.port), timeout=10)
        client.sendall(
            f"POST /do HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nContent-Length: 9999999\r\n\r\n".encode()
        )
        client.sendall(b"x" * 300_000)
        answer = b""
        while part := client.recv(65536):
            answer += part
        client.close()
        return answer

    assert beside(post).startswith(b"HTTP/1.1 413 ")


def test_a_thousand_event_streams_are_refused_by_name_and_the_page_goes_on(page: Callable[..., Page]) -> None:
    served = page()
    clients: list[socket.socket] = []
    answers: list[bytes] = []

    def connect() -> None:
        for _ in range(1000):
            client = served.listen()
            try:
                answers.append(client.recv(12)[9:])
            except ConnectionResetError:
                answers.append(b"")
            if answers[-1] == b"200":
                clients.append(client)
            else:
                client.close()

    beside(connect)
    assert answers.count(b"200") == MAX_STREAMS
    assert answers.count(b"503") == 1000 - MAX_STREAMS
    assert beside(lambda: fetch(served.connection(), "/api/now", **BEARER)).status == 200
    for client in clients:
        client.close()


def test_idle_connections_beyond_the_most_are_told_why(page: Callable[..., Page]) -> None:
    served = page()
    address = ("127.0.0.1", served.port)
    idle: list[socket.socket] = []
    for _ in range(MAX_CONNECTIONS // 16):  # fewer at once than the system keeps for who does not accept them yet
        idle += beside(lambda: [socket.create_connection(address, timeout=10) for _ in range(16)])
    one_more = beside(lambda: socket.create_connection(address, timeout=10))
    assert beside(lambda: one_more.recv(12)) == b"HTTP/1.1 503"
    for client in (*idle, one_more):
        client.close()
    assert beside(lambda: fetch(served.connection(), "/api/now", **BEARER)).status == 200


class Busy(MadeUp):
    """All hosts change all the time."""

    def changes(self, since: int) -> Changes:
        return Changes(number=since + 1, hosts=self.rows[:200])


def test_a_browser_that_stops_reading_is_dropped_and_costs_no_memory(
    page: Callable[..., Page], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("crawler.status.streams.STEP_SECONDS", 0.002)
    served = page(source=Busy(200))
    client = served.listen()
    tracemalloc.start()
    try:
        until(lambda: "an event stream that nobody reads" in caplog.text, seconds=10)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 2_000_000
    monkeypatch.undo()

    def reset() -> bool:
        try:
            while client.recv(65536):
                pass
        except ConnectionResetError:
            return True
        return False

    assert beside(reset)
    client.close()
    assert beside(lambda: fetch(served.connection(), "/api/now", **BEARER)).status == 200


def test_the_end_is_told_and_then_nothing_listens(page: Callable[..., Page], tmp_path: Path) -> None:
    served = page(file=tmp_path / "shop.status")
    client = served.listen()
    idle = socket.create_connection(("127.0.0.1", served.port), timeout=10)
    beside(lambda: client.recv(100))
    served.source.state = "finished"
    served.streams.end()
    run(served.server.close())

    def rest() -> bytes:
        heard = b""
        while part := client.recv(65536):
            heard += part
        return heard

    heard = beside(rest)
    assert b'"state":"finished"' in heard
    assert b"event: end\n" in heard
    assert heard.endswith(b"\n\n\r\n0\r\n\r\n")
    assert beside(lambda: idle.recv(1)) == b""
    client.close()
    idle.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", served.port), timeout=10)
