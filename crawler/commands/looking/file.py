"""What is shown of a job that lies in a file here, whether it runs, was stopped or killed, or has finished?

What a process has not yet committed is not in its file: its numbers are up to a second behind, and nothing is known of
latency, memory or the loop.
"""

from __future__ import annotations

import socket
import sqlite3
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from crawler.commands.looking.looked import Reading, errors_in
from crawler.commands.showing import as_typed, setting_text
from crawler.frontier.store import Attempt
from crawler.observe.board import shown
from crawler.observe.board.shown import ErrorKind, FeedRow, HostRow, Now, Setting
from crawler.observe.board.totals import totals_in
from crawler.observe.frames import shorten
from crawler.storage import history
from crawler.storage.jobs import Job, read_job, reading
from crawler.storage.lock import owner_of
from crawler.storage.schema import FAILED
from crawler.storage.values import Values

_attempts = msgspec.msgpack.Decoder(list[Attempt]).decode

THROTTLE, WAIT, LIVE, PAUSED = "throttle:", "wait:", "live:", "live:paused"


def state_of(job: Job) -> str:
    """Return the state of a job as it is shown: one that was stopped has a reason, one that was killed has none."""
    return "killed" if job.state == "stopped" and not job.reason else job.state


class FileReader:
    """Reads one job's file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._examples: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<FileReader {self._path}>"

    def __call__(self) -> Reading:
        """Return what is in the file. Raises StoreError and JobDamaged."""
        job, wall = read_job(self._path), time.time()
        with reading(self._path) as sql:
            facts = {name: Values().decode(data) for name, data in sql.execute(_FACTS)}
            queued = sql.execute("SELECT name, queued FROM hosts").fetchall()
            feeds = [_feed(*row) for row in sql.execute(_FEEDS)]
            stats = facts.get("stats") or {}
            errors = [self._with_example(sql, kind) for kind in errors_in(stats, [facts.get("kinds") or ()])]
        hosts = [host_row(name, count, facts, wall) for name, count in queued]
        return Reading(
            now=now_of(job, stats, wall, hosts=sum(row.queued > 0 for row in hosts), pid=owner_of(self._path)),
            stats=stats,
            hosts=hosts,
            errors=errors,
            settings=settings_of(job.description, facts),
            feeds=feeds,
        )

    def _with_example(self, sql: sqlite3.Connection, kind: ErrorKind) -> ErrorKind:
        """Return a kind of error with a URL, which is looked for once: the rows are gone through for it."""
        if kind.url:
            return kind
        if kind.kind not in self._examples:
            reason, status = ("HttpError", kind.kind[7:]) if kind.kind.startswith("status ") else (kind.kind, "")
            rows = sql.execute(_EXAMPLE, (FAILED, reason))
            self._examples[kind.kind] = next((url for url, attempts in rows if status in _last(attempts)), "")
        return replace(kind, url=shorten(self._examples[kind.kind]))


def host_row(name: str, queued: int, facts: Mapping[str, Any], wall: float) -> HostRow:
    """Return a host of a job, with what the job remembers of its pace."""
    again, slowed = facts.get(WAIT + name), facts.get(THROTTLE + name)
    paused = bool((facts.get(f"{PAUSED}@{name}") or [False])[0])
    seconds = max(again[0] - wall, 0.0) if again else 0.0
    why = "paused" if paused else "nothing queued" if not queued else "delay" if seconds else ""
    return HostRow(
        name=name,
        queued=queued,
        why=why,
        seconds=seconds if why == "delay" else None,
        concurrency=slowed[0] if slowed else 0,
        delay=slowed[1] if slowed else 0.0,
        throttle=f"{slowed[0]} at once, {slowed[1]:.1f} s apart" if slowed else "",
        paused=paused,
    )


def now_of(job: Job, stats: Mapping[str, Any], wall: float, *, hosts: int, pid: int = 0) -> Now:
    """Return the moment of a job."""
    begun = stats.get("start_time")
    started = begun.timestamp() if isinstance(begun, datetime) and job.state != "running" else job.created
    runs = job.state == "running"
    return Now(
        time=wall,
        seconds=max((wall if runs else job.changed) - started, 0.0),
        job=shown.Job(
            spider=str(job.description.get("spider", "")),
            state=state_of(job),
            name=job.name,
            reason=job.reason if job.reason != job.state else "",
            started=started,
            pid=pid if runs else 0,
            machine=socket.gethostname() if pid and runs else "",
            cluster=job.url or None,
        ),
        totals=replace(totals_in(stats, queued=job.queued, hosts=hosts), items=job.items),
    )


def settings_of(description: Mapping[str, Any], facts: Mapping[str, Any]) -> list[Setting]:
    """Return the settings that a job remembers: those of its command line, and what was changed while it ran."""
    command = description.get("command")
    typed = command.get("settings", {}) if isinstance(command, Mapping) else {}
    rows = {
        name: Setting(name=name, value=setting_text(name, value), origin="command line")
        for name, value in typed.items()
    }
    for fact, said in facts.items():
        if fact.startswith(LIVE) and said is not None and fact.removeprefix(LIVE)[0].isupper():
            name, value, who = fact.removeprefix(LIVE), as_typed(said[0]), str(said[1])
            rows[name] = Setting(name=name, value=value, origin="changed while it ran", who=who)
    return [rows[name] for name in sorted(rows)]


def runs_of(job_dir: str | Path, spider: str) -> list[shown.Run]:
    """Return the finished runs of a spider, what ended last first. Raises StoreError."""
    return [run_of(run) for run in history.runs(job_dir, spider=spider)]


def run_of(run: history.Run) -> shown.Run:
    """Return a finished run as it is shown. Raises StoreError."""
    stats = plain_facts(history.facts(run)).get("stats") or {}
    return shown.Run(
        job=run.job,
        spider=run.spider,
        state="finished",
        reason=str(stats.get("finish_reason", "")),
        started=run.created,
        seconds=max(run.ended - run.created, 0.0),
        pages=int(stats.get("response_received_count", run.done)),
        items=run.items,
        errors=totals_in(stats).errors if stats else run.failed,
    )


def plain_facts(kept: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Return what a run has kept of its crawl as a whole: "stats", and "kinds" of errors."""
    return {name: Values().decode(data) for name, data in kept if name in ("stats", "kinds")}


class RunReader:
    """Reads what is kept of a finished run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"<RunReader {self._path}>"

    def __call__(self) -> Reading:
        """Return what is kept. Raises StoreError."""
        run, wall = history.read_run(self._path), time.time()
        facts = plain_facts(history.facts(run))
        stats = facts.get("stats") or {}
        examples = {failed.reason: failed.url for failed in history.failed(run)}
        errors = errors_in(stats, [facts.get("kinds") or ()])
        job = Job(run.job, self._path, "finished", run.done, 0, run.items, run.created, run.ended, "finished",
                  run.description)  # fmt: skip
        return Reading(
            now=now_of(job, stats, wall, hosts=0),
            stats=stats,
            errors=[replace(kind, url=kind.url or shorten(examples.get(kind.kind, ""))) for kind in errors],
            settings=settings_of(run.description, {}),
        )


def _last(attempts: bytes | None) -> str:
    return str(_attempts(attempts)[-1].outcome) if attempts else ""


def _feed(name: str | bytes, number: int, mark: bytes | None) -> FeedRow:
    path = name if isinstance(name, str) else name.decode(errors="replace")
    told = Values().decode(mark) if mark is not None else {}
    return FeedRow(path=path, items=int(told.get("items", number)))


_FEEDS = "SELECT name, number, mark FROM feeds WHERE name NOT LIKE 'crawler:%' ORDER BY name"
"""Without the record of items that a crawl keeps for its next run."""

_EXAMPLE = "SELECT url, attempts FROM requests WHERE state = ? AND reason = ?"

_FACTS = """
SELECT name, data FROM facts WHERE name IN ('stats', 'kinds') OR name >= 'throttle:' AND name < 'throttle;'
OR name >= 'wait:' AND name < 'wait;' OR name >= 'live:' AND name < 'live;'
"""
