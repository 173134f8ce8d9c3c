"""Which hosts has somebody paused, and whose queue is dropped?

A paused host is halted in the frontier, and that is kept in the job. A queue that is dropped ends request by request,
as robots.txt ends one: each has its terminal event, and its row in the job says why. That a host's queue is dropped is
kept first and forgotten last, so that a resume after a kill goes on with it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.defer import Deferred

from crawler.engine.clock import Clock
from crawler.engine.deciding.ends import Ends
from crawler.engine.keeping.committer import Committer
from crawler.engine.life import Life
from crawler.engine.sending.loop import Leasing
from crawler.engine.steering.live import NOBODY, PREFIX, Said, fact_name, name_of, said_by
from crawler.errors import SteeringError
from crawler.events import CrawlOpened
from crawler.frontier.frontier import Frontier

logger = logging.getLogger("crawler")

BY_HAND = "by_hand"
"""The reason of a request that was dropped with its host's queue."""

PAUSED, DROPPING, DROPPED = "paused", "dropping", "dropped"
"""Names of facts about a host: a queue that is being dropped here, and one that others have been told to drop."""

AT_ONCE = 200
"""So many requests are dropped before the reactor gets its turn."""

LEASE_SECONDS = 0.01
"""So long it is waited where the store has more, which has been asked for."""


@dataclass(slots=True, eq=False)
class Dropping:
    """A host whose queue is being dropped; ``done`` fires with the count."""

    said: Said
    count: int = 0
    done: Deferred[int] = field(default_factory=Deferred)


class HostsByHand:
    """Pauses hosts, and drops their queues."""

    def __init__(
        self,
        frontier: Frontier,
        ends: Ends,
        leasing: Leasing | None,
        life: Life,
        clock: Clock,
        committer: Committer | None,
        *,
        level: int = logging.INFO,
    ) -> None:
        self._frontier = frontier
        self._ends = ends
        self._leasing = leasing
        self._life = life
        self._clock = clock
        self._committer = committer
        self._level = level
        self._paused: dict[str, Said] = {}
        self._dropping: dict[str, Dropping] = {}
        self._dropped_at: dict[str, float] = {}
        self._changed: dict[str, list[Any] | None] = {}

    def __repr__(self) -> str:
        return f"<HostsByHand {self._paused!r} {list(self._dropping)}>"

    def pause(self, host: str, who: str) -> str:
        """Send nothing to a host until ``resume``. Raises SteeringError."""
        if (before := self._paused.get(host, NOBODY)).value:
            raise SteeringError(f"{host} is paused already, {said_by(before)}")
        self._set_paused(host, said := Said(True, who, self._clock.wall()))
        self._keep(fact_name(PAUSED, host), list(said))
        return f"nothing is sent to {host} until `resume {host}`{self.unknown(host)}"

    def unknown(self, host: str) -> str:
        """Return what is to be said of a host that may be a mistake: nothing of it is known; "" of others."""
        return "" if self._frontier.queues.get(host) is not None else "; nothing of it is known yet"

    def resume(self, host: str, who: str) -> str:
        """Go on with a host. Raises SteeringError."""
        if not self._paused.get(host, NOBODY).value:
            paused = sorted(name for name, said in self._paused.items() if said.value)
            raise SteeringError(f"{host} is not paused" + (f"; paused: {', '.join(paused)}" if paused else ""))
        self._set_paused(host, said := Said(False, who, self._clock.wall()))
        self._keep(fact_name(PAUSED, host), list(said))
        return f"{host} is asked again"

    def _set_paused(self, host: str, said: Said) -> None:
        self._paused[host] = said
        if said.value:
            self._frontier.by_hand.halt(host)
        elif host not in self._dropping:
            self._frontier.by_hand.go_on(host, self._clock.seconds())
            self._life.ledger.changed()

    def _keep(self, fact: str, value: list[Any] | None) -> None:
        self._changed[fact] = value
        if self._committer is not None:
            self._committer.soon()

    # Dropping

    def drop(self, host: str, who: str) -> Deferred[str]:
        """Let what is queued for a host end; fires when all of it has. Raises SteeringError."""
        if host in self._dropping:
            raise SteeringError(f"the queue of {host} is being dropped already")
        if self.unknown(host):
            raise SteeringError(f"nothing is queued for {host}: `hosts` lists those that are known")
        dropping = self._dropping[host] = Dropping(Said(True, who, self._clock.wall()))
        self._keep(fact_name(DROPPING, host), list(dropping.said))
        self._begin(host)
        return dropping.done.addCallback(self._dropped, host)

    def _dropped(self, count: int, host: str) -> str:
        said = f"dropped {count:,} request{'s' * (count != 1)} to {host}"
        return said if host not in self._dropping else f"{said}; the crawl ends, and a resume drops what is left"

    def _begin(self, host: str) -> None:
        self._frontier.by_hand.halt(host)
        self._clock.callLater(0, self._step, host)

    def _step(self, host: str) -> None:
        """Drop some of what is in memory, and ask the store for more, until neither has anything. Whatever comes into
        the queue meanwhile is dropped, too."""
        dropping = self._dropping[host]
        if not self._life.begins:
            dropping.done.callback(dropping.count)
            return
        entries, more = self._frontier.remove_queued(host, AT_ONCE)
        for entry in entries:
            self._ends.drop(entry, BY_HAND, f"its host's queue was dropped by {dropping.said.who}")
        dropping.count += len(entries)
        if not more:
            self._end(host)
            return
        if self._leasing is not None:
            self._leasing.refill()
        self._clock.callLater(0 if entries else LEASE_SECONDS, self._step, host)

    def _end(self, host: str) -> None:
        dropping = self._dropping.pop(host)
        if not self._paused.get(host, NOBODY).value:
            self._frontier.by_hand.go_on(host, self._clock.seconds())
        self._keep(fact_name(DROPPING, host), None)
        dropping.done.callback(dropping.count)
        self._life.ledger.changed()

    # Facts

    def opened(self, _: CrawlOpened) -> None:
        """The crawl begins: go on with what an earlier run had begun to drop."""
        for host in list(self._dropping):
            self._begin(host)

    def changed_facts(self) -> dict[str, Any]:
        """Return what was changed here."""
        changed, self._changed = self._changed, {}
        return changed

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Go by what was kept, or has been said elsewhere, where that is newer than what is known here."""
        for fact in sorted(facts):
            name, host = name_of(fact)
            if host is None or facts[fact] is None or not fact.startswith(PREFIX):
                continue
            said = Said(*facts[fact])
            if name == PAUSED and said.when > self._paused.get(host, NOBODY).when:
                self._set_paused(host, said)
                if said.value:
                    logger.log(self._level, "Nothing is sent to %s: paused, %s", host, said_by(said))
            elif name in (DROPPING, DROPPED) and said.when > self._dropped_at.get(host, 0.0):
                self._dropped_at[host] = said.when
                self._drop_what_is_here(host, said)

    def _drop_what_is_here(self, host: str, said: Said) -> None:
        if host not in self._dropping:
            self._dropping[host] = Dropping(said)
            self._frontier.by_hand.halt(host)
            if self._life.begins:
                self._begin(host)
