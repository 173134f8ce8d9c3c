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
    unit INTEGER NOT NULL, id INTEGER NOT NULL, fingerprint INTEGER NOT NULL, filtered INTEGER NOT NULL,
    rank INTEGER NOT NULL, host INTEGER NOT NULL, origin INTEGER NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL,
    found_on TEXT, PRIMARY KEY (unit, id)
) WITHOUT ROWID
"""

_ADMIT = """
INSERT INTO requests (token, host, rank, origin, url, body, parent, found_on)
SELECT ? + row_number() OVER (ORDER BY id), host, rank, origin, url, body, unit, found_on
FROM staged WHERE unit = ? AND id >= ? AND id < ? AND id NOT IN (
"""

Row = tuple[int, int, int, int, int, str, bytes, str | None]
"""Fingerprint, filtered, rank, the numbers of host and origin, URL, body, found_on."""


class Staged:
    """The staged children of one job file. Belongs to the store's thread; ``units`` has how many each unit has."""

    def __init__(self) -> None:
        self.units: dict[int, int] = {}

    def __repr__(self) -> str:
        return f"<Staged {self.units}>"

    @staticmethod
    def drop(sql: sqlite3.Connection) -> None:
        """Drop what an earlier run left."""
        sql.execute("DROP TABLE IF EXISTS staged")

    def add(self, sql: sqlite3.Connection, unit: int, children: Sequence[Row]) -> None:
        """Keep more children of a unit, in the caller's transaction."""
        sql.execute(_TABLE)
        first = self.units.get(unit, 0)
        write(sql, "INSERT INTO staged", [(unit, number, *child) for number, child in enumerate(children, first)])
        self.units[unit] = first + len(children)

    def read(self, sql: sqlite3.Connection, unit: int) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
        """Give (fingerprint, filtered, host) of the children of a unit in order, some at once, with the first's id."""
        select = "SELECT fingerprint, filtered, host FROM staged WHERE unit = ? AND id >= ? AND id < ? ORDER BY id"
        for first in range(0, self.units.get(unit, 0), AT_ONCE):
            yield first, sql.execute(select, (unit, first, first + AT_ONCE)).fetchall()

    @staticmethod
    def admit(sql: sqlite3.Connection, unit: int, first: int, *, but: Sequence[int], after: int) -> None:
        """Make requests of the children that ``read`` gave from ``first`` on, ``but`` for some ids.

        Their tokens follow ``after``.
        """
        sql.execute(f"{_ADMIT}{','.join('?' * len(but))})", (after, unit, first, first + AT_ONCE, *but))

    def end(self, sql: sqlite3.Connection, unit: int) -> None:
        """All children of the unit are admitted."""
        if len(self.units) > 1:
            sql.execute("DELETE FROM staged WHERE unit = ?", (unit,))
        else:
            sql.execute("DELETE FROM staged")  # which lets go of whole pages
