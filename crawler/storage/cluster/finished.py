"""What does a job on a server leave when its crawl has finished, and how does that become a job there again?

A server keeps fingerprints without what they belong to. So all of them are kept beside the pages, and a page has those
that its URLs give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from crawler.frontier.host import Attempt
from crawler.model.request import Request
from crawler.model.url import host_of
from crawler.storage import history
from crawler.storage.again import Renewed, uncounted
from crawler.storage.cluster.jobcalls import JobCalls
from crawler.storage.cluster.jobs import ServerJobs
from crawler.storage.cluster.rows import Payload, Record, write_payload, write_record
from crawler.storage.cluster.trace import ServerTraces
from crawler.storage.group import signed
from crawler.storage.history import Failed, Kept, Page, Run
from crawler.storage.historyfile import pack_fingerprints, some_of
from crawler.storage.itemhistory import with_items
from crawler.storage.jobs import Job, job_path
from crawler.storage.values import Values

_AT_ONCE = 500
_encode = msgspec.msgpack.Encoder().encode
_attempts = msgspec.msgpack.Decoder(list[Attempt]).decode

Fingerprint = Callable[[Request], int]


class FinishedJob:
    """A job on a server whose crawl has finished; ``fingerprint`` tells which requests are the same."""

    def __init__(self, jobs: ServerJobs, job: Job, fingerprint: Fingerprint) -> None:
        self._job = job
        self._key = jobs.key(job.name)
        self._ask = jobs.connection.command
        self._fingerprint = fingerprint
        self._traces = ServerTraces(jobs.connection, self._key, fingerprint, lambda request: "")

    def __repr__(self) -> str:
        return f"<FinishedJob {self._job.name}>"

    def keep(
        self,
        job_dir: str | Path,
        description: Mapping[str, Any],
        withheld: list[str],
        *,
        stats: bytes,
        ended: float,
    ) -> Path:
        """Write its history into the folder of a folder of jobs; raises StoreError.

        ``description`` and ``withheld``: as in Run. ``stats`` is the stored form of the sum of what all have counted.
        """
        job, failures = self._job, self._count("failed")
        run = Run(
            job.name, str(job.description.get("spider", "")), job.created, ended, self._count("done"), failures,
            self._count("items"), dict(description), withheld, self._count("start_count"), apart=True,
        )  # fmt: skip
        kept = Kept(self._pages(), self._seen(), facts=[("stats", stats)])
        if failures:
            kept = kept._replace(
                failed=self._traces.failed(), facts=[("stats", stats), *self._cookies()], memory=self._memory()
            )
        return history.write(job_dir, run, with_items(job_path(job_dir, job.name), kept))

    def _count(self, name: str) -> int:
        return int(self._ask("HGET", f"{self._key}:m", name) or 0)

    def _pages(self) -> Iterator[Page]:
        """Yield the requests that have ended. The server may name one twice: a bit for each token tells."""
        known = bytearray(self._count("tokens") // 8 + 1)
        for token, record in self._traces.records():
            if known[token >> 3] & 1 << (token & 7):
                continue
            known[token >> 3] |= 1 << (token & 7)
            attempts = [attempt for data in record.attempts for attempt in _attempts(data)]
            urls = dict.fromkeys([record.url, *(attempt.url for attempt in attempts)])
            last = attempts[-1] if attempts else Attempt(0.0, "", "", "")
            yield Page(
                token, record.url, tuple(self._fingerprint(Request(url)) for url in urls), record.outcome,
                record.reason, last.outcome, record.items, record.children, int(last.when), record.parent,
                record.found_on or "",
            )  # fmt: skip

    def _seen(self) -> Iterator[bytes]:
        for bucket in range(int(self._ask("HGET", f"{self._key}:m", "buckets") or 1)):
            found = self._ask("SMEMBERS", f"{self._key}:s:{bucket}")
            yield from (pack_fingerprints(int(each) & (2**64 - 1) for each in some) for some in some_of(found, 10**5))

    def _cookies(self) -> list[tuple[str, bytes]]:
        pairs = iter(self._ask("HGETALL", f"{self._key}:f") or ())
        facts = [(name.decode(), data) for name, data in zip(pairs, pairs, strict=True)]
        return [fact for fact in facts if fact[0].startswith(_COOKIE)]

    def _memory(self) -> Iterator[tuple[str, str, bytes, bytes]]:
        for member in sorted(self._ask("SMEMBERS", f"{self._key}:mems")):
            length, _, names = member.decode().partition(":")
            stage, name = names[: int(length)], names[int(length) :]
            pairs = iter(self._ask("HGETALL", f"{self._key}:mem:{member.decode()}"))
            yield from ((stage, name, key, value) for key, value in zip(pairs, pairs, strict=True))


_COOKIE = "cookie:"


def put_back(jobs: ServerJobs, name: str, failures: Iterable[Failed], renewed: Renewed) -> int:
    """Put requests of a job that failed back into its queues; return how many. Raises StoreError."""
    calls, count = JobCalls(jobs.connection, jobs.key(name)), 0
    for some in some_of((each for each in failures if each.body), _AT_ONCE):
        rows = [(each.token, each.host, each.priority, _payload(each, renewed(each))) for each in some]
        calls.again(rows)
        count += len(rows)
    return count


def _payload(each: Failed, body: bytes) -> bytes:
    return write_payload(Payload(each.url, each.origin, body, each.parent, each.found_on, each.attempts))


def restore(jobs: ServerJobs, run: Run, renewed: Renewed) -> int:
    """Make the keys of a job of a finished run, with what failed in its queues; return how many these are.

    What the job is has yet to be written: until then there is none. Raises StoreError.
    """
    jobs.remove(run.job)  # what a call that was cut off has left
    key, ask = jobs.key(run.job), jobs.connection.command
    last = dropped = 0
    for some in some_of(history.pages(run), _AT_ONCE):
        ask("HSET", f"{key}:x", *(word for page in some for word in (page.token, _record(page))))
        last = max(last, *(page.token for page in some))
        dropped += sum(page.outcome == "dropped" for page in some)
    calls = JobCalls(jobs.connection, key)
    for seen in history.seen(run):
        for fingerprints in some_of(seen, _AT_ONCE):
            calls.know([signed(each) for each in fingerprints])
    counts: dict[str, int | str] = {
        "tokens": last,
        "done": run.done,
        "failed": run.failed,
        "dropped": dropped,
        "items": run.items,
    }
    counts |= {"start_count": run.start_count, "start_ended": 1, "stopped": "failed"}
    ask("HSET", f"{key}:m", *(word for pair in counts.items() for word in pair))
    _restore_facts(jobs, run)
    return put_back(jobs, run.job, history.failed(run), renewed)


def _record(page: Page) -> bytes:
    attempts = [_encode([(page.when, page.url, page.status, "")])] if page.status else []
    found_on = page.found_on or (None if page.parent > 0 else "")
    return write_record(
        Record(
            page.url, host_of(page.url), 0, page.parent, found_on, page.outcome, page.reason,
            page.url if page.requests else None, page.items, page.requests, attempts,
        )
    )  # fmt: skip


def _restore_facts(jobs: ServerJobs, run: Run) -> None:
    key, ask = jobs.key(run.job), jobs.connection.command
    for version, (name, data) in enumerate(history.facts(run), 1):
        if name == "stats":
            counted = uncounted(Values().decode(data), history.failed(run))
            ask("HSET", f"{key}:by:stats", "history", Values().encode(counted))
        elif name.startswith(_COOKIE):
            ask("HSET", f"{key}:f", name, data)
            ask("ZADD", f"{key}:fv", version, name)
            ask("HSET", f"{key}:m", "version", version)
    for stage, name, place, value in history.memory(run):
        member = f"{len(stage.encode())}:{stage}{name}"
        ask("SADD", f"{key}:mems", member)
        ask("HSET", f"{key}:mem:{member}", place, value)
