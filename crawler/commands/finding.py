"""Which jobs are there, of one process, of many and finished, and what was the command of one?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from crawler.commands.finished import finished_jobs, forget_runs, has_finished
from crawler.commands.loading import chosen
from crawler.commands.options import RunOptions, recall
from crawler.config.nearest import did_you_mean
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.spider import Spider
from crawler.storage.itemrecord import remove_record
from crawler.storage.jobs import SUFFIX, Job, find_job, job_path, list_jobs, remove_job


def is_file(job: Job) -> bool:
    """Tell whether a job is one of one process, in a file; the others are on a server."""
    return not job.url and job.path.suffix == SUFFIX


def all_jobs(core: CoreSettings) -> list[Job]:
    """Return all jobs, of one process and of many, and what is kept of finished ones; what changed last first."""
    jobs = list_jobs(Path(core.JOB_DIR).absolute())
    if are_shared(core):
        from crawler.commands.cluster.finding import shared_jobs

        jobs += shared_jobs(core)
    jobs += finished_jobs(core, jobs)
    return sorted(jobs, key=lambda job: job.changed, reverse=True)


def find_any(core: CoreSettings, name: str) -> Job:
    """Return a job of one process or of many; raises UsageError if there is none of that name."""
    folder = Path(core.JOB_DIR).absolute()
    if job_path(folder, name).is_file():
        return find_job(folder, name)
    jobs = all_jobs(core)
    for job in sorted((job for job in jobs if job.name == name), key=has_finished):
        return job
    names = list(dict.fromkeys(job.name for job in jobs))
    known = ", ".join(names[:10])
    where = f"{folder} and at the server of JOB_STORE" if "://" in str(core.JOB_STORE) else folder
    meant = did_you_mean(name, names)
    raise UsageError(f"no job {name!r} in {where}" + (meant or (f"; there are {known}" if known else "")))


def remove_any(core: CoreSettings, job: Job) -> None:
    """Remove a job, with what is kept of its runs; raises JobInUse while somebody works on it."""
    if is_file(job):
        remove_job(job.path)
    elif not has_finished(job):
        from crawler.commands.cluster.finding import remove_shared

        remove_shared(core, job)
        remove_record(job_path(core.JOB_DIR, job.name))
    forget_runs(core, job)


def are_shared(core: CoreSettings) -> bool:
    """Tell whether there can be jobs of many workers; what they need is imported then only."""
    return "://" in str(core.JOB_STORE) or any(Path(core.JOB_DIR).absolute().glob("*.cluster"))


class Found(NamedTuple):
    """A job with the spider, settings and arguments its command had."""

    spider: type[Spider]
    settings: Settings
    options: RunOptions
    file: str | None


def find_again(
    job: Job, command_line: dict[str, Any], *, summary: str | None = None, arguments: Mapping[str, str] | None = None
) -> Found:
    """Return what a job needs to go on, standing where its command stood; ``arguments`` are added to its own.

    Raises UsageError.
    """
    if job.state == "damaged":
        raise UsageError(f"job {job.name} is damaged: {job.problem}")
    remembered = recall(job.name, job.description)
    summary = str(Path(summary).absolute()) if summary is not None else None
    _go_to(remembered.folder, job.name)
    settings = remembered.settings | command_line
    if job.path != Path() and not has_finished(job):
        settings |= {"JOB_DIR": str(job.path.absolute().parent)}
    file = remembered.file
    options = RunOptions(settings, {**remembered.arguments, **(arguments or {})}, summary, remembered.workers)
    return Found(*chosen(file or remembered.spider, settings, in_file=file is not None), options, file)


def _go_to(folder: str, job: str) -> None:
    """Stand where the command stood, for the paths of its feeds and files may be relative."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"job {job} was begun in {folder}: {error.strerror}") from error
