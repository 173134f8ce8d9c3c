"""Does one bad answer on an HTTP/2 connection fail alone, and is a flood ended soon?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hpack import Encoder
from twisted.internet.defer import DeferredList

from crawler.errors import BadResponse, HeadTooLarge, TruncatedBody
from crawler.model.request import Request
from tests.download.http.support import World
from tests.download.http.test_http2 import Peer, Place

pytestmark = pytest.mark.process

_DATA, _HEADERS, _PRIORITY, _RST, _SETTINGS, _PUSH, _PING, _GOAWAY, _WINDOW, _CONTINUATION = range(10)
_END_STREAM, _END_HEADERS, _PADDED = 1, 4, 8
Fields = list[tuple[str, str]]
OK: Fields = [(":status", "200")]


def frame(kind: int, flags: int, number: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + number.to_bytes(4, "big") + payload


def head(number: int, fields: Fields, flags: int = 0) -> bytes:
    """Fields that h2 would not send, in a HEADERS frame; nothing is put into the table of the connection."""
    block = b"".join(Encoder().encode([(name, value, True)]) for name, value in fields)  # type: ignore[list-item]
    pieces = [block[start : start + 16_384] for start in range(0, len(block), 16_384)] or [b""]
    frames = [frame(_CONTINUATION, 0, number, piece) for piece in pieces]
    frames[0] = frame(_HEADERS, flags, number, pieces[0])
    frames[-1] = frames[-1][:4] + bytes([frames[-1][4] | _END_HEADERS]) + frames[-1][5:]
    return b"".join(frames)


def say(peer: Peer, data: bytes) -> None:
    peer.transport.write(data)  # type: ignore[union-attr,call-arg]


def page(number: int, fields: Fields, body: bytes = b"hello") -> bytes:
    return head(number, fields) + frame(_DATA, _END_STREAM, number, body)


@pytest.fixture
def place(world: World, tmp_path: Path) -> Place:
    return Place(world, tmp_path)


@pytest.mark.parametrize(
    ("fields", "body", "expected"),
    [
        ([*OK, ("content-length", "9")], b"hello", TruncatedBody),
        ([*OK, ("content-length", "9")], b"", TruncatedBody),
        ([*OK, ("content-length", "2")], b"hello", BadResponse),
        ([*OK, ("content-length", "5"), ("content-length", "6")], b"hello", BadResponse),
        ([*OK, ("content-length", "five")], b"hello", BadResponse),
        ([*OK, ("content-length", "5"), ("content-length", "5")], b"hello", b"hello"),
        ([*OK, ("connection", "close"), ("keep-alive", "timeout=1")], b"hello", b"hello"),
        ([*OK, ("transfer-encoding", "gzip, chunked")], b"hello", b"hello"),
        ([*OK, ("X-Upper", "a"), ("x y", "a"), ("", "a"), ("x:y", "a"), (":custom", "a")], b"hello", b"hello"),
        ([*OK, ("x-a", " a ")], b"hello", b"hello"),
        ([*OK, ("x-a", "a\r\nset-cookie: b=c")], b"hello", BadResponse),
        ([*OK, ("x-a", "a\0")], b"hello", BadResponse),
        ([("x-a", "a")], b"hello", BadResponse),
        ([*OK, (":status", "404")], b"hello", BadResponse),
        ([(":status", "099")], b"hello", BadResponse),
        ([(":status", "204")], b"hello", b""),
        ([*OK, *[("x-a", "b" * 60_000)] * 4], b"hello", b"hello"),
    ],
)
def test_a_bad_answer_fails_alone(place: Place, fields: Fields, body: bytes, expected: Any) -> None:
    def script(peer: Peer, number: int) -> None:
        # All three are under way when the second is answered.
        if number == 5:
            say(peer, page(3, fields, body) + page(1, OK) + page(5, OK))

    peers = place.listen(script)
    downloader = place.downloader()
    fetches = [downloader.fetch(Request(peers.url(f"/{each}"))) for each in range(3)]
    (_, first), (succeeded, second), (_, third) = place.world.wait(DeferredList(fetches, consumeErrors=True))
    assert (first.body, third.body) == (b"hello", b"hello")
    if isinstance(expected, bytes):
        assert second.body == expected
        assert not {b"Connection", b"Transfer-Encoding", b"Keep-Alive"} & {name.title() for name in second.headers}
    else:
        assert not succeeded
        assert second.check(expected), second.value
    assert len(peers.peers) == 1


def test_a_short_body_can_be_accepted(place: Place) -> None:
    peers = place.listen(lambda peer, number: say(peer, page(number, [*OK, ("content-length", "9")])))
    kept = place.fetch(peers.url(), settings={"DOWNLOAD_FAIL_ON_DATALOSS": False})
    assert (kept.body, kept.flags) == (b"hello", ["dataloss"])


def test_lengths_of_answers_without_body_mean_nothing(place: Place) -> None:
    peers = place.listen(lambda peer, number: say(peer, page(number, [*OK, ("content-length", "9")], b"")))
    assert place.fetch(peers.url(), method="HEAD").body == b""


def test_the_total_of_a_head_is_the_settings(place: Place) -> None:
    peers = place.listen(lambda peer, number: say(peer, page(number, [*OK, *[("x-a", "b" * 1000)] * 200])))
    assert place.fetch(peers.url()).body == b"hello"
    with pytest.raises(HeadTooLarge):
        place.fetch(peers.url(), settings={"HEADER_MAX_TOTAL": 100_000})


@pytest.mark.parametrize(
    "make",
    [
        lambda number: frame(_PING, 0, 0, b"12345678"),
        lambda number: frame(_SETTINGS, 0, 0),
        lambda number: frame(_PRIORITY, 0, number, b"\0\0\0\0\1"),
        lambda number: frame(_WINDOW, 0, 0, b"\0\0\0\1"),
        lambda number: frame(_GOAWAY, 0, 0, number.to_bytes(4, "big") + b"\0\0\0\0"),
        lambda number: frame(0x99, 0, number),
        lambda number: head(number, [(":status", "103")]),
        lambda number: head(number, [(":status", "103"), ("x-a", "b" * 60_000)]),
    ],
)
def test_floods(place: Place, make: Callable[[int], bytes]) -> None:
    peers = place.listen(lambda peer, number: say(peer, make(number) * 2500))
    with pytest.raises(BadResponse, match="flood"):
        place.fetch(peers.url())
    place.world.until(lambda: peers.peers[0].lost)


@pytest.mark.parametrize("empty", [frame(_DATA, 0, 1), frame(_DATA, _PADDED, 1, b"\3\0\0\0")])
def test_floods_of_empty_data(place: Place, empty: bytes) -> None:
    peers = place.listen(lambda peer, number: say(peer, head(number, OK) + empty * 2500))
    with pytest.raises(BadResponse, match="flood"):
        place.fetch(peers.url())


def test_a_long_body_in_small_pieces_is_no_flood(place: Place) -> None:
    small = (frame(_DATA, 0, 1, b"x") + frame(_PING, 0, 0, b"12345678")) * 5000
    peers = place.listen(lambda peer, number: say(peer, head(number, OK) + small + frame(_DATA, _END_STREAM, 1)))
    assert place.fetch(peers.url()).body == b"x" * 5000
