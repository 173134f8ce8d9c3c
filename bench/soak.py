"""Does a crawl stay as it is for 200,000 requests with every fault mixed in?

    python -m bench.soak                     # 200,000 requests, some minutes
    python -m bench.soak --requests 20000

Crawls the site of bench/chaos_site.py (a process of its own, eight hosts of the loopback) through the whole
engine, in memory, with robots.txt, cookies, duplicates, redirects, retries and a feed. Each page must come
to what its kind says, with its own body. Memory, slots, connections and files are printed as the crawl
goes; in the end all must be free and the memory flat, or the program ends with status 1.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from bench.chaos_site import HOSTS, KINDS, MAX_BODY, PAGES_PER_LIST, first_list, kind_of, page
from crawler import Request, Response, Spider, Summary
from crawler.assembly import PreparedCrawl, prepare, real_world
from crawler.config.settings import Settings
from crawler.download.http import FastDownloader

ROOT = Path(__file__).parents[1]
SAMPLES = 20
# The memory at the end may be so much above that of the first quarter, besides 40 bytes for each URL seen.
SLACK = 8_000_000
SETTINGS: dict[str, Any] = {
    "JOB_STORE": None,
    "CONCURRENT_REQUESTS": 64,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    "DOWNLOAD_MAXSIZE": MAX_BODY,
    "DOWNLOAD_READ_TIMEOUT": 1.0,
    "DOWNLOAD_TIMEOUT": 3.0,
    "RETRY_TIMES": 1,
    "RETRY_BACKOFF": 0.05,
    # A real site in this state is to be left alone for a while; here that would take a day.
    "THROTTLE_ENABLED": False,
    "LOGSTATS_INTERVAL": 0,
}


class Soak(Spider):
    """Follows every list until so many requests have been sent, and notes what each page came to."""

    name = "soak"
    port = 0
    requests = 0
    outcomes: ClassVar[Counter[tuple[str, str]]] = Counter()
    wrong: ClassVar[list[str]] = []

    async def start(self) -> AsyncIterator[Request]:
        """Begin on every host."""
        for host in range(len(HOSTS)):
            yield Request(first_list(host, self.port), callback=self.parse, priority=-10)

    def parse(self, response: Response) -> Iterator[Request]:
        """Follow a list."""
        links = [link.attrib["href"] for link in response.css("a")]
        for link in links[:PAGES_PER_LIST]:
            number = int(link.rpartition("/")[2])
            yield response.follow(link, self.parse_page, errback=self.note, cb_kwargs={"number": number})
        if self.stats.get_value("downloader/request_count", 0) < self.requests:
            yield response.follow(links[-1], self.parse, priority=-10)

    def parse_page(self, response: Response, number: int) -> Iterator[dict[str, Any]]:
        """Check a page and make an item of it."""
        self.outcomes[kind_of(number), "page"] += 1
        if response.body != page(number):
            self.wrong.append(f"page {number} ({kind_of(number)}) came as {response.body[:60]!r}")
        yield {"number": number, "title": response.css("title::text").get()}

    def note(self, failure: Any) -> None:
        """Note an error."""
        number = failure.request.cb_kwargs["number"]
        self.outcomes[kind_of(number), type(failure.value).__name__] += 1


class Sample(NamedTuple):
    """The state of a crawl: bytes of memory, things in use."""

    requests: int
    seconds: float
    memory: int
    in_flight: int
    queued: int
    connections: int
    files: int

    def __str__(self) -> str:
        rate = self.requests / self.seconds if self.seconds else 0
        return (
            f"{self.requests:9,}{self.seconds:8.1f}{rate:8,.0f}{self.memory / 1e6:9.1f}"
            f"{self.in_flight:7}{self.queued:8,}{self.connections:8}{self.files:7}"
        )


HEADING = " requests       s   req/s  MB RSS  slots  queued   conns  files"


class Watch:
    """Takes a sample after each twentieth of the crawl, and prints it."""

    def __init__(self, crawl: PreparedCrawl, downloader: FastDownloader, reactor: Any, requests: int) -> None:
        self.samples: list[Sample] = []
        self._crawl = crawl
        self._downloader = downloader
        self._reactor = reactor
        self._step = max(requests // SAMPLES, 1)
        self._began = time.perf_counter()
        self._call: Any = reactor.callLater(0, self._look)

    def take(self) -> Sample:
        """Return the state now."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return Sample(
            requests=self._crawl.stats.get_value("downloader/request_count", 0),
            seconds=time.perf_counter() - self._began,
            memory=pages * os.sysconf("SC_PAGE_SIZE"),
            in_flight=self._crawl.in_flight,
            queued=self._crawl.queued,
            connections=len(self._downloader.pool._connections),
            files=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - the folder of an open process
        )

    def _look(self) -> None:
        self._call = self._reactor.callLater(0.1, self._look)
        sent = self._crawl.stats.get_value("downloader/request_count", 0)
        if sent >= self._step * (len(self.samples) + 1):
            self.samples.append(self.take())
            print(self.samples[-1], flush=True)

    def stop(self) -> None:
        """Leave nothing in the reactor."""
        self._call.cancel()


def problems(summary: Summary, watch: Watch, last: Sample, lines: int, files: int) -> Iterator[str]:
    """Yield a sentence for each thing that is not as it should be."""
    yield from Soak.wrong[:10]
    for (kind, outcome), count in sorted(Soak.outcomes.items()):
        if outcome != KINDS[kind].outcome:
            yield f"{count} pages of the kind {kind!r} came to {outcome}, not to {KINDS[kind].outcome}"
    pages = sum(Soak.outcomes.values())
    accepted = summary.stats.get("scheduler/enqueued", 0)
    if summary.reason != "finished" or summary.problems:
        yield f"the crawl ended as {summary.reason!r}: {summary.problems}"
    if pages % PAGES_PER_LIST:
        yield f"{pages} pages were heard of, which are no whole lists of {PAGES_PER_LIST} ({accepted} accepted)"
    if not lines == summary.items == sum(count for (_, outcome), count in Soak.outcomes.items() if outcome == "page"):
        yield f"{lines} lines in the feed for {summary.items} items"
    if last.in_flight or last.queued or last.connections:
        yield f"left at the end: {last}"
    if last.files > files:
        yield f"{last.files} files are open, {files} were before the crawl"
    most = max((sample.in_flight for sample in watch.samples), default=0)
    if most > SETTINGS["CONCURRENT_REQUESTS"]:
        yield f"{most} requests were in flight at once"
    settled = watch.samples[SAMPLES // 4 :]
    if settled:
        grown = settled[-1].memory - settled[0].memory
        allowed = SLACK + 40 * (settled[-1].requests - settled[0].requests)
        if grown > allowed:
            yield f"memory grew by {grown / 1e6:.1f} MB since the first quarter, {allowed / 1e6:.1f} are allowed"


def run(port: int, requests: int, folder: Path) -> int:
    """Crawl, print what came of it, return the exit status."""
    from twisted.internet import asyncioreactor

    asyncioreactor.install()
    from twisted.internet import reactor

    real: Any = reactor
    feed = folder / "items.jsonl"
    settings = {**SETTINGS, "FEEDS": {str(feed): {"format": "jsonlines"}}}
    Soak.port, Soak.requests = port, requests
    status = 1

    async def crawl() -> None:
        nonlocal status
        files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - as above
        downloader = FastDownloader(Settings.load(None, Soak, script=settings).core, reactor=real)
        world = real_world(real)
        world.downloader = downloader
        prepared = prepare(Soak, settings, world=world)
        watch = Watch(prepared, downloader, real, requests)
        try:
            summary = await prepared.run()
        finally:
            watch.stop()
        gc.collect()
        last = watch.take()
        print(last)
        report(summary, last)
        # One more for the files: the listing's own.
        found = list(problems(summary, watch, last, len(feed.read_bytes().splitlines()), files + 1))
        print("\n".join(found) if found else "Every page came to what it must; nothing is left; memory is flat.")
        status = 1 if found else 0

    def begin() -> None:
        from twisted.internet.defer import Deferred

        Deferred.fromCoroutine(crawl()).addErrback(lambda failure: failure.printTraceback()).addBoth(
            lambda _: real.stop()
        )

    print(HEADING)
    real.callWhenRunning(begin)
    real.run()
    return status


def report(summary: Summary, last: Sample) -> None:
    """Print what the crawl counted."""
    stats = summary.stats
    shown = dict.fromkeys(("page", *sorted({kind.outcome for kind in KINDS.values()} - {"page"})), 0)
    for (_, outcome), count in Soak.outcomes.items():
        shown[outcome] = shown.get(outcome, 0) + count
    print(f"\n{last.requests:,} requests in {summary.seconds:.1f} s: {last.requests / summary.seconds:,.0f} a second")
    print(f"accepted {stats.get('scheduler/enqueued', 0):,}, retries {stats.get('retry/count', 0):,}, books balanced")
    print(", ".join(f"{outcome} {count:,}" for outcome, count in shown.items()))


@contextlib.contextmanager
def chaos_site() -> Iterator[int]:
    """Run the site; the block gets its port."""
    command = [sys.executable, "-m", "bench.chaos_site"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.terminate()


def main() -> None:
    """Run the soak."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=200_000)
    options = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder, chaos_site() as port:
        status = run(port, options.requests, Path(folder))
    sys.exit(status)


if __name__ == "__main__":
    main()
