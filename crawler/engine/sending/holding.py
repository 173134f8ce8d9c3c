"""What does this worker hold, of a crawl that many processes share?

Hosts, by permits: what waits for them was taken out of the store and is this worker's, and what it learns of them
(delays, robots.txt, throttle) goes with them to the next owner. The store pulls a report with each of its calls, and
tells here what others have changed. Whatever the engine does beside that is what it does in one process.

A host is wished for only while nothing can be sent here. It goes back when nothing of it is left here or in the store,
when others ask for it, and when others have nothing to do while more hosts wait here than there are slots. A permission
never waits for the units that are open: two callbacks that fetch from each other's hosts would wait for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from crawler.engine.clock import Clock
from crawler.engine.ending import EXCEEDED, LATE, Ending
from crawler.engine.keeping.committer import Committer
from crawler.engine.life import Kind
from crawler.engine.sending.flight import Flight
from crawler.engine.sending.sender import Sender
from crawler.engine.user_code.starts import Starts
from crawler.engine.waiting.throttle import Throttle
from crawler.errors import RequestError
from crawler.events import CrawlClosing, Events
from crawler.frontier.host import Entry, HostQueue, Key
from crawler.frontier.shared import SharedFrontier
from crawler.frontier.store import Grant, Report, Store, Told

IDLE_SECONDS = 2.0
"""So long a host that has nothing more is kept: its last page may just be linking to it."""

ITS_OWN = ("finished", "shutdown", "store_error", "internal_error", LATE, EXCEEDED)
"""Reasons with which this worker ends, and the others go on."""


NOT_YET_SECONDS = 0.25
"""So long it is waited where the store says that nothing may be sent now."""


@dataclass(eq=False, repr=False, slots=True)
class LeasedSender(Sender):
    """Sends as a Sender does while the store lets it, which hears that there may be something to tell."""

    _store: Store
    _frontier: SharedFrontier

    def send_ready(self) -> None:
        """See Sender."""
        self._store.look()
        if self._store.may_send():
            Sender.send_ready(self)  # super() does not find its class in a dataclass with slots
            return
        self._frontier.rests_until = self._clock.seconds() + NOT_YET_SECONDS
        self._kept.begin()


class Holding:
    """Owns what this worker holds. ``begin()`` lets it tell and take; until then it asks for nothing."""

    def __init__(
        self,
        store: Store,
        frontier: SharedFrontier,
        throttle: Throttle,
        committer: Committer,
        flight: Flight,
        ending: Ending,
        clock: Clock,
    ) -> None:
        self._store = store
        self._frontier = frontier
        self._throttle = throttle
        self._committer = committer
        self._facts = committer.facts
        self._flight = flight
        self._ending = ending
        self._life = ending.life
        self._ledger = ending.life.ledger
        self._clock = clock
        self._users_start: Callable[[], Any] | None = None
        self._starts: Starts | None = None
        self._start: tuple[int, list[int]] | None = None
        self._idle: dict[HostQueue, float] = {}
        self._behind = self._over = self._aside = self._objects = False
        self._ledger.begin(Kind.OTHERS)
        store.listen(self)

    def __repr__(self) -> str:
        return f"<Holding of {len(self._frontier.held())} hosts>"

    def begin(self, start: Callable[[], Any], starts: Starts, events: Events) -> None:
        """Everything is open: from now on hosts are wished for, and start() may run here."""
        self._users_start, self._starts = start, starts
        events.subscribe(CrawlClosing, self._closing)
        if self._start is not None:
            self.start(*self._start)
        self._store.look()

    def _closing(self, event: CrawlClosing) -> None:
        """The crawl is to stop, for a reason that is not this worker's alone."""
        if event.reason not in ITS_OWN:
            self._store.stop(event.reason)

    # What is told

    def report(self) -> Report:
        """Return what the store is to tell the others now."""
        if self._users_start is None:
            return Report()
        now = self._clock.seconds()
        report = Report(wanted=[host.name for host in self._lacking()], room=self._room())
        report.returned += [(entry, 0.0) for entry in self._returned()]
        self._let_go(report, now)
        report.told += [self._told(host, now) for host in self._frontier.changed]
        self._frontier.changed.clear()
        if any(not permits for _, permits in report.held):
            report.facts = self._facts.changed()
        if (aside := self._works_aside()) is not self._aside:
            report.aside = self._aside = aside
        return report

    def _works_aside(self) -> bool:
        """Tell whether the crawl must not end, though nobody has a request: code works for itself here."""
        counts = self._ledger.counts
        self._objects = self._objects and counts[Kind.UNIT] > 0
        return self._objects or counts[Kind.INLINE] > 0

    def _lacking(self) -> list[HostQueue]:
        """Return the hosts that something here waits for, and forget those where nothing does any more."""
        lacking = self._frontier.lacking
        for host in [host for host in lacking if not (host.waiting or host.delayed or host.asks)]:
            del lacking[host]
        return list(lacking)

    def _room(self) -> int:
        """Tell how many more hosts are welcome: as many as there are free slots, if nothing here is ready for them."""
        if not self._life.begins or not self._store.may_send():
            return 0
        ready = self._frontier.next_time()
        now = max(self._clock.seconds(), self._frontier.rests_until)
        return max(self._life.free(), 0) if ready is None or ready > now else 0

    def _returned(self) -> list[Any]:
        gone = self._frontier.returned()
        for entry in gone:
            self._gone(entry.token)
        return gone

    def _gone(self, token: int) -> None:
        """A request is the store's again."""
        if token:
            self._life.books.hand_over()

    def _let_go(self, report: Report, now: float) -> None:
        """Go down to what was asked for, as far as what is in flight fits, and let idle hosts go.

        A request that was postponed goes back in its new form, so the store has to know that first.
        """
        if not self._committer.knows_rows:
            self._committer.flush()
            return
        for host in self._frontier.held():
            if host.target is not None and host.in_flight <= host.target < (host.permits or 0):
                self._go_down(host, host.target, report, now)
            elif host.idle:
                since = self._idle.setdefault(host, now)
                if now - since >= IDLE_SECONDS:
                    self._go_down(host, 0, report, now)
            elif self._idle:
                self._idle.pop(host, None)

    def _go_down(self, host: HostQueue, permits: int, report: Report, now: float) -> None:
        report.told.append(self._told(host, now))
        self._frontier.changed.pop(host, None)
        report.held.append((host.name, permits))
        if permits:
            host.permits, host.target = permits, None
            host.set_limit()
            return
        self._idle.pop(host, None)
        for entry, when in self._frontier.give_up(host):
            report.returned.append((entry, max(when - now, 0.0)))
            self._gone(entry.token)

    def _told(self, host: HostQueue, now: float) -> Told:
        delay = max(host.delay, host.crawl_delay)
        slowed = host.name in self._throttle.states
        shareable = not delay and not slowed and host.concurrency > 1 and self._frontier.robots_known(host)
        return Told(host.name, max(host.next_send - now, 0.0), shareable, host.concurrency, delay)

    # What others have changed

    def granted(self, grants: Sequence[Grant], facts: dict[str, Any]) -> None:
        """These hosts may be asked."""
        self._life.others_idle = False
        self._facts.restore(facts)
        now = self._clock.seconds()
        for grant in grants:
            host = self._frontier.permit(grant.host, grant.permits, now, wait=grant.wait)
            self._frontier.told(grant.host, grant.queued, grant.first, now)
            self._frontier.changed[host] = None
        self._ledger.changed()

    def asked(self, host: str, permits: int) -> None:
        """Go down to so many permits, as soon as what is in flight fits."""
        self._frontier.ask(host, permits)
        self._store.look()

    def stored(self, host: str, count: int, first: Key | None) -> None:
        """So many requests of a host are in the store."""
        self._frontier.told(host, count, first, self._clock.seconds())
        self._ledger.changed()

    def doomed(self, entry: Entry, error: RequestError) -> None:
        """This request was taken, and is not to be tried again."""
        self._flight.refuse_taken(entry, error)

    def changed_facts(self, facts: dict[str, Any]) -> None:
        """Other workers have learnt this."""
        self._facts.restore(facts)

    def start(self, count: int, digests: list[int]) -> None:
        """Run start(), which has delivered so much before."""
        if self._starts is None or self._users_start is None:
            self._start = count, digests
        elif self._life.begins:
            self._starts.begin(self._users_start, count=count, digests=digests)
            self._ledger.changed()

    def hungry(self, workers: int) -> None:
        """Let others have the half of the hosts that wait here for a slot, and what was found here; start() goes on."""
        if workers and self._life.begins:
            self._committer.flush_children()
            if self._starts is not None and self._starts.running:
                self._starts.want(workers)
        if workers and self._life.free() <= 0:
            for host in self._frontier.surplus():
                self.asked(host.name, 0)

    def behind(self, behind: bool) -> None:
        """Let callbacks wait while the feeds are far behind."""
        if behind is not self._behind:
            self._behind = behind
            (self._ledger.begin if behind else self._ledger.end)(Kind.FEED)
            self._ledger.changed()

    def stop(self, reason: str) -> None:
        """The crawl is to stop, everywhere."""
        self._ending.stop(reason)

    def fenced(self) -> None:
        """Close what is open: by the time it is answered somebody else may ask the host."""
        self._flight.withdraw_all()

    def over(self, reason: str) -> None:
        """Nothing is left to do, here or elsewhere; what has begun here meanwhile, unheard, calls that off."""
        if self._ledger.counts[Kind.UNIT] and self._life.begins:
            self._objects = True
            self._store.look()
        elif not self._over:
            self._over = True
            self._ledger.end(Kind.OTHERS)
            self._ledger.changed()

    def idle(self) -> None:
        """Nothing is left but start(), which runs here and may go on."""
        self._life.others_idle = True
        self._ledger.changed()

    def lost(self, error: BaseException) -> None:
        """Nothing more can be kept."""
        self._ending.fail(error)
