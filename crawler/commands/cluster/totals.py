"""What have all workers together done, and is that a success?"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Any

from crawler.commands.cluster.limits import Reached
from crawler.config.schema import CoreSettings
from crawler.engine.ending import FAILURES
from crawler.model.masking import masked
from crawler.observe.progress import counted
from crawler.stats import Named, Stats
from crawler.storage.cluster.line import State
from crawler.summary import FeedSummary, Summary

_READINGS = 50
"""So many readings of the workers are kept: ten seconds at five a second."""

_ERRORS = ("spider_exceptions/count", "request_failed_count", "item_failed_count")


class SummedStats(Stats):
    """The stats of all workers, as far as they have told them, beside what this process counts itself."""

    def __init__(self) -> None:
        super().__init__()
        self._own: dict[str, Any] = {}

    def take(self, summed: Mapping[str, Any]) -> None:
        """Replace what the workers have counted."""
        own = self._own
        self.set_stats({**summed, **{key: summed.get(key, 0) + count for key, count in own.items()}})

    def inc_value(self, key: str, count: int = 1, start: int = 0, spider: Named | None = None) -> None:
        """Add to a counter of this process."""
        self._own[key] = self._own.get(key, start) + count
        super().inc_value(key, count, start)


def reached(state: State, stats: Mapping[str, Any]) -> Reached:
    """Return what the limits of a crawl are compared with."""
    return Reached(state.items, stats.get("response_received_count", 0), sum(stats.get(key, 0) for key in _ERRORS))


def pages_of(state: State) -> dict[str, int]:
    """Return how many pages each living worker has had, by its name."""
    return {name: stats.get("response_received_count", 0) for name, alive, stats in state.stats if alive}


def shares_of(state: State, seconds: float) -> str:
    """Return what each worker did, and those whose place it took: ``w1 120 pages (3.4/s), w2 100 pages (2.9/s)``."""
    pages: Counter[str] = Counter()
    for name, _, stats in state.stats:
        pages[name] += stats.get("response_received_count", 0)
    return ", ".join(f"{name} {counted(n, 'page')} ({n / seconds:,.1f}/s)" for name, n in sorted(pages.items()))


def summarise(
    state: State,
    stats: Mapping[str, Any],
    core: CoreSettings,
    names: tuple[str, str],
    reason: str,
    feeds: Sequence[tuple[str, int]],
    problems: Sequence[str],
    *,
    complete: bool,
) -> Summary:
    """Return the Summary of a crawl that is over, but for its times; ``names`` are the spider's and the job's."""
    spider, job = names
    return Summary(
        spider=spider,
        job=job,
        reason=reason,
        exit_status=exit_status(state, stats, core, reason, problems=bool(problems)),
        pages=int(stats.get("response_received_count", 0)),
        items=state.items,
        errors=state.errors,
        queued=state.queued + state.taken,
        resumable=not complete,
        feeds=[FeedSummary(path=path, items=items) for path, items in feeds],
        problems=list(map(masked, problems)),
        stats=dict(stats),
    )


def exit_status(state: State, stats: Mapping[str, Any], core: CoreSettings, reason: str, *, problems: bool) -> int:
    """Return 0, 1 or 130 by the rule of FAIL_ON over what all workers have done (see crawler.engine.result)."""
    if reason == "shutdown" and not problems:
        return 130
    if problems or reason in FAILURES:
        return 1
    nothing_accepted = state.done == 0 and any(key.startswith("request_refused/") for key in stats)
    failures = {
        "start": stats.get("spider_exceptions/start", 0) > 0,
        "callback": stats.get("spider_exceptions/count", 0) > 0,
        "downloads": state.done == state.failed + state.dropped and (state.failed > 0 or nothing_accepted),
        "any-download": state.failed > 0,
        "item": stats.get("item_failed_count", 0) > 0,
    }
    return int(any(failures.get(name, False) for name in core.FAIL_ON))


class WorkerRates:
    """The pages per second of each worker, over the last readings."""

    def __init__(self) -> None:
        self._before: deque[tuple[float, Mapping[str, int]]] = deque(maxlen=_READINGS)

    def add(self, seconds: float, pages: Mapping[str, int]) -> None:
        """Take how many pages each worker has had, by its name."""
        self._before.append((seconds, pages))

    def shown(self) -> str:
        """Return what is shown of them: ``w1 35.2/s, w2 31.0/s``; "" before there are two readings."""
        if len(self._before) < 2:
            return ""
        (then, before), (now, pages) = self._before[0], self._before[-1]
        seconds = max(now - then, 0.001)
        rates = {name: (count - before.get(name, 0)) / seconds for name, count in pages.items()}
        return ", ".join(f"{name} {max(rate, 0.0):,.1f}/s" for name, rate in sorted(rates.items()))
