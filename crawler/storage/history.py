"""Which crawls have finished, and what is known of their pages?

One file a run lies in the folder ``history`` beside that of the jobs. It is there before its job goes: after a kill at
any moment there is the job, or the file, or both.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from crawler.errors import StoreError
from crawler.storage.historyfile import (
    Page,
    pack_pages,
    read_file,
    translated,
    unpack_fingerprints,
    unpack_pages,
    write_file,
)

__all__ = ["Failed", "Kept", "Page", "Run", "facts", "failed", "latest", "memory", "pages", "runs", "sections", "seen"]

SUFFIX = ".history"
DAY = 86_400.0

RUN, PAGES, SEEN, FAILED, FACTS, MEMORY = b"R", b"P", b"K", b"F", b"C", b"M"
"""The kinds of blocks that are written here; ``sections`` reads any."""

BYTES_A_BLOCK = 1_000_000


class Run(Struct):
    """One finished run. Times are seconds since the epoch; ``description`` is what the job knew of its command, but
    for what is ``withheld``: the names of settings and arguments that a password is in.

    ``start_count``: how many results start() gave. ``apart``: the server of the job did not know which page registered
    which fingerprint; ``seen`` has them all, and a page has the one that a plain GET of its URL has.
    """

    job: str
    spider: str
    created: float
    ended: float
    done: int
    failed: int
    items: int
    description: dict[str, Any] = {}
    withheld: list[str] = []
    start_count: int = 0
    apart: bool = False
    path: Path = Path()


class Failed(Struct, array_like=True):
    """A request that failed, in the stored form (``body``) in which it can be sent again. ``attempts`` are MessagePack
    lists of what its exchanges came to, one for each time it was put back."""

    token: int
    url: str
    host: str
    origin: str
    priority: int
    body: bytes
    parent: int
    found_on: str
    reason: str
    attempts: list[bytes]


class Kept(NamedTuple):
    """What a run leaves, besides what it was.

    ``seen`` are fingerprints beside those of the pages, eight bytes each; it is gone through after them. ``facts``
    (name, stored form) and ``memory`` (stage, name, key, value) are as the job has them: only the fact "stats" unless
    something failed. ``extra`` are further blocks: a kind and its data.
    """

    pages: Iterable[Page]
    seen: Iterable[bytes] = ()
    failed: Iterable[Failed] = ()
    facts: Iterable[tuple[str, bytes]] = ()
    memory: Iterable[tuple[str, str, bytes, bytes]] = ()
    extra: Iterable[tuple[bytes, bytes]] = ()


_encode = msgspec.msgpack.Encoder(enc_hook=str).encode
_run = msgspec.msgpack.Decoder(dict[str, Any]).decode
_failed = msgspec.msgpack.Decoder(list[Failed]).decode
_facts = msgspec.msgpack.Decoder(list[tuple[str, bytes]]).decode
_memory = msgspec.msgpack.Decoder(list[tuple[str, str, bytes, bytes]]).decode


def folder_of(job_dir: str | Path) -> Path:
    """Return the folder of the finished runs of a folder of jobs."""
    path = Path(job_dir).absolute()
    return path.parent / (path.name + SUFFIX)


def path_of(job_dir: str | Path, job: str, created: float) -> Path:
    """Return the file of a run, by its job's name and when it began."""
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(created))
    return folder_of(job_dir) / f"{job}.{stamp}-{int(created * 1000) % 1000:03}{SUFFIX}"


def write(job_dir: str | Path, run: Run, kept: Kept) -> Path:
    """Write the file of a run, in place of an older one of the same run; raises StoreError."""
    path = path_of(job_dir, run.job, run.created)
    write_file(path, _blocks(run, kept))
    return path


def _blocks(run: Run, kept: Kept) -> Iterator[tuple[bytes, bytes]]:
    about = {name: value for name, value in msgspec.structs.asdict(run).items() if name != "path"}
    yield RUN, _encode(about)
    yield from ((PAGES, data) for data in pack_pages(kept.pages))
    yield from ((SEEN, data) for data in kept.seen)
    for kind, rows in (FAILED, kept.failed), (FACTS, kept.facts), (MEMORY, kept.memory):
        yield from ((kind, _encode(some)) for some in _some_bytes_of(rows))
    yield from kept.extra


def _some_bytes_of(rows: Iterable[Any]) -> Iterator[list[msgspec.Raw]]:
    """Yield the forms of so many rows at a time that they fill a block: what is sent again may have a large body."""
    some: list[msgspec.Raw] = []
    size = 0
    for row in rows:
        form = _encode(row)
        some.append(msgspec.Raw(form))
        size += len(form)
        if size >= BYTES_A_BLOCK:
            yield some
            some, size = [], 0
    if some:
        yield some


def files(job_dir: str | Path) -> list[Path]:
    """Return the files of finished runs of a folder of jobs; raises StoreError if their folder cannot be read."""
    folder = folder_of(job_dir)
    try:
        return [path for path in folder.iterdir() if path.suffix == SUFFIX]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StoreError(f"the folder of histories {folder} cannot be read: {error.strerror}") from error


def runs(job_dir: str | Path, *, spider: str | None = None, job: str | None = None) -> list[Run]:
    """Return the finished runs of a folder of jobs, of one spider or job if that is named, what ended last first.

    Files that are damaged or cannot be read are left out, of which `crawler jobs` tells, and those that another process
    removes just now. Raises StoreError if there is no looking into the folder.
    """
    found = []
    for path in files(job_dir):
        with suppress(StoreError):
            run = read_run(path)
            if spider in (None, run.spider) and job in (None, run.job):
                found.append(run)
    return sorted(found, key=lambda run: run.ended, reverse=True)


def latest(job_dir: str | Path, spider: str, arguments: Mapping[str, str] | None = None) -> Run | None:
    """Return the run of a spider that ended last, of those with these arguments if they are given."""
    for run in runs(job_dir, spider=spider):
        if arguments is None or arguments == run.description.get("command", {}).get("arguments", {}):
            return run
    return None


def read_run(path: Path) -> Run:
    """Return what a file says of its run; raises JobDamaged, HistoryGone and StoreError."""
    with translated(path):
        about = _run(next(sections(path, RUN), b""))
        return msgspec.convert({**about, "path": str(path)}, Run, dec_hook=lambda kind, value: kind(value))


def sections(run: Run | Path, kind: bytes) -> Iterator[bytes]:
    """Yield the blocks of a kind; raises JobDamaged and StoreError."""
    return read_file(run.path if isinstance(run, Run) else run, kind)


def pages(run: Run) -> Iterator[Page]:
    """Yield the pages of a run, some thousands in memory at once; raises JobDamaged and StoreError."""
    with translated(run.path):
        for data in sections(run, PAGES):
            yield from unpack_pages(data)


def seen(run: Run) -> Iterator[tuple[int, ...]]:
    """Yield all fingerprints that a run had seen, some at a time."""
    yield from (unpack_fingerprints(data) for data in sections(run, SEEN))
    if not run.apart:
        yield from (page.fingerprints for page in pages(run))


def failed(run: Run) -> Iterator[Failed]:
    """Yield the requests of a run that failed."""
    with translated(run.path):
        for data in sections(run, FAILED):
            yield from _failed(data)


def facts(run: Run) -> Iterator[tuple[str, bytes]]:
    """Yield what was kept beside the requests that failed, by name, in its stored form."""
    with translated(run.path):
        for data in sections(run, FACTS):
            yield from _facts(data)


def memory(run: Run) -> Iterator[tuple[str, str, bytes, bytes]]:
    """Yield what the stages remembered of a run in which something failed: stage, name, key, value."""
    with translated(run.path):
        for data in sections(run, MEMORY):
            yield from _memory(data)


def prune(job_dir: str | Path, spider: str, *, days: float, most: int, now: float) -> None:
    """Remove what ended more than ``days`` ago, and of this spider all but the ``most`` that ended last."""
    left = 0
    for run in runs(job_dir):
        left += run.spider == spider
        if run.ended < now - days * DAY or (run.spider == spider and left > most):
            remove(run.path)


def remove(path: Path) -> None:
    """Remove the file of a run; raises StoreError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"the history {path} cannot be removed: {error.strerror}") from error
