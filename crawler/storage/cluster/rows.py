"""What does a request look like on the server?

What a queue orders by (host, priority, token) stands beside a payload that the server does not look into: MessagePack
made here, of the same stored forms that a job file keeps. A row that is taken lies here too, as it was taken: it goes
back as it came, and a retry changes only what it has changed.
"""

from __future__ import annotations

import struct

import msgspec
from msgspec import Struct

from crawler.errors import StoreError
from crawler.frontier.host import Entry
from crawler.frontier.store import START
from crawler.storage.cluster import wire
from crawler.storage.cluster.reply import Taken
from crawler.storage.codec import Codec
from crawler.storage.group import Child, Moved, Result

PRIORITY_LIMIT = 2**53
"""A sorted set's scores are doubles: priorities beyond this would lose their last bits."""


ROW = struct.Struct(">ddH")
"""Of a row that is taken or waits: its score, when it is due, and how long the name of its host is, which follows."""


MEMBER = struct.Struct(">dB")
"""Of each row in a queue: its place, and of how many workers it was the end. The payload follows."""

BY_HAND = "by_hand"
"""The reason of what somebody has dropped who steers the crawl."""


def host_of(row: bytes) -> bytes:
    """Return the name of the host of a row that is taken or waits."""
    return row[ROW.size : ROW.size + ROW.unpack_from(row)[2]]


def member_of(row: bytes) -> bytes:
    """Return what stands in its host's queue for a row that is taken or waits."""
    return row[ROW.size + ROW.unpack_from(row)[2] :]


class Payload(Struct, array_like=True, omit_defaults=True):
    """The part of a row that only workers read.

    ``body`` is the codec's form of the request. ``found_on`` is None where that is the page of the ``parent``, whose
    record has it. ``attempts`` are MessagePack lists of what its exchanges came to, one for each time it was put back.
    """

    url: str
    origin: str
    body: bytes
    parent: int
    found_on: str | None = None
    attempts: list[bytes] = []


class Record(Struct, array_like=True, omit_defaults=True):
    """What is kept of a request that has ended. ``page``: the URL that its children were found on.

    ``origin`` and ``body`` are those of one that failed: it can be sent again.
    """

    url: str
    host: str
    priority: int
    parent: int
    found_on: str | None
    outcome: str
    reason: str
    page: str | None
    items: int
    children: int
    attempts: list[bytes] = []
    refusals: list[tuple[str, str, str, str]] = []
    origin: str = ""
    body: bytes = b""


class Row(Struct, eq=False):
    """A row that this worker has taken. ``deaths``: of how many workers it is known to have been the end."""

    token: int
    host: str
    priority: int
    payload: Payload
    deaths: int = 0
    place: int = 0


_encode = msgspec.msgpack.Encoder().encode
_payload = msgspec.msgpack.Decoder(Payload).decode
_record = msgspec.msgpack.Decoder(Record).decode


def new(child: Child, parent: int, *, newest: bool = False) -> wire.Child:
    """Return a new request as it is told; ``newest``: the newest of a host goes first."""
    payload = _encode(Payload(child.url, child.origin, child.body, parent, child.found_on))
    order = 0 if not newest else 4 if parent == START else 2
    return wire.Child(child.fingerprint, child.check + order, child.host, -child.rank, payload)


def put(row: Row, wait: float) -> wire.Put:
    """Return a row as it is told, to go on in ``wait`` seconds."""
    return wire.Put(row.token, row.host, row.priority, _encode(row.payload), max(round(wait * 1000), 0))


def taken(host: str, row: Taken) -> Row:
    """Read a row of a host; raises StoreError for what is not one."""
    return Row(row.token, host, row.priority, read_payload(row.token, row.payload), row.deaths, row.place)


def read_payload(token: int, payload: bytes) -> Payload:
    """Read what a row is to workers; raises StoreError for what is no payload."""
    try:
        return _payload(payload)
    except msgspec.MsgspecError as error:
        raise StoreError(f"the row {token} of the job is damaged: {error}") from error


def entry_of(row: Row, codec: Codec) -> Entry:
    """Make the request of a row again; raises StoreError."""
    payload = row.payload
    request = codec.decode_request(payload.url, row.priority, payload.body)
    return Entry(request, token=row.token, order=row.place, host=row.host, origin=payload.origin)


def moved(row: Row, form: Moved) -> Row:
    """Return a row as a retry or a redirect has changed its request."""
    payload = row.payload
    attempts = payload.attempts if form.attempts is None else [*payload.attempts, form.attempts]
    body = payload.body if form.body is None else form.body
    changed = Payload(form.url, form.origin, body, payload.parent, payload.found_on, attempts)
    return Row(row.token, form.host, -form.rank, changed, row.deaths, row.place)


def finish(result: Result, row: Row | None, *, newest: bool = False) -> wire.Finish:
    """Return what a request has come to as it is told; ``row`` is None for results of start(), ``newest`` as of new."""
    count, ended, digests = result.start
    memory = [
        wire.Change(stage, name, operation, key, value or b"", item)
        for stage, name, key, value, operation, item in result.memory
    ]
    return wire.Finish(
        result.token,
        result.outcome,
        result.reason,
        [new(child, result.token, newest=newest) for child in result.children],
        result.items,
        memory,
        result.fingerprints,
        record_of(result, row),
        count,
        ended,
        digests,
    )


def record_of(result: Result, row: Row | None) -> bytes:
    """Return what is kept of a request that has ended; nothing for results of start()."""
    if row is None:
        return b""
    payload = row.payload
    attempts = payload.attempts if result.attempts is None else [*payload.attempts, result.attempts]
    counts = len(result.items), len(result.children)
    again = (payload.origin, payload.body) if result.outcome == "failed" else ()
    return _encode(
        Record(
            payload.url,
            row.host,
            row.priority,
            payload.parent,
            payload.found_on,
            result.outcome,
            result.reason,
            result.page,
            *counts,
            attempts,
            result.refusals,
            *again,
        )
    )


def dropped(host: str, priority: int, member: bytes) -> bytes:
    """Return what is kept of a queued request that is dropped by hand; raises StoreError for what is no row."""
    token, _ = MEMBER.unpack_from(member)
    payload = read_payload(int(token), member[MEMBER.size :])
    return _encode(
        Record(
            payload.url, host, priority, payload.parent, payload.found_on, "dropped", BY_HAND, None, 0, 0,
            payload.attempts,
        )
    )  # fmt: skip


def write_record(record: Record) -> bytes:
    """Return what is kept of a record."""
    return _encode(record)


def write_payload(payload: Payload) -> bytes:
    """Return a row as it is to workers."""
    return _encode(payload)


def read_record(data: bytes) -> Record:
    """Return what was kept; raises StoreError for what is no record."""
    try:
        return _record(data)
    except msgspec.MsgspecError as error:
        raise StoreError(f"a record of the job is damaged: {error}") from error
