"""Is a connection used again only where the next request cannot be taken for something else?"""

from __future__ import annotations

from typing import Any

import pytest

from crawler.model.request import Request
from tests.download.http.support import Conversation, World, answer

pytestmark = pytest.mark.process

_LARGE = 8_000_000


class Hasty(Conversation):
    """Answers as soon as the head of a request is there, and reads the body when it is told to."""

    transport: Any

    def connectionMade(self) -> None:
        super().connectionMade()
        self.received = b""

    def dataReceived(self, data: bytes) -> None:
        began = b"\r\n\r\n" in self.received
        self.received += data
        if not began and b"\r\n\r\n" in self.received:
            self.transport.pauseProducing()
            self.say(answer())


def test_nothing_is_sent_into_a_body_that_is_still_on_its_way(each_world: World) -> None:
    server = each_world.listen(lambda conversation: None)

    made: list[Hasty] = []

    def build(addr: Any) -> Conversation:
        made.append(Hasty())
        made[-1].server = server
        return made[-1]

    server.buildProtocol = build  # type: ignore[method-assign]
    downloader = each_world.downloader()
    first = Request(server.url("/first"), method="POST", body=b"x" * _LARGE)
    assert each_world.wait(downloader.fetch(first)).body == b"hello"
    made[0].transport.resumeProducing()
    second = downloader.fetch(Request(server.url("/second")))
    assert each_world.wait(second).body == b"hello"
    assert [each.received.partition(b" HTTP/")[0] for each in made] == [b"POST /first", b"GET /second"]
    assert b"GET" not in made[0].received


def test_a_large_body_that_was_read_keeps_the_connection(each_world: World) -> None:
    server = each_world.listen(lambda conversation: conversation.say(answer()))
    downloader = each_world.downloader()
    for _ in range(2):
        request = Request(server.url(), method="POST", body=b"x" * _LARGE)
        assert each_world.wait(downloader.fetch(request)).body == b"hello"
    assert [len(each) - each.find(b"\r\n\r\n") - 4 for each in server.requests] == [_LARGE] * 2
    assert len(server.conversations) == 1


@pytest.mark.parametrize(
    "headers",
    [
        b"Connection: close\r\n",
        b"Connection: close\r\nConnection: keep-alive\r\n",
        b"Connection: keep-alive\r\nConnection: Close\r\n",
        b"Connection: keep-alive, close\r\n",
    ],
)
def test_close_counts_whatever_else_is_said(world: World, headers: bytes) -> None:
    server = world.listen(lambda conversation: conversation.say(answer(headers=headers)))
    downloader = world.downloader()
    for _ in range(2):
        world.wait(downloader.fetch(Request(server.url(), method="POST")))
    assert len(server.conversations) == 2
