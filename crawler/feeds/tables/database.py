"""What does a feed need of a database, and what is the same in all?

The statements are the same; how a name is quoted, what a type is called and which errors mean what is not. Every name
of a table or column, whoever thought of it, goes through ``quoted``; every value is a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

from crawler.feeds.columns import Column, Kind

MARKS = "crawler_marks"
_MARK_COLUMNS = (
    "mark TEXT PRIMARY KEY, spider TEXT NOT NULL, feed TEXT NOT NULL, began TEXT NOT NULL, "
    "number BIGINT NOT NULL, items BIGINT NOT NULL"
)


class Found(NamedTuple):
    """A column of a table that is there; ``required``: a row without a value for it is refused."""

    name: str
    kind: Kind
    required: bool = False


class Standing(NamedTuple):
    """What a mark in the database says: the number of the last item, and how many the feed has written."""

    number: int = 0
    items: int = 0


class Database:
    """One connection to a database. Methods raise the driver's errors: ``failures``.

    Those of ``unfit`` refuse the values of a row.
    """

    types: ClassVar[Mapping[Kind, str]]
    placeholder: ClassVar[str]
    most_columns: ClassVar[int]
    unfit: tuple[type[Exception], ...] = ()
    failures: tuple[type[Exception], ...] = ()

    def connect(self) -> None:
        """Connect anew."""
        raise NotImplementedError

    def close(self) -> None:
        """Close, if it is open; raises nothing."""
        raise NotImplementedError

    def execute(self, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; return its rows."""
        raise NotImplementedError

    def execute_many(self, text: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for each of the rows."""
        raise NotImplementedError

    def quoted(self, name: str) -> str:
        """Return a column's name as it is written in a statement."""
        raise NotImplementedError

    def table(self, name: str) -> str:
        """Return a table's name as it is written in a statement, with its schema."""
        raise NotImplementedError

    def folded(self, name: str) -> str | None:
        """Return what the database takes a column's name for; None if it can have no such column."""
        raise NotImplementedError

    def bound(self, value: Any, kind: Kind) -> Any:
        """Return a fitted value as the driver takes it."""
        raise NotImplementedError

    def columns(self, table: str) -> list[Found]:
        """Return the columns of a table in order, without those that it computes itself; none: there is no table."""
        raise NotImplementedError

    def is_unique(self, table: str, key: Sequence[str]) -> bool:
        """Tell whether the table refuses a second row with the same values in these columns."""
        raise NotImplementedError

    def refusals(self, table: str, *, there: bool, rights: Sequence[str]) -> str | None:
        """Return what this user may not do there, as the end of a sentence; None if all is well."""
        raise NotImplementedError

    def passes(self, error: Exception) -> bool:
        """Tell whether a failure may have gone in a while, with another connection."""
        raise NotImplementedError

    def alone(self) -> None:
        """Wait until no other feed makes a table, and let none do so before the end of the transaction."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what is done inside, or roll it back."""
        yield from self._between("BEGIN IMMEDIATE" if self.placeholder == "?" else "BEGIN", "COMMIT", "ROLLBACK")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Keep what is done inside, or undo it alone."""
        yield from self._between("SAVEPOINT row_s", "RELEASE row_s", "ROLLBACK TO row_s")

    def _between(self, begin: str, end: str, undo: str) -> Iterator[None]:
        self.execute(begin)
        try:
            yield
            self.execute(end)
        except BaseException:
            try:
                self.execute(undo)
            except self.failures:
                pass  # the connection is gone, and the transaction with it
            raise

    def make_marks(self) -> None:
        """Make the table of marks, unless it is there."""
        self.alone()
        self.execute(f"CREATE TABLE IF NOT EXISTS {self.table(MARKS)} ({_MARK_COLUMNS})")

    def standing(self, mark: str) -> Standing | None:
        """Return what a mark says; None if there is none."""
        if not self.columns(MARKS):
            return None
        rows = self.execute(
            f"SELECT number, items FROM {self._table_in_statement(MARKS)} WHERE mark = {self.placeholder}", (mark,)
        )
        return Standing(*rows[0]) if rows else None

    def keep(self, mark: str, standing: Standing, *, spider: str, feed: str, began: str) -> None:
        """Write a mark, in the transaction of what it speaks of."""
        values = (mark, spider, feed, began, *standing)
        self.execute(
            f"INSERT INTO {self._table_in_statement(MARKS)} VALUES ({', '.join([self.placeholder] * len(values))}) "
            "ON CONFLICT (mark) DO UPDATE SET number = excluded.number, items = excluded.items",
            values,
        )

    def forget(self, mark: str) -> None:
        """Remove a mark that nobody will ask for again."""
        self.execute(f"DELETE FROM {self._table_in_statement(MARKS)} WHERE mark = {self.placeholder}", (mark,))

    def make_table(self, table: str, columns: Mapping[str, Column], key: Sequence[str]) -> None:
        """Make a table; the columns of the key may not be empty."""
        parts = [
            f"{self.quoted(name)} {self.types[Kind.JSON if column.many else column.kind]}"
            + (" NOT NULL" if name in key else "")
            for name, column in columns.items()
        ]
        if key:
            parts.append(f"PRIMARY KEY ({', '.join(map(self.quoted, key))})")
        self.execute(f"CREATE TABLE {self.table(table)} ({', '.join(parts)})")

    def insertion(self, table: str, columns: Sequence[str], key: Sequence[str]) -> str:
        """Return the statement that writes a row, over the one with the same key."""
        values = ", ".join([self.placeholder] * len(columns))
        names = ", ".join(map(self._in_statement, columns))
        text = f"INSERT INTO {self._table_in_statement(table)} ({names}) VALUES ({values})"
        if not key:
            return text
        rest = [self._in_statement(name) for name in columns if name not in key]
        then = f"UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in rest)}" if rest else "NOTHING"
        return f"{text} ON CONFLICT ({', '.join(map(self._in_statement, key))}) DO {then}"

    def empty(self, table: str) -> None:
        """Remove all rows."""
        self.execute(f"DELETE FROM {self.table(table)}")

    def _in_statement(self, name: str) -> str:
        """Quote a name for a statement with parameters."""
        return self.quoted(name).replace("%", "%%") if self.placeholder == "%s" else self.quoted(name)

    def _table_in_statement(self, name: str) -> str:
        return self.table(name).replace("%", "%%") if self.placeholder == "%s" else self.table(name)
