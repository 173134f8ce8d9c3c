"""Why was a URL fetched, or not? In lines for the user, from what a job has kept.

For `crawler explain`, and for whoever looks at a crawl while it runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from twisted.internet.defer import Deferred

from crawler.assembly.job import ChosenStore
from crawler.assembly.rules import checked_fingerprint
from crawler.config.schema import CoreSettings
from crawler.engine.crawl import Crawl
from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.waiting.robots import FACT_PREFIX
from crawler.frontier.store import Offer
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import origin_of
from crawler.observe.frames import describe
from crawler.observe.progress import counted
from crawler.policy.robots import RobotsRules
from crawler.policy.verdict import Drop
from crawler.storage.trace import DEEPEST, FileTraces, Trace, Traces

Judge = Callable[[Request, int], Offer | str]


class Explained(NamedTuple):
    """The crawl that is asked: its job's ``name``, its ``state``, how many requests are ``queued``, its settings."""

    name: str
    state: str
    queued: int
    core: CoreSettings


def explain(request: Request, job: Explained, judge: Judge, traces: Traces) -> Iterator[str]:
    """Yield the lines of the explanation."""
    yield f"{request.url} in job {job.name} ({job.state})"
    core = job.core
    if known := traces.trace(request):
        yield from _accepted(known)
        if known.reason == "robots" or known.state == "queued":
            yield from _robots(known.url, core, traces)
        return
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
        yield from _unknown(request, job, judge, traces)


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


def judge_by(acceptance: Acceptance) -> Judge:
    """Return what a crawl says of a link to a request, on a page of a depth: an offer, or why it is refused."""

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


def _unknown(request: Request, job: Explained, judge: Judge, traces: Traces) -> Iterator[str]:
    yield "  No page that was answered has yielded a request for it, as far as is kept."
    if job.queued:
        yield f"  {job.queued:,} requests are still queued; one of their pages may link to it."
    deepest = traces.deepest()
    if isinstance(refusal := judge(request, deepest), str):
        yield f"  If a page of depth {deepest}, the deepest there is, links to it, {refusal}."
    if job.core.JOB_EXPLAIN != "full":
        yield "  With -s JOB_EXPLAIN=full a job also keeps which links were refused."


def explaining(run: Crawl, chosen: ChosenStore) -> Callable[[Request], Deferred[list[str]]] | None:
    """Return what explains URLs while a crawl runs, by its job's file; None where there is none.

    The file is read in a thread; the filters, which are the user's, are asked before, where the crawl runs.
    """
    parts = run.parts
    if chosen.path is None or chosen.job is None:
        return None
    job, judge = Explained(chosen.job, "running", 0, parts.core), judge_by(parts.acceptance)
    traces = FileTraces(chosen.path, checked_fingerprint(parts.core.FINGERPRINT))

    def explains(request: Request) -> Deferred[list[str]]:
        depths = 0, int(parts.stats.get_value(DEEPEST, 0))
        said = {depth: judge(request, depth) for depth in depths}
        now = job._replace(queued=run.queued)
        pool = parts.machine.pools("explain", 1)

        def lines() -> list[str]:
            return list(explain(request, now, lambda _, depth: said.get(depth, said[depths[1]]), traces))

        return pool.run(lines).addBoth(lambda result: pool.stop().addCallback(lambda _: result))

    return explains
