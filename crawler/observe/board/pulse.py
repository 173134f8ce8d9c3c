"""How fast does the crawl go, second by second?"""

from __future__ import annotations

from collections import deque

from crawler.observe.board.latency import Buckets, Lengths, added, latency_of
from crawler.observe.board.seen import Clock, Seen
from crawler.observe.board.shown import Latency, Rates
from crawler.observe.board.steps import Sample, Steps
from crawler.resident import resident_bytes
from crawler.stats import Stats

SECONDS = 1.0
"""Time between two samples."""

RATE_SAMPLES, LATENCY_SAMPLES = 10, 60
"""Over how many samples the rates and the latency of now are taken."""


class Pulse:
    """Samples of a crawl: ``steps`` from its beginning on, and how it is now. ``lengths`` takes those of answers.

    ``lag`` is how late the last sample was, in seconds.
    """

    def __init__(self, seen: Seen, stats: Stats, clock: Clock) -> None:
        self.steps = Steps(SECONDS)
        self.lengths = Lengths()
        self.lag = 0.0
        self.memory = resident_bytes()
        self._seen = seen
        self._stats = stats
        self._clock = clock
        self._recent: deque[Sample] = deque(maxlen=RATE_SAMPLES)
        self._recent_lengths: deque[Buckets] = deque(maxlen=LATENCY_SAMPLES)
        self.begin()

    def begin(self) -> None:
        """Count from now on: what earlier runs of the job have counted is no rate of this one."""
        self._last = self._clock.seconds()
        self._counts = self._counted()

    def take(self) -> bool:
        """Take a sample of the time since the last one; tell whether the steps became longer."""
        now = self._clock.seconds()
        seconds, self._last = now - self._last, now
        before, self._counts = self._counts, self._counted()
        # A page that turns out to be none, a redirect for example, is taken off again.
        pages, items, size = (max(new - old, 0) for new, old in zip(self._counts, before, strict=True))
        self.lag, self.memory = max(seconds - SECONDS, 0.0), resident_bytes()
        lengths = self.lengths.take_fresh()
        sample = Sample(
            time=self._clock.wall() - seconds, seconds=seconds, pages=pages, items=items, bytes=size,
            queued=self._seen.queued, lag=self.lag, memory=self.memory, lengths=lengths,
        )  # fmt: skip
        self._recent.append(Sample(time=0.0, seconds=seconds, pages=pages, items=items, bytes=size))
        self._recent_lengths.append(lengths)
        return self.steps.add(sample)

    def rates(self) -> Rates:
        """Return how many came a second, lately."""
        seconds = sum(sample.seconds for sample in self._recent)
        if not seconds:
            return Rates()
        return Rates(
            pages=sum(sample.pages for sample in self._recent) / seconds,
            items=sum(sample.items for sample in self._recent) / seconds,
            bytes=sum(sample.bytes for sample in self._recent) / seconds,
        )

    def latency(self) -> Latency | None:
        """Return how long answers took, lately; None if none came."""
        return latency_of(added(self._recent_lengths))

    def _counted(self) -> tuple[int, int, int]:
        get = self._stats.get_value
        return (
            get("response_received_count", 0), get("item_scraped_count", 0), get("downloader/response_bytes", 0)
        )  # fmt: skip
