"""What is there to see of the crawl in this process?

Goals: whoever shows a crawl (page, metrics, console, notices) reads the one board, so that all say the same; an event
costs O(1), and most of what is shown costs nothing until somebody reads it.

Plan: totals are read from the stats, which count anyway; an event leaves a name or a number, and the last items as
they are. Once a second, by the crawl's clock, a tick takes a sample of what came since the one before. What has changed
since a reader last asked is told by the numbers of these ticks.

Known limits: the loop's lag is how late the tick is, so a short hold is seen now and then only (StepHeld tells of each
long one); an item is shown as it is when somebody first looks, and the last fifty are kept until then.
"""

from __future__ import annotations

import os
import platform
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from crawler import events
from crawler.model.masking import masked
from crawler.observe.board import shown
from crawler.observe.board.hosts import HostTable
from crawler.observe.board.kinds import ErrorKinds, Held
from crawler.observe.board.pulse import SECONDS, Pulse
from crawler.observe.board.seen import Clock, Seen, Timer
from crawler.observe.board.short import short_json
from crawler.observe.board.source import Source
from crawler.observe.board.totals import totals_in
from crawler.observe.frames import shorten
from crawler.stats import Stats

LAST_ITEMS = 50


@dataclass(slots=True, kw_only=True)
class Described:
    """What is known of a crawl before it runs. ``settings`` and ``history`` are asked when somebody looks."""

    spider: str
    job: str | None = None
    cluster: str | None = None
    settings: Callable[[], Sequence[shown.Setting]] = tuple
    history: Callable[[], Sequence[shown.Run]] = tuple


class Board(Source):
    """The Source of a crawl in this process. It ticks from ``begin`` until ``end``; what it has then stays."""

    def __init__(self, seen: Seen, bus: events.Events, stats: Stats, clock: Clock, described: Described) -> None:
        self._seen = seen
        self._stats = stats
        self._clock = clock
        self._described = described
        self._job = shown.Job(
            spider=described.spider, state="", name=described.job, started=clock.wall(), pid=os.getpid(),
            machine=platform.node(), cluster=described.cluster and masked(described.cluster),
        )  # fmt: skip
        self._began = clock.seconds()
        self._timer: Timer | None = None
        self._ticks = 0
        self._pulse = Pulse(seen, stats, clock)
        self._hosts = HostTable(seen, clock)
        self._kinds = ErrorKinds(clock.wall)
        self._held = Held()
        self._new_items: deque[tuple[float, str, Any]] = deque(maxlen=LAST_ITEMS)
        self._items: deque[shown.Item] = deque(maxlen=LAST_ITEMS)
        self._numbers = {"settings": 0, "items": 0, "steered": 0}
        self._noted: dict[str, int] = {}
        self._changed_at: dict[str, int] = {}
        self._subscribe(bus)

    def __repr__(self) -> str:
        return f"<Board of {self._described.spider}, {self._ticks} ticks>"

    def begin(self) -> None:
        """Tick each second from now on."""
        self._timer = self._clock.callLater(SECONDS, self._tick)

    def end(self) -> None:
        """Tick a last time, unless it has been done."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._look()

    # What happens

    def _subscribe(self, bus: events.Events) -> None:
        bus.subscribe(events.CrawlOpened, self._opened)
        bus.subscribe(events.CrawlClosing, self._closing)
        bus.subscribe(events.CrawlClosed, self._closed)
        bus.subscribe(events.RequestScheduled, self._touched)
        bus.subscribe(events.RequestSent, self._touched)
        bus.subscribe(events.ResponseReceived, self._received)
        bus.subscribe(events.FetchFailed, self._fetch_failed)
        bus.subscribe(events.RequestEnded, self._ended)
        bus.subscribe(events.ItemScraped, self._item_scraped)
        bus.subscribe(events.ItemFailed, self._kinds.item_failed)
        bus.subscribe(events.SpiderFailed, self._kinds.spider_failed)
        bus.subscribe(events.HostPaced, self._paced)
        bus.subscribe(events.SettingChanged, self._setting_changed)
        bus.subscribe(events.Steered, self._steered)
        bus.subscribe(events.StepHeld, self._held.held)

    def _opened(self, event: events.CrawlOpened) -> None:
        self._kinds.opened(event)
        self._job = replace(self._job, name=event.job, resumed=event.resumed, started=self._clock.wall())
        self._began = self._clock.seconds()
        self._pulse.begin()

    def _closing(self, event: events.CrawlClosing) -> None:
        self._job = replace(self._job, reason=event.reason)

    def _closed(self, event: events.CrawlClosed) -> None:
        state = "finished" if event.reason == "finished" else "stopped"
        self._job = replace(self._job, state=state, reason=event.reason)
        self.end()  # now, so that whoever shows the end shows all of it

    def _touched(self, event: events.RequestScheduled | events.RequestSent) -> None:
        self._hosts.touched.add(self._seen.host_of(event.request))

    def _received(self, event: events.ResponseReceived) -> None:
        request, response = event.request, event.response
        host = self._seen.host_of(request)
        self._hosts.touched.add(host)
        if request.meta.get("robots") is not True:
            self._hosts.count(host, error=response.status >= 400)
            if response.latency is not None:
                self._pulse.lengths.add(response.latency)

    def _fetch_failed(self, event: events.FetchFailed) -> None:
        host = self._seen.host_of(event.request)
        self._hosts.touched.add(host)
        self._hosts.count(host, error=True, page=False)

    def _ended(self, event: events.RequestEnded) -> None:
        if event.outcome != "answered":
            self._hosts.touched.add(self._seen.host_of(event.request))
            self._kinds.ended(event)

    def _item_scraped(self, event: events.ItemScraped) -> None:
        self._numbers["items"] += 1
        url = event.response.url if event.response is not None else ""
        self._new_items.append((self._clock.wall(), url, event.item))

    def _paced(self, event: events.HostPaced) -> None:
        self._hosts.touched.add(event.host)
        self._hosts.paced(event.host, event.reason)

    def _setting_changed(self, event: events.SettingChanged) -> None:
        self._numbers["settings"] += 1
        if event.host is not None:
            self._hosts.touched.add(event.host)

    def _steered(self, event: events.Steered) -> None:
        self._numbers["steered"] += not event.refused

    # Each second

    def _tick(self) -> None:
        self._timer = self._clock.callLater(SECONDS, self._tick)
        self._look()

    def _look(self) -> None:
        self._ticks += 1
        if self._pulse.take():
            self._changed_at["series"] = self._ticks
        self._hosts.tick(self._ticks)
        items = self._numbers["items"]
        numbers = {**self._numbers, "feeds": items, "errors": self._kinds.number, "slow": self._held.number}
        for part, number in numbers.items():
            if number != self._noted.get(part, 0):
                self._changed_at[part] = self._ticks
        self._noted = numbers

    # What is shown

    def now(self) -> shown.Now:
        """See Source."""
        seen, clock = self._seen, self._clock
        job = self._job if self._job.state else replace(self._job, state=seen.state)
        return shown.Now(
            time=clock.wall(),
            seconds=clock.seconds() - self._began,
            job=job,
            totals=totals_in(
                self._stats.get_stats(), queued=seen.queued, in_flight=seen.in_flight, hosts=len(self._hosts)
            ),
            rates=self._pulse.rates(),
            latency=self._pulse.latency(),
            memory=self._pulse.memory,
            lag=self._pulse.lag,
        )

    def series(self) -> shown.Series:
        """See Source."""
        return self._pulse.steps.series()

    def newest(self) -> shown.Point | None:
        """See Source."""
        return self._pulse.steps.newest()

    def latencies(self) -> shown.Latencies:
        """See Source."""
        return self._pulse.lengths.all()

    def stats(self) -> Mapping[str, Any]:
        """See Source; with what the job's store has kept, under ``job/``."""
        commits, seconds = self._seen.commits
        job = {"job/commits": commits, "job/commit_seconds": seconds} if commits else {}
        return {**self._stats.get_stats(), **job}

    def hosts(
        self, page: int = 1, sort: str = "queued", *, descending: bool = True, containing: str = ""
    ) -> shown.HostPage:
        """See Source."""
        return self._hosts.page(page, sort, descending=descending, containing=containing)

    def host(self, name: str) -> shown.HostRow | None:
        """See Source."""
        return self._hosts.row(name)

    def errors(self) -> Sequence[shown.ErrorKind]:
        """See Source."""
        return self._kinds.all()

    def items(self) -> Sequence[shown.Item]:
        """See Source. Text is made of an item when somebody first looks."""
        while self._new_items:
            time, url, item = self._new_items.popleft()
            self._items.appendleft(shown.Item(time=time, url=shorten(url), text=short_json(item)))
        return list(self._items)

    def slow(self) -> Sequence[shown.Slow]:
        """See Source."""
        return self._held.all()

    def settings(self) -> Sequence[shown.Setting]:
        """See Source."""
        return self._described.settings()

    def feeds(self) -> Sequence[shown.FeedRow]:
        """See Source."""
        return [shown.FeedRow(path=masked(path), items=items) for path, items in self._seen.feeds()]

    def workers(self) -> Sequence[shown.Worker]:
        """See Source."""
        return []

    def history(self) -> Sequence[shown.Run]:
        """See Source."""
        return self._described.history()

    def changes(self, since: int) -> shown.Changes:
        """See Source."""
        parts = [part for part, tick in self._changed_at.items() if tick > since]
        return shown.Changes(number=self._ticks, hosts=self._hosts.changed(since), parts=parts)
