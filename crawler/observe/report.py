"""What does a person, or a program, read about a crawl that is over?"""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.errors import OutputError
from crawler.model.masking import escape, masked
from crawler.observe.progress import counted, duration
from crawler.summary import Summary, output_name

_REASONS = {
    "finished": "done",
    "shutdown": "stopped by hand",
    "feed_error": "stopped: an output failed",
    "output_closed": "stopped: nobody reads the output",
    "store_error": "stopped: the job file failed",
    "local_failure": "stopped: this machine could not keep a page",
    "memusage_exceeded": "stopped: more memory than MEMUSAGE_LIMIT_MB",
    "internal_error": "stopped: an error of this program",
}
_BESIDE_ITEMS = (
    ("unfinished", "of unfinished pages and not written"),
    ("item_dropped_count", "dropped"),
    ("item_failed_count", "lost"),
)

_DROPPED = {
    "dupefilter/filtered": "duplicate",
    "offsite/filtered": "off-site",
    "urllength/request_ignored_count": "URL too long",
    "depth/request_ignored_count": "too deep",
    "robotstxt/forbidden": "forbidden by robots.txt",
}
"""The stats of requests that were dropped, and what a person reads of each."""
_WORDS = {
    "invalid_url": "invalid URL",
    "offsite": "off-site",
    "depth": "too deep",
    "url_length": "URL too long",
    "FetchTimeout": "timeout",
    "TLSError": "TLS error",
    "RobotsUnreachable": "robots.txt unreachable",
}
GO_ON = "Go on with"
_CAPITAL = re.compile("([A-Z][a-z]+)")


def print_summary(summary: Summary, console: Console, *, pages_before: int = 0, go_on: str = "") -> None:
    """Print the table at the end of a crawl.

    ``pages_before``: of a resumed job, those before it was resumed; ``go_on``: the command that goes on with it.
    """
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows(summary, pages_before, go_on):
        shown = escape(masked(value))
        # A command that is too long for the table is one line, whatever the width: it can be copied.
        whole = name == GO_ON and len(shown) > console.width - len(name) - 2
        table.add_row(name, Text("on the next line" if whole else shown))
    console.print()
    console.print(table)
    if whole:
        console.print(Text(shown), soft_wrap=True)


def rows(summary: Summary, pages_before: int = 0, go_on: str = "") -> list[tuple[str, str]]:
    """Return the lines of the table: what, and how much."""
    stats = {key: value for key, value in summary.stats.items() if isinstance(key, str)}
    reason = _REASONS.get(summary.reason, f"stopped ({summary.reason})")
    if summary.exit_status not in (0, 130) and not reason.startswith("stopped: "):
        reason = "failed" if summary.reason == "finished" else f"{reason} – failed"
    beside = {**stats, "unfinished": summary.unfinished_items}
    rate = (summary.pages - pages_before) / summary.seconds if summary.seconds > 0 else 0.0
    lines = [
        ("Spider", summary.spider),
        ("Result", f"{reason} after {duration(summary.seconds)}"),
        ("Pages", f"{summary.pages:,} ({rate:,.1f}/s)"),
        ("Items", f"{summary.items:,}{_also(beside, *_BESIDE_ITEMS)}"),
        ("Errors", f"{summary.errors:,}{_also(stats, ('retry/count', 'retries'))}"),
    ]
    if asked := _also(stats, ("httpcache/revalidate", "not changed"), ("httpcache/hit", "not asked about")):
        kept = stats.get("httpcache/revalidate", 0) + stats.get("httpcache/hit", 0)
        lines.append(("From cache", f"{kept:,}{asked}"))
    dropped, failed = _dropped_and_failed(stats)
    lines += [(name, said) for name, said in (("Dropped", dropped), ("Failed", failed)) if said]
    statuses = _statuses(stats)
    if len(statuses) > 1 or (statuses and "200" not in statuses):
        lines.append(("Statuses", ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))))
    if summary.queued:
        lines.append(("Queued", f"{summary.queued:,}"))
    for slow in summary.slow:
        times = "" if slow.count == 1 else f" at most, {slow.count:,} times"
        longest = duration(slow.seconds) if slow.seconds >= 1 else f"{slow.seconds * 1000:.0f} ms"
        lines.append(("Slow", f"{slow.what}: {longest}{times} ({slow.where})"))
    outputs = [(output_name(feed.path, summary.spider), feed.items) for feed in summary.feeds]
    lines += [("Output", f"{path} ({counted(items, 'item')})") for path, items in outputs]
    lines += [("Problem", problem) for problem in summary.problems]
    if summary.resumable and summary.job:
        lines.append((GO_ON, go_on or f"crawler resume {summary.job}"))
    return lines


def check_summary_file(path: str) -> None:
    """Raise OutputError for a path that could not be written when the crawl is over."""
    check_written_later("--summary", path)


def check_written_later(option: str, path: str) -> None:
    """Raise OutputError for a path, given by an option, that could not be written at the end."""
    if Path(path).is_dir():
        raise OutputError(f"{option}: cannot write {path}: it is a folder")
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise OutputError(f"{option}: cannot write {path}: there is no such folder")
    if not os.access(path if Path(path).exists() else folder, os.W_OK):
        raise OutputError(f"{option}: cannot write {path}: permission denied")


def write_summary(summary: Summary, path: str) -> None:
    """Write the summary as JSON. Raises OutputError."""
    encoded = masked(msgspec.json.format(_json(summary), indent=2).decode()).encode()
    try:
        Path(path).write_bytes(encoded + b"\n")
    except OSError as error:
        raise OutputError(f"--summary: cannot write {path}: {error.strerror or error}") from error


def _json(summary: Summary) -> bytes:
    try:
        return msgspec.json.encode(summary, enc_hook=str)
    except BaseException:  # a value of the user's in the stats that has no text, or text that UTF-8 cannot carry
        numbers = (int, float, bool)
        stats = {_text(key): each if type(each) in numbers else _text(each) for key, each in summary.stats.items()}
        return msgspec.json.encode(msgspec.structs.replace(summary, stats=stats))


def _text(value: Any) -> str:
    try:
        return str(value).encode("utf-8", "replace").decode()
    except BaseException:  # an object of the user's own class
        return f"<{type(value).__name__}>"


def _statuses(stats: dict[str, Any]) -> dict[str, int]:
    """Return how many responses had which status, without those to requests for robots.txt."""
    pages = {
        key.rpartition("/")[2]: count - stats.get(f"robotstxt/{key.partition('/')[2]}", 0)
        for key, count in stats.items()
        if key.startswith("downloader/response_status_count/")
    }
    return {status: count for status, count in pages.items() if count}


def _dropped_and_failed(stats: dict[str, Any]) -> tuple[str, str]:
    """Return how many requests came to nothing, and why.

    By a rule, be it before they were accepted or on their way; or without an answer that a callback got.
    """
    dropped: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for key, count in stats.items():
        place, _, reason = key.rpartition("/")
        if key in _DROPPED:
            dropped[_DROPPED[key]] += count
        elif place in ("request_refused", "request_dropped"):
            dropped[_WORDS.get(reason, reason.replace("_", " "))] += count
        elif place == "httperror/response_ignored_status_count":
            failed[f"status {reason}"] += count
        elif place == "request_failed" and reason != "HttpError":
            failed[_WORDS.get(reason, _CAPITAL.sub(r" \1", reason).strip().lower())] += count
    return _counted(dropped), _counted(failed)


def _counted(reasons: Counter[str]) -> str:
    """Return ``4 (3 status 500, 1 timeout)``, the most frequent first; "" for none."""
    said = [f"{count:,} {reason}" for reason, count in sorted(reasons.items(), key=lambda each: (-each[1], each[0]))]
    return f"{sum(reasons.values()):,} ({', '.join(said)})" if said else ""


def _also(stats: dict[str, Any], *pairs: tuple[str, str]) -> str:
    """Return `` (3 dropped, 1 lost)`` for those of the named stats that are not 0."""
    said = [f"{stats[key]:,} {word}" for key, word in pairs if stats.get(key)]
    return f" ({', '.join(said)})" if said else ""
