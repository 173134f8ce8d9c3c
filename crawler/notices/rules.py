"""When is somebody told of a crawl before its end, and when is its end not as usual?

Pure: what is known of the crawl comes in, notices come out. That a notice was told before is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median
from typing import Annotated, Any

from msgspec import Meta, Struct, ValidationError, convert

from crawler.config.nearest import did_you_mean
from crawler.errors import SettingError
from crawler.notices.notice import Notice, notice
from crawler.observe.board.shown import ErrorKind, Now, Run
from crawler.observe.progress import duration

Share = Annotated[float, Meta(gt=0, le=1)]

LEAST_RUNS = 3
"""Of fewer finished runs nobody knows what is usual."""


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What NOTICE_RULES says; None switches a rule off.

    ``items_below``: share of the usual items (the median of the finished runs that are kept, three at least) under
    which a finished run is told of. ``errors_above``: share of errors among the pages and requests that failed, once
    there are ``errors_least`` of these. ``nothing_seconds``: without a page or an item. ``per_hour``: most notices that
    a place gets in an hour; what is more goes into one that comes later.
    """

    items_below: Share | None = 0.5
    errors_above: Share | None = 0.05
    errors_least: Annotated[int, Meta(ge=1)] = 100
    nothing_seconds: Annotated[float, Meta(ge=1, le=1e9)] | None = 600.0
    per_hour: Annotated[int, Meta(ge=1, le=1000)] = 6


def rules_of(given: Mapping[str, Any]) -> Rules:
    """Return the rules that a setting changes. Raises SettingError."""
    for name in given:
        if name not in Rules.__struct_fields__:
            hint = did_you_mean(name, Rules.__struct_fields__) or f"; there are {', '.join(Rules.__struct_fields__)}"
            raise SettingError(f'NOTICE_RULES: there is no rule "{name}"{hint}')
    try:
        return convert(dict(given), Rules)
    except ValidationError as error:
        raise SettingError(f"NOTICE_RULES: {error}") from error


def new_errors(kinds: Iterable[ErrorKind], spider: str) -> Iterator[Notice]:
    """Yield a notice for each kind of error."""
    for kind in kinds:
        yield notice(f"error {kind.kind}", "errors", f"{spider}: first {kind.kind}", error_lines(kind))


def error_lines(kind: ErrorKind) -> list[str]:
    """Return what is known of a kind of error."""
    told = [("message", kind.message), ("at", kind.where), ("url", kind.url)]
    return [f"{name}: {text}" for name, text in told if text]


class Silence:
    """Since when has nothing come? ``since`` is in monotonic seconds."""

    def __init__(self) -> None:
        self.since = 0.0
        self._before: tuple[Any, ...] = ()

    def look(self, now: Now, seconds: float) -> float:
        """Return for how many seconds no page and no item has come; a crawl that is not to send is not silent."""
        seen = (now.totals.pages, now.totals.items, now.totals.failed, now.job.state)
        if seen != self._before or now.job.state != "running":
            self._before, self.since = seen, seconds
        return seconds - self.since


def met(now: Now, silent: float, rules: Rules) -> Iterator[Notice]:
    """Yield a notice for each rule that is met while a crawl runs."""
    spider = now.job.spider
    if rules.nothing_seconds is not None and silent >= rules.nothing_seconds:
        yield nothing_comes(spider, silent, [f"queued: {now.totals.queued:,}, in flight: {now.totals.in_flight:,}"])
    if (failing := too_many_errors(now, rules)) is not None:
        yield failing


def nothing_comes(spider: str, seconds: float, lines: Iterable[str]) -> Notice:
    """Return the notice of a crawl in which nothing goes on."""
    return notice("rule nothing", "rules", f"{spider}: nothing has come for {duration(seconds)}", lines)


def too_many_errors(now: Now, rules: Rules) -> Notice | None:
    """Return the notice of a crawl that fails too often; None if it does not."""
    totals = now.totals
    of = totals.pages + totals.failed
    if rules.errors_above is None or of < rules.errors_least or totals.errors <= rules.errors_above * of:
        return None
    said = f"{now.job.spider}: {totals.errors / of:.0%} errors ({totals.errors:,} of {of:,})"
    return notice("rule errors", "rules", said, [f"more than {rules.errors_above:.0%} are told of"])


def usual_items(earlier: Sequence[Run], spider: str) -> float | None:
    """Return how many items a finished run of a spider has as a rule; None if fewer than LEAST_RUNS are known."""
    items = [run.items for run in earlier if run.spider == spider and run.state == "finished"]
    return median(items) if len(items) >= LEAST_RUNS else None


def too_few_items(items: int, usual: float | None, rules: Rules) -> str:
    """Return a line on a finished run that has brought too little; "" if it has not."""
    if usual is None or rules.items_below is None or items >= rules.items_below * usual:
        return ""
    return f"{items:,} items, where {usual:,.0f} are usual"
