"""A crawl of the site under a storm: every second something dies, until the storm is over and the crawl ends.

Of which kind it is: "alone" is one process with its job in a file, killed and resumed: what the checks must find
good, too; "private" a starter with four workers and a server of their own; "server" a starter with four workers and
a second machine with one more, a server and a proxy before it.
"""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.cluster.kills import sitelog
from tests.cluster.kills.chaos import (
    LEASE_SECONDS,
    Crew,
    SiteProcess,
    Watch,
    crawl_arguments,
    signal_if_there,
)
from tests.cluster.kills.output import wrong_items
from tests.cluster.kills.recovery import REPORTED, Recovery, recoveries, slow
from tests.cluster.kills.server import Proxy, Server
from tests.cluster.kills.sitelog import Exchange, Hit

WORKERS = 4
COULD_NOT_BEGIN = 2
"""Exit status of a command that is refused before anything starts."""
MOST_TRIES = 20
ORPHAN_SECONDS = 5.0
"""So long a worker may live without the process that started it."""


@dataclass
class Storm:
    """One crawl; what was done to it stands in ``hits``, and in ``outages`` when nobody could go on.

    ``deaths`` are the workers that were killed or stopped, each from the moment at which that was done.
    """

    site: SiteProcess
    folder: Path
    seed: int = 1
    kind: str = "server"
    cuts: float = 0.02
    hits: list[Hit] = field(default_factory=list)
    outages: list[Hit] = field(default_factory=list)
    deaths: list[Hit] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    log: list[Exchange] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._stopped: dict[int, float] = {}
        self._output = self.folder / "log.txt"
        self._machine: Crew | None = None
        self._begun_again = 0
        self._orphans: set[int] = set()
        self._restarts: list[tuple[float, set[int]]] = []

    def run(self, *, kills: int, patience: float) -> None:
        """Begin the crawl, do as much to it, and see it end within so many seconds more."""
        self._began = time.monotonic()
        with ExitStack() as stack:
            self._watch = stack.enter_context(Watch())
            self._settings = ["-s", f"JOB_LEASE_SECONDS={LEASE_SECONDS}"]
            if self.kind != "server":
                self._settings += ["-s", f"JOB_DIR={self.folder / 'jobs'}"]
            else:
                self._server = Server(self.folder / "server")
                stack.callback(self._server.end)
                self._server.start()
                self._proxy = stack.enter_context(Proxy(self._server, seed=self.seed, cuts=self.cuts))
                self._settings += ["-s", f"JOB_STORE={self._proxy.url}"]
            self._starter = self._crew(*self._begin())
            stack.callback(self._end)
            self._until(lambda: self.site.asked > 20 or self._is_over(), 30)
            self._add_machine()
            self._rage(kills)
            self._calm(patience)
        self.hits += self._watch.hits
        told = {death.pid for death in self.deaths}
        orphans = [hit for hit in self._watch.hits if hit.pid in self._orphans - told]
        self.deaths += [Hit(hit.began, hit.ended, hit.pid, "orphaned") for hit in orphans]
        self.log = self.site.log
        self.outages += [self._restart(began, orphans) for began, orphans in self._restarts]
        self.seconds = time.monotonic() - self._began

    def _restart(self, began: float, orphans: set[int]) -> Hit:
        """Until a worker asks that was not there before, nobody does; then hosts are granted again."""
        old = {one.pid for one in self.log if one.began < began} | orphans
        asked = [one.began for one in self.log if one.began > began and one.pid not in old]
        return Hit(began, min(asked, default=began) + LEASE_SECONDS, 0, "starter killed")

    def wrong(self) -> list[str]:
        """What is wrong with the items, or was asked against robots.txt: what no busy machine excuses."""
        return [*wrong_items(self.folder, self.site.world), *sitelog.forbidden(self.log)]

    def problems(self) -> list[str]:
        """What is wrong with the items, or with what the site has seen and when, on a machine that is idle."""
        world = self.site.world
        starting = self.log[0].began - self._began  # what a process takes to begin, on this machine now
        longest = 2 * (LEASE_SECONDS + starting) + 1.0
        return [
            *self.wrong(),
            *sitelog.short_gaps(self.log),
            *sitelog.crowds(self.log),
            *sitelog.impatient(self.log, world, self.hits),
            *sitelog.needless(self.log, world, self.hits),
            *slow(self.recoveries, lease=LEASE_SECONDS),
            *sitelog.silences(self.log, world, self.outages, longest=longest),
        ]

    @property
    def recoveries(self) -> list[Recovery]:
        """How soon others went on with what a dead worker had."""
        outages = [outage for outage in self.outages if outage.what == "server killed"]
        return recoveries(self.log, self.site.world, self.deaths, outages)

    @property
    def cut(self) -> dict[str, int]:
        """How many calls were cut before and after the server had executed them."""
        return self._proxy.count if self.kind == "server" else {}

    def _begin(self) -> list[str]:
        return crawl_arguments(self.folder, self.site.port, [*self._settings, *self._workers()])

    def _workers(self) -> list[str]:
        return [] if self.kind == "alone" else ["--workers", str(WORKERS)]

    def _crew(self, *arguments: str) -> Crew:
        crew = Crew(*arguments, log=self._output, alone=self.kind == "alone")
        self._watch.crews.append(crew)
        return crew

    def _add_machine(self) -> None:
        if self.kind == "server" and not self._is_over():
            self._machine = self._crew("work", self._proxy.url, "k")

    def _is_over(self) -> bool:
        """Tell whether the starter has ended. One that could not begin, as the server was away, is given again."""
        status = self._starter.process.poll()
        if status == COULD_NOT_BEGIN and not self._was_over and self._begun_again < MOST_TRIES:
            self._begun_again += 1
            time.sleep(0.3)
            self._resume()
            return False
        return status is not None

    @property
    def _was_over(self) -> bool:
        """Whether the starter was killed when all was done, and the one that was to go on had nothing to do."""
        return "job k is finished, there is nothing to resume" in self.tail()

    def _rage(self, kills: int) -> None:
        """Do something each second: mostly kill a worker."""
        deeds: list[Callable[[], None]] = [self._kill_starter] * 2
        if self.kind != "alone":
            deeds += [self._stop_worker] * max(3, kills // 8)
        if self.kind == "server":
            deeds += [self._kill_server] * 3 + [self._kill_machine] * 2
        deeds += [self._kill_worker] * (kills - len(deeds))
        self._rng.shuffle(deeds)
        for deed in deeds:
            self._look_after_machine()
            until = time.monotonic() + 1.0
            while time.monotonic() < until and not self._is_over():
                self._continue_stopped()
                time.sleep(0.02)
            if self._is_over():
                return
            self.done[deed.__name__.strip("_")] += 1
            deed()

    def _calm(self, patience: float) -> None:
        """Wait for the end of the crawl, which must be a good one."""
        if self.kind == "server":
            self._proxy.cuts = 0.0
        self._until(lambda: self._is_over() and not self._stopped, patience)
        status = self._starter.process.wait()
        assert status == 0 or self._was_over, f"exit status {status}\n{self.tail()}"

    def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, f"this did not happen in {seconds} s\n{self.tail()}"
            self._continue_stopped()
            time.sleep(0.02)

    def tail(self) -> str:
        """The last of what the commands printed."""
        return self._output.read_text(errors="replace")[-6000:]

    def _end(self) -> None:
        for pid in self._stopped:
            signal_if_there(pid, signal.SIGCONT)
        for crew in self._watch.crews:
            if crew.process.poll() is None:
                crew.kill_all()

    def _victims(self) -> list[int]:
        crews = [self._starter] if self._machine is None else [self._starter, self._machine]
        return [pid for crew in crews for pid in crew.workers if pid not in self._stopped]

    def _kill_worker(self) -> None:
        if victims := self._victims():
            pid = self._rng.choice(victims)
            self._note_deaths([pid], REPORTED)
            signal_if_there(pid, signal.SIGKILL)
        if self.kind == "alone":
            self._starter.process.wait()
            self._resume()

    def _note_deaths(self, pids: Iterable[int], what: str) -> None:
        now = time.monotonic()
        known = {death.pid for death in self.deaths}
        self.deaths += [Hit(now, now, pid, what) for pid in pids if pid not in known]

    def _stop_worker(self) -> None:
        if victims := self._victims():
            pid = self._rng.choice(victims)
            if signal_if_there(pid, signal.SIGSTOP):
                self._stopped[pid] = time.monotonic()
                self._note_deaths([pid], "stopped")

    def _continue_stopped(self) -> None:
        now = time.monotonic()
        for pid, since in list(self._stopped.items()):
            if now - since > 1.6 * LEASE_SECONDS:
                del self._stopped[pid]
                signal_if_there(pid, signal.SIGCONT)
                self.hits.append(Hit(since, now, pid, "stopped"))

    def _kill_starter(self) -> None:
        began = time.monotonic()
        orphans = self._starter.workers
        if self.kind == "server" and len(self._restarts) % 2:
            self._note_deaths(orphans, "killed with its starter")
            self._starter.kill_all()
        else:
            self._starter.kill()
            self._orphans |= set(orphans)
        self.hits += [Hit(began, began + ORPHAN_SECONDS, pid, "orphaned") for pid in orphans]
        self._resume()
        self._restarts.append((began, set(orphans)))

    def _resume(self) -> None:
        self._starter = self._crew("resume", "k", *self._settings, *self._workers())

    def _look_after_machine(self) -> None:
        if self._machine is not None and self._machine.process.poll() == COULD_NOT_BEGIN:
            self._machine = self._crew("work", self._proxy.url, "k")

    def _kill_machine(self) -> None:
        assert self._machine is not None
        self._note_deaths(self._machine.workers, "killed with its machine")
        self._machine.kill_all()
        self._machine = self._crew("work", self._proxy.url, "k")

    def _kill_server(self) -> None:
        began = time.monotonic()
        self._server.kill()
        time.sleep(self._rng.choice([0.1, 1.0, 1.3 * LEASE_SECONDS]))
        self._server.start()
        outage = Hit(began, time.monotonic() + LEASE_SECONDS, 0, "server killed")
        self.hits.append(outage)
        self.outages.append(outage)


def wait_for_end(crew: Crew, seconds: float) -> int:
    """Return the exit status of a command; ends it if it takes longer."""
    try:
        return crew.process.wait(seconds)
    except subprocess.TimeoutExpired:
        crew.kill_all()
        raise
