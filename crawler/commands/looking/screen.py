"""How does a terminal show a crawl? As many lines as it has, as wide as it is; without a terminal, the same as text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Literal, NamedTuple

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from crawler.commands.showing import shown
from crawler.observe.board.shown import ErrorKind, HostRow, Item, Latency, Now, Series, Slow, Worker
from crawler.observe.board.source import Source
from crawler.observe.progress import counted, duration

TEXT_ROWS = 20
"""So many rows has each list where no height sets it."""

_BARS = "▁▂▃▄▅▆▇█"
_STATES = {"running": "green", "finished": "green", "paused": "yellow", "stopping": "yellow", "killed": "red"}
_LEAST = 24
"""So much of a short column is there however narrow the terminal is."""

_WIDE, _MEDIUM = 110, 70
"""From so many columns on hosts have all of theirs, or those that matter most."""


class Part(NamedTuple):
    """A list: ``table(count)`` is made of its first rows, and has ``more`` lines: a title, and names of columns."""

    title: str
    rows: int
    table: Callable[[int], RenderableType]
    more: int = 1


def view(source: Source, *, width: int, height: int | None) -> RenderableType:
    """Return what is shown of a crawl on so many columns and lines; None: lists end at TEXT_ROWS."""
    now = source.now()
    head = list(_head(now, source.series(), width))
    parts = [part for part in _parts(source, width) if part.rows]
    if height is None:
        counts = [min(part.rows, TEXT_ROWS) for part in parts]
    else:
        counts = shares(height - len(head) - sum(part.more for part in parts), [part.rows for part in parts])
    lists: list[RenderableType] = []
    for part, count in zip(parts, counts, strict=True):
        if count > 0:
            more = f" ({count} of {part.rows:,})" if count < part.rows else ""
            lists += [Rule(_text(part.title + more), align="left", style="dim"), part.table(count)]
    return Group(*head, *lists)


def shares(lines: int, wanted: Sequence[int]) -> list[int]:
    """Divide lines among lists: each gets what it wants while the others keep an equal part of the rest."""
    given = [0] * len(wanted)
    left = max(lines, 0)
    for done, place in enumerate(sorted(range(len(wanted)), key=lambda place: wanted[place])):
        given[place] = min(wanted[place], left // (len(wanted) - done))
        left -= given[place]
    return given


def sparkline(values: Sequence[float], width: int) -> str:
    """Return bars of the last values, the highest of which is a whole one."""
    last = values[-width:] if width > 0 else []
    most = max(last, default=0.0)
    return "".join(_BARS[min(int(value / most * 7.999), 7)] if most > 0 else _BARS[0] for value in last)


def _head(now: Now, series: Series, width: int) -> Iterable[RenderableType]:
    job, totals, rates = now.job, now.totals, now.rates
    state = f"{job.state} ({job.reason})" if job.reason and job.reason != job.state else job.state
    title = Text.assemble(
        (shown(job.spider), "bold"), f" · {shown(job.name or 'no job')} · ", (shown(state), _STATES.get(job.state, "")),
        f" · {duration(now.seconds)}", no_wrap=True, overflow="ellipsis",
    )  # fmt: skip
    where = [f"process {job.pid}" if job.pid else "", job.machine and f"on {job.machine}", job.cluster or ""]
    if said := " ".join(filter(None, where)):
        title.append(f" · {shown(said)}", style="dim")
    yield title
    yield _line(
        (f"{totals.pages:,}", f"pages {rates.pages:,.1f}/s"), (f"{totals.items:,}", f"items {rates.items:,.1f}/s"),
        (size(totals.bytes), f"{size(rates.bytes)}/s"), (f"{totals.queued:,}", "queued"),
        (_number(totals.in_flight), "in flight"), _counted(totals.hosts, "host"),
    )  # fmt: skip
    yield _line(
        _counted(totals.errors, "error"), (f"{totals.failed:,}", "failed"), (f"{totals.dropped:,}", "dropped"),
        (f"{totals.retries:,}", "retries"), (f"{totals.requests:,}", "requests"),
    )  # fmt: skip
    if health := list(_health(now)):
        yield _line(*health)
    if bars := sparkline(series.pages, width - len("pages/s  ")):
        yield Text(f"pages/s  {bars}", style="cyan", no_wrap=True, overflow="crop")


def _counted(number: int, noun: str) -> tuple[str, str]:
    said, _, noun = counted(number, noun).partition(" ")
    return said, noun


def _health(now: Now) -> Iterable[tuple[str, str]]:
    if (latency := now.latency) is not None:
        yield _milliseconds(latency), "latency (half, 90 %, 99 %)"
    if now.memory:
        yield size(now.memory), "memory"
        yield f"{now.lag * 1000:,.0f} ms", "lag"


def _milliseconds(latency: Latency) -> str:
    return " ".join(f"{value * 1000:,.0f} ms" for value in (latency.p50, latency.p90, latency.p99))


def _parts(source: Source, width: int) -> Iterable[Part]:
    workers, hosts, errors = source.workers(), source.hosts(), source.errors()
    items, feeds, slow = source.items(), source.feeds(), source.slow()
    yield Part("Workers", len(workers), lambda count: _workers(workers[:count]))
    yield Part(f"Hosts, {hosts.total:,}", len(hosts.rows), lambda count: _hosts(hosts.rows[:count], width), more=2)
    yield Part("Errors", len(errors), lambda count: _errors(errors[:count]))
    yield Part("Held the loop", len(slow), lambda count: _rows(map(_slow, slow[:count])))
    yield Part("Last items", len(items), lambda count: _rows(map(_item, items[:count])))
    yield Part("Feeds", len(feeds), lambda count: _rows((f"{each.items:,}", each.path) for each in feeds[:count]))


def _slow(each: Slow) -> Sequence[str]:
    return f"{each.seconds:.2f} s", counted(each.count, "time"), f"{each.what} {each.where}"


def _item(each: Item) -> Sequence[str]:
    return f"{datetime.fromtimestamp(each.time):%H:%M:%S}", each.text


def _hosts(rows: Sequence[HostRow], width: int) -> Table:
    columns: list[tuple[str, int, Callable[[HostRow], str]]] = [
        ("host", 0, lambda row: row.name),
        ("queued", 0, lambda row: f"{row.queued:,}"),
        ("in flight", _MEDIUM, lambda row: _number(row.in_flight)),
        ("waits for", 0, _why),
        ("delay", _MEDIUM, lambda row: f"{row.delay:g} s" if row.delay else ""),
        ("at once", _WIDE, lambda row: _number(row.concurrency)),
        ("pages", _WIDE, lambda row: _number(row.pages)),
        ("errors", _MEDIUM, lambda row: _number(row.errors)),
        ("throttle", _WIDE, lambda row: row.throttle),
    ]
    table = Table(box=None, pad_edge=False, header_style="dim")
    cells = {name: [cell(row) for row in rows] for name, least, cell in columns if width >= least}
    cells = {name: column for name, column in cells.items() if any(column)}
    for name in cells:
        justify: Literal["left", "right"] = "left" if name in ("host", "waits for", "throttle") else "right"
        table.add_column(name, justify=justify, no_wrap=True, overflow="ellipsis", max_width=width // 2)
    for row in zip(*cells.values(), strict=True):
        table.add_row(*map(_text, row))
    return table


def _number(number: int) -> str:
    return f"{number:,}" if number else ""


def _why(row: HostRow) -> str:
    return f"{row.why}, {duration(row.seconds)}" if row.why and row.seconds else row.why


def _workers(workers: Sequence[Worker]) -> Table:
    return _rows(
        (each.name, each.machine, each.state, counted(each.pages, "page"), f"{each.rate:,.1f}/s",
         counted(each.items, "item"), counted(each.hosts, "host"),
         f"heard {duration(each.seen)} ago" if each.state != "gone" else "")
        for each in workers
    )  # fmt: skip


def _errors(errors: Sequence[ErrorKind]) -> Table:
    rows = ((f"{each.count:,}", each.kind, each.where or each.message, each.url) for each in errors)
    return _rows(rows, wide=2)


def _rows(rows: Iterable[Sequence[str]], *, wide: int = 1) -> Table:
    """Return a table whose last columns, so many, share what the others leave."""
    table = Table(box=None, pad_edge=False, show_header=False, expand=True)
    for place, cells in enumerate(columns := list(zip(*rows, strict=True))):
        takes_rest = place >= len(columns) - wide
        least = None if takes_rest else min(max(map(len, cells)), _LEAST)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1 if takes_rest else None, min_width=least)
    for row in zip(*columns, strict=True):
        table.add_row(*map(_text, row))
    return table


def _line(*pairs: tuple[str, str]) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    for figure, of in filter(itemgetter(0), pairs):
        text.append("  " if text else "").append(figure, style="bold").append(f" {of}")
    return text


def _text(plain: str) -> Text:
    return Text(shown(plain.replace("\n", " ")))


def size(count: float) -> str:
    """Return bytes for people: ``812 B``, ``3.4 kB``, ``1.2 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "B" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
