"""How does a job that was stopped or killed go on? ``crawler resume [JOB]``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import click

from crawler.commands.loading import chosen, settings_here, usual_folder
from crawler.commands.options import Given, RunOptions, command_line_settings, recall, settings_options
from crawler.config.settings import Settings
from crawler.errors import UsageError
from crawler.spider import Spider
from crawler.storage.jobs import Job, find_job, list_jobs
from crawler.storage.lock import JobLock


@click.command()
@click.argument("name", metavar="[JOB]", required=False)
@click.option("--summary", "summary_file", metavar="FILE", help="Write the summary as JSON.")
@settings_options
def command(name: str | None, summary_file: str | None, **given: Unpack[Given]) -> int:
    """Go on with JOB, or with the job that changed last, as the command that began it asked.

    The job knows its spider, arguments, settings and feeds; -s and the options of the log change a setting.
    """
    command_line = command_line_settings(given)
    folder, usual = jobs_folder(command_line), usual_folder()
    job = find_job(folder, name) if name is not None else _latest(folder)
    if job.state == "running":  # before its feeds are found to be in use, too
        lock = JobLock(job.path)
        lock.acquire()  # JobInUse names the process
        lock.release()
    found = find_again(job, command_line, summary=summary_file)
    from crawler.commands.running import run_spider

    return run_spider(found.spider, found.settings, found.options, file=found.file, resume=job.name, usual=usual)


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
    settings = remembered.settings | command_line | {"JOB_DIR": str(job.path.absolute().parent)}
    file = remembered.file
    options = RunOptions(settings, remembered.arguments, summary)
    return Found(*chosen(file or remembered.spider, settings, in_file=file is not None), options, file)


def _latest(folder: Path) -> Job:
    jobs = list_jobs(folder)
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
