"""What is shown of a job that many workers do? What its server knows: the sums of what the workers have told."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from crawler.assembly.explaining import Explained, explain, judge_by
from crawler.assembly.rules import checked_fingerprint, checked_slot_key
from crawler.commands.cluster.finding import asked, connected, is_private, of_private
from crawler.commands.looking.file import LIVE, PAUSED, THROTTLE, WAIT, host_row, now_of, settings_of
from crawler.commands.looking.looked import Reading, errors_in
from crawler.config.schema import CoreSettings
from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.keeping.facts import summed_stats
from crawler.errors import StoreError
from crawler.model.request import Request
from crawler.observe.board.shown import HostRow, Worker
from crawler.steering.settings import LIVE as STEERED
from crawler.storage.cluster import library
from crawler.storage.cluster.address import Address
from crawler.storage.cluster.jobcalls import JobCalls, Standing, Working
from crawler.storage.cluster.jobs import ServerJobs
from crawler.storage.cluster.private import running_at
from crawler.storage.cluster.trace import ServerTraces
from crawler.storage.historyfile import some_of
from crawler.storage.jobs import Job
from crawler.storage.values import Values

SILENT_SECONDS = 5.0
"""A worker that has not called for so long is said to be silent; it calls once a second at least."""

PAUSES = 20
"""So many times as long as it took to read the hosts passes until they are read again."""

_FACTS_AT_ONCE = 500


@contextmanager
def server_reader(core: CoreSettings, job: Job) -> Iterator[Callable[[], Reading]]:
    """Return what reads a job of many workers. Raises UsageError."""
    folder = job.path if is_private(job) else None
    runs = folder is not None and running_at(folder) is not None

    def weigh(found: Job) -> Job:
        if folder is None:
            return found
        if runs and running_at(folder) is None:
            raise StoreError(f"the server of job {job.name} has ended with its crawl")
        return of_private(found, folder, runs=runs)

    with asked(core, folder) as jobs:
        yield ServerReader(jobs, job.name, weigh)


class ServerReader:
    """Reads a job on a server. ``weigh`` says last what is known of it. It raises StoreError if the server is gone."""

    def __init__(self, jobs: ServerJobs, name: str, weigh: Callable[[Job], Job] = lambda job: job) -> None:
        self._jobs = jobs
        self._name = name
        self._key = jobs.key(name)
        self._calls = JobCalls(jobs.connection, self._key)
        self._weigh = weigh
        self._before: tuple[float, Mapping[str, int]] = (0.0, {})
        self._again = 0.0
        self._rows: list[HostRow] = []

    def __repr__(self) -> str:
        return f"<ServerReader {self._key}>"

    def __call__(self) -> Reading:
        """Return what the server has. Raises UsageError if the job is gone, and StoreError."""
        job = self._weigh(self._jobs.find(self._name))
        state = library.state(self._jobs.connection, self._key, look=False)
        stats = [(each.called, Values().decode(each.value)) for each in state.stats]
        summed = summed_stats([each for _, each in stats])
        hosts = self._hosts(wall := time.time())
        now = now_of(job, summed, wall, hosts=len(hosts))
        if now.job.state == "running" and (state.stopping or self._facts([PAUSED]).get(PAUSED, [False])[0]):
            begun = msgspec.structs.replace(
                now.job, state="stopping" if state.stopping else "paused", reason=state.stopping
            )
            now = msgspec.structs.replace(now, job=begun)
        return Reading(
            now=now,
            stats=summed,
            hosts=hosts,
            errors=errors_in(summed, map(Values().decode, self._calls.by_worker("kinds"))),
            settings=settings_of(job.description, self._facts([LIVE + name for name in STEERED])),
            workers=self._workers(stats, wall),
        )

    def _hosts(self, wall: float) -> list[HostRow]:
        """Return the hosts. Where they are many they are not read each time: the server has other things to do."""
        began = time.monotonic()
        if began >= self._again:
            self._rows = self._read_hosts(wall)
            self._again = began + (time.monotonic() - began) * PAUSES
        return self._rows

    def _read_hosts(self, wall: float) -> list[HostRow]:
        rows = []
        for some in some_of(self._calls.hosts(), _FACTS_AT_ONCE):
            facts = self._facts([prefix + host.name for host in some for prefix in (THROTTLE, WAIT, f"{PAUSED}@")])
            rows += [_row(host, facts, wall) for host in some]
        return rows

    def _facts(self, names: list[str]) -> dict[str, Any]:
        return {name: Values().decode(value) for name, value in self._calls.told(*names).items()}

    def _workers(self, stats: list[tuple[str, Mapping[str, Any]]], wall: float) -> list[Worker]:
        """Return the workers, each with those whose place it took."""
        pages, items = Counter[str](), Counter[str]()
        for name, each in stats:
            pages[name] += each.get("response_received_count", 0)
            items[name] += each.get("item_scraped_count", 0)
        living = {each.called: each for each in self._calls.workers()}
        (then, before), self._before = self._before, (wall, pages)
        seconds = max(wall - then, 0.001)
        return [
            _worker(name, living.get(name), pages[name], items[name], (pages[name] - before.get(name, 0)) / seconds)
            for name in sorted({*pages, *living})
        ]


def _row(host: Standing, facts: Mapping[str, Any], wall: float) -> HostRow:
    row = host_row(host.name, host.queued, facts, wall)
    waits = host.wait / 1000 if host.queued else 0.0
    return msgspec.structs.replace(
        row,
        delay=row.delay or host.delay / 1000,
        concurrency=row.concurrency or host.concurrency,
        why="delay" if waits and not row.paused else row.why,
        seconds=None if row.paused else waits or row.seconds,
    )


def _worker(name: str, living: Working | None, pages: int, items: int, rate: float) -> Worker:
    if living is None:
        return Worker(name=name, pages=pages, items=items, state="gone")
    seen = max(living.silent / 1000, 0.0)
    return Worker(
        name=name,
        machine=living.machine,
        pages=pages,
        items=items,
        rate=max(rate, 0.0),
        hosts=living.hosts,
        seen=seen,
        state="silent" if seen > SILENT_SECONDS else "running",
    )


def explained(request: Request, core: CoreSettings, acceptance: Acceptance, address: Address, name: str) -> list[str]:
    """Return what `crawler explain` says of a request, of a job at a server. Raises UsageError and StoreError."""
    with connected(core, address) as jobs:
        fingerprint, slot_key = checked_fingerprint(core.FINGERPRINT), checked_slot_key(core.SLOT_KEY)
        traces = ServerTraces(jobs.connection, jobs.key(name), fingerprint, slot_key)
        job = jobs.find(name)
        asked = Explained(job.name, job.state, job.queued, core)
        return list(explain(request, asked, judge_by(acceptance), traces))
