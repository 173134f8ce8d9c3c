"""In what do two outcomes of one project differ?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.scrapy_projects.running import Outcome, Run

# Times, sizes on the wire, memory, and what depends on the log's level or on the kind of queue.
UNCOMPARED = re.compile(
    r"(start_time|finish_time|elapsed_time_seconds|.*bytes.*|memusage/.*|log_count/(DEBUG|INFO|WARNING|NOTICE)"
    r"|items_per_minute|responses_per_minute|scheduler/.*/(memory|disk)|robotstxt/.*)"
)


def differences(real: Outcome, ours: Outcome, run: Run) -> list[str]:
    """Return a line for each difference."""
    return list(_differences(real, ours, run))


def _differences(real: Outcome, ours: Outcome, run: Run) -> Iterator[str]:
    if real.status != ours.status:
        yield f"exit status: {real.status} expected, got {ours.status}"
    if run.ordered:
        for number, (expected, got) in enumerate(zip(real.requests, ours.requests, strict=False)):
            if expected[:2] != got[:2]:
                yield f"request {number + 1}: {expected.url} expected, got {got.url}"
                break
    yield from _multiset("request", map(str, real.requests), map(str, ours.requests))
    yield from _multiset("item", real.items, ours.items)
    for name in sorted({*real.files, *ours.files}):
        expected, got = real.files.get(name, "no file"), ours.files.get(name, "no file")
        if expected != got:
            if isinstance(expected, list) and isinstance(got, list):
                yield from _multiset(f"file {name}: line", map(str, expected), map(str, got))
            else:
                yield f"file {name}: {str(expected)[:300]} expected, got {str(got)[:300]}"
    if run.command[0] in ("crawl", "runspider"):
        yield from _stats(real.stats, ours.stats, run.known)


def _stats(real: dict[str, Any], ours: dict[str, Any], known: frozenset[str]) -> Iterator[str]:
    for key in sorted({*real, *ours} - known):
        if not UNCOMPARED.fullmatch(key) and real.get(key) != ours.get(key):
            yield f"stats {key}: {real.get(key)} expected, got {ours.get(key)}"


def _multiset(what: str, real: Any, ours: Any) -> Iterator[str]:
    expected, got = Counter(real), Counter(ours)
    for each, times in (expected - got).items():
        yield f"{what} missing{f' {times} times' if times > 1 else ''}: {each[:600]}"
    for each, times in (got - expected).items():
        yield f"{what} too many{f' {times} times' if times > 1 else ''}: {each[:600]}"
