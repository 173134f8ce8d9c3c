"""One reactor of the tests' own, run until a Deferred fires."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.epollreactor import EPollReactor
from twisted.python.failure import Failure

from crawler.download.net.resolvers import SystemLookup

T = TypeVar("T")

reactor: Any = EPollReactor()
reactor.startRunning(installSignalHandlers=False)


def run(awaitable: Deferred[T] | Coroutine[Any, Any, T], *, seconds: float = 10.0) -> T:
    """Turn the reactor until the outcome is there; return or raise it."""
    deferred: Any = awaitable if isinstance(awaitable, Deferred) else Deferred.fromCoroutine(awaitable)
    outcome: list[Any] = []
    deferred.addBoth(outcome.append)
    late = reactor.callLater(seconds, outcome.append, Failure(TimeoutError(f"nothing came of it in {seconds} s")))
    while not outcome:
        reactor.runUntilCurrent()
        timeout = reactor.timeout()
        reactor.doIteration(0.05 if timeout is None else min(timeout, 0.05))
    if late.active():
        late.cancel()
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    result: T = outcome[0]
    return result


def turn(seconds: float) -> None:
    """Turn the reactor for a while."""
    waiting: Deferred[None] = Deferred()
    reactor.callLater(seconds, waiting.callback, None)
    run(waiting)


def until(condition: Callable[[], bool], *, seconds: float = 5.0) -> None:
    """Turn the reactor until the condition holds."""
    end = reactor.seconds() + seconds
    while not condition():
        if reactor.seconds() > end:
            raise TimeoutError("the condition did not come true")
        reactor.runUntilCurrent()
        reactor.doIteration(0.005)


class LookupBy(SystemLookup):
    """A resolver whose threads ask a function."""

    def __init__(self, reactor: Any, answer: Callable[[str], list[str]]) -> None:
        super().__init__(reactor)
        self._answer = answer

    def ask(self, host: str) -> list[str]:
        return self._answer(host)
