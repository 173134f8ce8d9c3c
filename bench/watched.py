"""How many more instructions does a page take while somebody looks on?

    python -m bench.watched                       # 500 shop pages, once without and once with
    python -m bench.watched --pages 500 --rounds 3

With: status page, metrics and console are open, one client reads the page's events to the end of the crawl, and another
asks for the metrics every fifteen seconds. callgrind counts the instructions of the crawl's process alone, as in
bench.instructions. Under it a page takes some thirty times as long, while the page's events come each second as ever:
what they cost counts some thirty times as much here as at full speed. The medians are printed, nothing is asserted.
"""

from __future__ import annotations

import argparse
import http.client
import socket
import statistics
import tempfile
import time
from pathlib import Path
from threading import Event, Thread

from bench.instructions import ROOT, per_page

TOKEN = "bench-that-is-watched"
WITHOUT, WITH = "durable", "watched"
METRICS_SECONDS = 15.0


class Onlooker:
    """Reads the page's events of whatever crawl listens at a port, and its metrics, until it is told to stop."""

    def __init__(self, port: int) -> None:
        self.events = self.scrapes = 0
        self._port = port
        self._over = Event()
        self._threads = [Thread(target=self._repeat, args=(each,), daemon=True) for each in (self._read, self._scrape)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()

    def _repeat(self, look: object) -> None:
        assert callable(look)
        while not self._over.is_set():
            try:
                look()
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)  # no crawl yet, or one that has ended

    def _read(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("GET", f"/?token={TOKEN}")
        answer = connection.getresponse()
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        answer.read()
        connection.request("GET", "/events", headers={"Cookie": cookie})
        events = connection.getresponse()
        while line := events.readline():
            self.events += line.startswith(b"event:")

    def _scrape(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        self.scrapes += answer.status == 200 and bool(answer.read())
        connection.close()
        self._over.wait(METRICS_SECONDS)


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=500, help="item pages; a multiple of 20")
    parser.add_argument("--rounds", type=int, default=1)
    wanted = parser.parse_args()
    counts: dict[str, list[float]] = {WITHOUT: [], WITH: []}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    onlooker = Onlooker(port)
    with tempfile.TemporaryDirectory() as temporary:
        for _round in range(wanted.rounds):
            for variant in counts:
                asked = variant if variant == WITHOUT else f"{variant}:{port}"
                counts[variant].append(per_page(ROOT, pages=wanted.pages, variant=asked, folder=Path(temporary)))
    onlooker.stop()
    if not onlooker.events:
        raise SystemExit("no event of the status page was read: nothing was measured")
    without, watched = (statistics.median(counts[variant]) for variant in counts)
    print(f"without: {without:,.0f} instructions a page ({wanted.pages} pages, job durable)")
    print(f"watched: {watched:,.0f}; {onlooker.events:,} events were read, metrics {onlooker.scrapes} times")
    print(f"ratio: {watched / without:.4f}")


if __name__ == "__main__":
    main()
