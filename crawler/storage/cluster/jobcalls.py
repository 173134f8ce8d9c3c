"""What does a process that looks after a job ask of the server?

These calls are not numbered: each may be made twice, and what it does is done once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.msgpack import Decoder

from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.library import NAME, JobState, function, state
from crawler.storage.cluster.rows import ROW, dropped, host_of, member_of
from crawler.storage.cluster.wire import Child
from crawler.storage.historyfile import some_of


class Opened(Struct, array_like=True, frozen=True):
    """What a starter finds. ``run`` tells one process of the server from another; ``items`` were committed up to now;
    ``marks``: how far each feed is, None: not begun.
    """

    run: str
    items: int
    marks: list[tuple[str, bytes | None]]


class Pulled(Struct, array_like=True, frozen=True):
    """Items with their numbers, in order. ``items`` were committed up to now, in the ``run`` of the server."""

    run: str
    items: int
    rows: list[tuple[int, bytes]]


class Working(Struct, array_like=True, frozen=True):
    """A worker that lives: ``called`` by people, on a ``machine``; ``silent`` for so many milliseconds; its ``hosts``,
    and the ``rows`` that it has taken."""

    called: str
    machine: str
    silent: int
    hosts: int
    rows: int


class Standing(Struct, array_like=True):
    """A host: ``queued`` rows, on the server and at workers; times in milliseconds; ``concurrency`` 0: not yet told;
    ``holders`` are workers."""

    name: str
    queued: int
    wait: int
    delay: int
    concurrency: int
    holders: int


_opened = Decoder(Opened).decode
_pulled = Decoder(Pulled).decode
_text = Decoder(str).decode
_workers = Decoder(list[Working]).decode
_hosts = Decoder(list[Standing]).decode
_taken = Decoder(list[tuple[str, int]]).decode
_count = Decoder(int).decode

_HOSTS_AT_ONCE = 500
_LATER = 1000
_ROWS_AT_ONCE = 500


class JobCalls:
    """The calls of one job, which raise StoreError. ``key``: what its keys begin with; ``name`` is the library's."""

    def __init__(self, connection: Connection, key: str, *, name: str = NAME) -> None:
        self._connection = connection
        self._key = key
        self._name = name

    def __repr__(self) -> str:
        return f"<JobCalls of {self._key}>"

    def _of(self, call: str) -> str:
        return function(call, self._name)

    def create(self, feeds: Sequence[str]) -> Opened:
        """Begin the job, or go on with it, with these feeds: items are kept for them alone."""
        return _opened(self._connection.call(self._of("create"), self._key, *feeds))

    def know(self, fingerprints: Sequence[int]) -> None:
        """Let these (signed) count as seen."""
        self._connection.call(self._of("know"), self._key, *fingerprints)

    def again(self, rows: Sequence[tuple[int, str, int, bytes]]) -> None:
        """Put requests that failed back into their queues: token, host, priority and payload of each. The job is not
        over then. Those that were put back before are left out."""
        self._connection.call(self._of("again"), self._key, *(word for row in rows for word in row))

    def outbox(self, after: int, count: int) -> Pulled:
        """Return items numbered above ``after``, at most ``count``, and 8 MB of them."""
        return _pulled(self._connection.call(self._of("outbox"), self._key, after, count))

    def fed(self, run: str, feed: str, number: int, mark: bytes, was: bytes) -> bool:
        """Keep a feed's mark, in the ``run`` in which its items came and if the mark before still is ``was`` (empty:
        none). Items that all feeds have are gone then. False: the server has gone back, and nothing was done.
        """
        arguments = (run, feed, number, mark, was)
        return _text(self._connection.call(self._of("fed"), self._key, *arguments)) == "ok"

    def bury(self, identity: str, blamed: int = 0) -> None:
        """A worker is dead, for sure: what it had goes back, some of it with later calls. ``blamed`` is the token of
        the request whose callback ran, 0 if none did.
        """
        self._connection.call(self._of("bury"), self._key, identity, blamed)

    def stop(self, reason: str) -> None:
        """Let all workers stop; the first reason counts."""
        self._connection.call(self._of("stop"), self._key, reason)

    def finish(self, reason: str) -> None:
        """Keep the reason for which the crawl has ended, or was stopped."""
        self._connection.call(self._of("finish"), self._key, reason)

    def tell(self, facts: Mapping[str, bytes]) -> None:
        """Keep facts of whoever looks after the job, in their stored form; those of "live:" reach all workers."""
        self._connection.call(self._of("tell"), self._key, *(word for pair in facts.items() for word in pair))

    def told(self, *names: str) -> dict[str, bytes]:
        """Return those of the named facts that are there, in their stored form."""
        if not names:
            return {}
        values = self._connection.command("HMGET", f"{self._key}:f", *names)
        return {name: value for name, value in zip(names, values, strict=True) if value}

    def told_of(self, prefix: str) -> dict[str, bytes]:
        """Return the facts whose names begin so, in their stored form; all facts of the job are gone through."""
        found: dict[str, bytes] = {}
        cursor = b"0"
        while True:
            words = ("HSCAN", f"{self._key}:f", cursor, "MATCH", f"{prefix}*", "COUNT", _LATER)
            cursor, flat = self._connection.command(*words)
            found |= {name.decode(): value for name, value in zip(flat[::2], flat[1::2], strict=True)}
            if int(cursor) == 0:
                return found

    def by_worker(self, name: str) -> list[bytes]:
        """Return the facts of this name, of which each worker that there was has one, in their stored form."""
        values: list[bytes] = self._connection.command("HVALS", f"{self._key}:by:{name}")
        return values

    def workers(self) -> list[Working]:
        """Return the workers that live."""
        return _workers(self._connection.readonly(self._of("workers"), self._key))

    def hosts(self) -> list[Standing]:
        """Return the hosts that have something queued, or that workers hold, some at a time."""
        taken: Counter[str] = Counter()
        names = set(self._connection.command("ZRANGE", f"{self._key}:hot", 0, -1))
        for worker in self._connection.command("ZRANGE", f"{self._key}:w", 0, -1):
            names.update(self._connection.command("SMEMBERS", f"{self._key}:hw:{worker.decode()}"))
            for name, count in _taken(self._connection.readonly(self._of("taken"), self._key, worker)):
                taken[name] += count
        for row in self._connection.command("ZRANGE", f"{self._key}:later", 0, _LATER - 1):
            names.add(host_of(row))
        call, found = self._of("hosts"), []
        for some in some_of(sorted(names), _HOSTS_AT_ONCE):
            for host in _hosts(self._connection.readonly(call, self._key, *some)):
                host.queued += taken[host.name]
                found.append(host)
        return found

    def add(self, child: Child) -> bool:
        """Queue one more request, as if start() had yielded it; tell whether it is new, or need not be."""
        return bool(_count(self._connection.call(self._of("add"), self._key, *child)))

    def drop(self, host: str) -> int:
        """Let all that is queued for a host end as dropped by hand; return how many that were. Each part is whole."""
        queue, later, count = f"{self._key}:q:{host}", f"{self._key}:later", 0
        while members := self._connection.command("ZRANGE", queue, 0, _ROWS_AT_ONCE - 1, "WITHSCORES"):
            rows = zip(members[::2], members[1::2], strict=True)
            count += self._drop(host, [("q", row, -int(float(score)), row) for row, score in rows])
        waiting = [row for row in self._connection.command("ZRANGE", later, 0, -1) if host_of(row) == host.encode()]
        for some in some_of(waiting, _ROWS_AT_ONCE):
            count += self._drop(host, [("later", row, -int(ROW.unpack_from(row)[0]), member_of(row)) for row in some])
        return count

    def _drop(self, host: str, rows: Sequence[tuple[str, bytes, int, bytes]]) -> int:
        words = [
            word for place, row, priority, member in rows for word in (place, row, dropped(host, priority, member))
        ]
        return _count(self._connection.call(self._of("drop"), self._key, host, *words))

    def state(self) -> JobState:
        """Look how far the job is, and keep its time going."""
        return state(self._connection, self._key, look=True, name=self._name)
