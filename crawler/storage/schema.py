"""What does a job file look like inside?

One SQLite file per job. A request's row stays when it is done (for `crawler explain`) but loses its
body. Leases are not written: one process owns the file, and whatever it had not finished when it died is
queued again for the next.

- ``seen`` is keyed by fingerprint and names the token that registered it, so that a look-up touches one
  leaf. New fingerprints wait in ``fresh`` (see registered.py) until many of them move there, sorted.
- ``requests`` is keyed by token, which only grows: inserting appends. The order within a host comes from
  the partial index over what is queued, which shrinks as the crawl goes on.
- ``hosts`` keeps how many are queued of each, so that opening a job counts nothing.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from crawler.errors import JobDamaged

APPLICATION_ID = 0x43_52_4A_42  # "CRJB"
VERSION = 1
FINGERPRINT = "blake2b-8/1"
"""Algorithm and version of the fingerprints; a file with others cannot tell what it has seen."""

QUEUED, ANSWERED, FAILED, DROPPED = range(4)
STATES = {"answered": ANSWERED, "failed": FAILED, "dropped": DROPPED}

_TABLES = """
CREATE TABLE job (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    tokens INTEGER NOT NULL, done INTEGER NOT NULL, items INTEGER NOT NULL,
    start_count INTEGER NOT NULL, start_ended INTEGER NOT NULL, changed REAL NOT NULL
);
CREATE TABLE hosts (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, queued INTEGER NOT NULL);
CREATE TABLE origins (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE seen (fingerprint INTEGER PRIMARY KEY, token INTEGER NOT NULL);
CREATE TABLE fresh (fingerprint INTEGER NOT NULL, token INTEGER NOT NULL);
CREATE TABLE requests (
    token INTEGER PRIMARY KEY, state INTEGER NOT NULL DEFAULT 0,
    host INTEGER NOT NULL, rank INTEGER NOT NULL, origin INTEGER NOT NULL,
    url TEXT NOT NULL, body BLOB, not_before REAL,
    parent INTEGER NOT NULL, found_on TEXT, page TEXT,
    reason TEXT, items INTEGER, children INTEGER, attempts BLOB
);
CREATE INDEX queue ON requests (host, rank, token) WHERE state = 0;
CREATE TABLE attempts (token INTEGER NOT NULL, data BLOB NOT NULL);
CREATE INDEX attempts_of ON attempts (token);
CREATE TABLE refusals (url TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL, found_on TEXT NOT NULL);
CREATE INDEX refusals_of ON refusals (url);
CREATE TABLE items (number INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE feeds (name TEXT PRIMARY KEY, number INTEGER NOT NULL, mark BLOB) WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, data BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE memory (
    stage TEXT NOT NULL, name TEXT NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL,
    PRIMARY KEY (stage, name, key)
) WITHOUT ROWID;
CREATE TABLE starts (digest INTEGER NOT NULL);
INSERT INTO counters VALUES (1, 0, 0, 0, 0, 0, 0);
"""


def connect(path: Path, *, cache_bytes: int) -> sqlite3.Connection:
    """Open a job file for work, mode 0600, making it if it is not there; raises sqlite3.Error and OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    os.close(descriptor)
    connection = sqlite3.connect(path, isolation_level=None, timeout=10.0, cached_statements=512)
    try:
        prepare(connection, path, cache_bytes=cache_bytes)
    except BaseException:
        connection.close()
        raise
    return connection


def prepare(connection: sqlite3.Connection, path: Path, *, cache_bytes: int) -> None:
    """Set the connection up and see to the schema."""
    # NORMAL: a power cut may lose the last commits, all of each; a killed process loses none.
    # A large log is checkpointed seldom: scattered pages are then written once for many commits.
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "wal_autocheckpoint = 8000",
        "journal_size_limit = 67108864",
        "temp_store = MEMORY",
        "trusted_schema = OFF",
        f"cache_size = -{cache_bytes // 1024}",
    ):
        connection.execute(f"PRAGMA {pragma}")
    if not _value(connection, "page_count") or not _value(connection, "schema_version"):
        create(connection)
    check(connection, path)


def create(connection: sqlite3.Connection) -> None:
    """Make the tables, all or none."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise JobDamaged unless the file is a job of this version."""
    if _value(connection, "application_id") != APPLICATION_ID:
        raise JobDamaged(f"{path} is not a job file")
    version = _value(connection, "user_version")
    if version != VERSION:
        raise JobDamaged(f"{path} has version {version} of the job format; this program reads version {VERSION}")


def _value(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
