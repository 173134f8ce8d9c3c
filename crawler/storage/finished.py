"""What does the file of a job leave when its crawl has finished?

Reading goes by two cursors side by side, the requests and the fingerprints that each registered, so that it holds one
page in memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec

from crawler.frontier.store import Attempt
from crawler.storage import schema
from crawler.storage.history import Failed, Kept, Page, Run, write
from crawler.storage.historyfile import pack_fingerprints, some_of
from crawler.storage.itemhistory import with_items
from crawler.storage.jobs import read_job, reading
from crawler.storage.places import goes_newest_first, priority_of

NOT_KEPT = ("robots:", "throttle:", "wait:")
"""Facts whose names begin so are of the moment, and are learnt anew."""

_STATES = {state: word for word, state in schema.STATES.items()}
_FINGERPRINTS_A_BLOCK = 100_000
_attempts = msgspec.msgpack.Decoder(list[Attempt]).decode


def keep(path: Path, description: Mapping[str, Any], withheld: list[str]) -> Path:
    """Write the history of a job in a file, whose crawl has finished; return where. Raises StoreError and JobDamaged.

    ``description`` is what may be kept of the job's own, ``withheld`` are the names of what may not.
    """
    job = read_job(path)
    with reading(path) as sql, _two(path) as beside:
        count, failures = sql.execute(_COUNTS, (schema.FAILED,)).fetchone()
        run = Run(
            job.name, str(job.description.get("spider", "")), job.created, job.changed, job.done, failures, job.items,
            dict(description), withheld, count,
        )  # fmt: skip
        others: list[int] = []
        kept = Kept(_pages(sql, _registered(beside), others), _packed(others))
        kept = kept._replace(failed=failed(sql), facts=_facts(sql, all_of_them=failures > 0))
        if failures:
            kept = kept._replace(memory=sql.execute(_MEMORY))
        return write(path.parent, run, with_items(path, kept))


_two = reading
"""A second connection: each has a cursor of its own, and neither waits for the other."""


def _registered(sql: sqlite3.Connection) -> Iterator[tuple[int, list[int]]]:
    """Yield each token that registered something, in order, with its unsigned fingerprints."""
    for token, rows in groupby(sql.execute(_FINGERPRINTS), key=lambda row: int(row[0])):
        yield token, [fingerprint & (2**64 - 1) for _, fingerprint in rows]


def _pages(sql: sqlite3.Connection, registered: Iterator[tuple[int, list[int]]], others: list[int]) -> Iterator[Page]:
    """Yield the requests in order; what was registered by none of them goes to ``others``."""
    at, fingerprints = next(registered, _NOTHING)
    for token, url, state, reason, items, children, parent, found_on, attempts in sql.execute(_PAGES):
        while at < token:
            others += fingerprints
            at, fingerprints = next(registered, _NOTHING)
        own: list[int] = []
        if at == token:
            own = fingerprints
            at, fingerprints = next(registered, _NOTHING)
        last = _attempts(attempts)[-1] if attempts is not None else _NO_ATTEMPT
        yield Page(
            token, url, tuple(own), _STATES.get(state, "dropped"), reason or "", last.outcome,
            items or 0, children or 0, int(last.when), parent, found_on or "",
        )  # fmt: skip


_NOTHING: tuple[int, list[int]] = (2**63, [])
_NO_ATTEMPT = Attempt(0.0, "", "", "")


def _packed(others: list[int]) -> Iterator[bytes]:
    """Yield blocks of what is in the list by then: it is filled while the pages are gone through."""
    yield from map(pack_fingerprints, some_of(others, _FINGERPRINTS_A_BLOCK))


def failed(sql: sqlite3.Connection) -> Iterator[Failed]:
    """Yield the requests of a job file that failed, in the order in which they were found."""
    newest = goes_newest_first(sql)
    for token, url, host, origin, rank, body, parent, found_on, reason, last in sql.execute(_FAILED, (schema.FAILED,)):
        kept = sql.execute("SELECT data FROM attempts WHERE token = ? ORDER BY rowid", (token,))
        attempts = [data for (data,) in kept] + ([last] if last is not None else [])
        priority = priority_of(rank, newest=newest)
        yield Failed(token, url, host, origin, priority, body or b"", parent, found_on, reason or "", attempts)


def _facts(sql: sqlite3.Connection, *, all_of_them: bool) -> Iterator[tuple[str, bytes]]:
    for name, data in sql.execute("SELECT name, data FROM facts"):
        if name in ("stats", "kinds") or (all_of_them and not name.startswith(NOT_KEPT)):
            yield name, data


_COUNTS = "SELECT start_count, (SELECT count(*) FROM requests WHERE state = ?) FROM counters"

_FINGERPRINTS = """
SELECT token, fingerprint FROM seen UNION ALL SELECT token, fingerprint FROM fresh ORDER BY token
"""

_PAGES = """
SELECT r.token, r.url, r.state, r.reason, r.items, r.children, r.parent,
       coalesce(r.found_on, CASE WHEN parent.page IS NOT parent.url THEN parent.page END),
       coalesce(r.attempts, (SELECT data FROM attempts WHERE token = r.token ORDER BY rowid DESC LIMIT 1))
FROM requests AS r LEFT JOIN requests AS parent ON parent.token = r.parent ORDER BY r.token
"""

_FAILED = """
SELECT r.token, r.url, hosts.name, origins.name, r.rank, r.body, r.parent, coalesce(r.found_on, parent.page, ''),
       r.reason, r.attempts
FROM requests AS r JOIN hosts ON hosts.id = r.host JOIN origins ON origins.id = r.origin
LEFT JOIN requests AS parent ON parent.token = r.parent WHERE r.state = ? ORDER BY r.token
"""

_MEMORY = "SELECT stage, name, key, value FROM memory"
