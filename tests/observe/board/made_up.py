"""A source of made-up values, for tests of what shows them: nothing crawls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crawler.errors import UsageError
from crawler.observe.board.shown import (
    Changes,
    ErrorKind,
    FeedRow,
    HostPage,
    HostRow,
    Item,
    Job,
    Latencies,
    Latency,
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
from crawler.observe.board.source import ROWS_PER_PAGE, SORTS, Source

NOON = 1_750_000_000.0
HOSTILE = "<script>alert(1)</script> \"' & \x1b[31m \u202e"
"""A text from the network, as bad as they come."""


class MadeUp(Source):
    """A crawl of ``host_count`` hosts. ``tick`` lets a second pass, in which one page of each of two hosts came."""

    def __init__(self, host_count: int = 3) -> None:
        self.ticks = 0
        self.state = "running"
        self.rows = [
            HostRow(
                name=f"site-{number}.example", queued=host_count - number, in_flight=number % 3, concurrency=8,
                delay=0.5 * (number % 4), why="delay" if number % 4 else "", seconds=0.25 if number % 4 else None,
                robots="open", throttle="1 at once, 2.0 s apart: status 503" if number % 5 == 4 else "",
                pages=3 * number,
                errors=number % 2,
            )
            for number in range(host_count)
        ]  # fmt: skip
        self.points = [self._point()]

    def tick(self) -> None:
        """Let a second pass."""
        self.ticks += 1
        self.rows[:2] = [
            HostRow(name=row.name, queued=row.queued, pages=row.pages + 1, robots="open") for row in self.rows[:2]
        ]
        self.points.append(self._point())

    def _point(self) -> Point:
        return Point(
            time=NOON + self.ticks, pages=40.0 + self.ticks % 7, items=30.0, bytes=200_000.0, queued=100, p50=0.05,
            p90=0.2, p99=0.9, lag=0.001, memory=80_000_000,
        )  # fmt: skip

    def now(self) -> Now:
        """See Source."""
        return Now(
            time=NOON + self.ticks,
            seconds=float(self.ticks),
            job=Job(spider="shop", state=self.state, name="shop-1", started=NOON, pid=4711, machine="here"),
            totals=Totals(
                pages=40 * self.ticks, items=30 * self.ticks, bytes=200_000 * self.ticks, requests=42 * self.ticks,
                errors=3, failed=2, dropped=1, retries=2, queued=100, in_flight=8, hosts=len(self.rows),
            ),
            rates=Rates(pages=40.0, items=30.0, bytes=200_000.0),
            latency=Latency(p50=0.05, p90=0.2, p99=0.9),
            memory=80_000_000,
            lag=0.001,
        )  # fmt: skip

    def series(self) -> Series:
        """See Source."""
        names = [name for name in Series.__struct_fields__ if name != "step"]
        return Series(step=1.0, **{name: [getattr(point, name) for point in self.points] for name in names})

    def newest(self) -> Point | None:
        """See Source."""
        return self.points[-1]

    def latencies(self) -> Latencies:
        """See Source."""
        return Latencies(bounds=(0.1, 1.0), counts=(90, 9, 1), sum=12.0)

    def stats(self) -> Mapping[str, Any]:
        """See Source."""
        return {
            "response_received_count": 40 * self.ticks,
            "item_scraped_count": 30 * self.ticks,
            "downloader/response_status_count/200": 40 * self.ticks,
            "retry/count": 2,
        }

    def hosts(self, page: int = 1, sort: str = "queued", *, descending: bool = True, containing: str = "") -> HostPage:
        """See Source."""
        if sort not in SORTS:
            raise UsageError(f"hosts are not sorted by {sort!r}; they are by {', '.join(SORTS)}")
        fit = [row for row in self.rows if containing in row.name]
        fit.sort(key=lambda row: row.name)
        fit.sort(key=lambda row: getattr(row, sort), reverse=descending)
        pages = max(-(-len(fit) // ROWS_PER_PAGE), 1)
        page = min(max(page, 1), pages)
        rows = fit[(page - 1) * ROWS_PER_PAGE : page * ROWS_PER_PAGE]
        return HostPage(total=len(fit), page=page, pages=pages, rows=rows)

    def host(self, name: str) -> HostRow | None:
        """See Source."""
        return next((row for row in self.rows if row.name == name), None)

    def errors(self) -> Sequence[ErrorKind]:
        """See Source."""
        line = "spiders/shop.py:12 in parse: price = row['price']"
        return [
            ErrorKind(
                kind="KeyError in parse", count=2, url=f"https://site-0.example/?q={HOSTILE}", where=line,
                message=HOSTILE, last=NOON,
            ),
            ErrorKind(kind="status 404", count=1, url="https://site-1.example/gone", last=NOON),
        ]  # fmt: skip

    def items(self) -> Sequence[Item]:
        """See Source."""
        return [Item(time=NOON + self.ticks, url="https://site-0.example/a", text=f'{{"title": "{HOSTILE}"}}')]

    def slow(self) -> Sequence[Slow]:
        """See Source."""
        return [Slow(what="callback parse", where="spiders/shop.py:12", seconds=0.7, count=3)]

    def settings(self) -> Sequence[Setting]:
        """See Source."""
        return [
            Setting(name="DOWNLOAD_DELAY", value="0.5", origin="settings.py", live=True),
            Setting(name="USER_AGENT", value="shop/1", origin="-s"),
        ]

    def feeds(self) -> Sequence[FeedRow]:
        """See Source."""
        return [FeedRow(path="items.jsonl", items=30 * self.ticks)]

    def workers(self) -> Sequence[Worker]:
        """See Source."""
        return []

    def history(self) -> Sequence[Run]:
        """See Source."""
        return [
            Run(job="shop-1", spider="shop", state="running", started=NOON, pages=40 * self.ticks),
            Run(
                job="shop-0", spider="shop", state="finished", reason="finished", started=NOON - 86_400.0, seconds=60.0,
                pages=800, items=700,
            ),
        ]  # fmt: skip

    def changes(self, since: int) -> Changes:
        """See Source."""
        if since > self.ticks:
            return Changes(number=self.ticks + 1)
        rows = self.rows[:2] if since else self.rows[:ROWS_PER_PAGE]
        return Changes(number=self.ticks + 1, hosts=rows, parts=["items"] if since else ["errors", "items", "slow"])
