"""What is one exchange on an HTTP/2 connection?

The calls of this package are written for HTTP/1.1, so that it pays nothing for its successor: a call's
payload is taken apart here, and the head of the answer put into the shape the calls know.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from crawler.download.http.connection import Call, Source
from crawler.download.net.interfaces import Producer
from crawler.download.wire.head import HeadLimits, ResponseHead, frame, is_token
from crawler.errors import BadResponse, HeadTooLarge

# RFC 9113 section 8.2.2: fields about a connection have no place in HTTP/2.
_OF_A_CONNECTION = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"host")
)
# Twisted's own transports pause their producers at this many bytes, too.
_MOST_PENDING = 65_536


@dataclass(slots=True, eq=False)
class Stream:
    """One exchange under way. ``pending`` waits for the peer's window; ``finished``: nothing is added to it."""

    number: int
    call: Call
    active: float
    head: ResponseHead | None = None
    answered: bool = False
    pending: bytearray = field(default_factory=bytearray)
    finished: bool = True
    source: Source | None = None
    upload: StreamUpload | None = None
    paused: bool = False
    received: int = 0
    unread: int = 0


class Pump(Protocol):
    """The connection, as far as a body that is sent on it needs it."""

    def pump(self, stream: Stream) -> None:
        """Send what the peer's window allows."""


class StreamUpload:
    """What a BodySource takes for a connection: its writes go to one stream.

    A body that is made faster than the peer reads is paused, so that little of it waits in memory.
    """

    def __init__(self, connection: Pump, stream: Stream) -> None:
        self._connection = connection
        self._stream = stream
        self._producer: Any = None
        self._paused = False
        self.transport = self

    def registerProducer(self, producer: Producer, streaming: bool) -> None:  # noqa: N802 - IConsumer's name
        """Take an IPushProducer, which every IProducer is."""
        self._producer = producer

    def unregisterProducer(self) -> None:  # noqa: N802 - IConsumer's name
        """Pause and resume nothing any more."""
        self._producer = None

    def write(self, data: bytes) -> None:
        """Send as much as the peer's window allows, keep the rest."""
        self._stream.pending += data
        self._connection.pump(self._stream)
        if self._producer is not None and not self._paused and len(self._stream.pending) > _MOST_PENDING:
            self._paused = True
            self._producer.pauseProducing()

    def sent(self) -> None:
        """The peer's window let something through."""
        if self._paused and len(self._stream.pending) <= _MOST_PENDING // 2:
            self._paused = False
            if self._producer is not None:
                self._producer.resumeProducing()

    def progressed(self) -> None:
        """Nothing more than ``write`` knows."""


def request_fields(payload: bytes, secure: bool) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return the header fields of a request that was written for HTTP/1.1, and its body."""
    head, _, body = payload.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    method, target, _ = lines[0].split(b" ", 2)
    authority = b""
    fields = []
    for line in lines[1:]:
        name, _, value = line.partition(b": ")
        key = name.lower()
        if key == b"host":
            authority = value
        if key not in _OF_A_CONNECTION:
            fields.append((key, value))
    scheme = b"https" if secure else b"http"
    pseudo = [(b":method", method), (b":scheme", scheme), (b":authority", authority), (b":path", target)]
    return pseudo + fields, body


def response_head(fields: list[tuple[bytes, bytes]], method: str, limits: HeadLimits) -> ResponseHead:
    """Return the head the fields of an answer make. Raises BadResponse or HeadTooLarge.

    As in HTTP/1.1, fields whose name is no token are left out, and so are those about a connection: RFC 9113
    section 8.2 calls the answer malformed, but neither can mean anything here.
    """
    if len(fields) > limits.lines:
        raise HeadTooLarge(f"the head has more than {limits.lines} lines (HEADER_MAX_COUNT)")
    sizes = [len(name) + len(value) for name, value in fields]
    if sum(sizes) > limits.total or max(sizes, default=0) > limits.line:
        raise HeadTooLarge("the head is larger than HEADER_MAX_LINE or HEADER_MAX_TOTAL allows")
    statuses = []
    raw = []
    for name, value in fields:
        if name == b":status":
            statuses.append(value)
        elif is_token(name) and name.lower() not in _OF_A_CONNECTION:
            if b"\n" in value or b"\r" in value or b"\0" in value:
                raise BadResponse(f"HTTP/2: the value of {name[:40]!r} contains CR, LF or NUL")
            raw.append((name, value.strip(b" \t")))
    status = statuses[0] if len(set(statuses)) == 1 else b""
    if len(status) != 3 or not status.isdigit() or status < b"100":
        raise BadResponse(f"the answer has no acceptable status: {status[:20]!r}")
    head = ResponseHead(int(status), b"", 1, raw)
    frame(head, method)
    return head


def as_text(head: ResponseHead) -> bytes:
    """Return the head as it might have been on the wire of HTTP/1.1, for archives."""
    lines = [b"HTTP/2 %d" % head.status, *(name + b": " + value for name, value in head.raw)]
    return b"\r\n".join(lines) + b"\r\n\r\n"
