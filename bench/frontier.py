"""How fast do queued URLs go in and out, and in how much memory?

Queues N URLs over M hosts in a durable job, opens the job again as a resume does, and takes some of
them; beside it Scrapy's scheduler with its disk queue, if a Python that has Scrapy is named:

    python -m bench.frontier --urls 5000000 --hosts 1000 --peer /path/to/python

Each part runs in a process of its own, whose peak memory is printed. Nothing is fetched: what is timed
is the frontier, the store and the making of the requests.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

COMMIT = 5000
"""New URLs in one commit: what a group of 256 pages with some twenty new links each brings."""

LIMITS = {"new": 400, "take": 400, "resume": 400}
"""Megabytes of peak memory that the durable parts may take."""


def url(number: int, hosts: int) -> str:
    """Return one of the URLs: its host and its place there."""
    return f"http://www.host-{number % hosts}.example/catalogue/section-{number // 7919}/page-{number}.html"


def report(name: str, count: int, seconds: float, **more: Any) -> None:
    """Print one measurement as a line of JSON for the parent process."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    rate = round(count / seconds) if seconds else 0
    print(
        json.dumps(
            {"name": name, "count": count, "seconds": round(seconds, 2), "per_second": rate, "peak_mb": peak, **more}
        )
    )


# Ours


class Loop:
    """Stands for the reactor: carries out what the store's thread hands over, while we wait."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def callFromThread(self, function: Callable[..., Any], *arguments: Any) -> None:  # noqa: N802  # Twisted's name
        self._calls.put((function, arguments))

    def wait(self, deferred: Any) -> Any:
        """Return a Deferred's result, or raise its error."""
        results: list[Any] = []
        deferred.addBoth(results.append)
        while not results:
            function, arguments = self._calls.get()
            function(*arguments)
        if hasattr(results[0], "raiseException"):
            results[0].raiseException()
        return results[0]


class Spider:
    """Has the callback that requests name."""

    def parse(self, response: Any) -> None:
        """Never called: nothing is fetched."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Open the job and a frontier over it; yields loop, store, frontier and what was found."""
    from crawler.frontier.frontier import Frontier, HostLimits, LimitsByHost
    from crawler.storage.codec import Codec
    from crawler.storage.sqlite import SQLiteStore

    loop = Loop()
    store = SQLiteStore(path, reactor=loop, codec=Codec(Spider()))
    frontier = Frontier(
        window=store.window, limits=LimitsByHost(HostLimits(8, 0.0, True)), random=random.random, robots=False
    )
    resumed = loop.wait(store.open())
    for host, count in resumed.queued.items():
        frontier.stored(host, count)
    yield loop, store, frontier, resumed
    loop.wait(store.finish(ended=False, reason="bench"))


def enqueue(path: Path, urls: int, hosts: int) -> None:
    """Queue new URLs as results of start(), in commits of COMMIT."""
    from crawler.frontier.store import START, Finished, Offer
    from crawler.model.request import Request
    from crawler.model.url import fingerprint

    with opened(path) as (loop, store, frontier, _):
        began = time.perf_counter()
        for first in range(0, urls, COMMIT):
            offers = []
            for number in range(first, min(first + COMMIT, urls)):
                request = Request(url(number, hosts), meta={"depth": 1})
                offers.append(Offer(request, fingerprint(request), request.host, request.origin, True, ""))
            [answer] = loop.wait(store.commit([Finished(START, children=offers)]))
            for entry in answer.admitted:
                frontier.add(entry, 0.0)
        seconds = time.perf_counter() - began
        assert len(frontier) == urls, frontier
        report("enqueue, durable", urls, seconds, in_memory=frontier.queued_in_memory)


def take(path: Path, takes: int) -> None:
    """Open the job again and take many, finishing none: what Scrapy's scheduler does in next_request()."""
    with opened(path) as (loop, store, frontier, _):
        began = time.perf_counter()
        taken = 0
        while taken < takes:
            entry = frontier.take(0.0)
            if entry is not None:
                taken += 1
                frontier.release(entry, 0.0)
                frontier.done(entry)
            if (entry is None or taken % 256 == 0) and not refill(loop, store, frontier) and entry is None:
                break
        report("lease and take, durable", taken, time.perf_counter() - began, in_memory=frontier.queued_in_memory)


def resume(path: Path, takes: int) -> None:
    """Open the job again; time the first request, then take and finish many."""
    from crawler.frontier.store import Finished

    began = time.perf_counter()
    with opened(path) as (loop, store, frontier, _):
        queued = len(frontier)
        taken = 0
        finished: list[Any] = []
        while taken < takes:
            entry = frontier.take(0.0)
            if entry is None:
                if not refill(loop, store, frontier):
                    break
                continue
            if taken == 0:
                report("resume to first request", 1, time.perf_counter() - began, queued=queued)
                began = time.perf_counter()
            taken += 1
            frontier.release(entry, 0.0)
            finished.append(entry)
            if len(finished) == 256:
                loop.wait(store.commit([Finished(each.token) for each in finished]))
                for each in finished:
                    frontier.done(each)
                finished.clear()
                refill(loop, store, frontier)
        report("take and finish, durable", taken, time.perf_counter() - began, in_memory=frontier.queued_in_memory)


def refill(loop: Loop, store: Any, frontier: Any) -> bool:
    """Lease what the frontier needs, all hosts at once as the engine does."""
    asked = [(host, store.lease(host, count, after)) for host, count, after in frontier.needs()]
    for host, leased in asked:
        frontier.refill(host, loop.wait(leased), 0.0)
    return bool(asked)


def many_hosts(hosts: int) -> None:
    """Time single takes with so many hosts queued, with a delay and without."""
    from crawler.frontier.frontier import Frontier, HostLimits, LimitsByHost
    from crawler.frontier.host import Entry
    from crawler.model.request import Request

    for delay in (0.0, 1.0):
        frontier = Frontier(
            window=None,
            limits=LimitsByHost(HostLimits(8, delay, True)),
            random=random.Random(1).random,
            robots=False,
        )
        for number in range(hosts * 5):
            request = Request(url(number, hosts))
            entry = Entry(request, token=number + 1, order=number + 1, host=request.host, origin=request.origin)
            frontier.add(entry, 0.0)
        times = []
        now = 0.0
        while len(frontier):
            began = time.perf_counter()
            taken = frontier.take(now)
            times.append(time.perf_counter() - began)
            if taken is None:
                now = max(now, frontier.next_time() or 0.0)
            else:
                frontier.release(taken, now)
        times.sort()
        report(
            f"take, {hosts} hosts, delay {delay:g} s", len(times), sum(times),
            median_us=round(times[len(times) // 2] * 1e6, 1), p99_us=round(times[len(times) * 99 // 100] * 1e6, 1),
        )  # fmt: skip


# Scrapy's scheduler, run by the peer's Python


def peer(folder: Path, urls: int, hosts: int, takes: int) -> None:
    """Queue and take with Scrapy's scheduler, its disk queue and its duplicate filter."""
    from scrapy import Request, Spider
    from scrapy.core.scheduler import Scheduler
    from scrapy.utils.test import get_crawler

    class Sample(Spider):
        name = "sample"

    def scheduler() -> Any:
        crawler = get_crawler(Sample, {"JOBDIR": str(folder), "LOG_ENABLED": False})
        crawler.spider = crawler._create_spider()
        crawler.engine = type(
            "Engine", (), {"downloader": type("D", (), {"slots": {}, "get_slot_key": lambda s, r: ""})()}
        )()
        made = Scheduler.from_crawler(crawler)
        made.open(crawler.spider)
        return made, crawler.spider

    queue_, spider = scheduler()
    began = time.perf_counter()
    for number in range(urls):
        queue_.enqueue_request(Request(url(number, hosts), callback=spider.parse, meta={"depth": 1}))
    report("enqueue, Scrapy disk queue", urls, time.perf_counter() - began)
    queue_.close("shutdown")
    began = time.perf_counter()
    queue_, _ = scheduler()
    queue_.next_request()
    report("resume to first request, Scrapy", 1, time.perf_counter() - began)
    began = time.perf_counter()
    taken = 1
    while taken < takes and queue_.next_request() is not None:
        taken += 1
    report("take, Scrapy disk queue", taken, time.perf_counter() - began)
    queue_.close("shutdown")


def run_part(python: str, part: str, folder: str, options: argparse.Namespace) -> None:
    """Run one part in a process of its own and print its lines."""
    command = [python, __file__, "--part", part, "--folder", folder]
    command += ["--urls", str(options.urls), "--hosts", str(options.hosts), "--takes", str(options.takes)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])} if part != "peer" else dict(os.environ)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    shown = ("name", "count", "seconds", "per_second", "peak_mb")
    for row in map(json.loads, done.stdout.splitlines()):
        extra = {key: value for key, value in row.items() if key not in shown}
        print(
            f"{row['name']:<36}{row['count']:>10,}{row['seconds']:>10.2f} s{row['per_second']:>10,}/s"
            f"{row['peak_mb']:>7} MB  {' '.join(f'{key}={value}' for key, value in extra.items())}",
            flush=True,
        )
        if part in LIMITS and row["peak_mb"] > LIMITS[part]:
            sys.exit(f"{row['name']}: peak memory is above {LIMITS[part]} MB")


def main() -> None:
    """Run all parts, or the one that a parent process asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, default=5_000_000)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--takes", type=int, default=200_000)
    parser.add_argument("--peer", help="a Python interpreter that has Scrapy")
    parser.add_argument("--part", choices=["new", "take", "resume", "hosts", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part is None:
        with tempfile.TemporaryDirectory() as folder:
            for part in ("new", "take", "resume", "hosts"):
                run_part(sys.executable, part, folder, options)
            if options.peer:
                run_part(options.peer, "peer", folder, options)
        return
    path = options.folder / "bench.sqlite"
    if options.part == "new":
        enqueue(path, options.urls, options.hosts)
    elif options.part == "take":
        take(path, options.takes)
    elif options.part == "resume":
        resume(path, options.takes)
    elif options.part == "hosts":
        many_hosts(20_000)
    else:
        peer(options.folder / "scrapy", options.urls, options.hosts, options.takes)


if __name__ == "__main__":
    main()
