"""What of the machine does a crawl stand on?"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import get_ident
from typing import TypeVar

from twisted.internet.base import ReactorBase
from twisted.python.threadable import isInIOThread

from crawler.download.seam import Downloader
from crawler.engine.clock import Clock, ReactorClock
from crawler.engine.machine import Machine
from crawler.engine.user_code.tasks import Drive, driver, loop_of
from crawler.model.request import Request
from crawler.threads import Pools, reactor_pools

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class World:
    """What a crawl has of the machine: time, tasks, threads and the network. Tests have another one.

    ``downloader`` takes the place of the one that the settings name.
    """

    reactor: ReactorBase | None
    clock: Clock
    drive: Drive
    pools: Pools
    downloader: Downloader | None = None
    random: Callable[[], float] = field(default=random.random)

    @property
    def machine(self) -> Machine:
        """What the engine has of it."""
        return Machine(
            clock=self.clock,
            random=self.random,
            drive=self.drive,
            pools=self.pools,
            from_thread=getattr(self.reactor, "callFromThread", None),
        )


def real_world(reactor: ReactorBase) -> World:
    """Return the world beneath a reactor."""
    return World(
        reactor=reactor, clock=ReactorClock(reactor), drive=driver(loop_of(reactor)), pools=reactor_pools(reactor)
    )


def in_reactor_alone(reactor: ReactorBase | None, fetch: Callable[[Request], T]) -> Callable[[Request], T]:
    """Return ``fetch`` for users' code: in a thread of a stage it would confuse the engine, and raises instead."""
    home = get_ident()

    def guarded(request: Request) -> T:
        if reactor is not None and get_ident() != home:
            raise RuntimeError(
                "fetch() was called in a thread; there, blockingCallFromThread(reactor, self.crawler.fetch, request) "
                "of twisted.internet.threads waits for the response; or make the method async def, and await it"
            )
        return fetch(request)

    return guarded


def from_any_thread(reactor: ReactorBase | None, stop: Callable[[str], None]) -> Callable[[str], None]:
    """Return ``stop`` for users' code: stages run in threads of their own, and may want to end the crawl."""

    def end(reason: str) -> None:
        if reactor is None or isInIOThread():
            stop(reason)
        else:
            reactor.callFromThread(stop, reason)

    return end
