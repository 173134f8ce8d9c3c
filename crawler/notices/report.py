"""What is said of a run that is over?"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.notices.notice import Notice, notice
from crawler.notices.rules import error_lines
from crawler.observe.board.shown import ErrorKind, Now
from crawler.observe.progress import counted
from crawler.observe.report import rows
from crawler.summary import Summary

MOST_KINDS = 10


def report(summary: Summary, errors: Sequence[ErrorKind], unusual: Sequence[str], go_on: str) -> Notice:
    """Return the report of a run: what the terminal shows at its end, and the kinds of errors.

    ``unusual``: lines on rules that are met; ``go_on``: the command that goes on with its job.
    """
    table = [f"{name}: {value}" for name, value in rows(summary, go_on=go_on)]
    result = next(row.partition(": ")[2] for row in table if row.startswith("Result: "))
    title = f"{summary.spider}: {result}, {counted(summary.items, 'item')}, {counted(summary.errors, 'error')}"
    first = [f"Not as usual: {each}" for each in unusual]
    return notice(f"end {summary.started}", "end", title, [*first, *table, *_kinds(errors)])


def report_of_failure(now: Now, errors: Sequence[ErrorKind]) -> Notice:
    """Return the report of a run that broke off without a summary."""
    totals = now.totals
    lines = [f"Pages: {totals.pages:,}", f"Items: {totals.items:,}", f"Errors: {totals.errors:,}", "The log says why."]
    return notice(f"end {now.job.started}", "end", f"{now.job.spider}: broke off", [*lines, *_kinds(errors)])


def _kinds(errors: Sequence[ErrorKind]) -> list[str]:
    lines = []
    for kind in errors[:MOST_KINDS]:
        lines.append(f"{kind.count:,} × {kind.kind}")
        lines += [f"    {each}" for each in error_lines(kind)]
    if len(errors) > MOST_KINDS:
        lines.append(f"… {len(errors) - MOST_KINDS} more kinds of errors")
    return lines
