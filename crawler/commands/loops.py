"""Which reactor stands on an asyncio loop that somebody else runs: a notebook, ``asyncio.run()``, a test?

One a loop. The first becomes the global reactor, if there is none, so that libraries on Twisted find it; when its
loop has been closed, as ``asyncio.run()`` does, the next takes its place.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, cast

import twisted.internet
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.internet.base import ReactorBase
from twisted.python.threadable import isInIOThread
from twisted.python.threadpool import ThreadPool

from crawler.engine.user_code.tasks import loop_of
from crawler.errors import UsageError
from crawler.threads import DaemonThreads

_GLOBAL = "twisted.internet.reactor"


class GuestReactor(AsyncioSelectorReactor):
    """A reactor that begins and ends in a loop which runs before and after it."""

    _registerAsIOThread = False  # noqa: N815 (Twisted's name) - there may be several, each in a thread of its own

    def crash(self) -> None:
        """End; the loop goes on, for others run in it."""
        ReactorBase.crash(self)

    def getThreadPool(self) -> ThreadPool:  # noqa: N802 (Twisted's name)
        """Return threads that do not keep the process from its end: nobody stops this reactor."""
        if self.threadpool is None:
            self.threadpool = DaemonThreads(0, 10, _GLOBAL)
            self.threadpool.start()
        return self.threadpool


_guests: dict[asyncio.AbstractEventLoop, GuestReactor] = {}


def reactor_here(called: str) -> AsyncioSelectorReactor:
    """Return the reactor of the loop that runs in this thread.

    Raises UsageError, which tells how a crawl is run where no asyncio loop runs; ``called`` is what was called.
    """
    loop = running_loop()
    if loop is None:
        raise UsageError(_without_loop(called))
    _forget_closed()
    installed = sys.modules.get(_GLOBAL)
    if loop_of(cast(Any, installed)) is loop:
        return cast(AsyncioSelectorReactor, installed)
    guest = _guests.get(loop)
    if guest is None or not guest.running:  # the user's code has stopped it
        guest = _guests[loop] = _new(loop)
    before = loop_of(cast(Any, installed))
    if installed is None or (before is not None and before.is_closed()):
        twisted.internet.reactor = sys.modules[_GLOBAL] = guest  # type: ignore[assignment]
    return guest


def _new(loop: asyncio.AbstractEventLoop) -> GuestReactor:
    try:
        guest = GuestReactor(loop)
    except TypeError as error:
        raise UsageError(f"no crawl can run in this asyncio loop: {error}") from error
    guest.startRunning(installSignalHandlers=False)
    return guest


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the asyncio loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def twisted_runs_here() -> bool:
    """Tell whether this thread runs the global reactor of Twisted's, and that on no asyncio loop."""
    installed: Any = sys.modules.get(_GLOBAL)
    return bool(getattr(installed, "running", False)) and loop_of(installed) is None and isInIOThread()


def _without_loop(called: str) -> str:
    if twisted_runs_here():
        return (
            f"{called} needs an asyncio loop, and a reactor of Twisted's without one runs here; "
            "there, `await crawl(SpiderClass, settings, reactor=reactor)` runs a crawl"
        )
    return (
        f"{called} is to be awaited in a running asyncio loop, and none runs here; "
        "`crawler.run_blocking(SpiderClass, settings)` does without one"
    )


def _forget_closed() -> None:
    for loop in [loop for loop in list(_guests) if loop.is_closed()]:
        if (guest := _guests.pop(loop, None)) is not None:
            guest.waker.connectionLost(None)  # its two file descriptors; Twisted takes a reactor to be for ever
