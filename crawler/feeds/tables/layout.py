"""Into which columns of its table does an item go?

A field for which there is no column, and a value that its column cannot hold, go into the column ``extra``, as one JSON
object for each row: nothing that a spider yields is left out.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from crawler.errors import FeedError
from crawler.feeds.columns import JSON, NOTHING, Column, Kind, Misfit, as_json, fitted, merged, plain
from crawler.feeds.tables.database import Database, Found

logger = logging.getLogger(__name__)

EXTRA = "extra"


class Layout:
    """The columns of one table, in order."""

    def __init__(self, database: Database, table: str, found: Sequence[Found]) -> None:
        self.names = [column.name for column in found]
        self._table = table
        self._bound = database.bound
        self._folded = database.folded
        self._columns = [Column(column.kind) for column in found]
        self._places = {database.folded(name): place for place, name in enumerate(self.names)}
        self._extra = self._places.pop(EXTRA, None)
        self._exact = {name: place for place, name in enumerate(self.names) if place != self._extra}
        self._told: set[str] = set()

    def __repr__(self) -> str:
        return f"<Layout of {self._table}: {', '.join(self.names)}>"

    def values(self, row: Mapping[str, Any]) -> list[Any]:
        """Return the values of a row. Raises FeedError for what goes nowhere."""
        values: list[Any] = [None] * len(self.names)
        extra: dict[str, Any] = {}
        for name, value in row.items():
            place = self._exact.get(name)
            if place is None:
                place = self._places.get(self._folded(name))
            value = plain(value)
            if place is None or values[place] is not None:
                extra[name] = value
            elif value is not None:
                column = self._columns[place]
                try:
                    values[place] = self._bound(fitted(value, column), column.kind)
                except Misfit:
                    extra[name] = value
                    self._tell(name, value, column)
        if extra:
            if self._extra is None:
                raise FeedError(
                    f"{', '.join(map(repr, extra))} cannot be written: the table {self._table} has no column for it, "
                    f"and none called {EXTRA}"
                )
            values[self._extra] = as_json(extra)
        return values

    def _tell(self, name: str, value: Any, column: Column) -> None:
        if name not in self._told:
            self._told.add(name)
            logger.warning(
                "The column %r of the table %s is of type %s, and %.100r is not: such values go into the column %s",
                name,
                self._table,
                column.kind.value,
                value,
                EXTRA,
            )


def made_columns(database: Database, found: Mapping[str, Column], key: Sequence[str]) -> dict[str, Column]:
    """Return the columns of a new table: the key's, those of the items that it can have, and ``extra``."""
    names = {name: found.get(name, NOTHING) for name in key} | dict(found)
    columns: dict[str, Column] = {}
    taken: set[str | None] = {None, EXTRA}
    for name, column in names.items():
        if len(columns) < database.most_columns and (folded := database.folded(name)) not in taken:
            taken.add(folded)
            columns[name] = column
    return {**{name: columns[name] for name in names if name in columns}, EXTRA: JSON}


def misfit(
    database: Database,
    found: Sequence[Found],
    *,
    table: str,
    key: Sequence[str],
    names: Sequence[str] | None,
    declared: Mapping[str, Column],
) -> str | None:
    """Return why items cannot be written to a table that is there, and what would help; None if they can."""
    columns = {database.folded(column.name): column for column in found}
    shown, quoted = database.table(table), database.quoted
    for name in key:
        if database.folded(name) not in columns:
            return f"the table {table} has no column {name!r}, which is to be its key"
    if key and not database.is_unique(table, key):
        index = f"CREATE UNIQUE INDEX {quoted(f'{table}_key')} ON {shown} ({', '.join(map(quoted, key))})"
        return f"the table {table} lets several rows have one {', '.join(key)}; as a key it needs `{index}`"
    if EXTRA not in columns:
        lacking = [name for name in names or () if database.folded(name) not in columns]
        if names is None or lacking:
            what = f"no column {lacking[0]!r} and none" if lacking else "no column"
            return (
                f"the table {table} has {what} {EXTRA!r} for fields that it has no column for: "
                f"`ALTER TABLE {shown} ADD COLUMN {EXTRA} {database.types[Kind.JSON]}` makes one, or name the table's "
                "columns in the option fields"
            )
    if names is not None:
        written = {database.folded(name) for name in names}
        for folded, column in columns.items():
            if column.required and folded not in written:
                return f"the column {column.name!r} of the table {table} needs a value, and fields does not name it"
    for name, wanted in declared.items():
        there = columns.get(database.folded(name))
        if there is not None and not _holds(there.kind, wanted):
            return (
                f"the column {name!r} of the table {table} is of type {there.kind.value}, and the items declare "
                f"it as {'list' if wanted.many else wanted.kind.value}"
            )
    return None


def _holds(kind: Kind, column: Column) -> bool:
    return kind in (Kind.TEXT, Kind.JSON) or merged(Column(kind), column) == Column(kind)
