"""Where are the children of a page that has thousands, until its unit is committed?

In a table of the job file, under the token of their unit, where nobody finds them. The commit of the unit makes
requests of them, in its transaction and without bringing their texts into Python again; what a killed process left
is dropped when the job is opened again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from crawler.storage.bulk import write

AT_ONCE = 1000

_TABLE = """
CREATE TABLE IF NOT EXISTS staged (
    id INTEGER PRIMARY KEY, fingerprint INTEGER NOT NULL, filtered INTEGER NOT NULL, rank INTEGER NOT NULL,
    host INTEGER NOT NULL, origin INTEGER NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL, found_on TEXT
)
"""

_ADMIT = """
INSERT INTO requests (token, host, rank, origin, url, body, parent, found_on)
SELECT ? + id, host, rank, origin, url, body, ?, found_on FROM staged WHERE id >= ? AND id < ?
"""

Row = tuple[int, int, int, int, int, str, bytes, str | None]
"""Fingerprint, filtered, rank, the numbers of host and origin, URL, body, found_on."""


class Staged:
    """The staged children of one job file. Belongs to the store's thread; ``units`` has the ids that each unit has."""

    def __init__(self) -> None:
        self.units: dict[int, list[range]] = {}
        self._next = 0

    def __repr__(self) -> str:
        return f"<Staged {self.units}>"

    @staticmethod
    def drop(sql: sqlite3.Connection) -> None:
        """Drop what an earlier run left."""
        sql.execute("DROP TABLE IF EXISTS staged")

    def add(self, sql: sqlite3.Connection, children: Sequence[Row]) -> range:
        """Keep more children, in the caller's transaction; return their ids, for ``added`` once it has gone through."""
        sql.execute(_TABLE)
        ids = range(self._next, self._next + len(children))
        write(sql, "INSERT INTO staged", [(number, *child) for number, child in zip(ids, children, strict=True)])
        return ids

    def added(self, unit: int, ids: range) -> None:
        """A transaction has kept children of this unit under these ids."""
        self.units.setdefault(unit, []).append(ids)
        self._next = ids.stop

    def read(self, sql: sqlite3.Connection, unit: int) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
        """Give (fingerprint, filtered, host) of the children of a unit in order, some at once, with the first's id."""
        select = "SELECT fingerprint, filtered, host FROM staged WHERE id >= ? AND id < ? ORDER BY id"
        for ids in self.units.get(unit, ()):
            for first in range(ids.start, ids.stop, AT_ONCE):
                yield first, sql.execute(select, (first, min(first + AT_ONCE, ids.stop))).fetchall()

    @staticmethod
    def admit(sql: sqlite3.Connection, unit: int, ids: range, *, but: Sequence[int], after: int) -> None:
        """Make requests of the children with these ids, ``but`` for some. Their tokens follow ``after``."""
        first = ids.start
        for end in (*but, ids.stop):
            if end > first:
                sql.execute(_ADMIT, (after + 1 - first, unit, first, end))
                after += end - first
            first = end + 1

    def end(self, sql: sqlite3.Connection, unit: int) -> None:
        """All children of the unit are admitted."""
        if len(self.units) > 1:
            for ids in self.units[unit]:
                sql.execute("DELETE FROM staged WHERE id >= ? AND id < ?", (ids.start, ids.stop))
        else:
            sql.execute("DELETE FROM staged")  # which lets go of whole pages
