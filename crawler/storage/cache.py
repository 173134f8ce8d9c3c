"""Where are answers kept between crawls?

One SQLite file (WAL), shared by spiders and processes; bodies compressed by zstd; bounded by size and by
age. It holds nothing that cannot be fetched again: a damaged file is put aside, a damaged row removed, and
both are a miss and a warning.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from crawler.model.cached import CachedPage, CacheWork

logger = logging.getLogger(__name__)

_VERSION = 1
_SCHEMA = """
create table if not exists pages (
    key blob not null, variant blob not null, url text not null, facts blob not null, body blob not null,
    size integer not null, received real not null, primary key (key, variant)
) without rowid;
create index if not exists pages_by_time on pages (received);
create table if not exists total
    (one integer primary key check (one = 1), bytes integer not null, pages integer not null);
insert or ignore into total values (1, 0, 0);
create trigger if not exists pages_in after insert on pages begin
    update total set bytes = bytes + new.size, pages = pages + 1; end;
create trigger if not exists pages_out after delete on pages begin
    update total set bytes = bytes - old.size, pages = pages - 1; end;
"""
_MOST_VARIANTS = 16
# Beside its body a page costs about so many bytes.
_OVERHEAD = 256
# A full cache is emptied to this part of its limit, so that it is not full again at once.
_KEEP_SHARE = 0.9
_LARGEST_BODY = 2**31
_AGE_EVERY = 500
# Pages are of a few kB, and are written once: the fastest level is 5 % larger and takes half the time.
_LEVEL = 1

Row = tuple[bytes, bytes, str, bytes, bytes, int, float]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(CachedPage).decode


class CacheFile:
    """The file. Its methods block for a short time; they may be called from any one thread at a time.

    ``max_size`` in bytes and ``max_age`` in seconds, 0 for no limit.
    """

    def __init__(
        self, path: Path, *, max_size: int = 0, max_age: float = 0.0, wall: Callable[[], float] = time.time
    ) -> None:
        self.path = path
        self._max_size = max_size
        self._max_age = max_age
        self._wall = wall
        self._lock = threading.Lock()
        self._compress = zstandard.ZstdCompressor(level=_LEVEL).compress
        self._decompress = zstandard.ZstdDecompressor().decompress
        self._puts = 0
        self._age_at = 0
        self._database: sqlite3.Connection | None = None
        self._open()

    def __repr__(self) -> str:
        return f"<CacheFile {self.path}>"

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._database = self._connect()
        except sqlite3.OperationalError as error:
            self._useless(error)
        except sqlite3.DatabaseError as error:
            aside = self.path.with_name(self.path.name + ".damaged")
            logger.warning(
                "The cache %s is damaged (%s): it is kept as %s and begun anew", self.path, error, aside.name
            )
            self.path.replace(aside)
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            self._database = self._connect()

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=10.0, isolation_level=None, check_same_thread=False)
        try:
            database.execute("pragma journal_mode = wal")
            # A cache may lose its last pages in a power failure; WAL keeps it whole all the same.
            database.execute("pragma synchronous = off")
            version = database.execute("pragma user_version").fetchone()[0]
            if version not in (0, _VERSION):
                database.execute("drop table if exists pages")
                database.execute("drop table if exists total")
            database.executescript(f"begin immediate; {_SCHEMA} pragma user_version = {_VERSION}; commit;")
            self.path.chmod(0o600)  # pages behind a login are in it
        except BaseException:
            database.close()
            raise
        return database

    def _useless(self, error: Exception) -> None:
        logger.warning("The cache %s cannot be used and is left alone from now on: %s", self.path, error)
        if self._database is not None:
            self._database.close()
        self._database = None

    def _do(self, work: Callable[[sqlite3.Connection], Any], otherwise: Any) -> Any:
        with self._lock:
            if self._database is None:
                return otherwise
            try:
                return work(self._database)
            except sqlite3.OperationalError as error:
                logger.warning("The cache %s did not answer: %s", self.path, error)  # locked, or the disk is full
            except sqlite3.DatabaseError as error:
                self._useless(error)
            return otherwise

    def work(self, batch: Sequence[CacheWork]) -> list[list[CachedPage]]:
        """Do several things in their order, what is written in one transaction; return what each "find" found."""
        rows = [self._row(each.key, each.page) if each.page is not None else None for each in batch]
        return list(self._do(lambda database: self._work(database, batch, rows), [[] for _ in batch]))

    def find(self, key: bytes) -> list[CachedPage]:
        """Return the pages kept under a key, the latest first."""
        return self.work([CacheWork("find", key)])[0]

    def keep(self, key: bytes, page: CachedPage) -> None:
        """Keep a page in place of the one for the same variant."""
        self.work([CacheWork("keep", key, page)])

    def remove(self, key: bytes) -> None:
        """Remove all that is kept under a key."""
        self.work([CacheWork("remove", key)])

    def _work(
        self, database: sqlite3.Connection, batch: Sequence[CacheWork], rows: Sequence[Row | None]
    ) -> list[list[CachedPage]]:
        if all(each.kind == "find" for each in batch):
            return [self._find(database, each.key) for each in batch]
        database.execute("begin immediate")
        try:
            found = [self._one(database, each, row) for each, row in zip(batch, rows, strict=True)]
            self._trim(database)
            database.execute("commit")
        except BaseException:
            database.execute("rollback")
            raise
        return found

    def _one(self, database: sqlite3.Connection, work: CacheWork, row: Row | None) -> list[CachedPage]:
        if work.kind == "find":
            return self._find(database, work.key)
        if work.kind == "remove":
            database.execute("delete from pages where key = ?", (work.key,))
        elif row is not None:
            assert work.page is not None
            self._keep(database, row, alone=not work.page.vary)
        return []

    def _find(self, database: sqlite3.Connection, key: bytes) -> list[CachedPage]:
        oldest = self._wall() - self._max_age if self._max_age else 0.0
        query = "select variant, facts, body from pages where key = ? and received >= ? order by received desc"
        pages = []
        for variant, facts, body in database.execute(query, (key, oldest)).fetchall():
            try:
                page = _decode(facts)
                page.body = self._decompress(body, max_output_size=_LARGEST_BODY)
            except (msgspec.MsgspecError, zstandard.ZstdError, TypeError) as error:
                logger.warning("A page in the cache %s is damaged and removed: %s", self.path, error)
                database.execute("delete from pages where key = ? and variant = ?", (key, variant))
                continue
            pages.append(page)
        return pages

    def _row(self, key: bytes, page: CachedPage) -> Row | None:
        """Return a page as it is kept, None if it is larger than the whole cache may be."""
        body = self._compress(page.body)
        facts = _encode(msgspec.structs.replace(page, body=b""))
        variant = blake2b(_encode((page.vary, page.said)), digest_size=8).digest()
        size = len(body) + len(facts) + _OVERHEAD
        if self._max_size and size > self._max_size:
            return None
        return key, variant, page.url, facts, body, size, page.received

    def _keep(self, database: sqlite3.Connection, row: Row, *, alone: bool) -> None:
        """``alone``: the page is the answer to every request, so that older variants are none any more."""
        # Not "replace", which would not run the trigger that counts.
        if alone:
            database.execute("delete from pages where key = ?", row[:1])
        else:
            database.execute("delete from pages where key = ? and variant = ?", row[:2])
            database.execute(
                "delete from pages where key = ? and variant not in"
                " (select variant from pages where key = ? order by received desc limit ?)",
                (row[0], row[0], _MOST_VARIANTS - 1),
            )
        database.execute("insert into pages values (?, ?, ?, ?, ?, ?, ?)", row)
        self._puts += 1

    def _trim(self, database: sqlite3.Connection) -> None:
        if self._max_age and self._puts >= self._age_at:
            self._age_at = self._puts + _AGE_EVERY
            database.execute("delete from pages where received < ?", (self._wall() - self._max_age,))
        size = database.execute("select bytes from total").fetchone()[0]
        if not self._max_size or size <= self._max_size:
            return
        excess = size - self._max_size * _KEEP_SHARE
        rows = database.execute("select key, variant, size from pages order by received")
        gone = []
        for key, variant, each in rows:
            if excess <= 0:
                break
            gone.append((key, variant))
            excess -= each
        database.executemany("delete from pages where key = ? and variant = ?", gone)

    def clear(self) -> int:
        """Remove everything; return how many pages there were."""

        def work(database: sqlite3.Connection) -> int:
            count = int(database.execute("select pages from total").fetchone()[0])
            database.execute("delete from pages")
            database.execute("vacuum")
            return count

        return int(self._do(work, 0))

    def stats(self) -> dict[str, Any]:
        """Return what `crawler cache stats` shows: pages, bytes, oldest and latest (wall clock or None)."""

        def work(database: sqlite3.Connection) -> dict[str, Any]:
            size, pages = database.execute("select bytes, pages from total").fetchone()
            oldest, latest = database.execute("select min(received), max(received) from pages").fetchone()
            return {"pages": pages, "bytes": size, "oldest": oldest, "latest": latest}

        return dict(self._do(work, {"pages": 0, "bytes": 0, "oldest": None, "latest": None}))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None
