"""Do the small parts of the connection layer do what they say, without a network?"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError
from twisted.internet.task import Clock

from crawler.download.body_file import BodyFile
from crawler.download.http.connection import Route
from crawler.download.net.deadlines import FOREVER, Deadlines
from crawler.download.net.guard import is_public
from crawler.download.net.names import Names
from crawler.download.net.proxy import parse_proxy
from crawler.download.wire.chunked import ChunkedBody
from crawler.download.wire.head import HeadLimits, check_growing, find_end, parse_head
from crawler.download.wire.request import request_head, target_of
from crawler.errors import BadResponse, CrawlerError, FetchError, FetchTimeout, HeadTooLarge, NameNotResolved
from crawler.model.request import Request
from crawler.model.url import join, normalise, split
from tests.download.http.support import Conversation, World, answer
from tests.download.reactor import LookupBy


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "198.18.0.1", "192.0.0.8", "224.0.0.1", "255.255.255.255", "240.0.0.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:0001::", "64:ff9b::127.0.0.1",
        "64:ff9b:1::1", "2001:0:4136:e378:8000:63bf:80ff:fffe", "nonsense", "",
    ],
)  # fmt: skip
def test_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url", ["http://2130706433/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/", "http://a.example/"]
)
def test_the_guard_judges_what_is_dialled(world: World, url: str) -> None:
    lookup = LookupBy(world.reactor, lambda host: ["127.0.0.1"])
    downloader = world.downloader(DENY_PRIVATE_ADDRESSES=True, lookup=lookup)
    with pytest.raises(FetchError, match="DENY_PRIVATE_ADDRESSES"):
        world.wait(downloader.fetch(Request(url)))


class Item:
    def __init__(self, at: float) -> None:
        self.at = at
        self.expired: list[float] = []

    def due(self) -> float:
        return self.at

    def expire(self, now: float) -> None:
        self.expired.append(now)
        self.at = FOREVER


def test_deadlines() -> None:
    clock = Clock()
    deadlines = Deadlines(clock, clock.seconds)
    early, late, never = Item(1.0), Item(5.0), Item(FOREVER)
    for item in (late, early, never):
        deadlines.watch(item)
    assert len(clock.getDelayedCalls()) == 1
    late.at = 7.0
    clock.pump([0.5] * 20)
    assert early.expired == [1.0]
    assert late.expired == [7.0]
    assert never.expired == []
    for item in (late, early, never):
        deadlines.forget(item)
    assert clock.getDelayedCalls() == []


def test_a_clock_that_jumps_expires_nothing_early() -> None:
    reactor, clock = Clock(), Clock()
    deadlines = Deadlines(reactor, clock.seconds)
    item = Item(10.0)
    deadlines.watch(item)
    reactor.advance(3600)
    assert item.expired == []
    clock.advance(10)
    reactor.pump([1.0] * 20)
    assert item.expired == [10.0]


class Asked:
    """A lookup that answers when told."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Deferred[list[str]]]] = []

    def look_up(self, host: str) -> Deferred[list[str]]:
        answer: Deferred[list[str]] = Deferred()
        self.asked.append((host, answer))
        return answer

    def close(self) -> None: ...


def names(**options: Any) -> tuple[Names, Asked, Clock]:
    clock, lookup = Clock(), Asked()
    return Names(lookup, reactor=clock, clock=clock.seconds, **options), lookup, clock


def test_names_are_asked_for_once_and_remembered() -> None:
    cache, lookup, clock = names(ttl=10.0)
    got: list[Any] = []
    for _ in range(3):
        cache.resolve("a.example").addBoth(got.append)
    assert len(lookup.asked) == 1
    lookup.asked[0][1].callback(["1.1.1.1", "1.1.1.2", "2606::1"])
    cache.resolve("a.example").addBoth(got.append)
    assert got == [["1.1.1.1", "2606::1", "1.1.1.2"]] * 4, "the families take turns"
    clock.advance(11)
    cache.resolve("a.example")
    assert len(lookup.asked) == 2


def test_failures_are_remembered_for_less() -> None:
    cache, lookup, clock = names(negative_ttl=2.0)
    got: list[Any] = []
    cache.resolve("a.example").addErrback(got.append)
    lookup.asked[0][1].errback(DNSLookupError("no such name"))
    cache.resolve("a.example").addErrback(got.append)
    assert len(lookup.asked) == 1
    assert [str(failure.value) for failure in got] == [str(DNSLookupError("no such name"))] * 2
    clock.advance(3)
    cache.resolve("a.example").addErrback(got.append)
    assert len(lookup.asked) == 2


def test_names_are_bounded_and_addresses_are_none() -> None:
    cache, lookup, _ = names(size=3)
    for number in range(10):
        cache.resolve(f"{number}.example")
        lookup.asked[-1][1].callback(["1.1.1.1"])
    assert len(cache) == 3
    got: list[Any] = []
    cache.resolve("::1").addCallback(got.append)
    assert got == [["::1"]]
    assert len(lookup.asked) == 10


def test_a_resolver_that_hangs() -> None:
    cache, lookup, clock = names(timeout=5.0)
    got: list[Any] = []
    cache.resolve("a.example").addErrback(got.append)
    cache.resolve("b.example").addBoth(got.append)
    lookup.asked[1][1].callback(["1.1.1.1"])
    assert got == [["1.1.1.1"]]
    clock.advance(6)
    assert "did not answer" in str(got[1].value)


def test_unknown_names_are_named(world: World) -> None:
    def ask(host: str) -> list[str]:
        raise OSError(-2, "Name or service not known")

    downloader = world.downloader(lookup=LookupBy(world.reactor, ask))
    with pytest.raises(NameNotResolved, match=r"nowhere\.example"):
        world.wait(downloader.fetch(Request("http://nowhere.example/")))


def test_64_megabytes_of_chunk_extension_are_not_taken() -> None:
    body = ChunkedBody()
    body.feed(b"5;")
    pieces = 0

    def feed_all() -> None:
        nonlocal pieces
        for pieces in range(1024):  # noqa: B007 - it is looked at below
            body.feed(b"x" * 65_536)

    with pytest.raises(HeadTooLarge):
        feed_all()
    assert pieces < 3


def test_one_byte_chunks_are_legal() -> None:
    body = ChunkedBody(spare=100)
    for _ in range(5000):
        assert body.feed(b"1\r\nx\r\n") == b"x"


def test_heads_end_at_the_first_blank_line() -> None:
    assert find_end(b"a\r\n\r\nb\n\n") == 5
    assert find_end(b"a\n\nb\r\n\r\n") == 3
    assert find_end(b"a\r\n\nb") == 4
    assert find_end(b"a\n\r\nb") == 4
    assert find_end(b"a\r\n") == -1


def test_an_alert_of_tls_in_place_of_a_head_says_what_to_try() -> None:
    with pytest.raises(BadResponse, match="the port speaks TLS: try https://"):
        check_growing(b"\x15\x03\x01\x00\x02\x02\x46", 0, HeadLimits(1000, 10, 1000))


def test_a_head_of_many_cookies_is_cheap() -> None:
    head = b"HTTP/1.1 200 OK\r\n" + b"Set-Cookie: a=b\r\n" * 900 + b"\r\n"
    assert len(parse_head(head, "GET", HeadLimits()).raw) == 900


def test_what_is_sent() -> None:
    route = Route("x", "http://www.example:8080", None, None)
    head = request_head(route, "POST", "/a?b", [(b"X-A", b"b"), (b"Content-Length", b"99")], length=5)
    assert head == b"POST /a?b HTTP/1.1\r\nHost: www.example:8080\r\nX-A: b\r\nContent-Length: 5\r\n\r\n"
    assert target_of("http://a.example/x?y#z") == "/x?y"
    assert request_head(route, "GET", "/", [(b"Host", b"other")]) == b"GET / HTTP/1.1\r\nHost: other\r\n\r\n"
    for bad in ([(b"X-A", b"b\r\nc: d")], [(b"X-A", b"b\nc")], [(b"X-A", b"\0")]):
        with pytest.raises(FetchError, match="CR, LF or NUL"):
            request_head(route, "GET", "/", bad)
    with pytest.raises(FetchError, match="not fit"):
        request_head(route, "GET", "/ HTTP/1.1\r\nX: y", [])


def test_temporary_bodies_go_with_their_path(tmp_path: Path) -> None:
    body = BodyFile.temporary(str(tmp_path))
    body.write(b"hello")
    path = body.keep()
    assert path.read_bytes() == b"hello"
    assert path.stat().st_mode & 0o077 == 0
    del path
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_named_bodies_appear_when_complete(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_bytes(b"old")
    body = BodyFile.named(target)
    body.write(b"new")
    assert target.read_bytes() == b"old"
    assert body.keep() == target
    assert target.read_bytes() == b"new"
    BodyFile.named(target).discard()
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


@pytest.mark.process
def test_idle_connections(world: World) -> None:
    server = world.listen(lambda conversation: conversation.say(answer()))
    downloader = world.downloader(KEEP_ALIVE_SECONDS=0.05)
    world.wait(downloader.fetch(Request(server.url())))
    world.until(lambda: server.conversations[0].lost)
    assert downloader.pool.routes == {}
    assert len(downloader.pool.deadlines) == 0


@pytest.mark.process
def test_a_peer_that_says_when_it_closes_is_left_in_time(world: World) -> None:
    server = world.listen(lambda c: c.say(answer(headers=b"Keep-Alive: timeout=1\r\n")))
    downloader = world.downloader()
    for _ in range(2):
        world.wait(downloader.fetch(Request(server.url())))
    assert len(server.conversations) == 2


@pytest.mark.process
def test_idle_connections_are_bounded(world: World) -> None:
    held: list[Conversation] = []
    server = world.listen(held.append)
    downloader = world.downloader(CONCURRENT_REQUESTS_PER_DOMAIN=3)
    fetches = [downloader.fetch(Request(server.url())) for _ in range(8)]
    world.until(lambda: len(held) == 8)
    for conversation in held:
        conversation.say(answer())
    for fetching in fetches:
        world.wait(fetching)
    world.until(lambda: sum(not conversation.lost for conversation in held) == 3)


@pytest.mark.process
def test_a_body_with_files(world: World) -> None:
    server = world.listen(lambda conversation: conversation.say(answer(conversation.request)))
    with (Path(__file__)).open("rb") as file:
        request = Request(server.url(), data={"a": "b c"}, files={"upload": file})
        seen = world.wait(world.downloader().fetch(request)).body
    assert b"Content-Type: multipart/form-data; boundary=" in seen
    assert b'name="a"' in seen
    assert b"b c" in seen
    assert b'filename="test_parts.py"' in seen
    assert Path(__file__).read_bytes() in seen


@pytest.mark.process
def test_connect_time_out(world: World, tmp_path: Path) -> None:
    server = world.listen(lambda conversation: None)
    downloader = world.downloader(DOWNLOAD_CONNECT_TIMEOUT=0.1)
    with pytest.raises(FetchTimeout) as caught:
        world.wait(downloader.fetch(Request(server.url().replace("http:", "https:"))))
    assert caught.value.phase == "connect"
    assert not caught.value.sent
    world.until(lambda: server.conversations[0].lost)


@pytest.mark.parametrize(
    "make",
    [
        lambda long: normalise(f"http://a b/{long}"),
        lambda long: normalise(f"http://{long} /"),
        lambda long: normalise(long),
        lambda long: join("http://a/", f"http://[{long}"),
        lambda long: split(long),
        lambda long: parse_proxy(f"gopher://{long}/"),
        lambda long: fit(Request(long).problem),
        lambda long: fit(Request(f"data2:{long}").problem),
        lambda long: request_head(Route(1, "http://a:80", None, None), "GET", f"/\n{long}", []),
        lambda long: parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: %b\r\n\r\n" % long.encode(), "GET", LARGE),
        lambda long: parse_head(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: %b\r\n\r\n" % long.encode(), "GET", LARGE
        ),
        lambda long: parse_head(b"HTTP/1.1 2%b\r\n\r\n" % long.encode(), "GET", LARGE),
    ],
)
def test_no_message_repeats_a_megabyte(make: Any) -> None:
    with pytest.raises(CrawlerError) as caught:
        make("x" * 1_000_000)
    assert len(str(caught.value)) < 1000


LARGE = HeadLimits(line=2_000_000, total=2_000_000)


def fit(problem: str | None) -> None:
    if problem is not None:
        raise CrawlerError(problem)
