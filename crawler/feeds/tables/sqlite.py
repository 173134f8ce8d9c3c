"""What is particular about a table in an SQLite file?

SQLite keeps what it is given, whatever the column is called, so that its own types are what values become: text for
moments and decimals, which it would round. Nothing of the file's settings is changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crawler.feeds.columns import Kind
from crawler.feeds.tables.database import Database, Found

BUSY_SECONDS = 30
"""How long it is waited for another process that writes to the file."""

_KINDS = {
    "BIGINT": Kind.INT,
    "INTEGER": Kind.INT,
    "INT": Kind.INT,
    "REAL": Kind.FLOAT,
    "DOUBLE": Kind.FLOAT,
    "DOUBLE PRECISION": Kind.FLOAT,
    "FLOAT": Kind.FLOAT,
    "BOOLEAN": Kind.BOOL,
    "BLOB": Kind.BYTES,
}
_COLUMNS = 'SELECT name, type, "notnull" AND dflt_value IS NULL FROM pragma_table_xinfo(?) WHERE hidden = 0'


class Sqlite(Database):
    """A connection to an SQLite file."""

    types = {
        Kind.NOTHING: "TEXT",
        Kind.BOOL: "BOOLEAN",
        Kind.INT: "BIGINT",
        Kind.FLOAT: "DOUBLE PRECISION",
        Kind.DECIMAL: "TEXT",
        Kind.TEXT: "TEXT",
        Kind.BYTES: "BLOB",
        Kind.DATE: "TEXT",
        Kind.MOMENT: "TEXT",
        Kind.JSON: "TEXT",
    }
    placeholder = "?"
    most_columns = 500  # of SQLite's 2000
    unfit = (sqlite3.IntegrityError, sqlite3.DataError, OverflowError)
    failures = (sqlite3.Error, OverflowError)

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def connect(self) -> None:
        """See Database. The file is made when something is written."""
        self.close()
        self._connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)

    def close(self) -> None:
        """See Database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def execute(self, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See Database."""
        return self._open().execute(text, values).fetchall()

    def execute_many(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        """See Database."""
        self._open().executemany(text, rows)

    def quoted(self, name: str) -> str:
        """See Database."""
        return '"' + name.replace('"', '""') + '"'

    def table(self, name: str) -> str:
        """See Database."""
        return self.quoted(name)

    def folded(self, name: str) -> str | None:
        """See Database. A and a are one letter to SQLite, Ä and ä are two."""
        if not name or "\0" in name:
            return None
        return "".join(letter.lower() if letter.isascii() else letter for letter in name)

    def bound(self, value: Any, kind: Kind) -> Any:
        """See Database."""
        return value

    def columns(self, table: str) -> list[Found]:
        """See Database. hidden: 2 and 3 are computed."""
        rows = self.execute(_COLUMNS, (table,))
        return [Found(name, _KINDS.get(kind.upper(), Kind.TEXT), bool(required)) for name, kind, required in rows]

    def is_unique(self, table: str, key: Sequence[str]) -> bool:
        """See Database."""
        wanted = {self.folded(name) for name in key}
        primary = self.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0", (table,))
        groups = [{name for (name,) in primary}]
        for (index,) in self.execute('SELECT name FROM pragma_index_list(?) WHERE "unique" AND NOT partial', (table,)):
            groups.append({name for (name,) in self.execute("SELECT name FROM pragma_index_info(?)", (index,))})
        return any({self.folded(name or "") for name in group} == wanted for group in groups)

    def refusals(self, table: str, *, there: bool, rights: Sequence[str]) -> str | None:
        """See Database. That the file may be written is told by its place."""
        return None

    def passes(self, error: Exception) -> bool:
        """See Database. A statement that is wrong (no such table) has the error code 1, SQLITE_ERROR."""
        return isinstance(error, sqlite3.OperationalError) and getattr(error, "sqlite_errorcode", 0) != 1

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.OperationalError("the connection is closed")
        return self._connection
