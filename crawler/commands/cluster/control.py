"""What may be done to a crawl of many workers? It is told to all of them, by way of the server.

What is told are facts by the names "live:…", which each worker goes by as if they had been kept in its own job: a
worker that joins later, and a resume, have them. A pause of all ends with the starter.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.assembly.job import ItemCodec
from crawler.engine.clock import Clock
from crawler.engine.deciding.acceptance import Acceptance
from crawler.engine.steering.hosts import BY_HAND, DROPPED, PAUSED
from crawler.engine.steering.live import PREFIX, LiveSettings, fact_name
from crawler.errors import SteeringError
from crawler.events import Events, Steered
from crawler.frontier.store import START
from crawler.model.request import Request
from crawler.observe.log import set_level
from crawler.observe.progress import counted
from crawler.policy.verdict import Drop
from crawler.stats import Stats
from crawler.steering.control import LiveSetting
from crawler.steering.settings import LIVE
from crawler.steering.typed import added_request, is_asked_for, not_added, refused_by_filter, typed_request
from crawler.storage.cluster import rows
from crawler.storage.cluster.line import Line
from crawler.storage.codec import CannotStore
from crawler.storage.group import Rows, children_staged

logger = logging.getLogger("crawler")

DROPPED_STAT = f"request_dropped/{BY_HAND}"

Explains = Callable[[Request], Deferred[list[str]]]


class Steerable(Protocol):
    """The crawl of many workers, as far as steering it takes."""

    events: Events
    stats: Stats
    live: LiveSettings

    @property
    def phase(self) -> str:
        """Return "running", or what it is instead."""

    def stop(self, reason: str = "shutdown") -> None:
        """End it."""


class ClusterControl:
    """A ``crawler.steering.control.Control`` of the workers on a job.

    ``acceptance`` judges what is added, ``codec`` puts it into its stored form, ``newest`` says where it is queued;
    ``explains`` tells what the job knows of a URL.
    """

    def __init__(
        self,
        crawl: Steerable,
        line: Line,
        clock: Clock,
        *,
        acceptance: Acceptance,
        codec: ItemCodec,
        newest: bool,
        explains: Explains,
    ) -> None:
        self._crawl = crawl
        self._line = line
        self._live = crawl.live
        self._live.add(lambda core: None, *LIVE)  # all are for the workers, and some for this process, too
        self._live.add(lambda core: set_level(core.LOG_LEVEL), "LOG_LEVEL")
        self._clock = clock
        self._acceptance = acceptance
        self._rows = Rows(codec, limit=rows.PRIORITY_LIMIT)
        self._newest = newest
        self._explains = explains
        self._paused: set[str | None] = set()

    def __repr__(self) -> str:
        return f"<ClusterControl of {self._line!r}>"

    @property
    def paused(self) -> bool:
        """Whether all workers were told to send nothing."""
        return None in self._paused

    async def open(self) -> None:
        """Begin: a resume goes on, though all was paused; what was changed live counts, unless it is given anew."""
        told = await self._line.told(PREFIX)
        if fact_name(PAUSED, None) in told:
            await self._tell(PAUSED, None, [False, "resume", self._clock.wall()])
        self._live.restore_facts(told)
        await self._line.tell(self._live.changed_facts())

    def pause(self, host: str | None, *, who: str) -> str:
        """See Control."""
        with self._asked(who, host):
            if host in self._paused:
                raise SteeringError(f"{host or 'the crawl'} is paused already")
            self._paused.add(host)
            self._tell(PAUSED, host, [True, who, self._clock.wall()])
            to, of = (f" to {host}", f" {host}") if host is not None else ("", "")
            return self._done(f"nothing is sent{to} until `resume{of}`; what is in flight is answered", who)

    def resume(self, host: str | None, *, who: str) -> str:
        """See Control. A host may have been paused before a resume of the job."""
        with self._asked(who, host):
            if host is None and host not in self._paused:
                raise SteeringError("the crawl is not paused")
            self._paused.discard(host)
            self._tell(PAUSED, host, [False, who, self._clock.wall()])
            return self._done("the crawl goes on" if host is None else f"{host} is asked again", who)

    def set(self, name: str, value: object, *, host: str | None, who: str) -> str:
        """See Control."""
        with self._asked(who, host):
            said = self._live.set(name, value, host, who)
            self._line.tell(self._live.changed_facts()).addErrback(_log)
            return self._done(said, who)

    def add(self, url: str, *, who: str) -> str:
        """See Control."""
        with self._asked(who):
            offer = self._acceptance.offer(added_request(url), None)
            if isinstance(offer, Drop):
                raise refused_by_filter(url, offer.reason, offer.detail)
            try:
                [child] = children_staged(self._rows.staged([offer]))
            except CannotStore as error:
                raise not_added(url, error) from error
            told = self._line.run(self._line.calls.add, rows.new(child, START, newest=self._newest))
            told.addErrback(_log)
            return self._done(is_asked_for(url), who)

    def drop(self, host: str, *, who: str) -> Deferred[str]:
        """See Control. What workers have taken ends there, and is counted there."""
        with self._asked(who, host):
            told = self._tell(DROPPED, host, [True, who, self._clock.wall()])
        dropped = told.addCallback(lambda _: self._line.run(self._line.calls.drop, host))

        def done(count: int) -> str:
            self._crawl.stats.inc_value(DROPPED_STAT, count)
            said = f"dropped {counted(count, 'request')} to {host} on the server; the workers drop what they have taken"
            return self._done(said, who)

        return dropped.addCallback(done)

    def stop(self, *, who: str) -> str:
        """See Control."""
        with self._asked(who):
            self._crawl.stop("shutdown")
            return self._done("the crawl ends when what is in flight has been answered", who)

    def explain(self, url: str) -> Deferred[list[str]]:
        """See Control."""
        return self._explains(typed_request(url))

    def live(self) -> Mapping[str, LiveSetting]:
        """See Control."""
        return self._live.shown()

    def refused(self, why: str, *, who: str) -> None:
        """See Control."""
        self._crawl.events.publish(Steered(why, who, refused=True))

    # Inside

    def _tell(self, name: str, host: str | None, value: Any) -> Deferred[None]:
        return self._line.tell({fact_name(name, host): value}).addErrback(_log)

    def _done(self, what: str, who: str) -> str:
        self._crawl.events.publish(Steered(what, who))
        return what

    @contextmanager
    def _asked(self, who: str, host: str | None = None) -> Iterator[None]:
        """Note what is refused of what somebody asks for."""
        try:
            if self._crawl.phase != "running":
                raise SteeringError(f"the crawl is {self._crawl.phase}, and cannot be steered")
            if host == "":
                raise SteeringError("a host has a name: `hosts` lists them")
            yield
        except SteeringError as error:
            self.refused(str(error), who=who)
            raise


def _log(failure: Failure) -> None:
    logger.error("The workers could not be told: %s", failure.value)
