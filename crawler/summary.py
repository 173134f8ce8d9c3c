"""What came out of a crawl?"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field


class FeedSummary(Struct, kw_only=True):
    """One output: its path (or "-") and how many items were written to it."""

    path: str
    items: int


class SlowStep(Struct, kw_only=True):
    """A function of the user's that has held the reactor: ``what`` it is, ``count`` times, ``seconds`` at most, and
    ``where`` that was."""

    what: str
    where: str
    count: int = 0
    seconds: float = 0.0


class Summary(Struct, kw_only=True):
    """The result of one crawl.

    ``reason`` is "finished", "shutdown", a CLOSESPIDER_* reason or what CloseSpider named;
    ``exit_status`` is 0 (done), 1 (the crawl failed by FAIL_ON's rule) or 130 (stopped by hand);
    ``unfinished_items`` of the ``items`` came of requests that the stop cut off: they are not in the feeds, and a
    resume scrapes them again. ``slow`` are the steps that held the reactor longest, ``problems`` are sentences for a
    person. Times are wall-clock seconds since the epoch.
    """

    spider: str
    job: str | None = None
    reason: str = "finished"
    exit_status: int = 0
    started: float = 0.0
    finished: float = 0.0
    seconds: float = 0.0
    pages: int = 0
    items: int = 0
    unfinished_items: int = 0
    errors: int = 0
    queued: int = 0
    resumable: bool = False
    feeds: list[FeedSummary] = field(default_factory=list)
    slow: list[SlowStep] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    stats: dict[str, Any] = field(default_factory=dict)


def output_name(path: str, spider: str) -> str:
    """Return what an output is called: of several spiders that share a text with %(name)s each names its own."""
    return "stdout" if path == "-" else path.replace("%(name)s", spider)
