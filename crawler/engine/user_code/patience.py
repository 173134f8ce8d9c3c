"""How long does the crawl wait for what the user's code opens and closes?

As long as it takes; but once a crawl is given up, for nothing of it any more: a thread that hangs cannot be
ended, and what is committed is kept without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVarTuple

from twisted.internet.defer import CancelledError, Deferred

from crawler.engine.clock import Timer
from crawler.engine.machine import Machine

LAST_SECONDS = 0.5

Ts = TypeVarTuple("Ts")


class Patience:
    """Waits for one thing at a time, until ``end()``; what is still at work then fails with TimeoutError.

    What is to be waited for behind that gets LAST_SECONDS each: a healthy stage shall not pay for one that hangs.
    """

    def __init__(self, machine: Machine) -> None:
        self._drive = machine.drive
        self._clock = machine.clock
        self._waiting: Deferred[Any] | None = None
        self._ended = False

    async def ended(self, hook: Callable[[*Ts], Any], *arguments: *Ts) -> BaseException | None:
        """Call a hook that closes something, wait for what it returns if that can be waited for; return its error.

        Be that sys.exit(): all the rest is still to be closed.
        """
        try:
            result = hook(*arguments)
            if hasattr(result, "__await__") and not isinstance(result, Deferred):
                result = self._drive(result)
            await self.wait(result if isinstance(result, Deferred) else None)
        except GeneratorExit:
            raise
        except BaseException as error:
            return error
        return None

    async def wait(self, deferred: Deferred[Any] | None) -> None:
        """Wait for it; None is not waited for."""
        if deferred is None:
            return
        self._waiting = deferred
        last: Timer | None = self._clock.callLater(LAST_SECONDS, deferred.cancel) if self._ended else None
        try:
            await deferred
        except CancelledError as error:
            if self._ended:
                raise TimeoutError("it has not ended, and is waited for no longer") from error
            raise
        finally:
            self._waiting = None
            if last is not None and last.active():
                last.cancel()

    def end(self) -> None:
        """Wait no longer."""
        self._ended = True
        if self._waiting is not None:
            self._waiting.cancel()
