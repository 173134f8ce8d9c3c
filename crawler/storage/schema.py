"""What does a job file look like inside?

One SQLite file per job. A request's row stays when it is done (for `crawler explain`) but loses its
body, unless it failed. Leases are not written: one process owns the file, and whatever it had not finished
when it died is queued again for the next.

- ``seen`` is keyed by fingerprint and names the token that registered it, so that a look-up touches one
  leaf. New fingerprints wait in ``fresh`` (see registered.py) until many of them move there, sorted.
- ``requests`` is keyed by token, which only grows: inserting appends. The order within a host comes from
  the partial index over what is queued, which shrinks as the crawl goes on.
- ``hosts`` keeps how many are queued of each, so that opening a job counts nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from crawler.errors import JobDamaged

APPLICATION_ID = 0x43_52_4A_42  # "CRJB"
VERSION = 2
"""Goes up with every change of the tables; 2 brought ``fresh``."""
FINGERPRINT = "blake2b-8/1"
"""Algorithm and version of the fingerprints; a file with others cannot tell what it has seen."""

QUEUED, ANSWERED, FAILED, DROPPED = range(4)
STATES = {"answered": ANSWERED, "failed": FAILED, "dropped": DROPPED}

COMPANIONS = ("-wal", "-shm")
ASIDE = ".new"
"""Behind the name of a job file that is being made."""

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


def create(path: Path, description: Mapping[str, bytes]) -> None:
    """Make a job file, mode 0600, that knows its description (stored forms); raises sqlite3.Error and OSError.

    It is made aside and takes its name when it is whole: whenever the process is killed, there is either a job
    that can be resumed or none at all.
    """
    aside = path.with_name(path.name + ASIDE)
    aside.unlink(missing_ok=True)
    os.close(os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        with closing(sqlite3.connect(aside, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = MEMORY")
            connection.execute("BEGIN")
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.executemany("INSERT INTO job VALUES (?, ?)", description.items())
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        for companion in COMPANIONS:  # of a file that was removed without them: SQLite would read the new one's from it
            path.with_name(path.name + companion).unlink(missing_ok=True)
        aside.rename(path)
        sync_folder(path.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make a new name survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


CACHE_BYTES = 64_000_000
"""What SQLite may keep of a job's pages in memory."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a job file for work; raises JobDamaged, sqlite3.Error and OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC))
    connection = sqlite3.connect(path, isolation_level=None, timeout=10.0, cached_statements=512)
    try:
        check(connection, path)
        # NORMAL: a power cut may lose the last commits, all of each; a killed process loses none.
        # A large log is checkpointed seldom: scattered pages are then written once for many commits.
        for pragma in (
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "wal_autocheckpoint = 8000",
            "journal_size_limit = 67108864",
            "temp_store = MEMORY",
            "trusted_schema = OFF",
            f"cache_size = -{CACHE_BYTES // 1024}",
        ):
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raise JobDamaged unless the file is a job of this version."""
    if _value(connection, "application_id") != APPLICATION_ID:
        raise JobDamaged(f"{path} is not a job file")
    version = _value(connection, "user_version")
    if version != VERSION:
        raise JobDamaged(
            f"{path} has version {version} of the job format; this program reads version {VERSION}: "
            "go on with the version of the crawler that began it, or begin anew"
        )


def _value(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
