"""Where is it read best how a job goes: at its crawl's page, on its server, in its file or its history?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from crawler.commands.finding import all_jobs, find_any, is_file
from crawler.commands.finished import has_finished
from crawler.commands.looking.file import FileReader, RunReader, runs_of
from crawler.commands.looking.looked import Reading
from crawler.commands.looking.page import NoAnswer, PageReader, page_of
from crawler.config.schema import CoreSettings
from crawler.errors import UsageError
from crawler.observe.board.shown import Run
from crawler.storage.jobs import Job

Reader = Callable[[], Reading]

OVER = frozenset({"stopped", "finished", "killed", "damaged"})
"""States in which nothing changes any more."""


def chosen_job(core: CoreSettings, name: str | None) -> Job:
    """Return the job of a name, else one that runs, else the one that changed last. Raises UsageError."""
    if name is not None:
        return find_any(core, name)
    jobs = all_jobs(core)
    found = next((job for job in jobs if job.state == "running"), next(iter(jobs), None))
    if found is None:
        folder = Path(core.JOB_DIR).absolute()
        raise UsageError(f"there is no job in {folder}, and nothing is kept of a finished one (JOB_HISTORY_DAYS)")
    return found


@contextmanager
def reader_of(core: CoreSettings, job: Job) -> Iterator[Reader]:
    """Return what reads a job; it raises StoreError or UsageError when the job has gone. Raises UsageError."""
    if job.state == "damaged":
        raise UsageError(f"job {job.name} is damaged: {job.problem}")
    if is_file(job) or has_finished(job):
        yield _Anywhere(core, job, (FileReader if is_file(job) else RunReader)(job.path))
        return
    from crawler.commands.cluster.looking import server_reader

    with server_reader(core, job) as read:
        yield _Anywhere(core, job, read)


def runs_reader(core: CoreSettings, job: Job) -> Callable[[], Sequence[Run]]:
    """Return what reads the finished runs of a job's spider, once."""
    return cache(partial(runs_of, core.JOB_DIR, str(job.description.get("spider", ""))))


class _Anywhere:
    """Reads the page of the crawl if it has one, else where the job is kept."""

    def __init__(self, core: CoreSettings, job: Job, kept: Reader) -> None:
        self._core = core
        self._job = job
        self._kept = kept

    def __call__(self) -> Reading:
        if (page := page_of(self._core.JOB_DIR, self._job.name)) is not None:
            try:
                return PageReader(page)()
            except NoAnswer:
                pass  # it was killed, or has just ended
        return self._kept()
