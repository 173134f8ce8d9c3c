"""What does a job on a server know of one URL? For `crawler explain`; changes nothing, also while the crawl runs.

Fingerprints are kept without what they belong to, which is what makes them small: so all records are gone through, and
what is queued for the URL's host. Of a million pages that takes some seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from crawler.frontier.store import Attempt, Refusal
from crawler.model.request import Request
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.rows import MEMBER, ROW, Record, host_of, member_of, read_payload, read_record
from crawler.storage.history import Failed
from crawler.storage.trace import DEEPEST, Trace
from crawler.storage.values import Values

_AT_ONCE = 1000
_attempts = msgspec.msgpack.Decoder(list[Attempt]).decode


class ServerTraces:
    """What a job knows; ``key`` is what its keys begin with.

    ``fingerprint`` tells which requests are the same, ``slot_key`` whose queue one waits in.
    """

    def __init__(
        self,
        connection: Connection,
        key: str,
        fingerprint: Callable[[Request], int],
        slot_key: Callable[[Request], str],
    ) -> None:
        self._connection = connection
        self._key = key
        self._fingerprint = fingerprint
        self._slot_key = slot_key

    def __repr__(self) -> str:
        return f"<ServerTraces of {self._key}>"

    def trace(self, request: Request) -> Trace | None:
        """See Traces."""
        url, wanted = request.url, self._fingerprint(request)
        like = None
        for token, record in self.records():
            asked = {record.url, *(tried.url for tried in _read(record.attempts))}
            if url in asked:
                return self._ended(token, record)
            if like is None and any(self._fingerprint(Request(each)) == wanted for each in asked):
                like = token, record
        if like is not None:
            return self._ended(*like)
        for queued in self._queued(self._slot_key(request)):
            asked = {queued.url, *(tried.url for tried in queued.attempts)}
            if any(self._fingerprint(Request(each)) == wanted for each in asked):
                return queued
        return None

    def refusals(self, url: str) -> list[Refusal]:
        """See Traces."""
        return [Refusal(*refusal) for _, record in self.records() for refusal in record.refusals if refusal[0] == url]

    def facts(self, name: str) -> dict[str, Any]:
        """See Traces."""
        kept = self._connection.command("HGET", f"{self._key}:f", name)
        return (Values().decode(kept) or {}) if kept is not None else {}

    def deepest(self) -> int:
        """See Traces."""
        return max((int(each.get(DEEPEST, 0)) for each in self.stats()), default=0)

    def stats(self) -> list[dict[str, Any]]:
        """Return the fact "stats" of each worker that there was."""
        return [Values().decode(data) or {} for _, data in self._pairs("HSCAN", "by:stats")]

    def failed(self) -> Iterator[Failed]:
        """Yield the requests that failed."""
        for token, record in self.records():
            if record.outcome == "failed":
                found_on = self._found_on(record.found_on, record.parent)
                yield Failed(
                    token, record.url, record.host, record.origin, record.priority, record.body, record.parent,
                    found_on, record.reason, record.attempts,
                )  # fmt: skip

    def records(self) -> Iterator[tuple[int, Record]]:
        """Go through what has ended, each once."""
        for token, data in self._pairs("HSCAN", "x"):
            yield int(token), read_record(data)

    def _ended(self, token: int, record: Record) -> Trace:
        return Trace(
            token, record.outcome, record.url, record.host, record.priority,
            self._found_on(record.found_on, record.parent), 0.0, record.reason, record.items, record.children,
            _read(record.attempts),
        )  # fmt: skip

    def _queued(self, host: str) -> Iterator[Trace]:
        """Go through what is queued for a host, or taken by a worker, or waits until its time."""
        for member, score in self._pairs("ZSCAN", f"q:{host}"):
            yield self._row(host, float(score), member)
        workers = [name for key in ("w", "dying") for name, _ in self._pairs("ZSCAN", key)]
        for worker in workers:
            for _, row in self._pairs("HSCAN", f"t:{worker.decode()}"):
                yield from self._of_host(host, row)
        now = self._connection.command("HGET", f"{self._key}:m", "clock")
        for row, due in self._pairs("ZSCAN", "later"):
            yield from self._of_host(host, row, wait=(float(due) - float(now or 0)) / 1000)

    def _of_host(self, host: str, row: bytes, *, wait: float = 0.0) -> Iterator[Trace]:
        if host_of(row) == host.encode():
            yield self._row(host, ROW.unpack_from(row)[0], member_of(row), wait=wait)

    def _row(self, host: str, score: float, member: bytes, *, wait: float = 0.0) -> Trace:
        token, _ = MEMBER.unpack_from(member)
        payload = read_payload(int(token), member[MEMBER.size :])
        found_on = self._found_on(payload.found_on, payload.parent)
        due = time.time() + wait if wait > 0 else 0.0
        attempts = _read(payload.attempts)
        return Trace(int(token), "queued", payload.url, host, int(-score), found_on, due, "", 0, 0, attempts)

    def _found_on(self, found_on: str | None, parent: int) -> str:
        if found_on is not None:
            return found_on
        data = self._connection.command("HGET", f"{self._key}:x", parent)
        return (read_record(data).page or "") if data is not None else ""

    def _pairs(self, command: str, name: str) -> Iterator[tuple[bytes, bytes]]:
        cursor: bytes | int = 0
        while True:
            cursor, flat = self._connection.command(command, f"{self._key}:{name}", cursor, "COUNT", _AT_ONCE)
            yield from zip(flat[::2], flat[1::2], strict=True)
            if int(cursor) == 0:
                return


def _read(attempts: list[bytes]) -> list[Attempt]:
    return [attempt for data in attempts for attempt in _attempts(data)]
