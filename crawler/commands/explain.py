"""``crawler explain URL``: why was a URL fetched, or not?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Unpack

import click

from crawler.assembly.explaining import Explained, Judge, explain, judge_by
from crawler.assembly.making import make
from crawler.assembly.rules import checked_fingerprint, checked_slot_key
from crawler.commands.finding import Found, all_jobs, find_again, find_any, is_file
from crawler.commands.finished import has_finished
from crawler.commands.loading import settings_here
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.commands.showing import say
from crawler.config.schema import CoreSettings
from crawler.errors import UsageError
from crawler.model.request import Request
from crawler.observe.frames import describe
from crawler.spider import spider_of
from crawler.storage.historytrace import HistoryTraces
from crawler.storage.jobs import Job
from crawler.storage.trace import FileTraces, Traces


@click.command()
@click.argument("url")
@click.option("--job", "name", metavar="JOB", help="In this job; the one that changed last if not given.")
@settings_options
def command(url: str, name: str | None, **given: Unpack[Given]) -> None:
    """Say why URL was or was not fetched: where it was found, what stopped it, each attempt, what it yielded.

    What is asked is a job that has not ended, or what is kept of one that has finished (JOB_HISTORY_DAYS).
    """
    command_line = command_line_settings(given)
    core = settings_here(command_line).core
    chosen = find_any(core, name) if name is not None else next(iter(all_jobs(core)), None)
    if chosen is None:
        folder = Path(core.JOB_DIR).absolute()
        raise UsageError(f"there is no job in {folder}, and nothing is kept of a finished one (JOB_HISTORY_DAYS)")
    request = Request(url)
    if request.problem is not None:
        raise UsageError(f'"{url}" is not a URL that can be fetched: {request.problem}')
    found = find_again(chosen, command_line)
    with _traces(chosen, core, found.settings.core) as traces:
        asked = Explained(chosen.name, chosen.state, chosen.queued, found.settings.core)
        judge = cache(lambda: _judge(found))  # the spider is made only where that is asked
        for line in explain(request, asked, lambda *link: judge()(*link), traces):
            say(line)
    if name is None:
        say(_which(chosen))


@contextmanager
def _traces(job: Job, core: CoreSettings, of_job: CoreSettings) -> Iterator[Traces]:
    """Return what a job knows, from its file or from its server."""
    fingerprint = checked_fingerprint(of_job.FINGERPRINT)
    if is_file(job) or has_finished(job):
        yield (FileTraces if is_file(job) else HistoryTraces)(job.path, fingerprint)
        return
    from crawler.commands.cluster.finding import asked, is_private
    from crawler.storage.cluster.trace import ServerTraces

    with asked(core, job.path if is_private(job) else None) as jobs:
        yield ServerTraces(jobs.connection, jobs.key(job.name), fingerprint, checked_slot_key(of_job.SLOT_KEY))


def _which(job: Job) -> str:
    """Say which job an answer is from that nobody named: the last crawl may have been another."""
    begun = datetime.fromtimestamp(job.created)
    return (
        f"  This job, begun {begun:%Y-%m-%d %H:%M:%S}, changed last of those that are kept; "
        "`crawler jobs` lists the others, for --job."
    )


def _judge(found: Found) -> Judge:
    """Return what the crawl would say, made as it is made: with the spider of these arguments, and the user's own
    filters."""
    try:
        making = make(found.spider, found.settings, found.options.arguments)
        return judge_by(making.acceptance(spider_of(making.crawler)))
    except Exception as error:
        said = f"nothing can be told, for the spider cannot be made: {describe(error)}"
        return lambda request, depth: said
