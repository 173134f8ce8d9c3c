"""How do several crawls run at once, as one?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from crawler.events import Event, Events
from crawler.stats import Stats
from crawler.summary import Summary

if TYPE_CHECKING:
    from crawler.assembly import PreparedCrawl


class Together:
    """Several crawls in one process; their events are those of all, its stats those of the first."""

    go_on = ""

    def __init__(self, crawls: Sequence[PreparedCrawl]) -> None:
        self.crawls = list(crawls)
        self.events = Events()
        self.stats = crawls[0].stats if crawls else Stats()
        for crawl in crawls:
            crawl.events.subscribe(Event, self.events.publish)

    @property
    def queued(self) -> int:
        """How many requests wait."""
        return sum(crawl.queued for crawl in self.crawls)

    @property
    def in_flight(self) -> int:
        """How many requests are being fetched."""
        return sum(crawl.in_flight for crawl in self.crawls)

    def log(self, *, part: bool = False) -> None:
        """Log what happens in each."""
        for crawl in self.crawls:
            crawl.log(part=part)

    def say_by(self, say: Callable[[str], None]) -> None:
        """Let what is for the user's eyes alone be printed so."""
        for crawl in self.crawls:
            crawl.say_by(say)

    def stop(self, reason: str = "shutdown") -> None:
        """Let what is in flight finish, then end."""
        for crawl in self.crawls:
            crawl.stop(reason)

    def stop_now(self) -> None:
        """End at once."""
        for crawl in self.crawls:
            crawl.stop_now()

    def give_up(self) -> None:
        """Wait no longer for what does not end."""
        for crawl in self.crawls:
            crawl.give_up()

    def run(self) -> Deferred[Summary]:
        """Run all to their ends; return the Summary that says most of what failed, or fail with the first error."""
        return Deferred.fromCoroutine(self._run())

    async def _run(self) -> Summary:
        ended = await DeferredList([crawl.run() for crawl in self.crawls], consumeErrors=True)
        for _, result in ended:
            if isinstance(result, Failure):
                result.raiseException()
        return max((summary for _, summary in ended), key=lambda summary: summary.exit_status)
