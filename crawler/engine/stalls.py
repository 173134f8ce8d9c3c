"""Has nothing happened for long, and what does everything wait for?

Goals: whoever looks at a crawl that hangs reads what hangs. One that waits for a time (a delay, a Retry-After) does not
hang, and nor does one that somebody has paused. A page costs nothing: what has happened is read from the counts that
are there, now and then.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from crawler.engine.clock import Timer
from crawler.engine.life import Kind, Phase
from crawler.engine.made import Keeping, Sending, UsersCode
from crawler.engine.parts import Parts
from crawler.engine.user_code.held import Named
from crawler.engine.user_code.waiting import in_threads, suspended
from crawler.events import CrawlClosed, CrawlOpened, Stalled
from crawler.frontier.host import Entry
from crawler.frontier.waits import wait_of
from crawler.model.masking import masked

logger = logging.getLogger(__name__)

_COUNTS = (
    "downloader/request_count", "downloader/response_count", "downloader/exception_count",
    "item_scraped_count", "item_dropped_count", "item_failed_count",
)  # fmt: skip
_LOOKS = 10
_SHOWN = 3
_SHORT_URL = 200

_OF_THE_STORE = {
    Kind.COMMIT: "a commit",
    Kind.LEASE: "a host's next requests",
    Kind.REDIRECT: "whether a redirect's target is new",
    Kind.SPOOL: "the requests of a page of very many",
    Kind.LOOKUP: "an answer of the cache",
}


class Waits(NamedTuple):
    """What everything waits for, in sentences. ``hangs``: something is under way that should have ended, or nothing is
    there that could end."""

    sentences: tuple[str, ...]
    hangs: bool


class StallWatch:
    """Logs and tells once that nothing has happened for STALL_SECONDS; again only after something has. 0: never."""

    def __init__(self, parts: Parts, kept: Keeping, users: UsersCode, sending: Sending) -> None:
        self._seconds = parts.core.STALL_SECONDS
        self._parts = parts
        self._clock = parts.machine.clock
        self._kept = kept
        self._users = users
        self._sending = sending
        self._named = Named(parts.core)
        self._timer: Timer | None = None
        self._last: tuple[object, ...] = ()
        self._since = self._looks_at = 0.0
        self._told = False
        self._first_seen: dict[Entry, float] = {}
        if self._seconds > 0:
            parts.events.subscribe(CrawlOpened, self._opened)
            parts.events.subscribe(CrawlClosed, self._closed)

    def _opened(self, _: CrawlOpened) -> None:
        self._since = self._clock.seconds()
        self._arm(self._since)

    def _closed(self, _: CrawlClosed) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _arm(self, now: float) -> None:
        self._looks_at = now + self._seconds / _LOOKS
        self._timer = self._clock.callLater(self._seconds / _LOOKS, self._look)

    def _look(self) -> None:
        now, books, get = self._clock.seconds(), self._kept.life.books, self._parts.stats.get_value
        # Somebody sits at a prompt, or code holds the reactor, which is told elsewhere.
        self._since += now - self._looks_at
        self._arm(now)
        counts = (books.accepted, *books.ended.values(), self._kept.life.phase, *(get(key) for key in _COUNTS))
        flying = self._sending.flight.in_flight
        self._first_seen = {entry: self._first_seen.get(entry, now) for entry in flying}
        if counts != self._last or self._sending.loop.paused:
            self._last, self._since, self._told = counts, now, False
        elif now - self._since >= self._seconds and not self._told:
            self._told = True
            self._tell(now)

    def _tell(self, now: float) -> None:
        waits, seconds = self._waits(now), now - self._since
        said = f"Nothing has happened for {seconds:.0f} s"
        if waits.hangs:
            logger.warning("%s; this is what the crawl waits for", said, extra={"trace": list(waits.sentences)})
            self._parts.events.publish(Stalled(seconds, waits.sentences))
        else:
            logger.info("%s, as it should be: %s", said, "; ".join(waits.sentences))

    def _waits(self, now: float) -> Waits:
        life = self._kept.life
        counts = life.ledger.counts
        hanging = [*self._exchanges(now), *self._code()]
        hanging += [f"the store has not told: {said}" for kind, said in _OF_THE_STORE.items() if counts[kind]]
        if counts[Kind.FEED]:
            hanging.append("feeds are far behind, and callbacks wait for them")
        hosts, by_time = self._hosts(now)
        waiting = list(hosts)
        if self._users.starts.running:
            waiting.append("start() has not ended")
        if counts[Kind.OTHERS]:
            waiting.append("other workers are at work")
        if life.phase is not Phase.RUNNING:
            waiting.append(f"the crawl is {life.phase.value}")
        expected = by_time or bool(self._users.starts.running or counts[Kind.OTHERS]) or life.over
        return Waits((*hanging, *waiting) or (f"what is under way: {life.ledger!r}",), bool(hanging) or not expected)

    def _exchanges(self, now: float) -> Iterator[str]:
        oldest = sorted(self._first_seen.items(), key=lambda each: each[1])
        for entry, since in oldest[:_SHOWN]:
            yield f"{_short(entry.request.url)} has been fetched for {now - since:.0f} s or more"
        if len(oldest) > _SHOWN:
            yield f"{len(oldest) - _SHOWN:,} more requests are in flight"

    def _code(self) -> Iterator[str]:
        """What code of the user's does; that start() waits is its own affair."""
        starts = {f"{name}() of {type(self._parts.spider).__name__}" for name in ("start", "start_requests")}
        lines = Counter(said for said in [*suspended(self._named), *in_threads()])
        for said, count in lines.most_common():
            if said.partition(" waits at ")[0] not in starts:
                yield said if count == 1 else f"{said} ({count:,} times)"
        running = [run for run in self._users.callbacks.running if run.response is not None]
        for run in running[:_SHOWN]:
            yield f"the callback {run.name} of {_short(run.response.url if run.response is not None else '')} goes on"
        if len(running) > _SHOWN:
            yield f"{len(running) - _SHOWN:,} more callbacks go on"
        if items := self._kept.life.ledger.counts[Kind.ITEM]:
            yield f"{items:,} items are in the stages"

    def _hosts(self, now: float) -> tuple[list[str], bool]:
        """Return for what hosts wait, and whether a time will come at which one of them may be asked."""
        several: Counter[str] = Counter()
        first: dict[str, tuple[float, str]] = {}
        for host in self._kept.frontier.queues:
            why, seconds = wait_of(host, now)
            if why == "nothing queued":
                continue
            several[why] += 1
            until = seconds if seconds is not None else float("inf")
            first[why] = min(first.get(why, (until, host.name)), (until, host.name))
        said = []
        for why, count in several.most_common():
            until, name = first[why]
            when = f" for {until:.0f} s more" if until < float("inf") else ""
            others = f" and {count - 1:,} more hosts" if count > 1 else ""
            said.append(f"{name}{others}: {why or 'something may be sent'}{when}")
        return said, bool({"paused", "another worker"} & set(several)) or any(
            until < float("inf") for until, _ in first.values()
        )


def _short(url: str) -> str:
    url = masked(url)
    return url if len(url) <= _SHORT_URL else f"{url[:_SHORT_URL]}…"
