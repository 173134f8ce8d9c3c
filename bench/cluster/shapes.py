"""How much more do more workers fetch, and how exactly do they keep a host's peace?"""

from __future__ import annotations

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bench.cluster.runs import Costs, SiteProcess, WrongResult, check, crawl, steady
from bench.cluster.site import Exchange
from crawler.storage.cluster.private import PrivateServer

SCHEDULING_SECONDS = 0.1
"""How long a busy machine may keep a process waiting between a decision and what is measured."""


class Shape(NamedTuple):
    """One crawl at which workers are compared: pages for one worker, and for all of them."""

    title: str
    hosts: int
    pages: tuple[int, int]
    workers: int
    settings: tuple[str, ...]


SPREAD = Shape("64 hosts that answer after 50 ms, CONCURRENT_REQUESTS=4", 64, (20, 100), 8, ("CONCURRENT_REQUESTS=4",))
ONE_HOST = Shape(
    "one host that answers after 50 ms, CONCURRENT_REQUESTS=16, 64 per host",
    1,
    (4_000, 12_000),
    4,
    ("CONCURRENT_REQUESTS=16", "CONCURRENT_REQUESTS_PER_DOMAIN=64"),
)


class Run(NamedTuple):
    """What a crawl came to."""

    rate: float
    pages: int
    costs: Costs
    site: float


def run(shape: Shape, workers: int, pages: int, folder: Path) -> Run:
    """Crawl the site of a shape once, on a fresh server."""
    out = folder / "items.jsonl"
    with (
        PrivateServer(folder / f"server{workers}") as server,
        SiteProcess(hosts=shape.hosts, pages=pages, seconds=0.05) as site,
    ):
        options = ("-a", f"hosts={shape.hosts}", "-a", f"port={site.port}")
        costs = crawl(*options, out=out, server=server, workers=workers, settings=shape.settings)
    check(out, site)
    return Run(steady(site.log, workers), len(site.log), costs, site.cpu)


def compare(shape: Shape, rounds: int) -> Iterator[str]:
    """Yield the lines of a table: one worker beside many, round by round."""
    yield f"{shape.title}\n"
    yield "| workers | pages/s | CPU µs/page: starter and workers | server | site | largest process MB | server MB |"
    yield "|---:|---:|---:|---:|---:|---:|---:|"
    pairs: list[tuple[Run, Run]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            one, many = (
                run(shape, workers, pages, Path(folder))
                for workers, pages in zip((1, shape.workers), shape.pages, strict=True)
            )
        pairs.append((one, many))
        yield from (row(workers, each) for workers, each in ((1, one), (shape.workers, many)))
    ratio = statistics.median(many.rate / one.rate for one, many in pairs)
    share = ratio / shape.workers
    yield f"\nmedian of {rounds}: {ratio:.2f} times one worker; {share:.2f} of {shape.workers} (0.85 is wanted)"


def row(workers: int, run: Run) -> str:
    """Return a line of the table."""
    each = [seconds / run.pages * 1e6 for seconds in (run.costs.workers, run.costs.server, run.site)]
    figures = " | ".join(f"{figure:,.0f}" for figure in (*each, run.costs.process_mb, run.costs.server_mb))
    return f"| {workers} | {run.rate:,.0f} | {figures} |"


def peace(*, hosts: int, pages: int, delay: float, workers: int, at_most: float | None) -> Iterator[str]:
    """Crawl many hosts with a delay; yield what came of it. Raises WrongResult for a gap that is too short."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "items.jsonl"
        with (
            PrivateServer(Path(folder) / "server") as server,
            SiteProcess(hosts=hosts, pages=pages - 1, seconds=0.0, close=True) as site,
        ):
            options = ("-a", f"hosts={hosts}", "-a", f"port={site.port}")
            settings = (f"DOWNLOAD_DELAY={delay}", "CONCURRENT_REQUESTS=64")
            costs = crawl(*options, out=out, server=server, workers=workers, settings=settings)
        check(out, site)
    seconds = max(exchange.sent for exchange in site.log) - min(exchange.sent for exchange in site.log)
    count = len(site.log)
    sent, seen = gaps(site.log, "sent"), gaps(site.log, "asked")
    yield f"{hosts:,} hosts of {pages} pages, a delay of {delay:g} s, {workers} workers"
    yield f"{count:,} pages, each once, in {seconds:.1f} s: {count / seconds:,.0f} pages/s"
    for title, found in (("as they were sent", sent), ("as the site saw them", seen)):
        short = sum(gap < delay - 0.001 for gap in found)
        yield (
            f"gaps {title}: shortest {found[0]:.3f} s, median {found[len(found) // 2]:.3f} s; "
            f"{short} of {len(found):,} shorter than the delay by more than 1 ms"
        )
    late = sorted(exchange.asked - exchange.sent for exchange in site.log)
    yield f"from the decision to the site: median {late[count // 2] * 1e3:.1f} ms, at most {late[-1] * 1e3:.0f} ms"
    changed = hand_overs(site.log)
    yield f"{len(changed):,} times another worker asked next: shortest gap {min(changed, default=0.0):.3f} s"
    yield f"largest process {costs.process_mb:.0f} MB, server {costs.server_mb:.0f} MB"
    yield f"CPU: starter and workers {costs.workers:.1f} s, server {costs.server:.1f} s, site {site.cpu:.1f} s"
    if sent[0] < delay - SCHEDULING_SECONDS:
        raise WrongResult("a host was asked too soon")
    if at_most is not None:
        least = (pages - 1) * delay
        yield f"the delay sets {least:.1f} s: {seconds / least:.2f} times that ({at_most} is wanted at most)"


def gaps(log: Sequence[Exchange], when: str) -> list[float]:
    """Return the seconds between each two requests to a host that follow each other, the shortest first."""
    times: dict[str, list[float]] = defaultdict(list)
    for exchange in log:
        times[exchange.host].append(getattr(exchange, when))
    return sorted(after - before for each in times.values() for before, after in pairwise(sorted(each)))


def hand_overs(log: Sequence[Exchange]) -> list[float]:
    """Return the seconds between two requests to a host that follow each other and come from two workers."""
    hosts: dict[str, list[Exchange]] = defaultdict(list)
    for exchange in log:
        hosts[exchange.host].append(exchange)
    ordered = (sorted(each, key=lambda exchange: exchange.sent) for each in hosts.values())
    return [two.sent - one.sent for each in ordered for one, two in pairwise(each) if one.worker != two.worker]
