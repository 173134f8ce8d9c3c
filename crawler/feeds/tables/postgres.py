"""What is particular about a table of PostgreSQL?

psycopg is imported when this module is, which is when a feed names such a table. Without a password in the URI libpq
looks for it in PGPASSWORD and ~/.pgpass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Float8, Int8

from crawler.feeds.columns import Kind, in_utc
from crawler.feeds.tables.database import MARKS, Database, Found

# What libpq is told where the URI does not: a server that is gone is noticed in half a minute.
_PATIENCE = {"connect_timeout": "10", "tcp_user_timeout": "30000", "keepalives_idle": "30", "keepalives_interval": "10"}
_LONGEST_NAME = 63  # bytes; PostgreSQL would cut off the rest (manual, "Identifiers and Key Words")
_SYSTEM_COLUMNS = frozenset({"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"})
_LOCK = 0x637261776C  # "crawl": the advisory lock under which tables are made
_KINDS = {
    "bool": Kind.BOOL,
    "int2": Kind.INT,
    "int4": Kind.INT,
    "int8": Kind.INT,
    "float4": Kind.FLOAT,
    "float8": Kind.FLOAT,
    "numeric": Kind.DECIMAL,
    "bytea": Kind.BYTES,
    "date": Kind.DATE,
    "timestamp": Kind.MOMENT,
    "timestamptz": Kind.MOMENT,
    "json": Kind.JSON,
    "jsonb": Kind.JSON,
}
_COLUMNS = """
    SELECT a.attname, t.typname, a.attnotnull AND NOT a.atthasdef AND a.attidentity = ''
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    ORDER BY a.attnum
"""
_UNIQUE = """
    SELECT array_agg(a.attname::text) FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = to_regclass(%s) AND i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL
    GROUP BY i.indexrelid
"""


class Postgres(Database):
    """A connection to PostgreSQL."""

    types = {
        Kind.NOTHING: "TEXT",
        Kind.BOOL: "BOOLEAN",
        Kind.INT: "BIGINT",
        Kind.FLOAT: "DOUBLE PRECISION",
        Kind.DECIMAL: "NUMERIC",
        Kind.TEXT: "TEXT",
        Kind.BYTES: "BYTEA",
        Kind.DATE: "DATE",
        Kind.MOMENT: "TIMESTAMP WITH TIME ZONE",
        Kind.JSON: "JSONB",
    }
    placeholder = "%s"
    most_columns = 500  # of PostgreSQL's 1600
    # The last is of a key that is too long for its index.
    unfit = (psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded)
    failures = (psycopg.Error,)

    def __init__(self, server: str, schema: str) -> None:
        self._server = server
        self._schema = schema
        self._connection: psycopg.Connection[tuple[Any, ...]] | None = None

    def connect(self) -> None:
        """See Database."""
        self.close()
        told = conninfo_to_dict(self._server)
        more: dict[str, Any] = {name: value for name, value in _PATIENCE.items() if name not in told}
        more.setdefault("application_name", told.get("application_name") or "crawler")
        self._connection = psycopg.connect(self._server, autocommit=True, **more)
        self._connection.execute("SET TIME ZONE 'UTC'")

    def close(self) -> None:
        """See Database."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def execute(self, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """See Database."""
        cursor = self._open().execute(text.encode(), values or None)
        return cursor.fetchall() if cursor.description else []

    def execute_many(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        """See Database."""
        with self._open().cursor() as cursor:
            cursor.executemany(text.encode(), rows)

    def quoted(self, name: str) -> str:
        """See Database."""
        return sql.Identifier(name).as_string(None)

    def table(self, name: str) -> str:
        """See Database."""
        return sql.Identifier(*filter(None, (self._schema, name))).as_string(None)

    def folded(self, name: str) -> str | None:
        """See Database."""
        usable = 0 < len(name.encode()) <= _LONGEST_NAME and "\0" not in name and name not in _SYSTEM_COLUMNS
        return name if usable else None

    def bound(self, value: Any, kind: Kind) -> Any:
        """See Database. Numbers have one type each, so that one prepared statement does for all."""
        if kind is Kind.INT:
            return Int8(value)
        if kind is Kind.FLOAT:
            return Float8(value)
        return in_utc(value) if kind is Kind.MOMENT else value

    def columns(self, table: str) -> list[Found]:
        """See Database. Of a type that is not among these the server reads the text."""
        rows = self.execute(_COLUMNS, (self.table(table),))
        return [Found(name, _KINDS.get(kind, Kind.TEXT), required) for name, kind, required in rows]

    def is_unique(self, table: str, key: Sequence[str]) -> bool:
        """See Database."""
        return any(set(names) == set(key) for (names,) in self.execute(_UNIQUE, (self.table(table),)))

    def refusals(self, table: str, *, there: bool, rights: Sequence[str]) -> str | None:
        """See Database."""
        ((schema,),) = self.execute("SELECT coalesce(nullif(%s, ''), current_schema())", (self._schema,))
        if schema is None or not self.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)):
            return f"there is no schema {self._schema or 'of the search_path'}; CREATE SCHEMA makes one"
        if not (there and self.columns(MARKS)):
            ((may,),) = self.execute("SELECT has_schema_privilege(%s::text, 'CREATE')", (schema,))
            if not may:
                return f"this user may make no table in the schema {schema}: it lacks the right CREATE"
        for right in rights if there else ():
            ((may,),) = self.execute("SELECT has_table_privilege(%s::text, %s::text)", (self.table(table), right))
            if not may:
                return f"this user may not write the table {table}: it lacks the right {right}"
        return None

    def passes(self, error: Exception) -> bool:
        """See Database."""
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)

    def alone(self) -> None:
        """See Database."""
        self.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))

    def _open(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._connection is None:
            raise psycopg.OperationalError("the connection is closed")
        return self._connection
