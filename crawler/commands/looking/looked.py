"""How is shown what lies elsewhere: in a job's file, on a server, in another process?

It is read as a whole now and then, by whoever may wait for that; in between the last reading answers.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from crawler.observe.board.kinds import together
from crawler.observe.board.paging import host_page
from crawler.observe.board.shown import (
    Changes,
    ErrorKind,
    FeedRow,
    HostPage,
    HostRow,
    Item,
    Latencies,
    Now,
    Point,
    Rates,
    Run,
    Series,
    Setting,
    Slow,
    Totals,
    Worker,
)
from crawler.observe.board.source import ROWS_PER_PAGE
from crawler.observe.board.steps import Sample, Steps

RATE_SECONDS = 10.0
"""Rates are those of so long a time."""

_REQUESTS = {"request_failed/": "", "httperror/response_ignored_status_count/": "status "}
_CODE = {"spider_exceptions/": "", "item_failed_count/": "in "}
_NO_KINDS = frozenset({"spider_exceptions/count", "spider_exceptions/start", "request_failed/HttpError"})
_PARTS = ("errors", "items", "slow", "settings", "feeds", "workers")


class Reading(Struct, kw_only=True, frozen=True):
    """All that was found at one moment. A running crawl tells ``series``, too, and ``now`` has its rates then."""

    now: Now
    stats: Mapping[str, Any] = {}
    hosts: Sequence[HostRow] = ()
    errors: Sequence[ErrorKind] = ()
    items: Sequence[Item] = ()
    slow: Sequence[Slow] = ()
    settings: Sequence[Setting] = ()
    feeds: Sequence[FeedRow] = ()
    workers: Sequence[Worker] = ()
    series: Series | None = None


def errors_in(stats: Mapping[str, Any], kept: Iterable[Any]) -> list[ErrorKind]:
    """Return the errors that stats tell of, the most frequent first.

    ``kept``: what each worker has kept of those of the user's code, with their lines; else they go by class alone.
    """
    of_code = together(kept)
    prefixes = _REQUESTS | ({} if of_code else _CODE)
    found: Counter[str] = Counter()
    for key, count in stats.items():
        prefix = next((prefix for prefix in prefixes if key.startswith(prefix)), None)
        if prefix is not None and isinstance(count, int) and key not in _NO_KINDS:
            found[prefixes[prefix] + key.removeprefix(prefix)] += count
    kinds = of_code + [ErrorKind(kind=kind, count=count) for kind, count in found.items()]
    return sorted(kinds, key=lambda kind: (-kind.count, kind.kind))


class Looked:
    """A Source over readings. ``read`` waits, and is called by ``look``, in a thread perhaps; ``runs`` is so, too."""

    def __init__(
        self,
        read: Callable[[], Reading],
        *,
        runs: Callable[[], Sequence[Run]] = tuple,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._runs = runs
        self._clock = clock
        self._before: deque[tuple[float, Totals]] = deque()
        self._steps = Steps()
        self._number = 0
        self._changed: dict[str, int] = {}
        self._rows: dict[str, HostRow] = {}
        self._history: Sequence[Run] = ()
        self._reading: Reading | None = None
        self.looked_at = float("-inf")

    def __repr__(self) -> str:
        return f"<Looked {self._reading and self._reading.now.job}>"

    @property
    def reading(self) -> Reading:
        """What was read last; ``look`` was called before."""
        assert self._reading is not None
        return self._reading

    def look(self) -> None:
        """Read anew. Raises what ``read`` does; what was read before stays then."""
        reading, now = self._read(), self._clock()
        if reading.series is None:
            reading = msgspec.structs.replace(reading, now=self._with_rates(reading.now, now))
        self._history = self._runs()
        self.take(reading)
        self.looked_at = now

    def take(self, reading: Reading) -> None:
        """Answer with this from now on."""
        self._note(reading)
        self._reading = reading

    def _with_rates(self, found: Now, now: float) -> Now:
        """Work out the rates of the last ten seconds, and what came since the last look."""
        before, totals = self._before, found.totals
        if before:
            then, last = before[-1]
            sample = Sample(time=found.time - (now - then), seconds=now - then, queued=totals.queued)
            sample.pages, sample.items = totals.pages - last.pages, totals.items - last.items
            sample.bytes = totals.bytes - last.bytes
            self._steps.add(sample)
        before.append((now, totals))
        while len(before) > 2 and before[1][0] <= now - RATE_SECONDS:
            before.popleft()
        return msgspec.structs.replace(found, rates=_rates(*before[0], now, totals))

    def _note(self, reading: Reading) -> None:
        self._number += 1
        rows = {row.name: row for row in reading.hosts}
        changed = [name for name, row in rows.items() if self._rows.get(name) != row]
        self._changed |= dict.fromkeys(changed, self._number)
        self._rows = rows
        for part in _PARTS:
            if self._reading is None or getattr(self._reading, part) != getattr(reading, part):
                self._changed[f"/{part}"] = self._number  # no host is called so

    # See Source

    def now(self) -> Now:
        """See Source."""
        return self.reading.now

    def series(self) -> Series:
        """See Source."""
        return self.reading.series or self._steps.series()

    def newest(self) -> Point | None:
        """See Source."""
        return self._steps.newest()

    def latencies(self) -> Latencies:
        """See Source: nothing is known of it here."""
        return Latencies(bounds=(), counts=(0,))

    def stats(self) -> Mapping[str, Any]:
        """See Source."""
        return self.reading.stats

    def hosts(self, page: int = 1, sort: str = "queued", *, descending: bool = True, containing: str = "") -> HostPage:
        """See Source."""
        return host_page(self._rows.values(), page, sort, descending=descending, containing=containing)

    def host(self, name: str) -> HostRow | None:
        """See Source."""
        return self._rows.get(name)

    def errors(self) -> Sequence[ErrorKind]:
        """See Source."""
        return self.reading.errors

    def items(self) -> Sequence[Item]:
        """See Source."""
        return self.reading.items

    def slow(self) -> Sequence[Slow]:
        """See Source."""
        return self.reading.slow

    def settings(self) -> Sequence[Setting]:
        """See Source."""
        return self.reading.settings

    def feeds(self) -> Sequence[FeedRow]:
        """See Source."""
        return self.reading.feeds

    def workers(self) -> Sequence[Worker]:
        """See Source."""
        return self.reading.workers

    def history(self) -> Sequence[Run]:
        """See Source."""
        return self._history

    def changes(self, since: int) -> Changes:
        """See Source."""
        changed = sorted((number, name) for name, number in self._changed.items() if number > since)
        rows = [row for _, name in changed if (row := self._rows.get(name)) is not None]
        parts = [name[1:] for _, name in changed if name.startswith("/")]
        return Changes(number=self._number, hosts=rows[-ROWS_PER_PAGE:], parts=parts)


def _rates(then: float, before: Totals, now: float, totals: Totals) -> Rates:
    seconds = now - then
    if seconds <= 0:
        return Rates()
    return Rates(
        pages=max(totals.pages - before.pages, 0) / seconds,
        items=max(totals.items - before.items, 0) / seconds,
        bytes=max(totals.bytes - before.bytes, 0) / seconds,
    )
