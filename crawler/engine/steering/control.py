"""How does a crawl of this process do what is asked of it while it runs?

Everything here goes through what the engine has anyway: the loop's pause, the queue, the ending. It adds no way to end
a crawl, and costs nothing until it is asked for something.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from twisted.internet.defer import Deferred

from crawler.engine.ending import Ending
from crawler.engine.sending.loop import Loop
from crawler.errors import InvalidRequest, SteeringError
from crawler.events import Events, Steered
from crawler.model.request import Request
from crawler.policy.verdict import Drop
from crawler.steering.control import LiveSetting

BY_HAND = "by hand"
"""Why the loop is paused, where somebody who looks at the crawl has asked for it."""


class Taking(Protocol):
    """What takes one more request: the crawl."""

    def submit(self, request: Request) -> Drop | None:
        """Take it, or tell why not."""


class CrawlControl:
    """A ``crawler.steering.control.Control`` of the crawl of this process."""

    def __init__(self, crawl: Taking, loop: Loop, ending: Ending, events: Events) -> None:
        self._crawl = crawl
        self._loop = loop
        self._ending = ending
        self._life = ending.life
        self._events = events

    def __repr__(self) -> str:
        return f"<CrawlControl {self._life!r}>"

    def pause(self, host: str | None, *, who: str) -> str:
        """See Control."""
        with self._asked(who):
            self._goes_on()
            if host is not None:
                raise SteeringError("a single host cannot be paused yet")
            self._loop.pause(BY_HAND)
            return self._done("nothing is sent until `resume`; what is in flight is answered", who)

    def resume(self, host: str | None, *, who: str) -> str:
        """See Control."""
        with self._asked(who):
            self._goes_on()
            if host is not None:
                raise SteeringError("a single host cannot be paused yet")
            if BY_HAND not in self._loop.paused:
                raise SteeringError("the crawl is not paused")
            said = self._done("the crawl goes on", who)
            self._loop.go_on(BY_HAND)
            return said

    def set(self, name: str, value: object, *, host: str | None, who: str) -> str:
        """See Control."""
        with self._asked(who):
            raise SteeringError(f"{name} is read once, at the start")

    def add(self, url: str, *, who: str) -> str:
        """See Control. No ``file:`` and ``data:``: what steers a crawl from elsewhere shall not read files here."""
        with self._asked(who):
            self._goes_on()
            request = Request(url, dont_filter=True)
            if request.problem is not None:
                raise SteeringError(f"{url} cannot be added: {request.problem}")
            if request.normal_url.startswith(("file:", "data:")):
                raise SteeringError(f"{url} cannot be added: file: and data: URLs come from start() only")
            try:
                refused = self._crawl.submit(request)
            except InvalidRequest as error:
                raise SteeringError(f"{url} cannot be added: {error}") from error
            if refused is not None:
                detail = f": {refused.detail}" if refused.detail else ""
                raise SteeringError(f"{url} is refused by a filter ({refused.reason}{detail})")
            return self._done(f"{url} is asked for", who)

    def drop(self, host: str, *, who: str) -> Deferred[str]:
        """See Control."""
        with self._asked(who):
            raise SteeringError("a host's queue cannot be dropped yet")

    def stop(self, *, who: str) -> str:
        """See Control."""
        with self._asked(who):
            self._goes_on()
            said = self._done("the crawl ends when what is in flight has been answered", who)
            self._ending.stop("shutdown")
            return said

    def explain(self, url: str) -> Deferred[list[str]]:
        """See Control."""
        raise SteeringError("a URL cannot be explained yet")

    def live(self) -> Mapping[str, LiveSetting]:
        """See Control."""
        return {}

    def refused(self, why: str, *, who: str) -> None:
        """See Control."""
        self._events.publish(Steered(why, who, refused=True))

    # Inside

    def _done(self, what: str, who: str) -> str:
        self._events.publish(Steered(what, who))
        return what

    def _goes_on(self) -> None:
        """Raise SteeringError if the crawl takes nothing any more, or is not open yet."""
        if not self._life.begins:
            raise SteeringError(f"the crawl is {self._life.phase.value}, and cannot be steered")

    @contextmanager
    def _asked(self, who: str) -> Iterator[None]:
        """Note what is refused of what somebody asks for."""
        try:
            yield
        except SteeringError as error:
            self.refused(str(error), who=who)
            raise
