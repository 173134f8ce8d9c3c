"""What of the machine does a crawl stand on, and what becomes of it when its reactor is stopped?

That is by reactor.stop() in the user's code, or by Ctrl-C in a script that has no signal handlers of its own.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from threading import get_ident
from typing import TypeVar

from twisted.internet.base import DelayedCall, ReactorBase
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.download.seam import Downloader
from crawler.engine.clock import Clock, ReactorClock
from crawler.engine.crawl import Crawl
from crawler.engine.machine import Machine
from crawler.engine.user_code.tasks import driver, loop_of
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.threads import reactor_pools

T = TypeVar("T")

SHUTDOWN_SECONDS = 5.0
"""How long a crawl has to finish what is in flight when the reactor is stopped, and then to close."""


@dataclass(slots=True, kw_only=True)
class World:
    """What a crawl stands on: the machine and the network. Tests have another one.

    ``downloader`` takes the place of the one that the settings name.
    """

    machine: Machine
    downloader: Downloader | None = None

    @property
    def clock(self) -> Clock:
        """Its time."""
        return self.machine.clock

    @property
    def reactor(self) -> ReactorBase | None:
        """Its reactor; None in virtual time."""
        return self.machine.reactor


def real_world(reactor: ReactorBase) -> World:
    """Return the world beneath a reactor."""
    machine = Machine(
        clock=ReactorClock(reactor),
        random=random.random,
        drive=driver(loop_of(reactor)),
        pools=reactor_pools(reactor),
        reactor=reactor,
    )
    return World(machine=machine)


class ForComponents:
    """A crawl as users' code may act on it: stages run in threads of their own."""

    def __init__(self, crawl: Crawl, reactor: ReactorBase | None) -> None:
        self._crawl = crawl
        self._reactor = reactor
        self._home = get_ident()

    def fetch(self, request: Request) -> Deferred[Response]:
        """Fetch inline; raises RuntimeError in a thread of a stage, where it would confuse the engine."""
        if self._reactor is not None and get_ident() != self._home:
            raise RuntimeError(
                "fetch() was called in a thread; there, blockingCallFromThread(reactor, self.crawler.fetch, request) "
                "of twisted.internet.threads waits for the response; or make the method async def, and await it"
            )
        return self._crawl.fetch(request)

    def submit(self, request: Request) -> None:
        """Take a request from code that is no callback; raises RuntimeError in a thread."""
        self._at_home("submit").submit(request)

    def idle(self) -> Deferred[None]:
        """Fire once nothing is under way or queued but start(); raises RuntimeError in a thread."""
        return self._at_home("idle").idle()

    def is_idle(self) -> bool:
        """Tell whether nothing is under way or queued but start()."""
        return self._crawl.is_idle()

    def pause(self) -> None:
        """Send nothing until ``unpause``; what is in flight is answered, and the crawl does not end."""
        self._at_home("pause").pause()

    def unpause(self) -> None:
        """Go on."""
        self._at_home("unpause").unpause()

    @property
    def paused(self) -> bool:
        """Whether somebody has asked for a pause."""
        return self._crawl.paused

    @property
    def queued(self) -> int:
        """How many requests wait, in memory and in the store."""
        return self._crawl.queued

    @property
    def in_flight(self) -> int:
        """How many exchanges are under way."""
        return self._crawl.in_flight

    def _at_home(self, asked: str) -> Crawl:
        if self._reactor is not None and get_ident() != self._home:
            raise RuntimeError(
                f"{asked}() was called in a thread; reactor.callFromThread calls it where the crawl runs"
            )
        return self._crawl

    def stop(self, reason: str) -> None:
        """End the crawl once what is in flight has finished. From any thread."""
        if self._reactor is None or get_ident() == self._home:
            self._crawl.ending.stop(reason)
        else:
            self._reactor.callFromThread(self._crawl.ending.stop, reason)


def end_with_reactor(crawl: Crawl, running: Deferred[T], reactor: ReactorBase) -> None:
    """Stop the crawl when the reactor is stopped, which then waits until ``running`` has fired."""
    over: Deferred[None] = Deferred()
    calls: list[DelayedCall] = []

    def stopping() -> Deferred[None]:
        calls.append(reactor.callLater(SHUTDOWN_SECONDS, crawl.ending.stop_now, "shutdown"))
        calls.append(reactor.callLater(2 * SHUTDOWN_SECONDS, crawl.give_up))
        crawl.ending.stop("shutdown")
        return over

    def ended(result: T | Failure) -> T | Failure:
        if not calls:
            reactor.removeSystemEventTrigger(trigger)
        for call in calls:
            if call.active():
                call.cancel()
        over.callback(None)
        return result

    trigger = reactor.addSystemEventTrigger("before", "shutdown", stopping)
    running.addBoth(ended)
