"""How far is the crawl?

On a terminal a live line at the bottom, pages, items, rate, queue, errors and the time left where it
can be known; elsewhere a log line now and then. The caller says when to look: nothing here keeps time.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from rich.console import Console
from rich.live import Live
from rich.text import Text

from crawler.stats import Stats

_WINDOW_SECONDS = 10.0
_ERRORS = ("spider_exceptions/count", "request_failed_count", "item_failed_count")


class Reading(NamedTuple):
    """The crawl at one moment; ``seconds`` is a monotonic time."""

    seconds: float
    pages: int
    items: int
    queued: int
    errors: int


def read(stats: Stats, *, queued: int, seconds: float) -> Reading:
    """Take a reading from the stats."""
    errors = sum(stats.get_value(key, 0) for key in _ERRORS)
    pages = stats.get_value("response_received_count", 0)
    return Reading(seconds, pages, stats.get_value("item_scraped_count", 0), queued, errors)


class Rates:
    """Readings of the last ten seconds, and what they say about the rest."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque()

    def add(self, reading: Reading) -> None:
        """Add a reading, later than all before."""
        self._readings.append(reading)
        while len(self._readings) > 2 and self._readings[1].seconds <= reading.seconds - _WINDOW_SECONDS:
            self._readings.popleft()

    def pages_per_second(self) -> float:
        """Return the pages per second over the window; 0 before there are two readings."""
        return self._rate(lambda reading: reading.pages)

    def seconds_left(self) -> float | None:
        """Return the time until the queue is empty, None while nobody can know it.

        It can be known once the queue shrinks: as long as pages bring as many links as they take, the
        end is not in sight.
        """
        shrinking = -self._rate(lambda reading: reading.queued)
        if shrinking <= 0 or len(self._readings) < 2:
            return None
        return self._readings[-1].queued / shrinking

    def _rate(self, count: Callable[[Reading], int]) -> float:
        if len(self._readings) < 2:
            return 0.0
        first, last = self._readings[0], self._readings[-1]
        seconds = last.seconds - first.seconds
        return (count(last) - count(first)) / seconds if seconds > 0 else 0.0


class LiveLine:
    """The line at the bottom of a terminal. ``write`` prints a log line above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rates = Rates()
        # No thread of rich's own: the caller says when to look.
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def start(self) -> None:
        """Take the bottom line."""
        self._live.start()

    def begin(self, reading: Reading) -> None:
        """Take the reading that the rates begin with; a resumed crawl has had pages before."""
        self._rates.add(reading)

    def show(self, reading: Reading, beside: str = "") -> None:
        """Show a reading, and what else there is to say."""
        self._rates.add(reading)
        line = line_of(reading, self._rates) + (f" · {beside}" if beside else "")
        self._live.update(Text(line, style="bold", no_wrap=True, overflow="ellipsis"))
        self._live.refresh()

    def write(self, line: str) -> None:
        """Print a log line above."""
        self._console.print(Text(line.rstrip("\n")), soft_wrap=True)

    def stop(self) -> None:
        """Give the bottom line back, empty."""
        self._live.stop()


class ProgressLines:
    """Now and then a log line that says what Scrapy's says."""

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._logger = logger or logging.getLogger("crawler")
        self._last: Reading | None = None

    def begin(self, reading: Reading) -> None:
        """Take the reading that the rates begin with; a resumed crawl has had pages before."""
        self._last = reading

    def show(self, reading: Reading, beside: str = "") -> None:
        """Log a reading, with the rates since the one before, and what else there is to say."""
        last = self._last or Reading(reading.seconds - 60, 0, 0, 0, 0)
        self._last = reading
        minutes = max(reading.seconds - last.seconds, 0.001) / 60
        self._logger.info(
            "Crawled %d pages (at %d pages/min), scraped %d items (at %d items/min), %d queued, %d errors%s",
            reading.pages,
            round((reading.pages - last.pages) / minutes),
            reading.items,
            round((reading.items - last.items) / minutes),
            reading.queued,
            reading.errors,
            f"; {beside}" if beside else "",
        )


def line_of(reading: Reading, rates: Rates) -> str:
    """Return the live line: ``120 pages · 100 items · 35.2/s · 40 queued · 0 errors · 2 s left``."""
    parts = [
        counted(reading.pages, "page"),
        counted(reading.items, "item"),
        f"{rates.pages_per_second():,.1f} pages/s",
        f"{reading.queued:,} queued",
        counted(reading.errors, "error"),
    ]
    left = rates.seconds_left()
    if left is not None and reading.queued:
        parts.append(f"about {duration(left)} left")
    return " · ".join(parts)


def counted(number: int, noun: str) -> str:
    """Return the number with its noun: ``1 item``, ``1,200 items``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a time for people: ``0.8 s``, ``42 s``, ``3 min 20 s``, ``2 h 5 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
