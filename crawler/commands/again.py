"""How is what failed put back into the queue of its job? ``crawler resume JOB --failed``.

A crawl that has finished becomes a job again, as it stood, with those requests in its queue. From then on it is a job
as any other: killed, it goes on by `crawler resume`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crawler.assembly import feeds_of_crawl
from crawler.assembly.job import ItemCodec, begun_of
from crawler.assembly.leaving import COMMAND
from crawler.assembly.making import make
from crawler.commands.failed import failures_of
from crawler.commands.finding import Found, find_again, find_any, is_file
from crawler.commands.finished import has_finished
from crawler.commands.options import NO_SECOND_RUN
from crawler.commands.reactor import install_reactor
from crawler.commands.showing import say
from crawler.config.schema import CoreSettings
from crawler.errors import OutputError, UsageError
from crawler.observe.progress import counted
from crawler.spider import Spider, spider_of
from crawler.storage.again import put_back, renewed_by, revive
from crawler.storage.history import Run, read_run
from crawler.storage.jobs import Job, make_folder


def put_back_failed(
    core: CoreSettings,
    job: Job,
    command_line: dict[str, Any],
    *,
    arguments: Mapping[str, str],
    summary: str | None,
) -> tuple[Job, Found]:
    """Put the requests that failed back into the queue of their job, which stands still or has finished.

    ``arguments`` are added to those of the job. Return the job as it is then, and what it needs to go on. Raises
    UsageError if none failed, JobInUse and StoreError.
    """
    folder = Path(core.JOB_DIR).absolute()  # what follows stands where the job's command stood
    run = read_run(job.path) if has_finished(job) else None
    _check(core, job, run, {**command_line, **arguments})
    finished = job.state == "finished"
    if finished:
        job = job._replace(description=_finished(job.description, command_line.get("FEEDS"), arguments))
    found = find_again(job, {**command_line, "JOB_DIR": str(folder)}, summary=summary, arguments=arguments)
    install_reactor()  # the spider may import it
    spider = spider_of(make(found.spider, found.settings, found.options.arguments).crawler)
    if finished:
        _check_feeds(job, found, spider)
    renewed = renewed_by(ItemCodec(spider))
    description = dict(job.description)
    if is_file(job):
        count = put_back(job.path, renewed, description if finished else None)
    elif run is not None and not run.apart:
        count = revive(make_folder(folder), run, renewed, description)
    else:
        from crawler.commands.cluster.failed import put_back_shared, revive_shared

        of_job = found.settings.core
        count = (
            put_back_shared(of_job, job, renewed) if run is None else revive_shared(of_job, run, renewed, description)
        )
    say(f"{counted(count, 'request')} that failed will be fetched again.", err=True)
    return find_any(found.settings.core, job.name), found


def _check(core: CoreSettings, job: Job, run: Run | None, given: Mapping[str, Any]) -> None:
    """Raise UsageError unless something failed, and all that fetching it again needs is there or ``given``."""
    if next(failures_of(core, job), None) is None:
        goes_on = f"; `crawler resume {job.name}` goes on with what is queued ({job.queued:,})" if job.queued else ""
        raise UsageError(f"nothing failed in job {job.name}: there is nothing to fetch again{goes_on}")
    for part, _, name in (each.partition(":") for each in (run.withheld if run else ())):
        if name in given:
            continue
        if part == "arguments":
            raise UsageError(
                f"job {job.name} does not keep a secret, which its argument {name} was: give -a {name}=… again"
            )
        say(
            f"crawler: warning: job {job.name} does not keep its {name}, which is a secret: "
            "what the project's settings say holds, or -s",
            err=True,
        )


def _finished(
    description: Mapping[str, Any], feeds: Mapping[str, Any] | None, arguments: Mapping[str, str]
) -> dict[str, Any]:
    """Return the description of a finished job that goes on, with these arguments, too: what it wrote is appended to,
    unless other feeds are named.
    """
    command = description.get(COMMAND)
    if not isinstance(command, dict):
        return dict(description)  # told by whoever recalls the command
    # What failed is fetched whole, and what the crawl has said of changes stays as it is.
    settings = {**(command.get("settings") or {}), **NO_SECOND_RUN}
    settings |= {} if feeds is None else {"FEEDS": feeds}
    given = {**(command.get("arguments") or {}), **arguments}
    return {**description, COMMAND: {**command, "append": feeds is None, "settings": settings, "arguments": given}}


def _check_feeds(job: Job, found: Found, spider: Spider) -> None:
    """Raise OutputError for an output that cannot be appended to, while the job is as it was."""
    try:
        for feed in feeds_of_crawl(found.settings, spider, begun_of(job)):
            feed.check()
    except OutputError as error:
        elsewhere = f"crawler resume {job.name} --failed -s 'FEEDS={{\"FILE\": {{}}}}'"
        raise OutputError(
            f"what is fetched again cannot join the output: {error}; with `{elsewhere}` it goes to FILE"
        ) from error
