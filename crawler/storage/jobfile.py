"""What is read from a job file, and how do its errors become ours?

All of it blocks and belongs to one thread, the one in which the connection was made.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from crawler.errors import JobDamaged, StoreError
from crawler.frontier.host import Entry
from crawler.frontier.store import Resumed
from crawler.storage import schema
from crawler.storage.bulk import chunks
from crawler.storage.codec import Codec
from crawler.storage.places import NEWEST, ORDER, pack, unpack
from crawler.storage.registered import Registered


class Counters(NamedTuple):
    """The totals of a job; replaced as a whole once a commit has gone through."""

    tokens: int
    done: int
    items: int
    start_count: int
    start_ended: bool


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into StoreError and JobDamaged, in words for the user."""
    try:
        yield
    except sqlite3.Error as error:
        code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB) or "malformed" in str(error):
            raise JobDamaged(f"the job file {path} is damaged: {error}") from error
        why = {
            sqlite3.SQLITE_FULL: "the disk is full",
            sqlite3.SQLITE_READONLY: "it is read-only",
            sqlite3.SQLITE_IOERR: f"the disk failed ({error})",
            sqlite3.SQLITE_BUSY: "another program holds it",
        }.get(code, str(error))
        raise StoreError(f"the job file {path} cannot be used: {why}; what was committed is intact") from error
    except OSError as error:
        raise StoreError(f"the job file {path} cannot be used: {error.strerror}") from error


class JobFile:
    """The open file of one job: what the store reads, and transactions for what it writes."""

    def __init__(self, path: Path, codec: Codec) -> None:
        self.path = path
        self.codec = codec
        self._connection: sqlite3.Connection | None = None
        self.counters = Counters(0, 0, 0, 0, False)
        self.feeds: list[str] = []
        self.newest = False
        self.fingerprints = Registered()

    def __repr__(self) -> str:
        return f"<JobFile {self.path} {self.counters}>"

    @property
    def sql(self) -> sqlite3.Connection:
        """The connection; raises StoreError when it is closed."""
        if self._connection is None:
            raise StoreError(f"the job file {self.path} is not open")
        return self._connection

    def open(self, description: dict[str, Any] | None) -> Resumed:
        """Open, or make a new file that keeps ``description``; None: it must be there, and not be finished.

        Raises JobDamaged and StoreError.
        """
        with translated(self.path):
            is_new = description is not None and not _has_content(self.path)
            if is_new:
                described = {"created": time.time(), "fingerprint": schema.FINGERPRINT, **(description or {})}
                schema.create(self.path, {name: self.codec.encode(value) for name, value in described.items()})
            self._connection = schema.connect(self.path)
            row = self.sql.execute("SELECT tokens, done, items, start_count, start_ended FROM counters").fetchone()
            tokens, done, items, start_count, start_ended = row
            self.counters = Counters(tokens, done, items, start_count, bool(start_ended))
            self._check_job(resumed=description is None)
            self.sql.execute("DROP TABLE IF EXISTS staged")  # what a killed process had of unfinished pages
            self._set_job({"state": "running"})
            self.fingerprints.load(self.sql)
            return self._resumed(is_new=is_new)

    def _check_job(self, *, resumed: bool) -> None:
        job = self.job()
        self.newest = job.get(ORDER) == NEWEST
        kind = job.get("fingerprint")
        if kind != schema.FINGERPRINT:
            raise JobDamaged(f"{self.path} has fingerprints of {kind!r}; this program makes {schema.FINGERPRINT!r}")
        if resumed and job.get("state") == "finished":
            raise StoreError(f"the job {self.path.stem} was finished by another process meanwhile")

    def _set_job(self, state: dict[str, Any]) -> None:
        # What was committed before is on the disk with it: feeds rename files by what they find here.
        with self.transaction(on_disk=True) as sql:
            rows = [(name, self.codec.encode(value)) for name, value in state.items()]
            sql.executemany("INSERT OR REPLACE INTO job VALUES (?, ?)", rows)

    def job(self) -> dict[str, Any]:
        """Return the description and state of the job."""
        return {name: self.codec.decode(value) for name, value in self.sql.execute("SELECT name, value FROM job")}

    def _resumed(self, *, is_new: bool) -> Resumed:
        sql, decode = self.sql, self.codec.decode
        memory: dict[tuple[str, str], dict[Any, Any]] = {}
        for stage, name, key, value in sql.execute("SELECT stage, name, key, value FROM memory"):
            memory.setdefault((stage, name), {})[decode(key)] = decode(value)
        return Resumed(
            is_new=is_new,
            queued=dict(sql.execute("SELECT name, queued FROM hosts WHERE queued > 0")),
            done=self.counters.done,
            accepted=self.counters.tokens,
            items=self.counters.items,
            start_count=self.counters.start_count,
            start_digests=[digest & (2**64 - 1) for (digest,) in sql.execute("SELECT digest FROM starts")],
            start_ended=self.counters.start_ended,
            facts={name: decode(data) for name, data in sql.execute("SELECT name, data FROM facts")},
            memory=memory,
            feed_marks={
                _name(kept): decode(mark)
                for kept, mark in sql.execute("SELECT name, mark FROM feeds WHERE mark IS NOT NULL")
            },
        )

    @contextmanager
    def transaction(self, *, on_disk: bool = False) -> Iterator[sqlite3.Connection]:
        """All or nothing; the caller's errors undo it too. ``on_disk``: wait until it, and all before it, is there."""
        sql = self.sql
        with translated(self.path):
            sql.execute(f"PRAGMA synchronous = {'FULL' if on_disk else 'NORMAL'}")
            sql.execute("BEGIN IMMEDIATE")
            try:
                yield sql
                sql.execute("COMMIT")
            except BaseException:
                if sql.in_transaction:
                    sql.execute("ROLLBACK")
                raise

    def registered(self, fingerprints: Sequence[int]) -> set[int]:
        """Return which of these signed fingerprints are registered."""
        return self.fingerprints.known(self.sql, fingerprints) if fingerprints else set()

    def merge(self) -> None:
        """Move fingerprints into their tree if it is time. What was committed does not depend on it."""
        if self.fingerprints.due:
            with suppress(StoreError):  # the next commit meets the same and tells it
                with self.transaction() as sql:
                    self.fingerprints.merge(sql)
                self.fingerprints.merged()

    def open_hosts(self, tokens: Sequence[int]) -> Counter[int]:
        """Return how many of these requests are not done, by the number of their host."""
        hosts: Counter[int] = Counter()
        for chunk, places in chunks(tokens):
            select = f"SELECT host, count(*) FROM requests WHERE state = 0 AND token IN ({places}) GROUP BY host"
            for host, count in self.sql.execute(select, chunk):
                hosts[host] += count
        return hosts

    def are_new(self, fingerprints: Sequence[int]) -> list[bool]:
        """Tell for each signed fingerprint whether it is not registered."""
        with translated(self.path):
            found = self.registered(fingerprints)
        return [fingerprint not in found for fingerprint in fingerprints]

    def lease(self, host: str, count: int, after: tuple[int, int] | None) -> list[tuple[Entry, float]]:
        """Return the host's next queued requests behind a key, with their not_before (0: at once)."""
        rank, token = after if after is not None else (-(2**63), 0)
        if self.newest and after is not None:
            rank, token = pack(*after), 2**62
        leased = []
        with translated(self.path):
            for token_, rank_, origin, url, body, not_before in self.sql.execute(_LEASE, (host, rank, token, count)):
                negative, order = unpack(rank_) if self.newest else (rank_, token_)
                request = self.codec.decode_request(url, -negative, body)
                entry = Entry(request, token=token_, order=order, host=host, origin=origin)
                leased.append((entry, not_before or 0.0))
        return leased

    def unfed(self, after: int, count: int) -> list[tuple[int, Any]]:
        """Return items of the outbox in order."""
        with translated(self.path):
            rows = self.sql.execute(
                "SELECT number, data FROM items WHERE number > ? ORDER BY number LIMIT ?", (after, count)
            ).fetchall()
        return [(number, self.codec.decode(data)) for number, data in rows]

    def name_feeds(self, names: Sequence[str]) -> None:
        """Name the feeds that items are kept for; the marks of others go."""
        with self.transaction() as sql:
            wanted = [_kept(name) for name in names]
            sql.executemany("INSERT OR IGNORE INTO feeds VALUES (?, 0, NULL)", [(name,) for name in wanted])
            known = [name for (name,) in sql.execute("SELECT name FROM feeds")]
            sql.executemany("DELETE FROM feeds WHERE name = ?", [(name,) for name in known if name not in wanted])
        self.feeds = list(names)

    def fed(self, feed: str, number: int, mark: bytes, on_disk: bool) -> None:
        """Keep a feed's mark and delete what all feeds have."""
        with self.transaction(on_disk=on_disk) as sql:
            row = sql.execute("UPDATE feeds SET number = ?, mark = ? WHERE name = ?", (number, mark, _kept(feed)))
            if row.rowcount != 1:
                raise StoreError(f"{feed!r} is not one of the job's feeds")
            sql.execute("DELETE FROM items WHERE number <= (SELECT min(number) FROM feeds)")

    def close(self, state: dict[str, Any] | None) -> None:
        """Close; keep the job's last state, if one is given. Raises StoreError if that fails; it is closed then too."""
        connection = self._connection
        if connection is None:
            return
        try:
            if state is not None:
                self._set_job(state)
                with translated(self.path):
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            self._connection = None
            connection.close()


def _kept(name: str) -> str | bytes:
    """Return a feed's name as SQLite can keep it: one of a file whose name is not in the locale's encoding is bytes."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return name.encode(errors="surrogatepass")
    return name


def _name(kept: str | bytes) -> str:
    return kept if isinstance(kept, str) else kept.decode(errors="surrogatepass")


def _has_content(path: Path) -> bool:
    try:
        return path.lstat().st_size > 0
    except FileNotFoundError:
        return False


_LEASE = """
SELECT token, rank, origins.name, url, body, not_before
FROM requests JOIN origins ON origins.id = requests.origin
WHERE requests.host = (SELECT id FROM hosts WHERE name = ?) AND state = 0 AND (rank, token) > (?, ?)
ORDER BY rank, token LIMIT ?
"""
