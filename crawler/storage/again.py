"""How are the requests of a job that failed put back into its queue, and how does a finished run become a job again?

A run that has finished is made a job of its history: all that it knew is known, so that what is found again is no
news, and its next history has all pages, too. The file is made aside and takes its name when it is whole.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from crawler.errors import UsageError
from crawler.frontier.store import START, Attempt
from crawler.model.url import host_of, origin_of
from crawler.storage import history, schema
from crawler.storage.codec import Codec
from crawler.storage.finished import failed
from crawler.storage.group import signed
from crawler.storage.history import Failed, Run
from crawler.storage.historyfile import some_of, unpack_fingerprints
from crawler.storage.itemrecord import revive_record
from crawler.storage.jobfile import translated
from crawler.storage.jobs import job_path
from crawler.storage.lock import JobLock
from crawler.storage.names import Names
from crawler.storage.places import goes_newest_first, order_of, pack
from crawler.storage.values import Values

ASIDE = ".again"
"""Behind the name of a job file that is being made of a history."""

REASON = "failed"
"""Why a job stands still whose failed requests were put back."""

_ROWS = 1000
_encode = msgspec.msgpack.Encoder().encode

Renewed = Callable[[Failed], bytes]
"""Gives the stored form in which a request is sent again; raises StoreError."""


def renewed_by(codec: Codec) -> Renewed:
    """Return what makes the stored form of a request anew that has no tries behind it."""

    def renewed(each: Failed) -> bytes:
        request = codec.decode_request(each.url, each.priority, each.body)
        request.meta.pop("retry_times", None)
        return codec.encode_request(request)

    return renewed


def put_back(path: Path, renewed: Renewed, description: dict[str, Any] | None = None) -> int:
    """Put the failed requests of a job that stands still into its queue; return how many these are.

    ``description`` takes the place of that of a job that has finished: its feeds are begun anew, and have to append.
    Raises JobInUse, JobDamaged and StoreError.
    """
    with _locked(path), translated(path), closing(schema.connect(path)) as sql:
        sql.execute("PRAGMA synchronous = FULL")
        with _all_or_nothing(sql):
            if description is not None:
                _describe(sql, description)
                sql.execute("DELETE FROM feeds")
            return _put_back(sql, renewed)


def revive(job_dir: Path, run: Run, renewed: Renewed, description: dict[str, Any]) -> int:
    """Make a job of a finished run, with what failed in its queue; return how many requests these are.

    Raises UsageError if there is a job of this name, JobInUse, JobDamaged and StoreError.
    """
    path = job_path(job_dir, run.job)
    aside = path.with_name(path.name + ASIDE)
    with _locked(path), translated(path):
        if path.exists():
            raise UsageError(f"there is a job {run.job} already")
        aside.unlink(missing_ok=True)
        try:
            schema.create(aside, {})
            with closing(sqlite3.connect(aside, isolation_level=None)) as sql:
                sql.execute("PRAGMA journal_mode = MEMORY")
                with _all_or_nothing(sql):
                    _describe(sql, {**description, "created": run.created})
                    _restore(sql, run)
                    count = _put_back(sql, renewed)
            for companion in schema.COMPANIONS:
                path.with_name(path.name + companion).unlink(missing_ok=True)
            revive_record(path, run)
            aside.rename(path)
            schema.sync_folder(path.parent)
        finally:
            aside.unlink(missing_ok=True)
            if not path.exists():  # a lock without a job is nothing to leave behind
                path.with_name(path.name + ".lock").unlink(missing_ok=True)
    return count


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    lock = JobLock(path)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _all_or_nothing(sql: sqlite3.Connection) -> Iterator[None]:
    sql.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        sql.execute("ROLLBACK")
        raise
    sql.execute("COMMIT")


def _describe(sql: sqlite3.Connection, description: dict[str, Any]) -> None:
    known = {**description, "state": "stopped", "reason": REASON}
    rows = [(name, Values().encode(value)) for name, value in known.items()]
    sql.executemany("INSERT OR REPLACE INTO job VALUES (?, ?)", rows)


def _put_back(sql: sqlite3.Connection, renewed: Renewed) -> int:
    failures = [each for each in failed(sql) if each.body]
    rows = [(renewed(each), each.token) for each in failures]
    hosts: Counter[int] = Counter()
    for _, token in rows:
        hosts[sql.execute("SELECT host FROM requests WHERE token = ?", (token,)).fetchone()[0]] += 1
    tokens = [(token,) for _, token in rows]
    sql.executemany(_KEEP_ATTEMPTS, tokens)
    sql.executemany(_QUEUE, rows)
    counts = [(count, host) for host, count in hosts.items()]
    sql.executemany("UPDATE hosts SET queued = queued + ? WHERE id = ?", counts)
    sql.execute("UPDATE counters SET done = done - ?, changed = ?", (len(rows), time.time()))
    for name, data in sql.execute("SELECT name, data FROM facts WHERE name IN ('errors', 'stats')").fetchall():
        kept = Values().decode(data)
        left = max(kept - len(rows), 0) if name == "errors" else uncounted(kept, failures)
        sql.execute("UPDATE facts SET data = ? WHERE name = ?", (Values().encode(left), name))
    return len(rows)


def uncounted(stats: dict[str, Any], failures: Iterable[Failed]) -> dict[str, Any]:
    """Return the counters of a crawl without these failures, which have yet to come (see crawler.observe.stats)."""
    left = Counter({name: count for name, count in stats.items() if name.startswith(_COUNTED)})
    for each in failures:
        left.subtract(["request_failed_count", f"request_failed/{each.reason}"])
        if each.reason == "HttpError" and each.attempts:
            status = _attempts(each.attempts[-1])[-1].outcome
            left.subtract(["httperror/response_ignored_count", f"httperror/response_ignored_status_count/{status}"])
    others = {name: value for name, value in stats.items() if not name.startswith(_COUNTED)}
    return others | {name: count for name, count in left.items() if count > 0}


_COUNTED = ("request_failed", "httperror/response_ignored")
_attempts = msgspec.msgpack.Decoder(list[Attempt]).decode


def _restore(sql: sqlite3.Connection, run: Run) -> None:
    names, bodies, last = Names(), {each.token: each for each in history.failed(run)}, 0
    newest = goes_newest_first(sql)
    for some in some_of(history.pages(run), _ROWS):
        rows = []
        for page in some:
            last = max(last, page.token)
            each = bodies.get(page.token)
            host = names.host(sql, each.host if each else host_of(page.url))
            origin = names.origin(sql, each.origin if each else origin_of(page.url))
            rank = -each.priority if each else 0
            if newest:
                rank = pack(rank, order_of(page.token, start=page.parent == START))
            attempts = _encode([(page.when, page.url, page.status, "")]) if page.status and not each else None
            rows.append(
                (page.token, schema.STATES[page.outcome], host, rank, origin, page.url,
                 each.body if each else None, page.parent, each.found_on if each else page.found_on or None,
                 page.url if page.requests else None, page.reason or None, page.items, page.requests, attempts)
            )  # fmt: skip
        sql.executemany(_INSERT, rows)
        names.bound()
    attempts_of = ((each.token, data) for each in bodies.values() for data in each.attempts)
    sql.executemany("INSERT INTO attempts VALUES (?, ?)", attempts_of)
    _restore_seen(sql, run)
    sql.executemany("INSERT INTO facts VALUES (?, ?)", history.facts(run))
    sql.executemany("INSERT INTO memory VALUES (?, ?, ?, ?)", history.memory(run))
    counted = (last, run.done, run.items, run.start_count)
    sql.execute("UPDATE counters SET tokens = ?, done = ?, items = ?, start_count = ?, start_ended = 1", counted)


def _restore_seen(sql: sqlite3.Connection, run: Run) -> None:
    """Register what was seen, by whom as far as that is known."""
    insert = "INSERT OR IGNORE INTO seen VALUES (?, ?)"
    for some in history.sections(run, history.SEEN):
        sql.executemany(insert, ((signed(each), -1) for each in unpack_fingerprints(some)))
    registered = ((signed(each), page.token) for page in history.pages(run) for each in page.fingerprints)
    sql.executemany(insert, registered)


_INSERT = """
INSERT INTO requests (token, state, host, rank, origin, url, body, parent, found_on, page, reason, items, children,
attempts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_KEEP_ATTEMPTS = "INSERT INTO attempts SELECT token, attempts FROM requests WHERE token = ? AND attempts NOT NULL"

_QUEUE = """
UPDATE requests SET state = 0, body = ?, not_before = NULL, reason = NULL, items = NULL, children = NULL,
attempts = NULL WHERE token = ?
"""
