"""What did one crawl cost, measured inside its own process?

Time and CPU run from just before the crawl to just after it, so that imports count for nobody; memory
is the whole process's peak. The result is one line of JSON on stdout.
"""

from __future__ import annotations

import argparse
import json
import resource
import time


class Job(argparse.Namespace):
    """What a peer is asked to do.

    ``url`` is the shop's front page, ``out`` the file of items (JSON Lines), ``paths`` a file of paths to
    fetch without parsing (None: crawl the shop), ``variant`` what distinguishes two peers of one module.
    """

    url: str
    out: str
    paths: str | None
    variant: str

    def urls(self) -> list[str]:
        """Return the URLs to fetch without parsing."""
        assert self.paths is not None
        with open(self.paths) as lines:  # noqa: PTH123 (runs under any interpreter)
            return [self.url.rstrip("/") + line.strip() for line in lines]


def job() -> Job:
    """Read the command line of a peer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--paths")
    parser.add_argument("--variant", default="")
    return parser.parse_args(namespace=Job())


class Measure:
    """A stop-watch for time and CPU; ``pages`` is counted by the peer."""

    def __init__(self) -> None:
        self.pages = 0
        self._time = 0.0
        self._cpu = 0.0

    def start(self) -> None:
        """The crawl begins."""
        self._cpu = _cpu()
        self._time = time.perf_counter()

    def stop(self) -> None:
        """The crawl is over and its items are in the file: print the result."""
        seconds = time.perf_counter() - self._time
        usage = resource.getrusage(resource.RUSAGE_SELF)
        result = {
            "seconds": seconds,
            "cpu": _cpu() - self._cpu,
            "peak_kb": usage.ru_maxrss,
            "pages": self.pages,
        }
        print(json.dumps(result), flush=True)


def _cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
