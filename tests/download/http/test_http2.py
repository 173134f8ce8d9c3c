"""Do many exchanges share one HTTP/2 connection, and is each answered or failed by name?"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from h2 import events
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes, Settings
from OpenSSL import SSL
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.protocol import Factory, Protocol
from twisted.protocols.tls import TLSMemoryBIOFactory

from crawler.download.agent.agent import FastAgent
from crawler.download.agent.client import Client
from crawler.download.seam import Exchange
from crawler.errors import (
    BadResponse,
    BodyTooLarge,
    ConnectionLost,
    DecodingError,
    FetchCancelled,
    FetchError,
    FetchTimeout,
    HeadTooLarge,
    TruncatedBody,
)
from crawler.model.request import Request
from tests.download.http.certificates import Authority
from tests.download.http.support import World
from tests.download.http.test_proxies import connect_proxy
from tests.download.http.test_tls import ServerContext

pytestmark = pytest.mark.process

Script = Callable[["Peer", int], None]


class Peer(Protocol):
    """The server's side of one connection; ``script(peer, stream)`` is called for each whole request."""

    server: Peers

    def connectionMade(self) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.h2.local_settings = Settings(client=False, initial_values=self.server.settings)
        self.h2.initiate_connection()
        self.fields: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytes] = {}
        self.waiting: dict[int, bytes] = {}
        self.resets: list[int] = []
        self.lost = False
        self.flush()
        self.server.peers.append(self)

    def flush(self) -> None:
        self.transport.write(self.h2.data_to_send())

    def dataReceived(self, data: bytes) -> None:
        for event in self.h2.receive_data(data):
            number = getattr(event, "stream_id", 0) or 0
            if isinstance(event, events.RequestReceived):
                self.fields[number] = dict(event.headers)
                self.bodies[number] = b""
            elif isinstance(event, events.DataReceived):
                self.bodies[number] += event.data
                if self.server.reading:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, number)
            elif isinstance(event, events.StreamEnded):
                self.server.requests.append(self.fields[number])
                self.server.script(self, number)
            elif isinstance(event, events.StreamReset):
                self.resets.append(number)
                self.waiting.pop(number, None)
            elif isinstance(event, events.WindowUpdated):
                for each in list(self.waiting):
                    self.pump(each)
        self.flush()

    def answer(self, number: int, body: bytes = b"hello", *fields: tuple[str, str], status: str = "200") -> None:
        self.h2.send_headers(number, [(":status", status), *fields], end_stream=not body)
        if body:
            self.waiting[number] = body
            self.pump(number)
        self.flush()

    def pump(self, number: int) -> None:
        body = self.waiting[number]
        while body:
            size = min(self.h2.local_flow_control_window(number), self.h2.max_outbound_frame_size, len(body))
            if size <= 0:
                break
            self.h2.send_data(number, body[:size], end_stream=size == len(body))
            body = body[size:]
        self.waiting[number] = body
        if not body:
            del self.waiting[number]

    def connectionLost(self, reason: Any = None) -> None:
        self.lost = True


class Peers(Factory):
    noisy = False

    def __init__(self, script: Script, settings: dict[Any, int]) -> None:
        self.script = script
        self.settings = settings
        self.peers: list[Peer] = []
        self.requests: list[dict[str, str]] = []
        self.reading = True
        self.port = 0

    def buildProtocol(self, addr: Any) -> Peer:
        peer = Peer()
        peer.server = self
        return peer

    def url(self, path: str = "/") -> str:
        return f"https://127.0.0.1:{self.port}{path}"


class Place:
    """A world with one authority whose certificates the downloader trusts."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.root = Authority(folder)
        self.file = self.root.server("127.0.0.1")

    def listen(self, script: Script, *, alpn: bytes = b"h2", settings: dict[Any, int] | None = None) -> Peers:
        context = ServerContext(self.file)
        context.context.set_alpn_select_callback(
            lambda _, offered: alpn if alpn in offered else SSL.NO_OVERLAPPING_PROTOCOLS
        )
        peers = Peers(script, settings or {})
        factory = TLSMemoryBIOFactory(context, False, peers, self.world.reactor)
        port = self.world.reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.world.ports.append(port)
        peers.port = port.getHost().port
        return peers

    def downloader(self, **settings: Any) -> Any:
        return self.world.downloader(TLS_CA_FILE=str(self.root.file), **settings)

    def fetch(self, url: str, *, exchange: Exchange | None = None, settings: Any = None, **request: Any) -> Any:
        return self.world.wait(self.downloader(**(settings or {})).fetch(Request(url, **request), exchange))


@pytest.fixture
def place(world: World, tmp_path: Path) -> Place:
    return Place(world, tmp_path)


def plain(peer: Peer, number: int) -> None:
    peer.answer(number)


def test_get_and_post(each_world: World, tmp_path: Path) -> None:
    place = Place(each_world, tmp_path)
    peers = place.listen(lambda peer, number: peer.answer(number, peer.bodies[number] or b"hello", ("x-a", "b")))
    response = place.fetch(peers.url("/a?b#c"), headers={"X-Mine": "1", "Connection": "close"})
    assert (response.status, response.body, response.protocol) == (200, b"hello", "h2")
    assert response.headers["X-A"] == b"b"
    assert response.certificate is not None
    assert str(response.ip_address) == "127.0.0.1"
    seen = peers.requests[0]
    assert (seen[":method"], seen[":scheme"], seen[":path"]) == ("GET", "https", "/a?b")
    assert seen[":authority"] == f"127.0.0.1:{peers.port}"
    assert seen["x-mine"] == "1"
    assert "connection" not in seen
    body = b"x" * 300_000
    assert place.fetch(peers.url(), method="POST", body=body).body == body
    assert peers.requests[-1]["content-length"] == "300000"


def test_one_connection_for_all(place: Place) -> None:
    peers = place.listen(plain)
    downloader = place.downloader()
    fetches = [downloader.fetch(Request(peers.url(f"/{number}"))) for number in range(50)]
    answers = place.world.wait(DeferredList(fetches))
    assert all(success and response.body == b"hello" for success, response in answers)
    assert len(peers.peers) == 1
    assert place.world.wait(downloader.fetch(Request(peers.url()))).body == b"hello"
    assert len(peers.peers) == 1


def test_setting_turns_it_off_and_servers_may_not_want_it(place: Place) -> None:
    from tests.download.http.support import answer

    context = ServerContext(place.file)
    server = place.world.listen(
        lambda conversation: conversation.say(answer()),
        wrap=lambda factory: TLSMemoryBIOFactory(context, False, factory, place.world.reactor),
    )
    downloader = place.downloader()
    fetches = [downloader.fetch(Request(server.url(scheme="https"))) for _ in range(5)]
    assert [response.protocol for _, response in place.world.wait(DeferredList(fetches))] == ["HTTP/1.1"] * 5
    peers = place.listen(plain, alpn=b"http/1.1")
    waiting = place.downloader(HTTP2_ENABLED=False, DOWNLOAD_TIMEOUT=0.2).fetch(Request(peers.url()))
    with pytest.raises(FetchError):
        place.world.wait(waiting)
    assert peers.requests == []


def test_large_bodies_and_decoding(place: Place) -> None:
    body = random.Random(1).randbytes(3_000_000)
    packed = gzip.compress(body, 1)
    peers = place.listen(lambda peer, number: peer.answer(number, packed, ("content-encoding", "gzip")))
    assert place.fetch(peers.url()).body == body
    with pytest.raises(BodyTooLarge):
        place.fetch(peers.url(), settings={"DOWNLOAD_MAXSIZE": 100_000})
    broken = place.listen(lambda peer, number: peer.answer(number, b"nonsense", ("content-encoding", "gzip")))
    with pytest.raises(DecodingError):
        place.fetch(broken.url())


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200"), ("GET", "204"), ("GET", "304")])
def test_without_body(place: Place, method: str, status: str) -> None:
    peers = place.listen(lambda peer, number: peer.answer(number, b"", ("content-length", "0"), status=status))
    response = place.fetch(peers.url(), method=method)
    assert (response.status, response.body) == (int(status), b"")


def test_exchange(place: Place) -> None:
    peers = place.listen(lambda peer, number: peer.answer(number, b"x" * 100_000, ("x-a", "b")))
    seen: list[bytes] = []
    exchange = Exchange(tap=seen.append, keep_raw=True)
    place.fetch(peers.url(), exchange=exchange)
    assert b"".join(seen) == b"x" * 100_000
    assert exchange.response_head.startswith(b"HTTP/2 200\r\nx-a: b\r\n")
    assert exchange.request_head.startswith(b"GET / HTTP/1.1\r\n")
    assert exchange.sent
    stopped = place.fetch(peers.url(), exchange=Exchange(on_head=lambda request, head: head.status != 200))
    assert stopped.flags == ["stopped"]


def test_informational_answers_and_trailers(place: Place) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.h2.send_headers(number, [(":status", "103"), ("link", "</a.css>")])
        peer.h2.send_headers(number, [(":status", "200")])
        peer.h2.send_data(number, b"hello")
        peer.h2.send_headers(number, [("x-trailer", "a")], end_stream=True)

    assert place.fetch(place.listen(script).url()).body == b"hello"


def test_goaway_lets_answers_come_and_repeats_the_rest(place: Place) -> None:
    held: list[int] = []

    def script(peer: Peer, number: int) -> None:
        if peer is not peers.peers[0]:
            peer.answer(number, b"second")
            return
        held.append(number)
        if len(held) == 4:
            # As nginx says it: the first two will be answered, the others were never looked at.
            peer.transport.write(b"\0\0\x08\x07\0\0\0\0\0" + held[1].to_bytes(4, "big") + b"\0\0\0\0")
            peer.answer(held[0], b"first")
            peer.answer(held[1], b"first")

    peers = place.listen(script)
    downloader = place.downloader()
    fetches = [downloader.fetch(Request(peers.url(f"/{each}"), method="POST", body="x")) for each in range(4)]
    answers = place.world.wait(DeferredList(fetches))
    assert [getattr(answer, "body", answer) for _, answer in answers] == [b"first", b"first", b"second", b"second"]
    place.world.until(lambda: peers.peers[0].lost)


@pytest.mark.parametrize(("code", "times"), [(7, 2), (2, 1)])
def test_resets(place: Place, code: int, times: int) -> None:
    peers = place.listen(lambda peer, number: peer.h2.reset_stream(number, code))
    with pytest.raises(ConnectionLost, match="reset the stream") as caught:
        place.fetch(peers.url(), method="POST", body="x")
    # What the server refused was not looked at: it may be repeated, once.
    assert len(peers.requests) == times
    assert caught.value.sent is (code != 7)


def test_reset_in_the_body(place: Place) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.h2.send_headers(number, [(":status", "200")])
        peer.h2.send_data(number, b"hello")
        peer.h2.reset_stream(number, 2)

    peers = place.listen(script)
    with pytest.raises(TruncatedBody, match="INTERNAL_ERROR"):
        place.fetch(peers.url())
    kept = place.fetch(peers.url(), settings={"DOWNLOAD_FAIL_ON_DATALOSS": False})
    assert (kept.body, kept.flags) == (b"hello", ["dataloss"])


def test_http_1_1_required(place: Place) -> None:
    from tests.download.http.support import Server, answer

    def refuse(peer: Peer, number: int) -> None:
        peer.h2.reset_stream(number, 13)

    context = ServerContext(place.file)
    context.context.set_alpn_select_callback(lambda _, offered: b"h2" if b"h2" in offered else b"http/1.1")
    peers = Peers(refuse, {})
    server = Server(lambda conversation: conversation.say(answer()))

    class Either(Factory):
        noisy = False

        def buildProtocol(self, addr: Any) -> Any:
            return peers.buildProtocol(addr) if not peers.peers else server.buildProtocol(addr)

    factory = TLSMemoryBIOFactory(context, False, Either(), place.world.reactor)
    port = place.world.reactor.listenTCP(0, factory, interface="127.0.0.1")
    place.world.ports.append(port)
    response = place.fetch(f"https://127.0.0.1:{port.getHost().port}/")
    assert (response.body, response.protocol) == (b"hello", "HTTP/1.1")


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", BadResponse),
        (b"\xff" * 100, BadResponse),
        (b"\0\0\x04\x08\0\0\0\0\0\0\0\0\0", BadResponse),
        (b"\0\0\x05\x01\x05\0\0\0\x01\xff\xff\xff\xff\xff", BadResponse),
    ],
)
def test_garbage(place: Place, data: bytes, error: type[FetchError]) -> None:
    peers = place.listen(lambda peer, number: peer.transport.write(data))
    with pytest.raises(error, match="HTTP/2"):
        place.fetch(peers.url())
    place.world.until(lambda: peers.peers[0].lost)


def test_heads_are_bounded(place: Place) -> None:
    peers = place.listen(lambda peer, number: peer.answer(number, b"", *[("x-a", "b" * 100)] * 50))
    for limit in ("HEADER_MAX_COUNT", "HEADER_MAX_LINE", "HEADER_MAX_TOTAL"):
        with pytest.raises(HeadTooLarge):
            place.fetch(peers.url(), settings={limit: 40})


def test_time_outs_end_one_exchange_and_not_the_others(place: Place) -> None:
    def script(peer: Peer, number: int) -> None:
        if peer.fields[number][":path"] == "/hang":
            return
        place.world.reactor.callLater(0.2, peer.answer, number)

    peers = place.listen(script)
    downloader = place.downloader(DOWNLOAD_READ_TIMEOUT=5.0)
    hanging = downloader.fetch(Request(peers.url("/hang"), timeout=0.1))
    good = downloader.fetch(Request(peers.url("/")))
    with pytest.raises(FetchTimeout) as caught:
        place.world.wait(hanging)
    assert caught.value.phase == "total"
    assert place.world.wait(good).body == b"hello"
    place.world.until(lambda: bool(peers.peers[0].resets))
    assert len(peers.peers) == 1


def test_silence(place: Place) -> None:
    peers = place.listen(lambda peer, number: None)
    downloader = place.downloader(DOWNLOAD_READ_TIMEOUT=0.1)
    with pytest.raises(FetchTimeout) as caught:
        place.world.wait(downloader.fetch(Request(peers.url())))
    assert caught.value.phase == "first byte"
    place.world.until(lambda: peers.peers[0].lost)


def test_an_upload_waits_for_the_reader(place: Place) -> None:
    peers = place.listen(lambda peer, number: peer.answer(number, str(len(peer.bodies[number])).encode()))
    peers.reading = False
    file = BytesIO(b"x" * 2_000_000)
    downloader = place.downloader()
    answer = downloader.fetch(Request(peers.url(), method="POST", meta={"files": {"file": ("a.bin", file)}}))
    place.world.until(lambda: bool(peers.peers and peers.peers[0].bodies.get(1)))
    for _ in range(30):
        place.world.turn()
    peer = peers.peers[0]
    got = len(peer.bodies[1])
    assert got <= 65_535
    assert file.tell() < 300_000, "the whole file is in memory, waiting for a peer that reads nothing"
    peers.reading = True
    peer.h2.acknowledge_received_data(got, 1)
    peer.flush()
    assert int(place.world.wait(answer).body) > 2_000_000


def test_window_that_shrinks_to_zero(place: Place) -> None:
    def script(peer: Peer, number: int) -> None:
        peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
        peer.answer(number)

    peers = place.listen(script)
    downloader = place.downloader()
    assert place.world.wait(downloader.fetch(Request(peers.url()))).body == b"hello"
    with pytest.raises(FetchTimeout):
        place.world.wait(downloader.fetch(Request(peers.url(), method="POST", body="x" * 100_000, timeout=0.2)))
    assert peers.peers[0].bodies.get(3) == b""


def test_more_than_the_peer_takes_at_once(place: Place) -> None:
    peers = place.listen(plain, settings={SettingCodes.MAX_CONCURRENT_STREAMS: 2})
    downloader = place.downloader()
    place.world.wait(downloader.fetch(Request(peers.url())))
    fetches = [downloader.fetch(Request(peers.url())) for _ in range(9)]
    assert all(success for success, _ in place.world.wait(DeferredList(fetches)))


def test_cancelling_one(place: Place) -> None:
    peers = place.listen(lambda peer, number: None)
    downloader = place.downloader()
    fetching = downloader.fetch(Request(peers.url()))
    place.world.until(lambda: bool(peers.requests))
    fetching.cancel()
    with pytest.raises(FetchCancelled):
        place.world.wait(fetching)
    place.world.until(lambda: bool(peers.peers[0].resets))


def test_idle_connections_are_closed(place: Place) -> None:
    peers = place.listen(plain)
    downloader = place.downloader(KEEP_ALIVE_SECONDS=0.05)
    place.world.wait(downloader.fetch(Request(peers.url())))
    place.world.until(lambda: peers.peers[0].lost)
    place.world.until(lambda: not downloader.pool.routes)


def test_through_connect(place: Place) -> None:
    peers = place.listen(plain)
    proxy = connect_proxy(place.world)
    response = place.fetch(peers.url(), proxy=f"http://127.0.0.1:{proxy.port}")
    assert (response.protocol, response.body) == ("h2", b"hello")


def test_treq(place: Place) -> None:
    peers = place.listen(lambda peer, number: peer.answer(number, peer.bodies[number]))
    http = Client(FastAgent(place.downloader()), reactor=place.world.reactor)
    response = place.world.wait(http.post(peers.url(), json={"a": "b" * 200_000}))
    assert place.world.wait(response.json()) == {"a": "b" * 200_000}


def test_a_stream_waits_for_its_reader(place: Place) -> None:
    size = 6_000_000
    peers = place.listen(lambda peer, number: peer.answer(number, b"x" * size))
    agent = FastAgent(place.downloader())
    response = place.world.wait(agent.request(b"GET", peers.url().encode()))
    for _ in range(40):
        place.world.turn()
    assert response.unread <= 2_000_000
    assert place.world.wait(_read(response)) == size


def _read(response: Any) -> Deferred[int]:
    done: Deferred[int] = Deferred()

    class Count(Protocol):
        size = 0

        def dataReceived(self, data: bytes) -> None:
            self.size += len(data)

        def connectionLost(self, reason: Any = None) -> None:
            done.callback(self.size)

    response.deliverBody(Count())
    return done


def test_two_hundred_with_resets(place: Place) -> None:
    chance = random.Random(7)

    def script(peer: Peer, number: int) -> None:
        kind = chance.random()
        size = chance.choice([0, 10, 5_000, 200_000])
        if kind < 0.1:
            peer.h2.reset_stream(number, chance.choice([2, 7, 8]))
        elif kind < 0.15:
            peer.h2.send_headers(number, [(":status", "200"), ("content-length", "900")])
            peer.h2.send_data(number, b"x" * 100)
            peer.h2.reset_stream(number, 2)
        else:
            peer.answer(number, b"x" * size, ("content-length", str(size)))

    peers = place.listen(script)
    downloader = place.downloader()
    fetches = [downloader.fetch(Request(peers.url(f"/{number}"))) for number in range(200)]
    ends = place.world.wait(DeferredList(fetches, consumeErrors=True), seconds=20)
    answered = [result for success, result in ends if success]
    failed = [result for success, result in ends if not success]
    assert len(answered) + len(failed) == 200
    assert all(len(response.body) == int(response.headers["Content-Length"]) for response in answered)
    assert {type(failure.value) for failure in failed} == {ConnectionLost, TruncatedBody}
    assert 10 < len(failed) < 50
    assert len(peers.peers) == 1
