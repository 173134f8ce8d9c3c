"""What becomes of a crawl whose reactor is stopped?

By reactor.stop() in the user's code, or by Ctrl-C in a script that has no signal handlers of its own.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from twisted.internet.base import DelayedCall, ReactorBase
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")

SHUTDOWN_SECONDS = 5.0
"""How long a crawl has to finish what is in flight when the reactor is stopped, and then to close."""


class Stoppable(Protocol):
    """What is asked of the crawl, one after the other."""

    def stop(self) -> None:
        """Let what is in flight finish."""

    def stop_now(self) -> None:
        """End at once."""

    def give_up(self) -> None:
        """Wait no longer for the user's code."""


def end_with_reactor(crawl: Stoppable, running: Deferred[T], reactor: ReactorBase) -> None:
    """Stop the crawl when the reactor is stopped, which then waits until ``running`` has fired."""
    over: Deferred[None] = Deferred()
    calls: list[DelayedCall] = []

    def stopping() -> Deferred[None]:
        calls.append(reactor.callLater(SHUTDOWN_SECONDS, crawl.stop_now))
        calls.append(reactor.callLater(2 * SHUTDOWN_SECONDS, crawl.give_up))
        crawl.stop()
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
