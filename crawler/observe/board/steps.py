"""How did the crawl go, from its beginning until now, in no more points than a chart has room for?"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import asdict

from crawler.observe.board.latency import Buckets, added, latency_of
from crawler.observe.board.shown import Latency, Point, Series

MOST_STEPS = 600

_COLUMNS = tuple(name for name in Series.__struct_fields__ if name != "step")


@dataclass(slots=True, kw_only=True)
class Sample:
    """What happened in ``seconds`` from ``time`` (wall clock) on: how many pages, items and bytes came, and what was
    ``queued`` at the end; ``lag`` is the longest in it. ``lengths`` are those of the answers; where they are not known,
    ``latency`` is what they came to."""

    time: float
    seconds: float
    pages: int = 0
    items: int = 0
    bytes: int = 0
    queued: int = 0
    lag: float = 0.0
    memory: int = 0
    lengths: Buckets = field(default_factory=dict)
    latency: Latency | None = None

    def join(self, later: Sample) -> None:
        """Take in what came right after."""
        self.seconds += later.seconds
        self.pages += later.pages
        self.items += later.items
        self.bytes += later.bytes
        self.lag = max(self.lag, later.lag)
        self.queued, self.memory = later.queued, later.memory
        self.lengths = added((self.lengths, later.lengths))
        if later.latency is not None:
            self.latency = later.latency if self.latency is None else _longer(self.latency, later.latency)

    def point(self) -> Point:
        """Return it as it is shown."""
        seconds = self.seconds or 1.0
        latency = latency_of(self.lengths) or self.latency
        percentiles = {} if latency is None else asdict(latency)
        return Point(
            time=self.time, pages=self.pages / seconds, items=self.items / seconds, bytes=self.bytes / seconds,
            queued=self.queued, lag=self.lag, memory=self.memory, **percentiles,
        )  # fmt: skip


class Steps:
    """The samples of a crawl; once there are ``most`` steps, each two become one, and ``step`` doubles."""

    def __init__(self, seconds: float = 1.0, most: int = MOST_STEPS) -> None:
        self.step = seconds
        self._most = most
        self._samples: list[Sample] = []
        self._points: list[Point] = []

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, sample: Sample) -> bool:
        """Add a sample; tell whether steps became longer."""
        last = self._samples[-1] if self._samples else None
        # Half a sample of grace: samples that were a little late must not make a step of one more.
        if last is not None and last.seconds + sample.seconds / 2 < self.step:
            last.join(sample)
            self._points[-1] = last.point()
            return False
        self._samples.append(sample)
        self._points.append(sample.point())
        if len(self._samples) <= self._most:
            return False
        self._coarsen()
        return True

    def newest(self) -> Point | None:
        """Return the last step, which may still be filling."""
        return self._points[-1] if self._points else None

    def series(self) -> Series:
        """Return all."""
        return Series(
            step=self.step, **{name: [getattr(point, name) for point in self._points] for name in _COLUMNS}
        )  # fmt: skip

    def _coarsen(self) -> None:
        for first, second in zip(self._samples[::2], self._samples[1::2], strict=False):
            first.join(second)
        self._samples = self._samples[::2]
        self._points = [sample.point() for sample in self._samples]
        self.step *= 2


def _longer(one: Latency, other: Latency) -> Latency:
    """Return the larger of each: more cannot be known of the percentiles of two steps together."""
    return Latency(p50=max(one.p50, other.p50), p90=max(one.p90, other.p90), p99=max(one.p99, other.p99))
