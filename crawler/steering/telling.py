"""How is what is known of a running crawl told in lines of text?"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.observe.board.shown import ErrorKind, HostRow, Now, Setting


def status(now: Now) -> list[str]:
    """Tell how far a crawl is."""
    totals, rates = now.totals, now.rates
    reason = f" ({now.job.reason})" if now.job.reason else ""
    lines = [
        f"{now.job.name or now.job.spider}: {now.job.state}{reason}, {now.seconds:.0f} s",
        f"pages {totals.pages:,} ({rates.pages:.1f}/s)  items {totals.items:,} ({rates.items:.1f}/s)"
        f"  errors {totals.errors:,}  failed {totals.failed:,}  dropped {totals.dropped:,}  retries {totals.retries:,}",
        f"queued {totals.queued:,}  in flight {totals.in_flight:,}  hosts {totals.hosts:,}",
    ]
    if now.memory:  # of a crawl of several workers nobody has it
        lines[-1] += f"  memory {now.memory / 1e6:,.0f} MB  lag {now.lag * 1000:.0f} ms"
    if now.latency is not None:
        taken = (("half", now.latency.p50), ("90 %", now.latency.p90), ("99 %", now.latency.p99))
        lines.append("answers within " + ", ".join(f"{seconds * 1000:,.0f} ms ({share})" for share, seconds in taken))
    return lines


def hosts(rows: Sequence[HostRow], total: int) -> list[str]:
    """Tell of hosts, and of how many there are more."""
    lines = [_host(row) for row in rows]
    if total > len(rows):
        lines.append(f"… and {total - len(rows):,} more")
    return lines or ["no host yet"]


def _host(row: HostRow) -> str:
    waits = f"  waits: {row.why}" if row.why else ""
    when = f" ({row.seconds:.1f} s)" if row.why and row.seconds else ""
    had = f"  pages {row.pages:,}  errors {row.errors:,}" if row.pages or row.errors else ""
    return (
        f"{row.name}  queued {row.queued:,}  in flight {row.in_flight:,}/{row.concurrency}  delay {row.delay:g} s"
        f"{had}{waits}{when}"
    )


def errors(kinds: Sequence[ErrorKind]) -> list[str]:
    """Tell what went wrong, by kind."""
    return [
        f"{kind.count:,} × {kind.kind}" + "".join(f"  {each}" for each in _example(kind) if each) for kind in kinds
    ] or ["no error"]


def _example(kind: ErrorKind) -> tuple[str, ...]:
    """Return message, URL and line; the URL once where the message has it, as that of a status."""
    return kind.message, "" if kind.url in kind.message.split() else kind.url, kind.where


def settings(known: Sequence[Setting]) -> list[str]:
    """Tell of the settings that can be changed, where each is from, and who changed it."""
    lines = [f"{each.name} = {each.value}  ({each.who or each.origin})" for each in known if each.live]
    return lines or ["no setting can be changed while this crawl runs"]
