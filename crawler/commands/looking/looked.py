"""How is shown what lies elsewhere: in a job's file, on a server, in another process?

It is read as a whole now and then, by whoever may wait for that; in between the last reading answers.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from crawler.errors import UsageError
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
from crawler.observe.board.source import ROWS_PER_PAGE, SORTS

MOST_STEPS = 600
RATE_SECONDS = 10.0
"""Rates are those of so long a time."""

_ERRORS = ("spider_exceptions/count", "request_failed_count", "item_failed_count")
_KINDS = ("spider_exceptions/", "request_failed/", "item_failed_count/", "httperror/response_ignored_status_count/")
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


def totals_of(stats: Mapping[str, Any], *, items: int, queued: int, in_flight: int = 0, hosts: int = 0) -> Totals:
    """Return the totals that a crawl's stats tell."""
    dropped = sum(count for key, count in stats.items() if key.startswith("request_dropped/"))
    return Totals(
        pages=int(stats.get("response_received_count", 0)),
        items=items,
        bytes=int(stats.get("downloader/response_bytes", 0)),
        requests=int(stats.get("downloader/request_count", 0)),
        errors=sum(int(stats.get(key, 0)) for key in _ERRORS),
        failed=int(stats.get("request_failed_count", 0)),
        dropped=int(dropped + stats.get("robotstxt/forbidden", 0)),
        retries=int(stats.get("retry/count", 0)),
        queued=queued,
        in_flight=in_flight,
        hosts=hosts,
    )


def kinds_of(stats: Mapping[str, Any]) -> dict[str, int]:
    """Return how many errors of each kind the stats tell of: classes, statuses, stages."""
    found: dict[str, int] = {}
    for key, count in stats.items():
        prefix = next((prefix for prefix in _KINDS if key.startswith(prefix)), None)
        kind = key.removeprefix(prefix) if prefix is not None else ""
        if kind and kind not in {"count", "start", "HttpError"} and isinstance(count, int):
            found[kind] = found.get(kind, 0) + count
    return found


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
        self._note(reading)
        self._reading, self.looked_at = reading, now

    def _with_rates(self, found: Now, now: float) -> Now:
        """Work out the rates of the last ten seconds, and make one more step of the series of the last one."""
        before, totals = self._before, found.totals
        if before:
            rates = _rates(*before[-1], now, totals)
            self._steps.add(
                Point(time=found.time, pages=rates.pages, items=rates.items, bytes=rates.bytes, queued=totals.queued)
            )
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


class Steps:
    """Steps of a second each, to begin with; once there are MOST_STEPS of them, each two become one."""

    def __init__(self) -> None:
        self._points: list[Point] = []
        self._step = 1.0

    def __repr__(self) -> str:
        return f"<Steps {len(self._points)} of {self._step} s>"

    def add(self, point: Point) -> None:
        """Add what one look has found. It belongs to the last step while that is shorter than a step is now."""
        points = self._points
        if points and point.time < points[-1].time + self._step - 0.5:
            points[-1] = msgspec.structs.replace(_both(points[-1], point), time=points[-1].time)
            return
        points.append(point)
        if len(points) > MOST_STEPS:
            self._points = [_both(*pair) for pair in zip(points[::2], points[1::2], strict=False)]
            self._step *= 2

    def newest(self) -> Point | None:
        """Return the last step."""
        return self._points[-1] if self._points else None

    def series(self) -> Series:
        """Return all of them as columns."""
        columns = {name: [getattr(point, name) for point in self._points] for name in Point.__struct_fields__}
        return Series(step=self._step, **columns)


def _both(first: Point, second: Point) -> Point:
    return Point(
        time=first.time,
        pages=(first.pages + second.pages) / 2,
        items=(first.items + second.items) / 2,
        bytes=(first.bytes + second.bytes) / 2,
        queued=second.queued,
    )


def host_page(rows: Iterable[HostRow], page: int, sort: str, *, descending: bool, containing: str) -> HostPage:
    """Return a page of hosts as a Source does. Raises UsageError for a column by which they cannot be sorted."""
    if sort not in SORTS:
        raise UsageError(f"hosts cannot be sorted by {sort!r}: it is one of {', '.join(SORTS)}")
    found = sorted((row for row in rows if containing in row.name), key=lambda row: row.name)
    found.sort(key=lambda row: getattr(row, sort), reverse=descending)
    pages = max(-(-len(found) // ROWS_PER_PAGE), 1)
    page = min(max(page, 1), pages)
    return HostPage(total=len(found), page=page, pages=pages, rows=found[(page - 1) * ROWS_PER_PAGE :][:ROWS_PER_PAGE])
