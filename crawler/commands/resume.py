"""How does a job that was stopped or killed go on? ``crawler resume [JOB]``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import click

from crawler.commands.apart import check_apart
from crawler.commands.beside import beside
from crawler.commands.finding import all_jobs, find_again, find_any, is_file
from crawler.commands.finished import has_finished
from crawler.commands.loading import settings_here, usual_folder
from crawler.commands.options import (
    Given,
    beside_of,
    command_line_settings,
    pairs,
    process_options,
    settings_options,
    workers_options,
)
from crawler.config.schema import CoreSettings
from crawler.errors import UsageError
from crawler.storage.history import read_run
from crawler.storage.jobs import Job
from crawler.storage.lock import JobLock


@click.command()
@click.argument("name", metavar="[JOB]", required=False)
@click.option("--summary", "summary_file", metavar="FILE", help="Write the summary as JSON.")
@click.option("--failed", is_flag=True, help="Fetch again what failed, also of a crawl that has finished.")
@click.option(
    "-a", "arguments", metavar="NAME=VALUE", multiple=True, help="With --failed: an argument that was not kept."
)
@workers_options
@process_options
@settings_options
def command(name: str | None, summary_file: str | None, *, failed: bool, **given: Unpack[Given]) -> int:
    """Go on with JOB, or with the job that changed last, as the command that began it asked.

    The job knows its spider, arguments, settings and feeds; -s and the options of the log change a setting. With
    --failed what failed is put back into its queue before, also of a crawl that has finished: its items join the same
    output, and nothing else that it knew is asked for again.
    """
    command_line = command_line_settings(given)
    core, usual = settings_here(command_line).core, usual_folder()
    job = (
        find_any(core, name) if name is not None else _latest(core, ("stopped", "finished") if failed else ("stopped",))
    )
    if has_finished(job) and not failed:
        raise UsageError(_nothing_left(job))
    arguments = pairs("-a", given.get("arguments", ()), UsageError)
    if arguments and not failed:
        raise UsageError("-a is for --failed: a job that is there has its arguments")
    workers = given.get("workers")
    if is_file(job) and (workers or 1) > 1:
        raise UsageError(f"job {job.name} was begun in one process, and goes on in one: leave --workers out")
    if is_file(job) and job.state == "running":  # before its feeds are found to be in use, too
        lock = JobLock(job.path)
        lock.acquire()  # JobInUse names the process
        lock.release()
    if failed:
        from crawler.commands.again import put_back_failed

        job, found = put_back_failed(core, job, command_line, arguments=arguments, summary=summary_file)
    else:
        found = find_again(job, command_line, summary=summary_file)
    options = found.options._replace(workers=workers or found.options.workers, verbose=given.get("verbose", False))
    options = options._replace(**beside_of(given), anew=frozenset(command_line))
    check_apart(found.spider, found.settings, options)
    with beside(options, many=not is_file(job)):
        if not is_file(job):
            from crawler.commands.cluster.starting import run_cluster

            return run_cluster(found.spider, found.settings, options, file=found.file, resume=job.name, usual=usual)
        from crawler.commands.running import run_spider

        return run_spider(found.spider, found.settings, options, file=found.file, resume=job.name, usual=usual)


def _nothing_left(job: Job) -> str:
    failures = read_run(job.path).failed if job.state == "finished" else 0
    again = f": `crawler resume {job.name} --failed` fetches again what failed ({failures:,})" if failures else ""
    return f"job {job.name} is {job.state}; there is nothing to resume{again}"


def _latest(core: CoreSettings, states: Sequence[str]) -> Job:
    folder, jobs = Path(core.JOB_DIR).absolute(), all_jobs(core)
    for job in jobs:
        if job.state in states:
            return job
    running = ", ".join(job.name for job in jobs if job.state == "running")
    raise UsageError(f"no job in {folder} can be resumed" + (f"; running: {running}" if running else ""))
