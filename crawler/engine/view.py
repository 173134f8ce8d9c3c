"""What of a crawl may be looked at from outside, while it runs?

Nothing here changes anything, and nothing is kept: it is asked of those who know it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crawler.engine.items.feed_writers import FeedWriters
from crawler.engine.keeping.committer import Committer
from crawler.engine.life import Kind, Life, Phase
from crawler.engine.sending.loop import Loop
from crawler.engine.waiting.throttle import Throttle
from crawler.frontier.frontier import Frontier
from crawler.frontier.host import HostQueue
from crawler.frontier.hosts import Hosts
from crawler.frontier.origins import ASKED, OPEN, REFUSED, UNKNOWN
from crawler.model.request import Request

_WORST_FIRST = (REFUSED, ASKED, UNKNOWN, OPEN)


class CrawlView:
    """A crawl as the board sees it (observe/board/seen.py). ``host_of`` names the queue that a request waits in."""

    def __init__(
        self,
        *,
        life: Life,
        loop: Loop,
        frontier: Frontier,
        throttle: Throttle,
        feeds: FeedWriters,
        committer: Committer,
        host_of: Callable[[Request], str],
        robots_obeyed: bool,
    ) -> None:
        self.host_of = host_of
        self.hosts: Hosts = frontier.queues
        self._life = life
        self._loop = loop
        self._frontier = frontier
        self._throttle = throttle
        self._feeds = feeds
        self._committer = committer
        self._robots_obeyed = robots_obeyed

    def __repr__(self) -> str:
        return f"<CrawlView {self._life!r}>"

    @property
    def state(self) -> str:
        """How far it is: a phase, or "paused"."""
        paused = self._life.phase is Phase.RUNNING and self._loop.paused
        return "paused" if paused else self._life.phase.value

    @property
    def queued(self) -> int:
        """How many requests wait, in memory and in the store."""
        return len(self._frontier)

    @property
    def in_flight(self) -> int:
        """How many exchanges are under way."""
        counts = self._life.ledger.counts
        return sum(counts[kind] for kind in (Kind.EXCHANGE, Kind.JUDGING, Kind.LOOKUP, Kind.UNSOUGHT))

    @property
    def full(self) -> bool:
        """Whether no request could be sent, since as much as may be is under way."""
        return self._life.free() <= 0

    def slowed(self, host: str) -> bool:
        """Tell whether the throttle lets a host be asked less than configured."""
        state = self._throttle.states.get(host)
        return state is not None and state.slowed

    def robots(self, host: HostQueue) -> str:
        """Return what is known of a host's robots.txt, of several origins what is worst; "" if none is obeyed."""
        if not self._robots_obeyed or not host.origins:
            return ""
        return min(map(self._frontier.origin_state, host.origins), key=_WORST_FIRST.index)

    def paused(self, host: str) -> bool:
        """Tell whether somebody has paused the host, or the crawl."""
        return bool(self._loop.paused) or host in self.hosts.halted

    @property
    def commits(self) -> tuple[int, float]:
        """How many groups of results the job's store has kept, and for how many seconds they were waited for."""
        return self._committer.commits, self._committer.waited

    def feeds(self) -> Sequence[tuple[str, int]]:
        """Return the path of each feed, and how many items it has so far."""
        return self._feeds.counts()
