"""How is a call made later, repeatedly or in a thread, whichever loop runs?"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall, deferLater
from twisted.internet.threads import deferToThreadPool

from crawler.scrapy.utils.reactor import is_asyncio_reactor_installed, is_reactor_installed

T = TypeVar("T")
logger = logging.getLogger(__name__)


def is_asyncio_available() -> bool:
    """Tell whether asyncio's calls work here. Raises RuntimeError where nothing runs and no reactor is installed."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        if not is_reactor_installed():
            raise RuntimeError(
                "is_asyncio_available() called without an installed reactor or running asyncio loop."
            ) from None
        return is_asyncio_reactor_installed()
    return True


def _reactor() -> Any:
    # The one that is installed: to import it earlier would install one.
    from twisted.internet import reactor

    return reactor


class AsyncioLoopingCall:
    """A call that asyncio's loop makes again and again: Twisted's LoopingCall, as far as it is used."""

    def __init__(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        self._call = partial(func, *args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._started = 0.0
        self.interval: float | None = None

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.interval is not None

    def start(self, interval: float, now: bool = True) -> None:
        """Call every ``interval`` seconds. Raises RuntimeError if it runs, ValueError for no interval."""
        if self.running:
            raise RuntimeError("AsyncioLoopingCall already running")
        if interval <= 0:
            raise ValueError("Interval must be greater than 0")
        self.interval, self._started = interval, monotonic()
        if now:
            self._make()
        self._wait()

    def stop(self) -> None:
        """Call no more."""
        self.interval = None
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        if self.interval is not None:
            pause = self.interval - (monotonic() - self._started) % self.interval
            self._timer = asyncio.get_event_loop().call_later(pause, self._again)

    def _again(self) -> None:
        self._make()
        self._wait()

    def _make(self) -> None:
        try:
            result = self._call()
        except Exception:
            logger.exception("Error calling the AsyncioLoopingCall function")
            self.stop()
            return
        if asyncio.iscoroutine(result) or isinstance(result, Deferred):
            self.stop()
            raise TypeError("The AsyncioLoopingCall function must not return a coroutine or a Deferred")


def create_looping_call(func: Callable[..., Any], *args: Any, **kwargs: Any) -> AsyncioLoopingCall | LoopingCall:
    """Return what calls a function again and again once it is started."""
    return (AsyncioLoopingCall if is_asyncio_available() else LoopingCall)(func, *args, **kwargs)


class CallLaterResult:
    """A call that is to be made; ``cancel()`` is without harm once it is."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def cancel(self) -> None:
        """Do not make it."""
        if getattr(self._handle, "active", lambda: True)():
            self._handle.cancel()


def call_later(delay: float, func: Callable[..., object], *args: Any) -> CallLaterResult:
    """Call a function in so many seconds."""
    if is_asyncio_available():
        return CallLaterResult(asyncio.get_event_loop().call_later(delay, func, *args))
    return CallLaterResult(_reactor().callLater(delay, func, *args))


async def sleep(seconds: float) -> None:
    """Wait so many seconds."""
    if is_asyncio_available():
        await asyncio.sleep(seconds)
    else:
        await deferLater(_reactor(), seconds)


async def run_in_thread(func: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function in a thread, and return what it returns."""
    if is_asyncio_available():
        return await asyncio.to_thread(func, *args, **kwargs)
    reactor = _reactor()
    return await deferToThreadPool(reactor, reactor.getThreadPool(), func, *args, **kwargs)
