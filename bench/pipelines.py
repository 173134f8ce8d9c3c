"""Does a blocking stage use its threads, and is the reactor free meanwhile?

    python -m bench.pipelines [--items 200] [--milliseconds 50] [--threads 8]

A page yields the items at once; the stage sleeps for each. Printed: how long the items took, what equal
shares for all threads would take, and the longest time the reactor was not at hand.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from twisted.internet import asyncioreactor

asyncioreactor.install()

from twisted.internet import reactor, task  # noqa: E402

from crawler import Request, Response, Spider, crawl  # noqa: E402

TICK_SECONDS = 0.005


def run(items: int, seconds: float, threads: int) -> tuple[float, float]:
    """Return how long the stage was at work, and the longest gap between two ticks of the reactor."""
    times: list[float] = []
    gaps: list[float] = []
    last = [0.0]

    class Sleep:
        def process_item(self, item: Any) -> Any:
            time.sleep(seconds)
            times.append(time.monotonic())
            return item

    Sleep.threads = threads  # type: ignore[attr-defined]

    class Many(Spider):
        name = "many"

        def start_requests(self) -> Any:
            yield Request("data:text/html,page")

        def parse(self, response: Response) -> Any:
            times.append(time.monotonic())
            last[0] = time.monotonic()
            ticks.start(TICK_SECONDS, now=False)
            for number in range(items):
                yield {"number": number}

    def tick() -> None:
        now = time.monotonic()
        gaps.append(now - last[0] - TICK_SECONDS)
        last[0] = now

    ticks: Any = task.LoopingCall(tick)
    done = crawl(Many, {"JOB_STORE": None, "PIPELINES": [Sleep]}, reactor=reactor)
    done.addErrback(lambda failure: failure.printTraceback())
    done.addBoth(lambda _: reactor.stop())  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]
    assert len(times) == items + 1, f"{len(times) - 1} of {items} items came through"
    return max(times) - times[0], max(gaps)


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--items", type=int, default=200)
    arguments.add_argument("--milliseconds", type=float, default=50)
    arguments.add_argument("--threads", type=int, default=8)
    given = arguments.parse_args()
    took, gap = run(given.items, given.milliseconds / 1000, given.threads)
    least = -(-given.items // given.threads) * given.milliseconds / 1000
    print(f"{given.items} items of {given.milliseconds:g} ms in {given.threads} threads: {took:.2f} s")
    print(f"in equal shares: {least:.2f} s")
    print(f"longest time without the reactor: {gap * 1000:.0f} ms")


if __name__ == "__main__":
    main()
