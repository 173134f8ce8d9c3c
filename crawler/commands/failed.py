"""Which requests of a job failed?"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

import click
import msgspec

from crawler.commands.finding import is_file
from crawler.commands.finished import has_finished
from crawler.commands.showing import say, say_json
from crawler.config.schema import CoreSettings
from crawler.frontier.store import Attempt
from crawler.observe.progress import counted
from crawler.storage import history
from crawler.storage.finished import failed
from crawler.storage.history import Failed
from crawler.storage.jobs import Job, reading

_attempts = msgspec.msgpack.Decoder(list[Attempt]).decode


class Failure(NamedTuple):
    """A request that failed, as it is told: why, by which attempts, and the URL of the page it was found on."""

    url: str
    reason: str
    attempts: list[Attempt]
    found_on: str


def failures_of(core: CoreSettings, job: Job) -> Iterator[Failed]:
    """Yield what failed of any job, also while its crawl runs. Raises StoreError."""
    if has_finished(job):
        yield from history.failed(history.read_run(job.path))
    elif is_file(job):
        with reading(job.path) as sql:
            yield from failed(sql)
    else:
        from crawler.commands.cluster.failed import shared_failures

        yield from shared_failures(core, job)


def tell_failures(core: CoreSettings, job: Job, *, as_json: bool) -> None:
    """Print what failed of a job. Raises StoreError."""
    count = 0
    for count, each in enumerate(failures_of(core, job), 1):
        attempts = [attempt for data in each.attempts for attempt in _attempts(data)]
        failure = Failure(each.url, each.reason, attempts, each.found_on)
        if as_json:
            plain = {**failure._asdict(), "attempts": [attempt._asdict() for attempt in attempts]}
            say_json(("," if count > 1 else "[").encode() + b"\n" + msgspec.json.encode(plain))
        else:
            for line in _lines(failure):
                say(line)
    if as_json:
        click.echo("]" if count else "[]")
    elif count:
        say(f"{counted(count, 'request')} failed; fetch again:  crawler resume {job.name} --failed", err=True)
    else:
        say(f"Nothing failed in job {job.name}.", err=True)


def _lines(failure: Failure) -> Iterator[str]:
    yield failure.url
    last = failure.attempts[-1] if failure.attempts else None
    if last is None:
        why = failure.reason
    else:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(last.when))
        why = failure.reason if failure.reason == last.outcome else f"{failure.reason} {last.outcome}"
        why += f": {last.detail}" if last.detail else ""
        why += f", {counted(len(failure.attempts), 'attempt')}, the last at {when}"
    yield f"  {why}"
    yield f"  found on {failure.found_on}" if failure.found_on else "  from start()"
