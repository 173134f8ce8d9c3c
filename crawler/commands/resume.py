"""How does a job that was stopped or killed go on? ``crawler resume [JOB]``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import click

from crawler.commands.loading import chosen, settings_here, usual_folder
from crawler.commands.options import Given, RunOptions, command_line_settings, recall, settings_options, workers_options
from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.spider import Spider
from crawler.storage.jobs import SUFFIX, Job, find_job, job_path, list_jobs, remove_job
from crawler.storage.lock import JobLock


@click.command()
@click.argument("name", metavar="[JOB]", required=False)
@click.option("--summary", "summary_file", metavar="FILE", help="Write the summary as JSON.")
@workers_options
@settings_options
def command(name: str | None, summary_file: str | None, **given: Unpack[Given]) -> int:
    """Go on with JOB, or with the job that changed last, as the command that began it asked.

    The job knows its spider, arguments, settings and feeds; -s and the options of the log change a setting.
    """
    command_line = command_line_settings(given)
    core, usual = settings_here(command_line).core, usual_folder()
    job = find_any(core, name) if name is not None else _latest(core)
    workers = given.get("workers")
    if is_file(job) and (workers or 1) > 1:
        raise UsageError(f"job {job.name} was begun in one process, and goes on in one: leave --workers out")
    if is_file(job) and job.state == "running":  # before its feeds are found to be in use, too
        lock = JobLock(job.path)
        lock.acquire()  # JobInUse names the process
        lock.release()
    found = find_again(job, command_line, summary=summary_file)
    options = found.options._replace(workers=workers or found.options.workers, verbose=given.get("verbose", False))
    if not is_file(job):
        from crawler.commands.cluster.starting import run_cluster

        return run_cluster(found.spider, found.settings, options, file=found.file, resume=job.name, usual=usual)
    from crawler.commands.running import run_spider

    return run_spider(found.spider, found.settings, options, file=found.file, resume=job.name, usual=usual)


def is_file(job: Job) -> bool:
    """Tell whether a job is one of one process, in a file; the others are on a server."""
    return not job.url and job.path.suffix == SUFFIX


def all_jobs(core: CoreSettings) -> list[Job]:
    """Return all jobs, of one process and of many, the one that changed last first."""
    jobs = list_jobs(Path(core.JOB_DIR).absolute())
    if _are_shared(core):
        from crawler.commands.cluster.finding import shared_jobs

        jobs += shared_jobs(core)
    return sorted(jobs, key=lambda job: job.changed, reverse=True)


def find_any(core: CoreSettings, name: str) -> Job:
    """Return a job of one process or of many; raises UsageError if there is none of that name."""
    folder = Path(core.JOB_DIR).absolute()
    if not _are_shared(core) or job_path(folder, name).is_file():
        return find_job(folder, name)
    jobs = all_jobs(core)
    for job in jobs:
        if job.name == name:
            return job
    known = ", ".join(job.name for job in jobs[:10])
    where = f"{folder} and at the server of JOB_STORE" if "://" in str(core.JOB_STORE) else folder
    raise UsageError(f"no job {name!r} in {where}" + (f"; there are {known}" if known else ""))


def remove_any(core: CoreSettings, job: Job) -> None:
    """Remove a job; raises JobInUse while somebody works on it."""
    if is_file(job):
        remove_job(job.path)
        return
    from crawler.commands.cluster.finding import remove_shared

    remove_shared(core, job)


def _are_shared(core: CoreSettings) -> bool:
    """Tell whether there can be jobs of many workers; what they need is imported then only."""
    return "://" in str(core.JOB_STORE) or any(Path(core.JOB_DIR).absolute().glob("*.cluster"))


def jobs_folder(command_line: dict[str, Any]) -> Path:
    """Return the folder of jobs, by the settings of the project and of the command line."""
    return Path(settings_here(command_line).core.JOB_DIR).absolute()


class Found(NamedTuple):
    """A job with the spider, settings and arguments its command had."""

    spider: type[Spider]
    settings: Settings
    options: RunOptions
    file: str | None


def find_again(job: Job, command_line: dict[str, Any], *, summary: str | None = None) -> Found:
    """Return what a job needs to go on, standing where its command stood. Raises UsageError."""
    if job.state == "damaged":
        raise UsageError(f"job {job.name} is damaged: {job.problem}")
    remembered = recall(job.name, job.description)
    summary = str(Path(summary).absolute()) if summary is not None else None
    _go_to(remembered.folder, job.name)
    settings = remembered.settings | command_line
    if job.path != Path():
        settings |= {"JOB_DIR": str(job.path.absolute().parent)}
    file = remembered.file
    options = RunOptions(settings, remembered.arguments, summary, remembered.workers)
    return Found(*chosen(file or remembered.spider, settings, in_file=file is not None), options, file)


def _latest(core: CoreSettings) -> Job:
    folder, jobs = Path(core.JOB_DIR).absolute(), all_jobs(core)
    for job in jobs:
        if job.state == "stopped":
            return job
    running = ", ".join(job.name for job in jobs if job.state == "running")
    raise UsageError(f"no job in {folder} can be resumed" + (f"; running: {running}" if running else ""))


def _go_to(folder: str, job: str) -> None:
    """Stand where the command stood, for the paths of its feeds and files may be relative."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"job {job} was begun in {folder}: {error.strerror}") from error
