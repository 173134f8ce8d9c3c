"""What did the site see, and does it fit what a polite crawl that was killed now and then may do?

Pure: the site's log and a list of what was done to the crawl go in, sentences on what is wrong come out.
Times are seconds of CLOCK_MONOTONIC.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from tests.cluster.kills.world import CONCURRENCY, HOSTS, MEMBERS, MOVING, PACED, PER_HOST, RETRY_AFTER_SECONDS, World

UNCOMMITTED_SECONDS = 2.0
"""How long after its answer a page may be uncommitted, on a machine that is busy with starting workers."""
SCHEDULING_SECONDS = 0.1
"""How much later than decided a request may be seen: what a busy machine takes to run a process."""
GAPS = {PACED: 0.25, MEMBERS: 0.25}
"""The delays that are long enough to be measured on a busy machine."""


@dataclass(slots=True)
class Exchange:
    """One request at the site. ``ended`` and ``status`` are None while it is not answered; cut: status 0.

    ``sent``: when its sender decided to send it, which no busy machine changes.
    """

    host: str
    path: str
    pid: int
    connection: int
    began: float
    ended: float | None = None
    status: int | None = None
    sent: float = 0.0

    @property
    def good(self) -> bool:
        """Whether the crawler could take it for the page."""
        return self.status in (200, 302)

    @property
    def key(self) -> str:
        """Host and path."""
        return f"{self.host}{self.path}"


class Hit(NamedTuple):
    """What was done to a worker, from when until when; ``pid`` 0: to all, as when the server was down."""

    began: float
    ended: float
    pid: int
    what: str = "killed"


def read_log(path: Path) -> list[Exchange]:
    """Return the exchanges in the order in which they began."""
    exchanges: dict[int, Exchange] = {}
    for line in path.read_text().splitlines():
        record = json.loads(line)
        what, number, at = record.pop("what"), record.pop("number"), record.pop("at")
        if what == "asked":
            exchanges[number] = Exchange(began=at, **record)
        else:
            exchanges[number].ended = at
            exchanges[number].status = record.get("status", 0)
    return list(exchanges.values())


def by_host(log: Iterable[Exchange]) -> dict[str, list[Exchange]]:
    """Return each host's exchanges."""
    hosts: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in log:
        hosts[exchange.host].append(exchange)
    return hosts


def short_gaps(log: Sequence[Exchange]) -> list[str]:
    """Tell where a host with a delay was asked too soon after the request before.

    Between two workers each gap counts. One worker keeps its own delays: there only many short ones are a fault, for a
    first request that has to connect on a busy machine comes late, and the next one seems to be early.
    """
    problems = []
    for host, delay in GAPS.items():
        asked = by_host(log)[host]
        known = min((one.ended for one in asked if one.path == "/robots.txt" and one.good and one.ended), default=0.0)
        gaps = [
            (two.began - one.began, one, two)
            for one, two in pairwise(asked)
            # Who asks for robots.txt again does not know of a Crawl-delay: it died with who had read it.
            if two.began > known and not (host == MEMBERS and two.path == "/robots.txt")
        ]
        problems += [
            f"{host}: {gap:.3f} s from {one.path} of {one.pid} to {two.path} of {two.pid} at {two.began:.2f}"
            for gap, one, two in gaps
            if one.pid != two.pid and gap < delay - SCHEDULING_SECONDS
        ]
        short = sum(gap < delay - SCHEDULING_SECONDS for gap, _, _ in gaps)
        if short > 1 + 0.1 * len(gaps):
            problems.append(f"{host}: {short} of {len(gaps)} gaps are too short")
    return problems


def crowds(log: Sequence[Exchange]) -> list[str]:
    """Tell where more requests were under way at a host than its limit."""
    problems = []
    for host, asked in by_host(log).items():
        limit = CONCURRENCY.get(host, PER_HOST)
        for exchange in asked:
            open_ones = [one for one in asked if one.began <= exchange.began < _end(one)]
            if len(open_ones) > limit:
                who = ", ".join(f"{one.path} of {one.pid} since {one.began:.2f}" for one in open_ones)
                problems.append(f"{host}: {len(open_ones)} at once, {limit} allowed: {who}")
    return problems


def _end(exchange: Exchange) -> float:
    """When it was over; a killed worker's connection was closed a little before the site came to see it."""
    if exchange.ended is None:
        return exchange.began
    return exchange.ended if exchange.status else exchange.ended - SCHEDULING_SECONDS


def impatient(log: Sequence[Exchange], world: World, hits: Sequence[Hit]) -> list[str]:
    """Tell which hosts were asked before their Retry-After was over, though the worker lived to tell of it."""
    problems = []
    for host, asked in by_host(log).items():
        for exchange in asked:
            if exchange.status != 503 or exchange.ended is None or not exchange.path.startswith("/p/"):
                continue
            if not world.retry_after(int(exchange.path[3:])):
                continue
            told = exchange.ended + SCHEDULING_SECONDS
            until = exchange.ended + RETRY_AFTER_SECONDS - SCHEDULING_SECONDS
            if was_hit(hits, exchange.pid, exchange.began, exchange.ended + UNCOMMITTED_SECONDS):
                continue
            problems += [
                f"{host}: {one.path} of {one.pid} came {one.began - exchange.ended:.2f} s after the Retry-After of "
                f"{RETRY_AFTER_SECONDS} s that {exchange.pid} got for {exchange.path}"
                for one in asked
                if told < one.began < until
            ]
    return problems


def was_hit(hits: Sequence[Hit], pid: int, began: float, ended: float) -> bool:
    """Tell whether something was done to the worker between these moments."""
    return any(hit.pid in (0, pid) and hit.began <= ended and began <= hit.ended for hit in hits)


def refetched(log: Sequence[Exchange], world: World) -> list[tuple[Exchange, Exchange, float]]:
    """Return each page that was asked for again after a good answer, both exchanges, and when the first was whole.

    That is when all that its callback fetches by itself was there, too; if it never was: when it was asked again.
    """
    parts = {page.name: page.inline or page.carried for page in world.pages if page.inline or page.carried}
    last: dict[str, Exchange] = {}
    again = []
    for exchange in log:
        before = last.get(exchange.key)
        if before is not None and before.good and before.ended is not None and exchange.path != "/robots.txt":
            whole = before.ended
            if exchange.key in parts:
                part = last.get(parts[exchange.key])
                fetched = part is not None and part.pid == before.pid and part.began >= before.began and part.good
                whole = part.ended if part is not None and fetched and part.ended is not None else exchange.began
            again.append((before, exchange, whole))
        last[exchange.key] = exchange
    return again


def needless(log: Sequence[Exchange], world: World, hits: Sequence[Hit]) -> list[str]:
    """Tell which pages were fetched again though what they brought must have been committed."""
    return [
        f"{before.key} of {before.pid} was fetched again by {again.pid}, {again.began - whole:.2f} s after it was "
        f"whole, though nothing was done to {before.pid} from {before.began:.2f} to {whole:.2f}"
        for before, again, whole in refetched(log, world)
        if not was_hit(hits, before.pid, before.began, whole + UNCOMMITTED_SECONDS)
        and not _of_a_hit_unit(before, world, hits)
    ]


def _of_a_hit_unit(exchange: Exchange, world: World, hits: Sequence[Hit]) -> bool:
    """Whether it is a part of another page, whose unit may have been cut by what was done a little later."""
    kind = exchange.path.split("/")[1]
    return kind in ("d", "c") and was_hit(hits, exchange.pid, exchange.began, exchange.began + 2 * UNCOMMITTED_SECONDS)


def pending_pages(log: Sequence[Exchange], world: World) -> dict[str, list[tuple[float, float]]]:
    """Return for each host since when each of its pages was known, and when it was first asked for.

    A page is known from the last good answer that had its link.
    """
    answered = {one.key: one.ended for one in log if one.good and one.ended is not None}
    known: dict[str, float] = {}
    for page in world.pages:
        if (since := answered.get(page.name)) is not None:
            for href in map(world.href, page.links):
                known[href] = min(known.get(href, since), since)
    first: dict[str, float] = {}
    for exchange in log:
        first.setdefault(exchange.key, exchange.began)
    pending: dict[str, list[tuple[float, float]]] = {host: [] for host in HOSTS}
    for key in known.keys() & first.keys():
        pending[key.partition("/")[0]].append((known[key], first[key]))
    return pending


def silences(log: Sequence[Exchange], world: World, outages: Sequence[Hit], *, longest: float) -> list[str]:
    """Tell which hosts nobody asked for longer than ``longest`` seconds while one of their pages was known.

    The time of an outage does not count.
    """
    known = pending_pages(log, world)
    problems = []
    for host in HOSTS:
        pending = known[host]
        for before, after in pairwise([one.began for one in log if one.host == host and host != MOVING]):
            out = sum(max(0.0, min(after, one.ended) - max(before, one.began)) for one in outages)
            if after - before - out > longest and any(since < before and after <= until for since, until in pending):
                problems.append(f"{host}: nobody asked for {after - before:.1f} s from {before:.2f} on")
    return problems


def forbidden(log: Sequence[Exchange]) -> list[str]:
    """Tell which requests robots.txt forbids, or were made without the cookie."""
    return [
        f"{one.key} was asked by {one.pid}: {one.status}"
        for one in log
        if one.path.startswith("/private/") or one.status in (403, 404)
    ]
