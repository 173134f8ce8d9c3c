"""How soon is the first page fetched when start() has very many requests, and what do they cost?

    python -m bench.starts [--requests 100000] [--store sqlite]

start() yields requests for one page with ever new queries; nginx serves it on loopback. Printed: when
the first page came, how far start() was then, and the memory at the first page, half way and at the end.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from twisted.internet import asyncioreactor

asyncioreactor.install()

from twisted.internet import reactor  # noqa: E402

from bench.nginx import Nginx  # noqa: E402
from crawler import Request, Response, Spider, crawl  # noqa: E402


def memory() -> int:
    """Return the resident memory in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def run(url: str, requests: int, settings: dict[str, Any]) -> None:
    """Crawl and print."""
    pages = [0]
    yielded = [0]
    began = time.monotonic()

    class Starts(Spider):
        name = "starts"

        async def start(self) -> Any:
            for number in range(requests):
                yielded[0] += 1
                yield Request(f"{url}?n={number}")

        def parse(self, response: Response) -> Any:
            pages[0] += 1
            if pages[0] in (1, requests // 2, requests):
                took = time.monotonic() - began
                print(f"page {pages[0]}: {took:.2f} s, {yielded[0]} requests taken from start(), {memory()} MB")

    done = crawl(Starts, settings, reactor=reactor)
    done.addErrback(lambda failure: failure.printTraceback())
    done.addBoth(lambda _: reactor.stop())  # type: ignore[attr-defined]
    reactor.run()  # type: ignore[attr-defined]
    assert pages[0] == requests, f"{pages[0]} of {requests} pages were fetched"


def main() -> None:
    """Serve a page and crawl it."""
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    arguments.add_argument("--requests", type=int, default=100_000)
    arguments.add_argument("--store", choices=("none", "sqlite"), default="none")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "index.html").write_text("<html><title>one page</title></html>")
        settings = {"JOB_STORE": None if given.store == "none" else "sqlite", "JOB_DIR": f"{folder}/jobs"}
        with Nginx(Path(folder)) as server:
            run(f"{server.url.rstrip('/')}/index.html", given.requests, settings)


if __name__ == "__main__":
    main()
