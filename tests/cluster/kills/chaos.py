"""Starts a crawl from the outside, by its commands, and does to its processes what machines do.

A ``Crew`` is the process that was started and the workers below it, found in /proc. ``Watch`` notes when a
worker is gone, however that came, so that the site's log can be held against it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.kills.output import OUTPUTS
from tests.cluster.kills.sitelog import Exchange, Hit, read_log
from tests.cluster.kills.world import World

ROOT = Path(__file__).parents[3]
PROJECT = Path(__file__).parent / "project"
LEASE_SECONDS = 3.0


class SiteProcess:
    """The site, as a process with its log in ``folder``; use it as a context manager."""

    def __init__(self, folder: Path, *, pages: int, seed: int) -> None:
        self.world = World(pages, seed)
        self._path = folder / "site.log"
        arguments = ["-m", "tests.cluster.kills.site", str(pages), str(seed), str(self._path)]
        self._process = subprocess.Popen(
            [sys.executable, *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> SiteProcess:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def log(self) -> list[Exchange]:
        """What it has seen so far."""
        return read_log(self._path)

    @property
    def asked(self) -> int:
        """How many lines its log has: two for each request."""
        return self._path.read_bytes().count(b"\n") if self._path.exists() else 0


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that live."""
    found = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def is_alive(pid: int) -> bool:
    """Tell whether it runs or is stopped; one that has died and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False


def is_worker(pid: int) -> bool:
    """Tell whether it is a Python process of the crawler, and no server of a store."""
    try:
        program, *arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"python" in program and b"crawler" in arguments


class Crew:
    """One command and its workers. ``alone``: the command crawls by itself."""

    def __init__(self, *arguments: str, log: Path, alone: bool = False) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "crawler", *arguments],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                env=environment,
                start_new_session=True,
            )
        self._alone = alone

    @property
    def workers(self) -> list[int]:
        """The processes that crawl, as far as they are there."""
        if self._alone:
            return [self.process.pid] if self.process.poll() is None else []
        found, unseen = [], children(self.process.pid)
        while unseen:
            pid = unseen.pop()
            found += [pid] if is_worker(pid) else []
            unseen += children(pid)
        return found

    def kill(self) -> None:
        """Kill the command itself."""
        self.process.kill()
        self.process.wait()

    def kill_all(self) -> None:
        """Kill the command and all below it at once, as when a machine dies."""
        below = self.workers
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, signal.SIGSTOP)  # it starts no more while it is looked at
        for pid in {*below, *self.workers, self.process.pid}:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


class Watch:
    """Looks at all workers all the time; use it as a context manager. ``hits`` are their deaths."""

    def __init__(self) -> None:
        self.crews: list[Crew] = []
        self.hits: list[Hit] = []
        self.workers: set[int] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(10)

    def _look(self) -> None:
        living: set[int] = set()
        while not self._ended.wait(0.02):
            living |= {pid for crew in list(self.crews) for pid in crew.workers}
            self.workers |= living
            gone = {pid for pid in living if not is_alive(pid)}
            now = time.monotonic()
            self.hits += [Hit(now - 0.1, now, pid) for pid in gone]
            living -= gone


def signal_if_there(pid: int, which: signal.Signals) -> bool:
    """Send a signal; tell whether the process was there."""
    try:
        os.kill(pid, which)
    except ProcessLookupError:
        return False
    return True


def crawl_arguments(folder: Path, port: int, settings: Sequence[str]) -> list[str]:
    """Return the arguments that begin the crawl of the site as the job ``k``."""
    outputs = [argument for name in OUTPUTS for argument in ("-O", str(folder / name))]
    return ["crawl", "walk", "--job", "k", "-a", f"port={port}", *settings, *outputs]
