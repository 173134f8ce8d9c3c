"""What does the server of a crawl do for a page, and what does it keep for a URL?

    python -m bench.cluster_costs                     # server time of commits and takes
    python -m bench.cluster_costs --urls 5000000      # memory of queued and of seen URLs, rates

One worker calls a private server as the store does; times are the server's own (INFO commandstats). The payload of a
row is of the size of a plain request's.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from crawler.storage.cluster.calls import Calls
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.library import load
from crawler.storage.cluster.private import PrivateServer
from crawler.storage.cluster.wire import Child, Finish, Reply, Turn

KEY = "bench:costs"
HOSTS = 50
PAYLOAD = b"\xa5" * 120
ITEM = b"i" * 300
GROUP = 16
AT_ONCE = 2_000
_ODD = 0x9E3779B97F4A7C15


class Worker:
    """A worker that makes numbered calls, and numbers of children that are new."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._calls = Calls(connection, KEY, "0" * 32, "bench", lease=3600.0)
        self._calls.join()
        self._number = 0
        self.made = 0
        self.hosts: set[str] = set()
        self._choice = random.Random(1)

    def turn(self, turn: Turn) -> Reply:
        """Make a call; what it grants is held from now on, alone."""
        self._number += 1
        reply = self._calls.turn(self._number, turn)
        self.hosts.update(grant.host for grant in reply.grants)
        return reply

    def new(self, count: int, hosts: int = HOSTS) -> list[Child]:
        """Return children that were never seen."""
        first = self.made
        self.made += count
        return [_child(number, hosts) for number in range(first, first + count)]

    def old(self, count: int) -> list[Child]:
        """Return children that were seen."""
        return [_child(self._choice.randrange(self.made), HOSTS) for _ in range(count)]

    def begin(self, rows: int, hosts: int = HOSTS) -> None:
        """Be the owner of start(), let it bring so many rows, and take hold of their hosts."""
        if self.turn(Turn(room=1)).begin is None:
            raise RuntimeError("start() was not given to the only worker")
        for first in range(0, rows, AT_ONCE):
            count = min(AT_ONCE, rows - first)
            self.turn(Turn(finishes=[Finish(-1, count=first + count, children=self.new(count, hosts))]))
        self.hold(hosts)

    def hold(self, hosts: int) -> None:
        """Take hold of all hosts."""
        until = time.monotonic() + 10
        while len(self.hosts) < hosts and time.monotonic() < until:
            self.turn(Turn(room=hosts))

    def take(self, host: str, count: int) -> list[int]:
        """Take rows; return their tokens."""
        return [row.token for row in self.turn(Turn(takes=[(host, count)])).takes[0]]

    def server_seconds(self) -> float:
        """Return the time that the server has spent on calls of the library."""
        said = self._connection.command("INFO", "commandstats").decode()
        (line,) = [line for line in said.splitlines() if line.startswith("cmdstat_fcall:")]
        return int(line.partition("usec=")[2].partition(",")[0]) / 1e6

    def memory(self) -> int:
        """Return the bytes that the server has allocated."""
        said = self._connection.command("INFO", "memory").decode()
        (line,) = [line for line in said.splitlines() if line.startswith("used_memory:")]
        return int(line.partition(":")[2])


def _child(number: int, hosts: int) -> Child:
    fingerprint = number * _ODD % 2**64 - 2**63
    return Child(fingerprint, True, f"host{number % hosts}.example", 0, PAYLOAD)


def timed(worker: Worker, times: int, call: Callable[[], object]) -> float:
    """Return the server's microseconds for one call."""
    before = worker.server_seconds()
    for _ in range(times):
        call()
    return (worker.server_seconds() - before) / times * 1e6


def costs(worker: Worker) -> Iterator[str]:
    """Yield the lines of a table: what the server does for groups of pages."""
    worker.begin(40_000)
    hosts = sorted(worker.hosts)
    turns = iter(range(10**9))

    def host() -> str:
        return hosts[next(turns) % len(hosts)]

    yield f"payload {len(PAYLOAD)} B, an item of {len(ITEM)} B a page, groups of {GROUP} pages\n"
    yield "| | µs of server time a call | a page |"
    yield "|---|---:|---:|"
    yield f"| an empty call | {timed(worker, 300, lambda: worker.turn(Turn())):,.0f} | |"
    taken: list[int] = []
    take = timed(worker, 200, lambda: taken.extend(worker.take(host(), GROUP)))
    yield f"| take {GROUP} rows | {take:,.0f} | {take / GROUP:,.0f} |"
    kinds: list[tuple[str, Callable[[], list[Child]]]] = [
        ("without links", list),
        ("10 new links each", lambda: worker.new(10)),
        ("100 known links each", lambda: worker.old(100)),
        ("99 known links and a new one", lambda: worker.old(99) + worker.new(1)),
        ("100 new links each", lambda: worker.new(100)),
    ]
    for title, children in kinds:

        def commit(children: Callable[[], list[Child]] = children) -> None:
            tokens = [taken.pop() for _ in range(GROUP)]
            worker.turn(Turn(finishes=[Finish(token, children=children(), items=[ITEM]) for token in tokens]))

        each = timed(worker, 25, commit)
        page = (each + take) / GROUP
        yield f"| commit {GROUP}: {title} | {each:,.0f} | {page:,.0f} with its take: {1e6 / page:,.0f} pages/s |"


def memory(worker: Worker, urls: int) -> Iterator[str]:
    """Yield what so many queued URLs cost, and what is left of them when they are done."""
    hosts = 1_000
    empty = worker.memory()
    began, server = time.perf_counter(), worker.server_seconds()
    worker.begin(urls, hosts)
    full = worker.memory()
    seconds, spent = time.perf_counter() - began, worker.server_seconds() - server
    yield f"{urls:,} URLs of {hosts:,} hosts, payload {len(PAYLOAD)} B"
    yield f"queued and seen: {(full - empty) / urls:.1f} B each, of which {len(PAYLOAD)} B are the payload"
    yield f"enqueued: {urls / seconds:,.0f} a second; of the server's own time, {urls / spent:,.0f} a second"
    began, server, done = time.perf_counter(), worker.server_seconds(), 0
    for host in sorted(worker.hosts):
        while tokens := worker.take(host, 100):
            worker.turn(Turn(finishes=[Finish(token) for token in tokens]))
            done += len(tokens)
    seconds, spent = time.perf_counter() - began, worker.server_seconds() - server
    yield f"taken and ended: {done / seconds:,.0f} a second; of the server's own time, {done / spent:,.0f} a second"
    yield f"seen alone: {(worker.memory() - empty) / urls:.1f} B each ({done:,} of {urls:,} were done)"


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--urls", type=int, help="measure memory with so many URLs")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, PrivateServer(Path(folder) / "server") as server:
        connection = Connection(server.address)
        connection.open()
        load(connection)
        worker = Worker(connection)
        for line in memory(worker, wanted.urls) if wanted.urls else costs(worker):
            print(line, flush=True)
        connection.close()


if __name__ == "__main__":
    main()
