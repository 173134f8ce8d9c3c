"""What a downloader over TCP reads, and when it stops waiting: crawler.download.tcp over a transport in memory."""

from __future__ import annotations

import time
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure

from crawler.config.schema import CoreSettings
from crawler.download.tcp import TcpDownloader, TcpFetch
from crawler.errors import FetchTimeout
from crawler.model.request import Request
from crawler.model.response import Response

LARGE = 200_000


class Sized(TcpDownloader):
    """Asks for so many bytes, the number of which is the URL's path."""

    port = 7
    protocol = "SIZED"

    async def converse(self, fetch: TcpFetch) -> Response:
        connection = await fetch.connect()
        connection.write(b"go\r\n")
        body = await connection.read(int(fetch.url.path[1:]))
        return await fetch.answer({}, body)


class Lines(TcpDownloader):
    """Answers the first line."""

    port = 7
    protocol = "LINES"

    async def converse(self, fetch: TcpFetch) -> Response:
        connection = await fetch.connect()
        return await fetch.answer({}, await connection.line())


class Transport(StringTransport):
    """Notes whether it was paused after its end."""

    paused_late = False

    def pauseProducing(self) -> None:
        self.paused_late = self.paused_late or self.disconnected
        super().pauseProducing()


class Conversation:
    """One fetch, connected."""

    def __init__(self, kind: type[TcpDownloader], path: str = "/0", **settings: Any) -> None:
        self.reactor = MemoryReactorClock()
        self.transport: Any = Transport(peerAddress=IPv4Address("TCP", "192.0.2.7", 7))
        self.outcome: list[Any] = []
        downloader = kind(CoreSettings(**settings), reactor=self.reactor, clock=self.reactor.seconds)
        downloader.fetch(Request(f"sized://192.0.2.7{path}")).addBoth(self.outcome.append)
        self.protocol: Any = self.reactor.tcpClients[0][2].buildProtocol(None)
        self.protocol.makeConnection(self.transport)

    def receive(self, data: bytes) -> None:
        self.protocol.dataReceived(data)


def test_more_than_a_line_may_have_is_read_by_its_number() -> None:
    talk = Conversation(Sized, f"/{LARGE}")
    for _ in range(LARGE // 1000):
        talk.receive(b"x" * 1000)
    assert talk.outcome[0].body == b"x" * LARGE
    assert talk.transport.producerState == "producing"


def test_a_line_that_dribbles_in_is_not_copied_again_and_again() -> None:
    talk = Conversation(Lines)
    began = time.process_time()
    for _ in range(65_000):
        talk.receive(b"x")
    assert time.process_time() - began < 5
    talk.receive(b"\n")
    assert len(talk.outcome[0].body) == 65_000


def test_what_comes_after_the_end_pauses_nothing() -> None:
    talk = Conversation(Lines)
    talk.receive(b"x\n" + b"y" * LARGE)
    assert talk.outcome[0].body == b"x"
    assert not talk.transport.paused_late


@pytest.mark.parametrize(("said", "phase"), [(b"", "first byte"), (b"abc", "read")])
def test_silence_is_noticed(said: bytes, phase: str) -> None:
    talk = Conversation(Lines, DOWNLOAD_READ_TIMEOUT=5)
    talk.reactor.advance(4)
    if said:
        talk.receive(said)
        talk.reactor.advance(4)
        assert not talk.outcome
    talk.reactor.advance(2)
    talk.reactor.advance(0)
    assert isinstance(talk.outcome[0], Failure)
    error = talk.outcome[0].value
    assert isinstance(error, FetchTimeout)
    assert error.phase == phase
    assert talk.transport.disconnected


def test_nothing_is_left_in_the_reactor() -> None:
    talk = Conversation(Lines, DOWNLOAD_READ_TIMEOUT=5)
    talk.receive(b"x\n")
    talk.protocol.connectionLost(Failure(ConnectionError()))
    assert talk.outcome[0].body == b"x"
    assert not talk.reactor.getDelayedCalls()
