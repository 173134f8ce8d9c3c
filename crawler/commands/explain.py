"""``crawler explain URL``: why was a URL fetched, or not?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Unpack

import click

from crawler.assembly.making import make
from crawler.assembly.rules import checked_fingerprint, checked_slot_key
from crawler.commands.finding import Found, all_jobs, find_again, find_any, is_file
from crawler.commands.finished import has_finished
from crawler.commands.loading import settings_here
from crawler.commands.options import Given, command_line_settings, settings_options
from crawler.commands.showing import say
from crawler.config.schema import CoreSettings
from crawler.engine.waiting.robots import FACT_PREFIX
from crawler.errors import UsageError
from crawler.frontier.store import Offer
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import origin_of
from crawler.observe.frames import describe
from crawler.observe.progress import counted
from crawler.policy.robots import RobotsRules
from crawler.policy.verdict import Drop
from crawler.spider import spider_of
from crawler.storage.historytrace import HistoryTraces
from crawler.storage.jobs import Job
from crawler.storage.trace import FileTraces, Trace, Traces

Judge = Callable[[Request, int], Offer | str]


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
        for line in explain(request, chosen, found, traces):
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


def explain(request: Request, job: Job, found: Found, traces: Traces) -> Iterator[str]:
    """Yield the lines of the explanation."""
    yield f"{request.url} in job {job.name} ({job.state})"
    core = found.settings.core
    if known := traces.trace(request):
        yield from _accepted(known)
        if known.reason == "robots" or known.state == "queued":
            yield from _robots(known.url, core, traces)
        return
    judge = _judge(found)
    verdict = judge(request, 0)
    if isinstance(verdict, Offer) and (known := traces.trace(verdict.request)):
        yield f"  By the settings it becomes {verdict.request.url}."
        yield from _accepted(known)
        return
    yield "  It was not accepted."
    refused = dict.fromkeys(traces.refusals(request.url))
    for _, reason, detail, found_on in refused:
        yield f"  Refused ({reason}{': ' if detail else ''}{detail}), {_found(found_on)}."
    if not isinstance(verdict, Offer):
        yield f"  By the settings {verdict}."
    robots = list(_robots(request.url, core, traces))
    yield from robots
    if not (refused or robots) and isinstance(verdict, Offer):
        yield from _unknown(request, job, core, judge, traces)


def _which(job: Job) -> str:
    """Say which job an answer is from that nobody named: the last crawl may have been another."""
    begun = datetime.fromtimestamp(job.created)
    return (
        f"  This job, begun {begun:%Y-%m-%d %H:%M:%S}, changed last of those that are kept; "
        "`crawler jobs` lists the others, for --job."
    )


def _accepted(known: Trace) -> Iterator[str]:
    yield f"  Accepted, {_found(known.found_on)}."
    for number, tried in enumerate(known.attempts, 1):
        when = datetime.fromtimestamp(tried.when)
        detail = f": {tried.detail}" if tried.detail else ""
        yield f"  Attempt {number}, {when:%Y-%m-%d %H:%M:%S}: {tried.url} gave {tried.outcome}{detail}"
    if known.state == "answered":
        items, requests = counted(known.items, "item"), counted(known.children, "request")
        yield f"  Answered: its callback yielded {items} and {requests}."
    elif known.state == "queued":
        wait = max(known.not_before - time.time(), 0.0)
        yield "  It is queued" + (f", not before {wait:.0f} s from now." if wait else ".")
    else:
        yield f"  It {'failed' if known.state == 'failed' else 'was dropped'}: {known.reason}."


def _found(page: str) -> str:
    return f"found on {page}" if page else "from start()"


def _judge(found: Found) -> Judge:
    """Return what the crawl would say of a link to a request, on a page of a depth: an offer, or why it is refused.

    Made as the crawl makes it: with the spider of these arguments, and the user's own filters.
    """
    try:
        making = make(found.spider, found.settings, found.options.arguments)
        acceptance = making.acceptance(spider_of(making.crawler))
    except Exception as error:
        said = f"nothing can be told, for the spider cannot be made: {describe(error)}"
        return lambda request, depth: said

    def judge(request: Request, depth: int) -> Offer | str:
        page = Response(request.url, request=Request(request.url, meta={"depth": depth}))
        try:
            verdict = acceptance.offer(Request(request.url), page)
        except Exception as error:  # a filter of the user's
            return f"it cannot be told, for a filter failed: {describe(error)}"
        if isinstance(verdict, Drop):
            return f"it is refused: {verdict.reason}{': ' if verdict.detail else ''}{verdict.detail}"
        return verdict

    return judge


def _robots(url: str, core: CoreSettings, traces: Traces) -> Iterator[str]:
    if not core.ROBOTSTXT_OBEY or not url.startswith(("http://", "https://")):
        return
    name = FACT_PREFIX + origin_of(url)
    kept = traces.facts(name)
    if kept.get("body") is None:
        return
    rule = RobotsRules.parse(kept["body"], core.ROBOTSTXT_USER_AGENT or core.USER_AGENT).rule_for(url)
    if rule is not None and not rule.allow:
        yield f"  robots.txt of {origin_of(url)} says {rule}."


def _unknown(request: Request, job: Job, core: CoreSettings, judge: Judge, traces: Traces) -> Iterator[str]:
    yield "  No page that was answered has yielded a request for it, as far as is kept."
    if job.queued:
        yield f"  {job.queued:,} requests are still queued; one of their pages may link to it."
    deepest = traces.deepest()
    if isinstance(refusal := judge(request, deepest), str):
        yield f"  If a page of depth {deepest}, the deepest there is, links to it, {refusal}."
    if core.JOB_EXPLAIN != "full":
        yield "  With -s JOB_EXPLAIN=full a job also keeps which links were refused."
