"""What does it cost to look at a crawl of very many hosts?

    python -m bench.many_hosts                  # 20,000 hosts with three requests each
    python -m bench.many_hosts --hosts 100000

The hosts are queues of a real frontier, of which nothing is sent; what is timed is what the status page asks of the
board. Every figure is the processor time of one call, the longest of some, in which the reactor does nothing else.
Printed, nothing is asserted.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from crawler.assembly.rules import slot_key
from crawler.events import Events, RequestScheduled, ResponseReceived
from crawler.frontier.frontier import Frontier, LimitsByHost
from crawler.frontier.host import Entry, HostLimits, HostQueue
from crawler.frontier.hosts import Hosts
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.observe.board.board import Board, Described
from crawler.observe.board.source import SORTS
from crawler.resident import resident_bytes
from crawler.stats import Stats


class Standing:
    """A crawl that stands still, with all it has queued (observe/board/seen.py)."""

    state, in_flight, full, commits = "running", 0, False, (0, 0.0)

    def __init__(self, frontier: Frontier) -> None:
        self._frontier = frontier
        self.hosts: Hosts = frontier.queues

    @property
    def queued(self) -> int:
        """How many requests wait."""
        return len(self._frontier)

    host_of = staticmethod(slot_key)

    def slowed(self, host: str) -> bool:
        """Tell whether the throttle slows a host down."""
        return False

    def robots(self, host: HostQueue) -> str:
        """Return what is known of a host's robots.txt."""
        return "open"

    def paused(self, host: str) -> bool:
        """Tell whether a host is paused."""
        return False

    def feeds(self) -> Sequence[tuple[str, int]]:
        """Return the feeds."""
        return [("items.jsonl", 5)]


class Standstill:
    """Time of which the bench says when it passes."""

    now = 0.0
    later: Callable[[], None]

    def seconds(self) -> float:
        """Return monotonic seconds."""
        return self.now

    wall = seconds

    def callLater(self, delay: float, call: Callable[..., Any], *args: Any) -> Any:  # noqa: N802 - Twisted's name
        """Note what is to be called."""
        self.later = call


def timed(name: str, call: Callable[[], Any], rounds: int = 5) -> float:
    """Print and return how long a call takes, the longest of some."""
    longest = 0.0
    for _ in range(rounds):
        begun = time.thread_time()
        call()
        longest = max(longest, time.thread_time() - begun)
    print(f"{name:48} {longest * 1000:8.1f} ms")
    return longest


def main() -> None:
    """Fill a frontier, and look at it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=20_000)
    wanted = parser.parse_args()
    names = [f"www{number}.example{number % 97}.test" for number in range(wanted.hosts)]
    chance = random.Random(1)
    frontier = Frontier(
        window=None, limits=LimitsByHost(HostLimits(8, 1.0, None)), random=chance.random, robots=False
    )  # fmt: skip
    requests = [Request(f"http://{name}/{page}") for name in names for page in range(3)]
    for order, request in enumerate(requests):
        frontier.add(Entry(request, token=0, order=order, host=request.host, origin=""), 0.0)
    clock, bus = Standstill(), Events()
    before = resident_bytes()
    board = Board(Standing(frontier), bus, Stats(), clock, Described(spider="bench"))
    board.begin()
    ticks = [board_second(bus, clock, requests, count) for count in (wanted.hosts, 1000, 0)]
    print(f"{wanted.hosts:,} hosts, {len(requests):,} requests queued; the board takes "
          f"{(resident_bytes() - before) / 1e6:.1f} MB")  # fmt: skip
    for count, (events, tick) in zip((wanted.hosts, 1000, 0), ticks, strict=True):
        each = f", {events / count * 1e6:.2f} µs an event" if count else ""
        print(f"{f'a second in which {count:,} hosts answered':48} {tick * 1000:8.1f} ms{each}")
    holds = [tick for _, tick in ticks]
    encode = msgspec.json.encode
    holds.append(timed("now, as JSON", lambda: encode(board.now())))
    holds.append(timed("changes of the last second, as JSON", lambda: encode(board.changes(1))))

    def anew(**how: Any) -> bytes:
        clock.now += 10.0  # no order that was made before is good any more
        return encode(board.hosts(**how))

    holds += [timed(f"first page by {sort}, sorted anew", partial(anew, sort=sort)) for sort in SORTS]
    holds.append(timed("a page in the middle, sorted anew", lambda: anew(page=wanted.hosts // 400)))
    holds.append(timed("the next page, in the same order", lambda: encode(board.hosts(page=7))))
    holds.append(timed("first page of hosts with 'example42'", lambda: anew(containing="example42")))
    print(f"longest hold of the reactor: {max(holds) * 1000:.1f} ms")


def board_second(bus: Events, clock: Standstill, requests: Sequence[Request], count: int) -> tuple[float, float]:
    """Let so many hosts answer in a second; return how long their events took, and the tick."""
    begun = time.thread_time()
    for request in requests[: 3 * count : 3]:
        bus.publish(RequestScheduled(request))
        bus.publish(ResponseReceived(Response(request.url, status=200, body=b"", latency=0.1), request))
    took = time.thread_time() - begun
    clock.now += 1.0
    begun = time.thread_time()
    clock.later()
    return took / 2, time.thread_time() - begun


if __name__ == "__main__":
    main()
