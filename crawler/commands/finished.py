"""Which crawls have finished, of those of which something is kept, and how are they removed?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from crawler.config.schema import CoreSettings
from crawler.errors import StoreError
from crawler.storage import history
from crawler.storage.history import Run
from crawler.storage.historyfile import HistoryGone
from crawler.storage.jobs import Job


def finished_jobs(
    core: CoreSettings, there: Iterable[Job], read: Callable[[Path], Run] = history.read_run
) -> list[Job]:
    """Return the finished runs as jobs, but for those whose jobs are still ``there``. Raises StoreError."""
    known = {(job.name, job.created) for job in there}
    found = []
    for path in history.files(core.JOB_DIR):
        try:
            run = read(path)
        except HistoryGone:  # the end of another crawl has just removed it
            continue
        except StoreError as error:
            name = path.stem.rpartition(".")[0] or path.stem
            found.append(Job(name, path, "damaged", changed=path.stat().st_mtime, problem=str(error)))
            continue
        if (run.job, run.created) not in known:
            found.append(_job(run))
    return found


def _job(run: Run) -> Job:
    counts = run.done, 0, run.items
    return Job(run.job, run.path, "finished", *counts, run.created, run.ended, "finished", run.description)


def has_finished(job: Job) -> bool:
    """Tell whether a job is one of which only its history is there."""
    return job.path.suffix == history.SUFFIX


def forget_runs(core: CoreSettings, job: Job) -> None:
    """Remove the history of a job's run; of a job that is there no more, of all runs of its name. Raises StoreError."""
    for run in history.runs(core.JOB_DIR, job=job.name):
        if has_finished(job) or run.created == job.created:
            history.remove(run.path)
    if has_finished(job):
        history.remove(job.path)  # a damaged one tells no name
