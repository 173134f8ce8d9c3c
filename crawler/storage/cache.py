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
from pathlib import Path
from typing import Any, TypeVar

from crawler.model.cached import CachedPage
from crawler.storage.cachedrows import SCHEMA, VERSION, CachedRows, DamagedPage, Row
from crawler.storage.private import make_private_file, make_private_folder

T = TypeVar("T")
logger = logging.getLogger(__name__)

_MOST_VARIANTS = 16
# A full cache is emptied to this part of its limit, so that it is not full again at once.
_KEEP_SHARE = 0.9
_AGE_EVERY = 500
# For how many seconds a file that another process holds is waited for.
_LOCKED = 10.0


class CacheFile:
    """The file. Its methods block for a short time. `find` has a connection of its own, for one thread; what
    writes is for any other.

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
        self._rows = CachedRows()
        self._puts = 0
        self._age_at = 0
        self._database: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._open()
        if self._database is not None:
            self._reader = sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)

    def __repr__(self) -> str:
        return f"<CacheFile {self.path}>"

    def _open(self) -> None:
        try:
            make_private_folder(self.path.parent)
            self._database = self._connect()
        except (sqlite3.OperationalError, OSError) as error:
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
        make_private_file(self.path, "-wal", "-shm")  # pages behind a login are in it
        database = sqlite3.connect(self.path, timeout=_LOCKED, isolation_level=None, check_same_thread=False)
        try:
            self._write_ahead(database)
            # A cache may lose its last pages in a power failure; WAL keeps it whole all the same.
            database.execute("pragma synchronous = off")
            version = database.execute("pragma user_version").fetchone()[0]
            if version not in (0, VERSION):
                database.execute("drop table if exists pages")
                database.execute("drop table if exists total")
            database.executescript(f"begin immediate; {SCHEMA} pragma user_version = {VERSION}; commit;")
        except BaseException:
            database.close()
            raise
        return database

    @staticmethod
    def _write_ahead(database: sqlite3.Connection) -> None:
        """Of several who begin a file at one moment SQLite tells all but one "locked" at once, whatever the
        time-out: two who waited for each other here would wait for ever.
        """
        until = time.monotonic() + _LOCKED
        while True:
            try:
                database.execute("pragma journal_mode = wal")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
            time.sleep(0.01)

    def _useless(self, error: Exception) -> None:
        logger.warning("The cache %s cannot be used and is left alone from now on: %s", self.path, error)
        if self._database is not None:
            self._database.close()
        self._database = None

    def _do(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
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

    def find(self, key: bytes) -> list[CachedPage]:
        """Return the pages kept under a key, the latest first. Never waits for who writes."""
        if self._reader is None:
            return []
        oldest = self._wall() - self._max_age if self._max_age else 0.0
        query = "select variant, facts, body from pages where key = ? and received >= ? order by received desc"
        try:
            rows = self._reader.execute(query, (key, oldest)).fetchall()
        except sqlite3.OperationalError as error:
            logger.warning("The cache %s did not answer: %s", self.path, error)
            return []
        except sqlite3.DatabaseError as error:
            logger.warning("The cache %s cannot be read and is left alone from now on: %s", self.path, error)
            self._reader.close()
            self._reader = None
            return []
        pages = []
        for variant, facts, body in rows:
            try:
                pages.append(self._rows.page(facts, body))
            except DamagedPage as error:
                logger.warning("A page in the cache %s is damaged and removed: %s", self.path, error)
                self._remove_one(key, variant)
        return pages

    def _remove_one(self, key: bytes, variant: bytes) -> None:
        statement = "delete from pages where key = ? and variant = ?"
        self._do(lambda database: database.execute(statement, (key, variant)), None)

    def keep(self, key: bytes, page: CachedPage) -> None:
        """Keep a page in place of the one for the same variant."""
        self.work([(key, page)])

    def remove(self, key: bytes) -> None:
        """Remove all that is kept under a key."""
        self.work([(key, None)])

    def work(self, batch: Sequence[tuple[bytes, CachedPage | None]]) -> None:
        """Keep pages, or remove what is under a key (None), in this order and in one transaction."""
        gone: dict[bytes, None] = {}
        rows: dict[tuple[bytes, bytes], Row] = {}
        pages = [page for _, page in batch if page is not None]
        bodies = iter(self._rows.bodies(pages))
        for key, page in batch:
            if page is None or not page.vary:
                # A page that answers every request makes its older variants worthless.
                gone[key] = None
                for other in [other for other in rows if other[0] == key]:
                    del rows[other]
            if page is not None:
                row = self._rows.row(key, page, next(bodies))
                if not self._max_size or row[5] <= self._max_size:
                    rows[row[:2]] = row
        self._do(lambda database: self._write(database, list(gone), list(rows.values())), None)

    def _write(self, database: sqlite3.Connection, gone: list[bytes], rows: list[Row]) -> None:
        """Few statements, for the reason given in `CachedRows.bodies`."""
        database.execute("begin immediate")
        try:
            if gone:
                database.execute(f"delete from pages where key in ({', '.join('?' * len(gone))})", gone)
            for row in rows:
                if row[0] not in gone:
                    self._make_room(database, row)
            if rows:
                # Not "replace", which would not run the trigger that counts.
                places = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(rows))
                database.execute(f"insert into pages values {places}", [value for row in rows for value in row])
            self._puts += len(rows)
            self._trim(database)
            database.execute("commit")
        except BaseException:
            database.execute("rollback")
            raise

    def _make_room(self, database: sqlite3.Connection, row: Row) -> None:
        """Remove the page for the same variant, and the oldest of too many others."""
        database.execute("delete from pages where key = ? and variant = ?", row[:2])
        database.execute(
            "delete from pages where key = ? and variant not in"
            " (select variant from pages where key = ? order by received desc limit ?)",
            (row[0], row[0], _MOST_VARIANTS - 1),
        )

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
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        with self._lock:
            if self._database is not None:
                self._database.close()
                self._database = None
