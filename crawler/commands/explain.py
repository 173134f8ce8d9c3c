"""``crawler explain URL``: why was a URL fetched, or not?"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from crawler.commands.options import command_line_settings, settings_options
from crawler.commands.resume import Found, find_again, jobs_folder
from crawler.config.schema import CoreSettings
from crawler.engine.robots import _PREFIX as FACT_PREFIX
from crawler.errors import UsageError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import fingerprint, origin_of
from crawler.observe.log import escape
from crawler.policy.robots import RobotsRules
from crawler.policy.scope import OffsiteFilter, RequestFilter, SchemeFilter, UrlLengthFilter
from crawler.policy.verdict import Drop
from crawler.storage.jobfile import translated
from crawler.storage.jobs import Job, find_job, list_jobs, open_to_read
from crawler.storage.trace import Trace, refusals, trace
from crawler.storage.values import Values


@click.command()
@click.argument("url")
@click.option("--job", metavar="JOB", help="In this job; the one that changed last if not given.")
@settings_options
def command(url: str, job: str | None, **given: Any) -> None:
    """Say why URL was or was not fetched: where it was found, what stopped it, each attempt, what it yielded.

    The job's file must still be there: of a job that is not finished, or with JOB_KEEP.
    """
    command_line = command_line_settings(given)
    folder = jobs_folder(command_line)
    chosen = find_job(folder, job) if job is not None else next(iter(list_jobs(folder)), None)
    if chosen is None:
        raise UsageError(f"there is no job in {folder}; a finished one is kept with -s JOB_KEEP=true")
    request = Request(url)
    if request.problem is not None:
        raise UsageError(f'"{escape(url)}" is not a URL that can be fetched: {request.problem}')
    found = find_again(chosen, command_line)
    for line in explain(request, chosen, found):
        click.echo(escape(line))


def explain(request: Request, job: Job, found: Found) -> Iterator[str]:
    """Yield the lines of the explanation."""
    yield f"{request.url} in job {job.name} ({job.state})"
    core = found.settings.core
    identity = core.FINGERPRINT or fingerprint
    known = trace(job.path, identity(request))
    if known is not None:
        yield from _accepted(known)
        if known.reason == "robots" or known.state == "queued":
            yield from _robots(known.url, core, job.path)
        return
    yield "  It was not accepted."
    refused = dict.fromkeys(refusals(job.path, request.url))
    for _, reason, detail, found_on in refused:
        yield f"  Refused ({reason}{': ' if detail else ''}{detail}), {_found(found_on)}."
    drops = list(_scope(request, found))
    for drop in drops:
        yield f"  By the settings it is refused: {drop.reason}{': ' if drop.detail else ''}{drop.detail}."
    robots = list(_robots(request.url, core, job.path))
    yield from robots
    if not (refused or drops or robots):
        yield from _unknown(job, core)


def _accepted(known: Trace) -> Iterator[str]:
    yield f"  Accepted, {_found(known.found_on)}."
    for number, tried in enumerate(known.attempts, 1):
        when = datetime.fromtimestamp(tried.when)
        detail = f": {tried.detail}" if tried.detail else ""
        yield f"  Attempt {number}, {when:%Y-%m-%d %H:%M:%S}: {tried.url} gave {tried.outcome}{detail}"
    if known.state == "answered":
        yield f"  Answered: its callback yielded {known.items} items and {known.children} requests."
    elif known.state == "queued":
        wait = max(known.not_before - time.time(), 0.0)
        yield "  It is queued" + (f", not before {wait:.0f} s from now." if wait else ".")
    else:
        yield f"  It {'failed' if known.state == 'failed' else 'was dropped'}: {known.reason}."


def _found(page: str) -> str:
    return f"found on {page}" if page else "from start()"


def _scope(request: Request, found: Found) -> Iterator[Drop]:
    """Yield what the filters of today's settings say, as if a page of the crawl had linked to it."""
    core = found.settings.core
    filters: list[RequestFilter] = [
        SchemeFilter(("http", "https", *core.SCHEMES)),
        OffsiteFilter(found.spider.allowed_domains),
        UrlLengthFilter(core.URLLENGTH_LIMIT),
    ]
    page = Response(request.url)
    for scope in filters:
        verdict = scope(request, page)
        if isinstance(verdict, Drop):
            yield verdict


def _robots(url: str, core: CoreSettings, path: Path) -> Iterator[str]:
    if not core.ROBOTSTXT_OBEY or not url.startswith(("http://", "https://")):
        return
    with translated(path), contextlib.closing(open_to_read(path)) as sql:
        row = sql.execute("SELECT data FROM facts WHERE name = ?", (FACT_PREFIX + origin_of(url),)).fetchone()
    kept = Values().decode(row[0]) if row is not None else {}
    if kept.get("body") is None:
        return
    rule = RobotsRules.parse(kept["body"], core.ROBOTSTXT_USER_AGENT or core.USER_AGENT).rule_for(url)
    if rule is not None and not rule.allow:
        yield f"  robots.txt of {origin_of(url)} says {rule}."


def _unknown(job: Job, core: CoreSettings) -> Iterator[str]:
    yield "  No page that was answered has yielded a request for it, as far as is kept."
    if job.queued:
        yield f"  {job.queued:,} requests are still queued; one of their pages may link to it."
    if core.DEPTH_LIMIT:
        yield f"  Links deeper than DEPTH_LIMIT = {core.DEPTH_LIMIT} are refused."
    if core.REQUEST_FILTERS:
        yield f"  There are {len(core.REQUEST_FILTERS)} more filters in REQUEST_FILTERS."
    if core.JOB_EXPLAIN != "full":
        yield "  With -s JOB_EXPLAIN=full a job also keeps which links were refused."
