"""How does a feed write its items to a table of a database, each item once, whatever kills the process?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import msgspec

from crawler.errors import CrawlerError, FeedError, OutputError
from crawler.feeds.columns import columns_of
from crawler.feeds.failures import check_place
from crawler.feeds.items import Fields
from crawler.feeds.tables.address import Origin, Target
from crawler.feeds.tables.database import MARKS, Database, Standing
from crawler.feeds.tables.layout import EXTRA, Layout, made_columns, misfit
from crawler.model.masking import masked

logger = logging.getLogger(__name__)

# Goals: after a kill at any moment, and after a connection that broke at any moment, a resume leaves every item in the
# table once; an item that the table refuses is lost by name, and no other with it.
#
# Plan: a group of items and the feed's mark are one transaction. So the mark in the database counts, a row of
# crawler_marks, and the job's mark only names it (by a token, for two jobs may have one name). A resume is told by the
# answer to its first ``write`` how far the table is, and brings what comes after that. A connection that broke is made
# again; the mark then tells whether the transaction was committed.
#
# Known limits: rows cannot be taken back. A job that was put back to an older state (by hand, by a power cut of its own
# machine) brings items again: with a key each overwrites itself, without one it may be there twice. If the job has come
# as far again as the table before anybody looks, what is new among those numbers is taken for what is there.

DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before a transaction is tried again, each in turn; then the feed has failed."""


class TableMark(msgspec.Struct, frozen=True):
    """What the job keeps. ``number`` and ``items`` are as in crawler_marks, where ``mark`` is the row's name."""

    number: int
    items: int
    mark: str
    format: str = "table"


class TableFeed:
    """A feed (see seam.Feed) into one table. ``hint``: what may be missing if it does not connect."""

    def __init__(
        self,
        name: str,
        database: Database,
        fields: Fields,
        target: Target,
        *,
        overwrite: bool = False,
        origin: Origin = Origin(),  # noqa: B008 - it cannot change
        hint: str = "",
    ) -> None:
        self.name = name
        self.lost = fields.lost  # see seam.Feed
        self.pause: Callable[[float], None] = time.sleep
        self._database = database
        self._fields = fields
        self._target = target
        self._table, self._key = target.table, target.key
        self._overwrite = overwrite
        self._origin = origin
        self._hint = hint
        self._layout: Layout | None = None
        self._insertion = ""
        self._refused: list[tuple[Any, BaseException]] = []
        self._mark = ""
        self._standing = Standing()
        self._durable = False
        self._begun = False  # whether the mark is in the database
        self._resumed = False  # nothing was written since it was opened at a mark
        self._cut = False  # the connection is to be made again
        self._broken = False

    def __repr__(self) -> str:
        return f"<TableFeed {self.name} {self._standing}>"

    def check(self) -> None:
        """See seam.Feed."""
        for name in (self._table, *self._key):
            if self._database.folded(name) in (None, MARKS) or (name in self._key and name == EXTRA):
                raise OutputError(f"feed {self.name!r}: {name!r} can be no name of a table or of its key")
        if self._target.file is not None:
            check_place(self.name, self._target.file, self._target.file.parent)
            if not self._target.file.exists():
                return
        with self._failures(OutputError):
            self._database.connect()
            try:
                self._look()
            finally:
                self._database.close()

    def _look(self) -> None:
        names = self._fields.names
        found = self._database.columns(self._table)
        declared = columns_of(self._target.kinds, (), names)
        shown = None if names is None else list(names.values())
        rights = ["INSERT", *(["UPDATE"] if self._key else ()), *(["DELETE"] if self._overwrite else ())]
        why = self._database.refusals(self._table, there=bool(found), rights=rights)
        if not why and found:
            why = misfit(self._database, found, table=self._table, key=self._key, names=shown, declared=declared)
        if why:
            raise OutputError(f"feed {self.name!r}: {why}")

    def open(self, mark: dict[str, Any] | None, *, durable: bool) -> None:
        """See seam.Feed."""
        self._durable = durable
        self._mark = uuid4().hex
        try:
            with self._failures(OutputError):
                self._database.connect()
                if mark is not None:
                    self._resume(mark)
        except OutputError:
            self._database.close()
            raise

    def _resume(self, plain: dict[str, Any]) -> None:
        try:
            mark = msgspec.convert(plain, TableMark)
        except msgspec.ValidationError as error:
            raise OutputError(f"feed {self.name!r}: the job did not write it to a table: {error}") from error
        there = self._database.standing(mark.mark)
        if there is None or there.number < mark.number:
            raise OutputError(
                f"feed {self.name!r}: the database has {there.items if there else 'none'} of the {mark.items} items "
                f"that this job wrote (its row {mark.mark!r} of {MARKS}): it was put back to an older state; put it "
                "back as it was, or give the resume another output for the items that are still to come: "
                """-s 'FEEDS={"other.jsonl": {}}'"""
            )
        self._mark, self._standing, self._begun, self._resumed = mark.mark, there, True, True

    def write(self, items: Sequence[Any], number: int) -> dict[str, Any]:
        """See seam.Feed. The first one after ``open`` answers with the number up to which the table has the items."""
        if self._broken:
            raise FeedError(f"feed {self.name!r} failed before; nothing more is written to it")
        if not (self._resumed and not items):
            kinds = {type(item) for item in items} if self._layout is None else set()
            with self._failures(FeedError):
                self._standing = self._put(self._fields.of(items), number, kinds)
        self._resumed = False
        return self._told()

    def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = msgspec.to_builtins(TableMark(self._standing.number, self._standing.items, self._mark))
        return told

    def kept(self, mark: dict[str, Any]) -> None:
        """See seam.Feed. There is nothing to rename."""

    def committed(self, mark: dict[str, Any]) -> None:
        """See seam.Feed. Everything is done in the transaction."""

    def close(self, *, finished: bool) -> dict[str, Any]:
        """See seam.Feed. Without a job nobody will ask for the mark again."""
        try:
            with self._failures(FeedError):
                if finished and not self._begun and not self._broken:
                    self._put([], 0, set())
                if self._begun and not self._durable and not self._broken:
                    self._database.forget(self._mark)
        finally:
            self._database.close()
        return self._told()

    def count(self) -> int:
        """See seam.Feed."""
        return self._standing.items

    def _put(self, rows: list[dict[str, Any]], number: int, kinds: Collection[type]) -> Standing:
        """Write rows in one transaction; once more, and again, where what failed may pass."""
        for delay in (*DELAYS, None):
            try:
                standing = (self._reconnected(number) if self._cut else None) or self._transact(rows, number, kinds)
                self._begun = True
                self.lost += self._refused
                return standing
            except self._database.failures as error:
                self._cut = True
                if delay is None or not self._database.passes(error):
                    raise
                logger.warning("The feed %s: %s; trying again in %s s", self.name, _reason(error), delay)
                self.pause(delay)
        raise AssertionError

    def _reconnected(self, number: int) -> Standing | None:
        """Connect; return the mark if the transaction was committed, and only the answer to that was lost."""
        self._database.connect()
        self._cut = False
        there = self._database.standing(self._mark)
        return there if there is not None and there.number == number != self._standing.number else None

    def _transact(self, rows: list[dict[str, Any]], number: int, kinds: Collection[type]) -> Standing:
        self._refused = []
        with self._database.transaction():
            if not self._begun:
                self._database.make_marks()
                if self._overwrite and self._database.columns(self._table):
                    self._database.empty(self._table)
            if rows:
                layout, self._layout = self._layout or self._laid_out(rows, kinds), None
                self._insert(layout, rows)
            standing = Standing(number, self._standing.items + len(rows) - len(self._refused))
            self._database.keep(self._mark, standing, feed=self.name, **self._origin._asdict())
        if rows:
            self._layout = layout  # what was rolled back with its transaction is not there
        return standing

    def _laid_out(self, rows: list[dict[str, Any]], kinds: Collection[type]) -> Layout:
        """Look at the table, or make it."""
        found = self._database.columns(self._table)
        if not found:
            self._database.alone()
            found = self._database.columns(self._table)  # another feed may have made it meanwhile
        if not found:
            known = columns_of([*self._target.kinds, *kinds], rows, self._fields.names)
            self._database.make_table(self._table, made_columns(self._database, known, self._key), self._key)
            found = self._database.columns(self._table)
        layout = Layout(self._database, self._table, found)
        self._insertion = self._database.insertion(self._table, layout.names, self._key)
        return layout

    def _insert(self, layout: Layout, rows: list[dict[str, Any]]) -> None:
        ready = []
        for row in rows:
            try:
                ready.append((row, layout.values(row)))
            except FeedError as error:
                self._refused.append((row, error))
        if ready:
            self._insert_all(ready)

    def _insert_all(self, rows: list[tuple[dict[str, Any], list[Any]]]) -> None:
        """Insert rows; where one is refused, by halves, until it alone is left out."""
        try:
            with self._database.savepoint():
                self._database.execute_many(self._insertion, [values for _, values in rows])
        except self._database.unfit as error:
            if len(rows) == 1:
                (row, _), why = rows[0], _reason(error).partition(" DETAIL: ")[0]
                self._refused.append((row, FeedError(f"the table {self._table} refuses {repr(row)[:300]}: {why}")))
                return
            self._insert_all(rows[: len(rows) // 2])
            self._insert_all(rows[len(rows) // 2 :])

    @contextmanager
    def _failures(self, kind: type[OutputError] | type[FeedError]) -> Iterator[None]:
        try:
            yield
        except CrawlerError:
            self._broken = True
            raise
        except Exception as error:
            self._broken = True
            if not isinstance(error, self._database.failures):
                raise
            hint = self._hint if kind is OutputError else ""
            raise kind(f"feed {self.name!r}: {_reason(error)}{hint}") from error


def _reason(error: Exception) -> str:
    """Return what a driver says, in one line and without passwords."""
    return masked(" ".join(str(error).split())) or type(error).__name__
