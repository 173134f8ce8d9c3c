"""Which jobs are there, what are they called, and how is one removed?

A job is a file NAME.sqlite in the folder of jobs, with SQLite's two companions and a lock beside it. A
name becomes a file name, so that only safe ones are taken.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from crawler.errors import JobInUse, StoreError, UsageError
from crawler.storage import schema
from crawler.storage.jobfile import translated
from crawler.storage.lock import JobLock, is_locked
from crawler.storage.private import make_private_folder
from crawler.storage.values import Values

SUFFIX = ".sqlite"
FEEDS = ".feeds"
_COMPANIONS = ("", *schema.COMPANIONS, schema.ASIDE, ".lock")
STATUS = ".status"
CONSOLE = ".console"
# See crawler.storage.itemrecord; what a status page and a console leave there while they run.
_SCRATCH = (".items", ".changes", STATUS, CONSOLE)
_is_name = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}").fullmatch


class Job(NamedTuple):
    """What is known of a job without working on it.

    ``state`` is "running", "stopped" (it can be resumed; also after a kill), "finished" or "damaged";
    ``problem`` says what is wrong with a damaged one. Times are seconds since the epoch.
    ``description`` is what the store was given when the job was made.

    A job of several workers has no file: ``path`` is the folder of its private server, or ``url`` says where its
    server is.
    """

    name: str
    path: Path
    state: str
    done: int = 0
    queued: int = 0
    items: int = 0
    created: float = 0.0
    changed: float = 0.0
    reason: str = ""
    description: dict[str, Any] = {}
    problem: str = ""
    url: str = ""


def check_name(name: str) -> str:
    """Return the name if it may be a job's; raises UsageError."""
    if not _is_name(name) or name.endswith(SUFFIX):
        raise UsageError(
            f"{name!r} cannot be the name of a job: use up to 100 letters, digits, '-', '_' and '.', not '.' first"
        )
    return name


def job_path(folder: str | Path, name: str) -> Path:
    """Return the file of a job; raises UsageError for a name that may not be one."""
    return Path(folder) / (check_name(name) + SUFFIX)


def feeds_folder(folder: str | Path, name: str) -> Path:
    """Return the folder in which the feeds of a job may keep files of their own; it goes with the job."""
    return Path(folder) / (name + FEEDS)


def status_file(folder: str | Path, name: str) -> Path:
    """Return the file that tells where the status page of a job is, while it has one."""
    return Path(folder) / (name + STATUS)


def console_socket(folder: str | Path, name: str) -> Path:
    """Return the Unix socket at which the console of a job listens, while it has one."""
    return Path(folder) / (name + CONSOLE)


def new_job(folder: str | Path, spider: str, wall: float) -> tuple[str, JobLock]:
    """Make a name from a spider's and the local time that no job in the folder has, and take its lock.

    The lock decides: of several processes that begin in one second, each gets a name of its own.
    """
    stem = stem_of(spider, wall)
    for number in itertools.count(1):
        name = stem if number == 1 else f"{stem}-{number}"
        path = job_path(folder, name)
        lock = JobLock(path)
        with contextlib.suppress(JobInUse):
            if not path.exists():
                lock.acquire()
                if not path.exists():  # nor has another made it and ended since
                    return name, lock
                lock.release()
    raise AssertionError("the numbers have no end")


def stem_of(spider: str, wall: float) -> str:
    """Return the name that a job of a spider gets if nobody names it, but for a number behind it."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", spider).strip(".-")[:60] or "job"
    return stem + time.strftime("-%Y%m%d-%H%M%S", time.localtime(wall))


def find_job(folder: str | Path, name: str) -> Job:
    """Return one job; raises UsageError if there is none of that name."""
    path = job_path(folder, name)
    if not path.is_file():
        known = ", ".join(job.name for job in list_jobs(folder)[:10])
        raise UsageError(f"no job {name!r} in {folder}" + (f"; there are {known}" if known else ""))
    return read_job(path)


def list_jobs(folder: str | Path, read: Callable[[Path], Job] | None = None) -> list[Job]:
    """Return all jobs of a folder, the one that changed last first; damaged ones say so.

    ``read`` reads a job's file, in the place of ``read_job``.
    """
    try:
        paths = [path for path in Path(folder).iterdir() if path.suffix == SUFFIX and _is_name(path.stem)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"the folder of jobs {folder} cannot be read: {error.strerror}") from error
    return sorted(map(read or read_job, paths), key=lambda job: job.changed, reverse=True)


def read_job(path: Path) -> Job:
    """Return what a job file says of itself; changes nothing, and works while a crawl runs."""
    try:
        with reading(path) as sql:
            described = {name: Values().decode(value) for name, value in sql.execute("SELECT name, value FROM job")}
            done, items, changed = sql.execute("SELECT done, items, changed FROM counters").fetchone()
            queued = sql.execute("SELECT coalesce(sum(queued), 0) FROM hosts").fetchone()[0]
    except (StoreError, TypeError) as error:
        return Job(path.stem, path, "damaged", changed=_modified(path), problem=str(error))
    created = described.pop("created", 0.0)
    state = described.pop("state", "stopped")
    if state == "running" and not is_locked(path):
        state = "stopped"
    reason = described.pop("reason", "") if state != "running" else ""
    return Job(path.stem, path, state, done, queued, items, created, changed or created, reason, described)


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Connect to a job file without being able to change it; raises StoreError and JobDamaged."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with translated(path), contextlib.closing(sqlite3.connect(uri, 10.0, isolation_level=None, uri=True)) as sql:
        sql.execute("PRAGMA query_only = ON")
        schema.check(sql, path)
        yield sql


def remove_job(path: Path) -> None:
    """Delete a job's files; raises JobInUse while a process works on it, StoreError if they cannot go."""
    lock = JobLock(path)
    lock.acquire()
    try:
        for companion in _COMPANIONS:
            path.with_name(path.name + companion).unlink(missing_ok=True)
        remove_feeds(path.parent, path.stem)
        for suffix in _SCRATCH:
            path.with_suffix(suffix).unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"the job {path} cannot be removed: {error.strerror}") from error
    finally:
        lock.release()


def remove_feeds(folder: str | Path, name: str) -> None:
    """Remove what the feeds of a job kept. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(feeds_folder(folder, name))


def make_folder(folder: str | Path) -> Path:
    """Make the folder of jobs, for its owner only; return its absolute path. Raises StoreError."""
    path = Path(folder).absolute()  # a callback may change the working directory
    try:
        make_private_folder(path)
        if not os.access(path, os.W_OK | os.X_OK):
            raise StoreError(f"the folder of jobs {path} cannot be written to")
    except OSError as error:
        raise StoreError(f"the folder of jobs {path} cannot be made: {error.strerror}") from error
    return path


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
