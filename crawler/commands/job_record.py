"""What does a job file know of one URL?

Reads only, and works while a crawl runs.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from crawler.frontier.store import START
from crawler.storage.group import signed
from crawler.storage.jobfile import translated
from crawler.storage.jobs import open_to_read
from crawler.storage.schema import ANSWERED, DROPPED, FAILED, QUEUED
from crawler.storage.values import Values

OUTCOMES = {QUEUED: "queued", ANSWERED: "answered", FAILED: "failed", DROPPED: "dropped"}


class Try(NamedTuple):
    """One exchange: local time, URL, a status or an error's name, and its message."""

    when: datetime
    url: str
    outcome: str
    detail: str


class Record(NamedTuple):
    """An accepted request. ``found_on`` is None if it came from start()."""

    url: str
    outcome: str
    reason: str
    found_on: str | None
    not_before: float | None
    items: int
    children: int
    tries: list[Try]


class JobRecord:
    """The knowledge of one job file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._decode = Values().decode

    def request(self, url: str, fingerprint: int) -> Record | None:
        """Return what became of the request with that fingerprint, or else with that URL."""
        with self._sql() as sql:
            seen = sql.execute("SELECT token FROM seen WHERE fingerprint = ?", (signed(fingerprint),)).fetchone()
            where, value = ("token = ?", seen[0]) if seen is not None else ("url = ?", url)
            row = sql.execute(f"SELECT {_COLUMNS} FROM requests WHERE {where} ORDER BY token DESC", (value,)).fetchone()
            return self._record(sql, row) if row is not None else None

    def refusals(self, url: str) -> list[tuple[str, str, str]]:
        """Return (reason, detail, found on) of each time the URL was refused; kept with JOB_EXPLAIN "full" only."""
        with self._sql() as sql:
            return sql.execute(
                "SELECT DISTINCT reason, detail, found_on FROM refusals WHERE url = ?", (url,)
            ).fetchall()

    def fact(self, name: str) -> Any:
        """Return one of the facts the engine keeps, None if there is none of that name."""
        with self._sql() as sql:
            row = sql.execute("SELECT data FROM facts WHERE name = ?", (name,)).fetchone()
        return self._decode(row[0]) if row is not None else None

    @contextlib.contextmanager
    def _sql(self) -> Iterator[sqlite3.Connection]:
        with translated(self._path), contextlib.closing(open_to_read(self._path)) as sql:
            yield sql

    def _record(self, sql: sqlite3.Connection, row: tuple[Any, ...]) -> Record:
        token, state, url, reason, found_on, parent, not_before, items, children, last = row
        if found_on is None and parent != START:
            page = sql.execute("SELECT page FROM requests WHERE token = ?", (parent,)).fetchone()
            found_on = page[0] if page is not None else None
        logs = [data for (data,) in sql.execute("SELECT data FROM attempts WHERE token = ? ORDER BY rowid", (token,))]
        tries = [
            Try(datetime.fromtimestamp(when), tried, outcome, detail)
            for log in [*logs, last]
            if log is not None
            for when, tried, outcome, detail in self._decode(log)
        ]
        outcome = OUTCOMES.get(state, str(state))
        return Record(url, outcome, reason or "", found_on or None, not_before, items or 0, children or 0, tries)


_COLUMNS = "token, state, url, reason, found_on, parent, not_before, items, children, attempts"
