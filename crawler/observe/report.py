"""What does a person, or a program, read about a crawl that is over?"""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.errors import OutputError
from crawler.observe.log import escape
from crawler.observe.progress import duration
from crawler.summary import Summary

_REASONS = {"finished": "done", "shutdown": "stopped by hand"}


def print_summary(summary: Summary, console: Console) -> None:
    """Print the table at the end of a crawl."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows(summary):
        table.add_row(name, Text(escape(value)))
    console.print()
    console.print(table)


def rows(summary: Summary) -> list[tuple[str, str]]:
    """Return the lines of the table: what, and how much."""
    stats = summary.stats
    reason = _REASONS.get(summary.reason, summary.reason)
    if summary.exit_status not in (0, 130):
        reason = "failed" if summary.reason == "finished" else f"{reason} – failed"
    rate = summary.pages / summary.seconds if summary.seconds > 0 else 0.0
    lines = [
        ("Spider", summary.spider),
        ("Result", f"{reason} after {duration(summary.seconds)}"),
        ("Pages", f"{summary.pages:,} ({rate:,.1f}/s)"),
        ("Items", f"{summary.items:,}{_also(stats, 'item_dropped_count', 'dropped', 'item_failed_count', 'lost')}"),
        ("Errors", f"{summary.errors:,}{_also(stats, 'retry/count', 'retries')}"),
    ]
    statuses = {key.rpartition("/")[2]: count for key, count in stats.items() if "response_status_count/" in key}
    if len(statuses) > 1 or (statuses and "200" not in statuses):
        lines.append(("Statuses", ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))))
    if summary.queued:
        lines.append(("Queued", f"{summary.queued:,}"))
    outputs = [("stdout" if feed.path == "-" else feed.path, feed.items) for feed in summary.feeds]
    lines += [("Output", f"{path} ({items:,} items)") for path, items in outputs]
    lines += [("Problem", problem) for problem in summary.problems]
    if summary.resumable and summary.job:
        lines.append(("Go on with", f"crawler resume {summary.job}"))
    return lines


def write_summary(summary: Summary, path: str) -> None:
    """Write the summary as JSON. Raises OutputError."""
    encoded = msgspec.json.format(msgspec.json.encode(summary, enc_hook=str), indent=2)
    try:
        Path(path).write_bytes(encoded + b"\n")
    except OSError as error:
        raise OutputError(f"--summary: cannot write {path}: {error.strerror or error}") from error


def _also(stats: dict[str, object], *pairs: str) -> str:
    """Return `` (3 dropped, 1 lost)`` for those of the named stats that are not 0."""
    said = [f"{stats[key]:,} {word}" for key, word in zip(pairs[::2], pairs[1::2], strict=True) if stats.get(key)]
    return f" ({', '.join(said)})" if said else ""
