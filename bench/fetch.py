"""How many pages a second does the downloader fetch, and what does a fetch cost in CPU?

Serves 5 kB pages by nginx on loopback and fetches them, 16 at a time over kept connections, with our
downloader, its IAgent, Twisted's Agent and treq in turn. The figures of a run are for comparing with one
another: "CPU" is this process's, per fetch, and "best" the cheapest slice of 500 fetches, which other load
on the machine disturbs least. Where wrk is installed, its rate (a client in C, on a CPU of its own) is what
nginx gives at that moment, and the last column is each way's share of it.

    python -m bench.fetch [--fetches 20000] [--reactor asyncio|epoll] [--only fast]
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.nginx import Nginx

PAGE = 5_000
SLICE = 500


class Race:
    """One way of fetching, ``fetches`` times, ``at_once`` at a time."""

    def __init__(self, reactor: Any, fetch: Callable[[], Any], fetches: int, at_once: int) -> None:
        self._reactor = reactor
        self._fetch = fetch
        self._left = fetches
        self._fetches = fetches
        self._at_once = at_once
        self._done = 0
        self._marks: list[float] = []

    def run(self) -> tuple[float, float, float]:
        """Return fetches a second, CPU and least CPU per fetch in microseconds."""
        self._reactor.callLater(0, self._start)
        begun, used = time.perf_counter(), time.process_time()
        while self._done < self._fetches:
            self._reactor.turn()
        wall, cpu = time.perf_counter() - begun, time.process_time() - used
        slices = [(after - before) / SLICE for before, after in zip(self._marks, self._marks[1:], strict=False)]
        return self._fetches / wall, cpu / self._fetches * 1e6, min(slices, default=0.0) * 1e6

    def _start(self) -> None:
        for _ in range(self._at_once):
            self._next()

    def _next(self) -> None:
        if self._left:
            self._left -= 1
            self._fetch().addCallbacks(self._got, self._failed)

    def _got(self, body: bytes) -> None:
        assert len(body) == PAGE, len(body)
        self._done += 1
        if self._done % SLICE == 0:
            self._marks.append(time.process_time())
        self._next()

    def _failed(self, failure: Any) -> None:
        failure.printTraceback()
        sys.exit(1)


def ways(reactor: Any, url: str) -> dict[str, Callable[[], Any]]:
    """Return what is compared: functions that fetch the page and fire with its body."""
    import treq
    from treq.client import HTTPClient
    from twisted.web.client import Agent, HTTPConnectionPool, readBody

    from crawler.assembly.world import real_world
    from crawler.config.schema import CoreSettings
    from crawler.download.agent.agent import FastAgent
    from crawler.download.edge import Edge
    from crawler.download.http import FastDownloader
    from crawler.model.request import Request

    settings = CoreSettings()
    headers = {**settings.DEFAULT_REQUEST_HEADERS, "User-Agent": settings.USER_AGENT}
    downloader = FastDownloader(settings, reactor=reactor)
    pool = HTTPConnectionPool(reactor)
    pool.maxPersistentPerHost = 16
    theirs = Agent(reactor, pool=pool)
    ours = FastAgent(downloader)
    request = Request(url, headers=headers)

    def by_treq(agent: Any) -> Callable[[], Any]:
        client = HTTPClient(agent)
        return lambda: client.get(url, headers=headers, reactor=reactor).addCallback(treq.content)

    def assembled(**off: Any) -> Callable[[], Any]:
        edge = Edge(CoreSettings(**off), real_world(reactor), make=lambda each: each)
        return lambda: edge.fetch(Request(url)).addCallback(lambda response: response.body)

    return {
        "fast": lambda: downloader.fetch(request).addCallback(lambda response: response.body),
        "all middlewares": assembled(),
        "all, parts off": assembled(HTTP2_ENABLED=False, HTTPPROXY_ENABLED=False, DNS_CACHE_SIZE=0),
        "fast, as IAgent": lambda: ours.request(b"GET", url.encode()).addCallback(readBody),
        "treq over fast": by_treq(ours),
        "Twisted's Agent": lambda: theirs.request(b"GET", url.encode()).addCallback(readBody),
        "treq": by_treq(theirs),
    }


def measure_server(url: str, at_once: int) -> float:
    """Return the pages a second that nginx gives wrk; 0.0 without wrk."""
    program = shutil.which("wrk")
    if program is None:
        return 0.0
    command = [program, "-t1", f"-c{at_once}", "-d3s", url]
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout
    return float(said.partition("Requests/sec:")[2].split()[0])


def make_reactor(kind: str) -> Any:
    """Make a reactor and give it ``turn()``."""
    if kind == "epoll":
        from twisted.internet.epollreactor import EPollReactor

        reactor: Any = EPollReactor()
        reactor.turn = lambda: reactor.iterate(0.5)
        return reactor
    import asyncio

    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

    loop = asyncio.new_event_loop()
    reactor = AsyncioSelectorReactor(loop)
    reactor.turn = lambda: (loop.call_later(0.05, loop.stop), loop.run_forever())
    return reactor


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--fetches", type=int, default=20_000)
    parser.add_argument("--at-once", type=int, default=16)
    parser.add_argument("--reactor", choices=["asyncio", "epoll"], default="asyncio")
    parser.add_argument("--only")
    options = parser.parse_args()
    reactor = make_reactor(options.reactor)
    # Twisted's Agent wants the thread pool of a running reactor.
    reactor.startRunning(installSignalHandlers=False)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "page.html").write_bytes((b"<p>A page of five kilobytes.</p>\n" * 200)[:PAGE])
        try:
            with Nginx(folder) as server:
                compare(reactor, f"{server.url}page.html", options)
        finally:
            reactor.fireSystemEvent("shutdown")


def compare(reactor: Any, url: str, options: argparse.Namespace) -> None:
    """Race each way and print its line."""
    given = measure_server(url, options.at_once)
    print(f"{'':18}{'fetches/s':>10}{'CPU µs':>9}{'best µs':>9}{'share':>7}   ({options.reactor} reactor)")
    if given:
        print(f"{'nginx, by wrk':18}{given:10,.0f}")
    for title, fetch in ways(reactor, url).items():
        if options.only in (None, title):
            rate, cpu, best = Race(reactor, fetch, options.fetches, options.at_once).run()
            share = f"{rate / given:7.2f}" if given else ""
            print(f"{title:18}{rate:10,.0f}{cpu:9.1f}{best:9.1f}{share}", flush=True)


if __name__ == "__main__":
    main()
