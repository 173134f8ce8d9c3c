"""When is somebody told of a crawl?

Goals: nobody is told twice, whatever is killed and resumed; nothing of it lies on the way of a request; nothing waits
for it but the end of the crawl, and that not for long.

Plan: every POLL_SECONDS it looks at what there is to see of the crawl (a Source, which has it anyway, of one process or
of many), and makes notices of what is new. What a notice is about becomes a fact of the job before the notice is sent.
A report goes out when the crawl has closed, as the last; by then no fact is kept any more, but nothing resumes from
that end either, or what resumes has an end of its own.

Known limits: a kill between the two loses a notice, and one behind the crawl's close its report. What happens is told
up to POLL_SECONDS later; a kind of error that is new while a stopped crawl ends may be in the report alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import DeferredList

from crawler.engine.clock import Timer
from crawler.events import CrawlClosing, CrawlOpened, MemoryHigh, Stalled
from crawler.notices.delivery import Delivery
from crawler.notices.network import Network, RealNetwork
from crawler.notices.notice import Notice, notice
from crawler.notices.places import Place, places_of
from crawler.notices.report import report, report_of_failure
from crawler.notices.rules import (
    Silence,
    met,
    new_errors,
    nothing_comes,
    rules_of,
    too_few_items,
    usual_items,
)
from crawler.notices.sending import send
from crawler.observe.board.shown import Run
from crawler.resident import mebibytes
from crawler.summary import Summary

if TYPE_CHECKING:
    from crawler.assembly.companions import Watched

POLL_SECONDS = 5.0
END_SECONDS = 15.0
"""How long the end of a crawl waits for its last notices."""

FACT = "notices"


class Notices:
    """Tells of one crawl. Raises SettingError for places and rules that are none."""

    def __init__(self, watched: Watched, network: Network) -> None:
        core = watched.settings.core
        self._watched = watched
        self._network = network
        self._clock = watched.world.clock
        self._rules = rules_of(core.NOTICE_RULES)
        self._places = places_of(core.NOTICES, core)
        self._spider = watched.spider.name
        self._deliveries = [
            Delivery(place, self._send, self._clock, per_hour=self._rules.per_hour) for place in self._places
        ]
        self._told: set[str] = set()
        self._opened = False
        self._errors = 0
        self._earlier: Sequence[Run] = ()
        self._silence = Silence()
        self._timer: Timer | None = None
        watched.events.subscribe(CrawlOpened, self._crawl_opened)
        watched.events.subscribe(CrawlClosing, self._crawl_closing)
        watched.events.subscribe(Stalled, self._stalled)
        watched.events.subscribe(MemoryHigh, self._memory_high)

    def __repr__(self) -> str:
        return f"<Notices of {self._spider} to {', '.join(place.name for place in self._places)}>"

    async def open(self) -> None:
        """Begin to look."""
        self._timer = self._clock.callLater(POLL_SECONDS, self._poll)

    # What happens

    def _crawl_opened(self, _: CrawlOpened) -> None:
        self._opened = True
        kept = self._watched.kept(FACT) or {}
        self._told.update(kept.get("told", ()))
        for delivery in self._deliveries:
            delivery.sent += kept.get("sent", {}).get(delivery.place.name, ())

    def _crawl_closing(self, _: CrawlClosing) -> None:
        self._earlier = self._watched.source.history()  # this run is not among them yet
        self._look()  # what is told from here on may be too late to be kept

    def _stalled(self, event: Stalled) -> None:
        self._tell([nothing_comes(self._spider, event.seconds, event.waits)])

    def _memory_high(self, event: MemoryHigh) -> None:
        done = {"warning": "is high", "paused": "is too high: nothing new is sent", "stopped": "has ended the crawl"}
        said = f"{self._spider}: memory {done.get(event.done, event.done)}"
        lines = [f"{mebibytes(event.size)}, where {mebibytes(event.limit)} are allowed"]
        self._tell([notice(f"memory {event.done}", "rules", said, lines)])

    def _poll(self) -> None:
        self._timer = self._clock.callLater(POLL_SECONDS, self._poll)
        self._look()
        if self._opened:
            for delivery in self._deliveries:
                delivery.tell_held_back()

    def _look(self) -> None:
        source = self._watched.source
        if not self._opened:
            return
        now = source.now()
        if now.totals.errors != self._errors:
            self._errors = now.totals.errors
            self._tell(new_errors(source.errors(), self._spider))
        self._tell(met(now, self._silence.look(now, self._clock.seconds()), self._rules))

    # Telling

    def _tell(self, notices: Iterable[Notice]) -> None:
        new = [each for each in notices if each.key not in self._told]
        if not new:
            return
        self._told.update(each.key for each in new)
        sent = {delivery.place.name: delivery.sent for delivery in self._deliveries}
        kept = self._watched.keep(FACT, {"told": sorted(self._told), "sent": sent})
        kept.addCallback(lambda _: self._deliver(new))

    def _deliver(self, notices: Iterable[Notice]) -> None:
        for each in notices:
            for delivery in self._deliveries:
                if each.occasion in delivery.place.occasions:
                    delivery.tell(each)

    async def _send(self, place: Place, told: Notice) -> None:
        watched = self._watched
        await send(place, told, self._network, wall=self._clock.wall(), spider=self._spider, job=watched.job)

    # The end

    async def close(self, summary: Summary | None) -> None:
        """Report on the run, and wait until all are told, or some seconds."""
        if self._timer is not None:
            self._timer.cancel()
        if self._opened:
            self._report(summary)
        await DeferredList([delivery.close(END_SECONDS) for delivery in self._deliveries])
        await self._network.close()

    def _report(self, summary: Summary | None) -> None:
        source, unusual = self._watched.source, []
        if summary is None:
            last = report_of_failure(source.now(), source.errors())
        else:
            if summary.reason == "finished":
                usual = usual_items(self._earlier, summary.spider)
                unusual = [each for each in [too_few_items(summary.items, usual, self._rules)] if each]
            last = report(summary, source.errors(), unusual, self._watched.go_on)
        for delivery in self._deliveries:
            if "end" in delivery.place.occasions:
                delivery.tell(last, at_once=True)
            elif unusual and "rules" in delivery.place.occasions:
                delivery.tell(notice("rule items", "rules", f"{self._spider}: {unusual[0]}"), at_once=True)
            delivery.tell_held_back(at_once=True)


def companion(watched: Watched) -> Any:
    """Make it for a crawl."""
    return Notices(watched, RealNetwork(watched.world.reactor, watched.settings.core))
