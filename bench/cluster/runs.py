"""How is one crawl run and measured, by one process or by many?"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from bench.cluster.site import Exchange, host_of, paths
from crawler.storage.cluster.client import Connection
from crawler.storage.cluster.private import PrivateServer

ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "project"


class WrongResult(Exception):
    """A crawl has not what it should have: no figures."""


class SiteProcess:
    """The site of the benchmark in a process of its own; ``log`` and ``cpu`` are there when it has ended."""

    def __init__(self, *, hosts: int, pages: int, seconds: float, close: bool = False) -> None:
        self.hosts, self.pages = hosts, pages
        self.log: list[Exchange] = []
        self.cpu = 0.0
        self._file = Path(tempfile.mkstemp(prefix="site-", suffix=".log")[1])
        options = ["--hosts", str(hosts), "--pages", str(pages), "--seconds", str(seconds)]
        command = [sys.executable, "-m", "bench.cluster.site", *options, *(["--close"] if close else [])]
        self._command = [*command, str(self._file)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._process.stdin is not None
        before = children_cpu()
        self._process.stdin.close()
        self._process.wait()
        self.cpu = children_cpu() - before
        self.log = [Exchange(*json.loads(line)) for line in self._file.read_text().splitlines()]
        self._file.unlink()

    @property
    def wanted(self) -> Counter[tuple[str, str]]:
        """Return every page once."""
        return Counter((host_of(number), path) for number in range(self.hosts) for path in paths(self.pages))


class Costs(NamedTuple):
    """What one crawl took: seconds of processors, and the most memory of one process and of the server, in MB."""

    workers: float
    server: float
    process_mb: float
    server_mb: float


def server_costs(server: PrivateServer) -> tuple[float, float]:
    """Return a server's seconds of processor so far, and the most memory that it had, in MB."""
    connection = Connection(server.address)
    connection.open()
    said = connection.command("INFO").decode()
    connection.close()
    values = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    cpu = float(values["used_cpu_sys"]) + float(values["used_cpu_user"])
    return cpu, int(values["used_memory_peak"]) / 1e6


def children_cpu() -> float:
    """Return the processor time of all children that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def crawl(
    *options: str,
    out: Path,
    server: PrivateServer | None = None,
    workers: int | None = None,
    spider: str = "walk",
    project: Path = PROJECT,
    settings: Sequence[str] = (),
    during: Callable[[subprocess.Popen[str]], None] | None = None,
) -> Costs:
    """Crawl by the command line; ``server`` None: a job on this machine. Raises WrongResult if it fails."""
    command = [sys.executable, "-m", "crawler", "crawl", spider, *options, "-O", str(out), "-L", "WARNING"]
    with tempfile.TemporaryDirectory() as folder:
        given = [f"JOB_DIR={folder}", *settings]
        if server is not None:
            given.append(f"JOB_STORE={server.address.url}")
        command += [part for setting in given for part in ("-s", setting)]
        command += [] if workers is None else ["--workers", str(workers)]
        before, server_before = children_cpu(), server_costs(server)[0] if server else 0.0
        process = subprocess.Popen(
            command,
            cwd=project,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if during is not None:
            during(process)
        said = process.communicate(timeout=1800)[1]
    if process.returncode:
        raise WrongResult(f"{' '.join(command)} ended with {process.returncode}:\n{said[-4000:]}")
    after, peak = server_costs(server) if server else (0.0, 0.0)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
    return Costs(children_cpu() - before, after - server_before, largest, peak)


def check(out: Path, site: SiteProcess) -> None:
    """Raise WrongResult unless the file has each page of the site once."""
    found = Counter((item["host"], item["path"]) for item in map(json.loads, out.read_text().splitlines()))
    missing, extra = site.wanted - found, found - site.wanted
    if missing or extra:
        raise WrongResult(f"{missing.total()} items are missing, {extra.total()} too many: {[*missing, *extra][:3]}")


def steady(log: Sequence[Exchange], workers: int) -> float:
    """Return the pages a second while all workers work: from the first request of the last that begins until nine
    tenths of the pages are there."""
    first: dict[int, float] = {}
    for exchange in log:
        first[exchange.worker] = min(first.get(exchange.worker, exchange.asked), exchange.asked)
    if len(first) != workers:
        raise WrongResult(f"{len(first)} processes asked for pages, and not {workers}")
    answered = sorted(exchange.answered for exchange in log)
    begin, end = max(first.values()), answered[len(answered) * 9 // 10]
    counted = sum(begin < at <= end for at in answered)
    if counted < len(answered) // 4:
        raise WrongResult("the crawl was too short: its workers had hardly begun together when it was nearly over")
    return counted / (end - begin)
