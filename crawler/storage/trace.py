"""What does a job know of one URL? For `crawler explain`; reads only, also while the crawl runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from crawler.frontier.store import Attempt, Refusal
from crawler.model.request import Request
from crawler.storage import schema
from crawler.storage.group import signed, text
from crawler.storage.jobs import reading
from crawler.storage.places import goes_newest_first, priority_of
from crawler.storage.values import Values

DEEPEST = "request_depth_max"
_STATES = {state: word for word, state in schema.STATES.items()} | {schema.QUEUED: "queued"}


class Trace(NamedTuple):
    """An accepted request: ``state`` is "queued", "answered", "failed" or "dropped", ``reason`` says why.

    ``url`` is where it went last (after redirects); ``found_on`` the page that had it, "" for start();
    ``not_before`` is when a queued one may be sent, in seconds since the epoch (0: at once). ``items`` and
    ``children`` are what it yielded: children are counted before duplicates were taken out.
    """

    token: int
    state: str
    url: str
    host: str
    priority: int
    found_on: str
    not_before: float
    reason: str
    items: int
    children: int
    attempts: list[Attempt]


class Traces(Protocol):
    """What a job knows, wherever it is kept. All raise StoreError."""

    def trace(self, request: Request) -> Trace | None:
        """Return what is known of a request that counts as the same; None if none was accepted."""

    def refusals(self, url: str) -> list[Refusal]:
        """Return when and why this very URL was refused; empty unless the job recorded refusals."""

    def facts(self, name: str) -> dict[str, Any]:
        """Return a fact that the job keeps, as plain values, empty if it is not there."""

    def deepest(self) -> int:
        """Return the depth of the deepest page."""


class FileTraces:
    """What a job in a file knows. ``fingerprint`` tells which requests are the same."""

    def __init__(self, path: Path, fingerprint: Callable[[Request], int]) -> None:
        self._path = path
        self._fingerprint = fingerprint

    def trace(self, request: Request) -> Trace | None:
        """See Traces."""
        return trace(self._path, self._fingerprint(request))

    def refusals(self, url: str) -> list[Refusal]:
        """See Traces."""
        return refusals(self._path, url)

    def facts(self, name: str) -> dict[str, Any]:
        """See Traces."""
        return facts(self._path, name).get(name) or {}

    def deepest(self) -> int:
        """See Traces."""
        return int(self.facts("stats").get(DEEPEST, 0))


def trace(path: Path, fingerprint: int) -> Trace | None:
    """Return what is known of the request that registered this (unsigned) fingerprint; None if none did.

    Raises StoreError and JobDamaged.
    """
    with reading(path) as sql:
        row = sql.execute(_TRACE, (signed(fingerprint),)).fetchone()
        return None if row is None else _made(sql, row)


def refusals(path: Path, url: str) -> list[Refusal]:
    """Return when and why this very URL was refused; empty unless the job recorded refusals."""
    with reading(path) as sql:
        rows = sql.execute("SELECT url, reason, detail, found_on FROM refusals WHERE url = ?", (text(url),))
        return [Refusal(*row) for row in rows]


def facts(path: Path, *names: str) -> dict[str, Any]:
    """Return those of the named facts that the job keeps, as plain values (see crawler.engine.keeping.facts)."""
    with reading(path) as sql:
        rows = sql.execute(f"SELECT name, data FROM facts WHERE name IN ({', '.join('?' * len(names))})", names)
        return {name: Values().decode(data) for name, data in rows}


def facts_below(path: Path, prefix: str) -> dict[str, Any]:
    """Return the facts that the job keeps by names that begin so, as plain values."""
    with reading(path) as sql:
        rows = sql.execute("SELECT name, data FROM facts WHERE substr(name, 1, ?) = ?", (len(prefix), prefix))
        return {name: Values().decode(data) for name, data in rows}


def _made(sql: sqlite3.Connection, row: tuple[Any, ...]) -> Trace:
    token, state, url, host, rank, found_on, page, not_before, reason, items, children, last = row
    kept = [data for (data,) in sql.execute("SELECT data FROM attempts WHERE token = ? ORDER BY rowid", (token,))]
    kept += [last] if last is not None else []
    attempts = [Attempt(*attempt) for data in kept for attempt in Values().decode(data)]
    priority = priority_of(rank, newest=goes_newest_first(sql))
    return Trace(
        token, _STATES[state], url, host, priority, found_on or page or "", not_before or 0.0, reason or "",
        items or 0, children or 0, attempts,
    )  # fmt: skip


_TRACE = """
SELECT r.token, r.state, r.url, hosts.name, r.rank, r.found_on, parent.page,
       r.not_before, r.reason, r.items, r.children, r.attempts
FROM (
    SELECT token FROM seen WHERE fingerprint = ?1 UNION ALL SELECT token FROM fresh WHERE fingerprint = ?1 LIMIT 1
) AS seen JOIN requests AS r ON r.token = seen.token
JOIN hosts ON hosts.id = r.host
LEFT JOIN requests AS parent ON parent.token = r.parent
"""
