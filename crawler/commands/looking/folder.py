"""What is shown of a folder of jobs: those that run, were stopped or killed, and what is kept of finished ones?"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from msgspec import Struct

from crawler.commands.finding import are_shared, is_file
from crawler.commands.finished import finished_jobs, has_finished
from crawler.commands.looking.file import now_of, plain_facts
from crawler.commands.looking.page import page_of
from crawler.config.schema import CoreSettings
from crawler.errors import StoreError
from crawler.observe.board.totals import totals_in
from crawler.storage import history
from crawler.storage.jobs import Job, list_jobs, read_job
from crawler.storage.trace import facts

T = TypeVar("T")


class JobRow(Struct, kw_only=True, frozen=True):
    """A job, or a finished run; ``state`` as in board/shown.py's Job, or "damaged", of which ``message`` says why.

    Times are wall-clock seconds; ``errors`` is None where nothing tells (a job on a server); ``url`` leads into the
    page of its crawl, if that has one.
    """

    name: str
    spider: str
    state: str
    reason: str = ""
    started: float = 0.0
    seconds: float = 0.0
    pages: int = 0
    items: int = 0
    errors: int | None = None
    queued: int = 0
    url: str | None = None
    message: str = ""


class Folder:
    """The jobs of JOB_DIR, and of the server of JOB_STORE. What rests is read once: there may be a thousand."""

    def __init__(self, core: CoreSettings) -> None:
        self._core = core
        self._known: dict[tuple[str, Path], tuple[object, Any]] = {}
        self._used: dict[tuple[str, Path], tuple[object, Any]] = {}

    def __repr__(self) -> str:
        return f"<Folder {self._core.JOB_DIR}>"

    def read(self) -> list[JobRow]:
        """Read all jobs, what began last first. It waits. Raises StoreError and UsageError."""
        wall, core = time.time(), self._core
        self._used = {}
        jobs = list_jobs(Path(core.JOB_DIR).absolute(), lambda path: self._once("job", path, read_job))
        if are_shared(core):
            from crawler.commands.cluster.finding import private_jobs, shared_jobs

            jobs += shared_jobs(core, lambda _, path: self._once("jobs", path, partial(private_jobs, core)))
        jobs += finished_jobs(core, jobs, lambda path: self._once("run", path, history.read_run))
        rows = [self._row(job, self._stats(job), wall) for job in jobs]
        self._known = self._used
        return sorted(rows, key=lambda row: row.started, reverse=True)

    def _once(self, what: str, path: Path, read: Callable[[Path], T]) -> T:
        """Read something, unless it is as it was when it was read before."""
        known = self._known.get((what, path))
        if known is None or known[0] != _stamp(path):
            value = read(path)
            known = _stamp(path), value  # a private server that is asked leaves its traces
        if not _runs(known[1]):
            self._used[what, path] = known
        return cast(T, known[1])

    def _stats(self, job: Job) -> Mapping[str, Any]:
        return self._once("stats", job.path, _read_stats) if is_file(job) or has_finished(job) else {}

    def _row(self, job: Job, stats: Mapping[str, Any], wall: float) -> JobRow:
        now = now_of(job, stats, wall, hosts=0)
        page = page_of(self._core.JOB_DIR, job.name) if job.state == "running" else None
        return JobRow(
            name=job.name,
            spider=now.job.spider,
            state=now.job.state,
            reason=now.job.reason,
            started=job.created,
            seconds=now.seconds if job.created else 0.0,
            pages=now.totals.pages or job.done,
            items=job.items,
            errors=totals_in(stats).errors if stats else None,
            queued=job.queued,
            url=page.url if page is not None else None,
            message=job.problem,
        )


def _runs(value: object) -> bool:
    """Whether it may be another one although its files are the same: a killed process writes nothing any more."""
    jobs = value if isinstance(value, list) else [value]
    return any(isinstance(job, Job) and job.state == "running" for job in jobs)


def _stamp(path: Path) -> tuple[object, ...]:
    """Return what is another one once something was written to a job's file or to a private server's folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path, path.with_name(path.name + "-wal")]
    found: list[object] = []
    for file in files:
        with suppress(FileNotFoundError):
            found += [file.name, file.stat().st_mtime_ns, file.stat().st_size]
    return tuple(found)


def _read_stats(path: Path) -> Mapping[str, Any]:
    with suppress(StoreError):  # it is damaged, ends just now, or its history goes
        if path.suffix == history.SUFFIX:
            return plain_facts(history.facts(history.read_run(path))).get("stats") or {}
        return facts(path, "stats").get("stats") or {}
    return {}
