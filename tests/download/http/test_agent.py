"""Does treq over our agent do what treq does?"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import task
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IResponse
from zope.interface.verify import verifyObject

from crawler.download.agent.agent import FastAgent
from crawler.download.agent.client import Client
from crawler.errors import (
    BodyTooLarge,
    ConnectionFailed,
    DecodingError,
    FetchError,
    FetchTimeout,
    InvalidRequest,
    TruncatedBody,
    UnsupportedScheme,
)
from tests.download.http.support import Conversation, World, answer

pytestmark = pytest.mark.process


@pytest.fixture(autouse=True)
def own_cooperator(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """treq's multipart bodies are driven by Twisted's global cooperator: let it use this world's reactor."""
    cooperator = task.Cooperator(scheduler=lambda work: world.reactor.callLater(0, work))
    monkeypatch.setattr(task, "_theCooperator", cooperator)
    yield
    cooperator.stop()


def client(world: World, **settings: Any) -> Client:
    return Client(FastAgent(world.downloader(**settings)), reactor=world.reactor)


def echo(conversation: Conversation) -> None:
    conversation.say(answer(conversation.request))


def get(world: World, http: Client, url: str, **options: Any) -> bytes:
    body: bytes = world.wait(world.wait(http.get(url, **options)).content())
    return body


def test_interfaces(world: World) -> None:
    agent = FastAgent(world.downloader())
    assert verifyObject(IAgent, agent)
    server = world.listen(echo)
    response = world.wait(agent.request(b"GET", server.url().encode()))
    assert verifyObject(IResponse, response)
    assert response.version == (b"HTTP", 1, 1)
    assert (response.code, response.phrase, response.length) == (200, b"OK", len(server.requests[0]))
    assert response.request.absoluteURI == server.url().encode()


def test_get(world: World) -> None:
    server = world.listen(echo)
    http = client(world)
    for number in range(3):
        seen = get(world, http, server.url("/a?x=1"), params={"y": "ä"}, headers={"X-A": ["b", "c"]})
        assert seen.startswith(b"GET /a?x=1&y=%C3%A4 HTTP/1.1\r\nHost: 127.0.0.1"), number
        assert b"X-A: b\r\n" in seen
        assert b"X-A: c\r\n" in seen
    assert len(server.conversations) == 1


def test_post(world: World) -> None:
    server = world.listen(echo)
    http = client(world)

    def post(**options: Any) -> bytes:
        return bytes(world.wait(world.wait(http.post(server.url(), **options)).content()))

    head, _, body = post(json={"a": [1, "ä"]}).partition(b"\r\n\r\n")
    assert json.loads(body) == {"a": [1, "ä"]}
    assert b"application/json" in head
    assert b"Content-Length: %d\r\n" % len(body) in head + b"\r\n"
    assert post(data={"a": "b c"}).endswith(b"\r\n\r\na=b+c")
    assert post(data=b"raw").endswith(b"\r\n\r\nraw")
    assert post(data=io.BytesIO(b"x" * 200_000)).endswith(b"x" * 200_000)
    multipart = post(data={"a": "b"}, files={"file": ("name.txt", io.BytesIO(b"content"))})
    assert b'name="a"' in multipart
    assert b'filename="name.txt"' in multipart
    assert b"content" in multipart


@pytest.mark.parametrize("method", ["head", "put", "patch", "delete"])
def test_other_methods(world: World, method: str) -> None:
    server = world.listen(echo)
    response = world.wait(getattr(client(world), method)(server.url()))
    assert world.wait(response.content()) == (b"" if method == "head" else server.requests[0])
    assert server.requests[0].startswith(method.upper().encode())


def test_auth(world: World) -> None:
    server = world.listen(echo)
    http = client(world)
    assert b"Authorization: Basic bWU6c2VjcmV0" in get(world, http, server.url(), auth=("me", "secret"))
    with_user = server.url().replace("http://", "http://me:secret@")
    seen = get(world, http, with_user)
    assert b"Authorization: Basic bWU6c2VjcmV0" in seen
    assert b"@" not in seen


def test_odd_hosts(world: World) -> None:
    server = world.listen(echo, host="::1")
    assert b"Host: [::1]:" in get(world, client(world), server.url())
    proxy = world.listen(echo)
    agent = FastAgent(world.downloader(), proxy=f"http://127.0.0.1:{proxy.port}")
    seen = get(world, Client(agent, reactor=world.reactor), "http://a_b.example/x?y")
    assert seen.startswith(b"GET http://a_b.example/x?y HTTP/1.1\r\nHost: a_b.example\r\n")


def test_redirects_are_followed_and_free_their_connection(world: World) -> None:
    def script(conversation: Conversation) -> None:
        if b" /start " in conversation.request:
            conversation.say(answer(b"moved", status=b"302 Found", headers=b"Location: /end\r\n"))
        else:
            conversation.say(answer(b"arrived"))

    server = world.listen(script)
    response = world.wait(client(world).get(server.url("/start")))
    assert world.wait(response.content()) == b"arrived"
    assert [each.code for each in response.history()] == [302]
    assert len(server.conversations) == 1


def test_308_keeps_its_body_for_the_reader(world: World) -> None:
    server = world.listen(lambda c: c.say(answer(b"moved", status=b"308 Gone there", headers=b"Location: /x\r\n")))
    response = world.wait(client(world).get(server.url(), allow_redirects=False))
    assert (response.code, world.wait(response.content())) == (308, b"moved")


def test_cookies(world: World) -> None:
    server = world.listen(lambda c: c.say(answer(c.request, headers=b"Set-Cookie: a=b\r\n")))
    http = client(world)
    assert b"Cookie" not in get(world, http, server.url())
    assert b"Cookie: a=b\r\n" in get(world, http, server.url())


def test_decoding_is_ours(world: World) -> None:
    body = gzip.compress(b"hello" * 1000)
    server = world.listen(lambda c: c.say(answer(body, headers=b"Content-Encoding: gzip\r\n")))
    response = world.wait(client(world).get(server.url()))
    assert world.wait(response.content()) == b"hello" * 1000
    # Twisted's ContentDecoderAgent, which treq puts around every agent, leaves an empty one.
    assert response.headers.getRawHeaders("content-encoding") in (None, [""])
    assert response.headers.getRawHeaders("content-length") is None
    assert response.length is UNKNOWN_LENGTH


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (answer(gzip.compress(b"0" * 200_000, mtime=0), headers=b"Content-Encoding: gzip\r\n"), BodyTooLarge),
        (answer(b"nonsense", headers=b"Content-Encoding: gzip\r\n"), DecodingError),
        (answer(gzip.compress(b"hello", mtime=0)[:-12], headers=b"Content-Encoding: gzip\r\n"), DecodingError),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000, BodyTooLarge),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", TruncatedBody),
    ],
)
def test_bodies_that_fail(world: World, raw: bytes, error: type[FetchError]) -> None:
    server = world.listen(lambda c: c.say(raw, close=True))
    response = world.wait(client(world, DOWNLOAD_MAXSIZE=100_000).get(server.url()))
    with pytest.raises(error):
        world.wait(response.content())


def test_body_to_the_end_of_the_connection_is_done(world: World) -> None:
    server = world.listen(lambda c: c.say(b"HTTP/1.1 200 OK\r\n\r\nhello", close=True))
    assert get(world, client(world), server.url()) == b"hello"


class Reader(Protocol):
    def __init__(self, *, stop_at: int | None = None) -> None:
        self.data = b""
        self.stop_at = stop_at
        self.over: Deferred[Any] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        if self.stop_at is not None and len(self.data) >= self.stop_at:
            self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        self.over.callback(reason.value)


def test_streaming_waits_for_the_reader(world: World) -> None:
    size = 8_000_000
    server = world.listen(lambda c: c.say(answer(b"x" * size)))
    agent = FastAgent(world.downloader(DOWNLOAD_READ_TIMEOUT=0.3))
    response = world.wait(agent.request(b"GET", server.url().encode()))
    for _ in range(80):
        world.turn()
    held = response.unread
    assert held < 1_000_000, "the whole body was read although nobody reads it"
    reader = Reader()
    response.deliverBody(reader)
    assert isinstance(world.wait(reader.over), ResponseDone)
    assert len(reader.data) == size


def test_the_reader_can_stop(world: World) -> None:
    server = world.listen(lambda c: c.say(answer(b"x" * 3_000_000)))
    agent = FastAgent(world.downloader())
    response = world.wait(agent.request(b"GET", server.url().encode()))
    reader = Reader(stop_at=100_000)
    response.deliverBody(reader)
    assert isinstance(world.wait(reader.over), FetchError)
    world.until(lambda: server.conversations[0].lost)


def test_cancelling(world: World) -> None:
    server = world.listen(lambda conversation: None)
    http = client(world)
    waiting = http.get(server.url())
    world.until(lambda: bool(server.requests))
    waiting.cancel()
    with pytest.raises(CancelledError):
        world.wait(waiting)
    world.until(lambda: server.conversations[0].lost)
    with pytest.raises(CancelledError):
        world.wait(http.get(server.url(), timeout=0.05))


def test_time_out(world: World) -> None:
    server = world.listen(lambda conversation: None)
    with pytest.raises(FetchTimeout):
        world.wait(client(world, DOWNLOAD_READ_TIMEOUT=0.05).get(server.url()))


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://a b/", InvalidRequest),
        ("ftp://127.0.0.1/", UnsupportedScheme),
        ("http://127.0.0.1:1/", ConnectionFailed),
    ],
)
def test_named_errors(world: World, url: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        world.wait(client(world).get(url))


class Producer:
    """An IBodyProducer that writes what it is told to."""

    def __init__(self, *pieces: bytes, length: Any) -> None:
        self.pieces = pieces
        self.length = length
        self.stopped = False

    def startProducing(self, consumer: Any) -> Deferred[None]:
        for piece in self.pieces:
            consumer.write(piece)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def stopProducing(self) -> None:
        self.stopped = True

    def pauseProducing(self) -> None: ...

    def resumeProducing(self) -> None: ...


def test_body_of_unknown_length(world: World) -> None:
    server = world.listen(echo)
    agent = FastAgent(world.downloader())
    producer = Producer(b"hello", b" there", length=UNKNOWN_LENGTH)
    response = world.wait(agent.request(b"POST", server.url().encode(), Headers({"X-A": ["b"]}), producer))
    reader = Reader()
    response.deliverBody(reader)
    world.wait(reader.over)
    assert b"Transfer-Encoding: chunked\r\n" in reader.data
    assert reader.data.endswith(b"\r\n\r\n5\r\nhello\r\n6\r\n there\r\n0\r\n\r\n")


@pytest.mark.parametrize("length", [3, 30])
def test_body_of_another_length_than_promised(world: World, length: int) -> None:
    server = world.listen(echo)
    agent = FastAgent(world.downloader())
    with pytest.raises(FetchError, match="bytes"):
        world.wait(agent.request(b"POST", server.url().encode(), None, Producer(b"hello there", length=length)))
