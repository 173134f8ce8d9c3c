"""How does a crawl of this process do what is asked of it while it runs?

Everything here goes through what the engine has anyway: the loop's pause, the queue, the ending. It adds no way to end
a crawl, and costs nothing until it is asked for something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import get_ident
from typing import Any, Protocol

from twisted.internet.defer import Deferred, maybeDeferred

from crawler.engine.ending import Ending
from crawler.engine.sending.loop import Loop
from crawler.engine.steering.hosts import PAUSED, HostsByHand
from crawler.engine.steering.live import PREFIX, LiveSettings
from crawler.errors import InvalidRequest, SteeringError
from crawler.events import Events, Steered
from crawler.model.request import Request
from crawler.policy.verdict import Drop
from crawler.steering.control import LiveSetting
from crawler.steering.typed import added_request, is_asked_for, not_added, refused_by_filter, typed_request

BY_HAND = "by hand"
"""Why the loop is paused, where somebody who looks at the crawl has asked for it."""


class Taking(Protocol):
    """What takes one more request: the crawl."""

    def submit(self, request: Request) -> Drop | None:
        """Take it, or tell why not."""


class CrawlControl:
    """A ``crawler.steering.control.Control`` of the crawl of this process.

    ``explains`` tells what the job knows of a URL, in lines: a crawl without a job knows nothing.
    """

    def __init__(
        self, crawl: Taking, loop: Loop, ending: Ending, events: Events, live: LiveSettings, hosts: HostsByHand
    ) -> None:
        self.explains: Callable[[Request], Deferred[list[str]]] | None = None
        self._crawl = crawl
        self._loop = loop
        self._ending = ending
        self._life = ending.life
        self._events = events
        self._live = live
        self._hosts = hosts
        self._home = get_ident()

    def __repr__(self) -> str:
        return f"<CrawlControl {self._life!r}>"

    def pause(self, host: str | None, *, who: str) -> str:
        """See Control."""
        with self._asked(who):
            self._goes_on(host)
            if host is not None:
                return self._done(self._hosts.pause(host, who), who)
            if BY_HAND in self._loop.paused:
                raise SteeringError("the crawl is paused already")
            self._loop.pause(BY_HAND)
            return self._done("nothing is sent until `resume`; what is in flight is answered", who)

    def resume(self, host: str | None, *, who: str) -> str:
        """See Control."""
        with self._asked(who):
            self._goes_on(host)
            if host is not None:
                return self._done(self._hosts.resume(host, who), who)
            if BY_HAND not in self._loop.paused:
                raise SteeringError("the crawl is not paused")
            said = self._done("the crawl goes on", who)
            self._loop.go_on(BY_HAND)
            return said

    def set(self, name: str, value: object, *, host: str | None, who: str) -> str:
        """See Control."""
        with self._asked(who):
            self._goes_on(host)
            said = self._live.set(name, value, host, who)
            unknown = "" if host is None else self._hosts.unknown(host)
            self._life.ledger.changed()  # what had no room before may have it now
            return self._done(said + unknown, who)

    def add(self, url: str, *, who: str) -> str:
        """See Control."""
        with self._asked(who):
            self._goes_on()
            try:
                refused = self._crawl.submit(added_request(url))
            except InvalidRequest as error:
                raise not_added(url, error) from error
            if refused is not None:
                raise refused_by_filter(url, refused.reason, refused.detail)
            return self._done(is_asked_for(url), who)

    def drop(self, host: str, *, who: str) -> Deferred[str]:
        """See Control."""
        with self._asked(who):
            self._goes_on(host)
            dropped = self._hosts.drop(host, who)
        return dropped.addCallback(self._done, who)

    def stop(self, *, who: str) -> str:
        """See Control."""
        with self._asked(who):
            self._goes_on()
            said = self._done("the crawl ends when what is in flight has been answered", who)
            self._ending.stop("shutdown")
            return said

    def explain(self, url: str) -> Deferred[list[str]]:
        """See Control."""
        if self.explains is None:
            raise SteeringError("a crawl without a job keeps nothing of its URLs: leave JOB_STORE as it is")
        return maybeDeferred(self.explains, typed_request(url))

    def live(self) -> Mapping[str, LiveSetting]:
        """See Control."""
        return self._live.shown()

    def refused(self, why: str, *, who: str) -> None:
        """See Control."""
        self._events.publish(Steered(why, who, refused=True))

    # Facts: a pause of all comes from whoever looks after the workers of a cluster, and is kept nowhere here

    def changed_facts(self) -> dict[str, Any]:
        """Return nothing: a resume goes on."""
        return {}

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Pause or go on as all workers do."""
        said = facts.get(PREFIX + PAUSED)
        if said is not None and said[0] is not (BY_HAND in self._loop.paused):
            (self._loop.pause if said[0] else self._loop.go_on)(BY_HAND)

    # Inside

    def _done(self, what: str, who: str) -> str:
        self._events.publish(Steered(what, who))
        return what

    def _goes_on(self, host: str | None = None) -> None:
        """Raise SteeringError if the crawl takes nothing any more, or is not open yet, or a host has no name; and
        RuntimeError in a thread of a stage."""
        if get_ident() != self._home:
            raise RuntimeError(
                "crawler.control was used in a thread; reactor.callFromThread calls it where the crawl runs"
            )
        if not self._life.begins:
            raise SteeringError(f"the crawl is {self._life.phase.value}, and cannot be steered")
        if host == "":
            raise SteeringError("a host has a name: `hosts` lists them")

    @contextmanager
    def _asked(self, who: str) -> Iterator[None]:
        """Note what is refused of what somebody asks for."""
        try:
            yield
        except SteeringError as error:
            self.refused(str(error), who=who)
            raise
