"""Where are the children of a page that has thousands, until its unit is committed?

In a table of the job file, under the token of their unit, where nobody finds them. The commit of the unit makes
requests of them, in its transaction; what a killed process left is dropped when the job is opened again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from crawler.storage.bulk import write
from crawler.storage.group import Child

AT_ONCE = 1000

_TABLE = """
CREATE TABLE IF NOT EXISTS staged (
    unit INTEGER NOT NULL, id INTEGER NOT NULL, fingerprint INTEGER NOT NULL, filtered INTEGER NOT NULL,
    rank INTEGER NOT NULL, host TEXT NOT NULL, origin TEXT NOT NULL, url TEXT NOT NULL, body BLOB NOT NULL,
    found_on TEXT, PRIMARY KEY (unit, id)
) WITHOUT ROWID
"""


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

    def add(self, sql: sqlite3.Connection, unit: int, children: Sequence[Child]) -> None:
        """Keep more children of a unit, in the caller's transaction."""
        sql.execute(_TABLE)
        first = self.units.get(unit, 0)
        write(sql, "INSERT INTO staged", [(unit, number, *child) for number, child in enumerate(children, first)])
        self.units[unit] = first + len(children)

    def read(self, sql: sqlite3.Connection, unit: int) -> Iterator[list[Child]]:
        """Give back the children of a unit in order, some at once."""
        select = (
            "SELECT fingerprint, filtered, rank, host, origin, url, body, found_on FROM staged "
            "WHERE unit = ? AND id >= ? AND id < ? ORDER BY id"
        )
        for first in range(0, self.units.get(unit, 0), AT_ONCE):
            rows = sql.execute(select, (unit, first, first + AT_ONCE)).fetchall()
            yield [Child(row[0], bool(row[1]), *row[2:]) for row in rows]
        sql.execute("DELETE FROM staged WHERE unit = ?", (unit,))
