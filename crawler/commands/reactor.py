"""Where is the global reactor installed and run? Here alone.

Twisted's asyncio reactor is installed, so that any asyncio library works in spiders and pipelines.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ReactorNotRunning
from twisted.python.failure import Failure

if TYPE_CHECKING:
    from twisted.internet.asyncioreactor import AsyncioSelectorReactor

T = TypeVar("T")

logger = logging.getLogger(__name__)


def install_reactor() -> AsyncioSelectorReactor:
    """Install the asyncio reactor, if none is installed yet, and return it."""
    if "twisted.internet.reactor" not in sys.modules:
        new_reactor()
    from twisted.internet import reactor

    return reactor


def new_reactor() -> ModuleType:
    """Install the asyncio reactor, the first of this process, and return it."""
    from twisted.internet import asyncioreactor

    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    asyncioreactor.install(loop)
    return sys.modules["twisted.internet.reactor"]


def run_reactor(reactor: AsyncioSelectorReactor, start: Callable[[], Deferred[T]], *, signals: bool = True) -> T:
    """Run the reactor until the Deferred that ``start`` gives has a result; return it, or raise its error.

    Raises KeyboardInterrupt if the reactor was stopped before. ``signals``: whether it takes over the signals, as it
    can in the main thread alone.
    """
    outcome: list[T | Failure] = []

    def end(result: T | Failure) -> None:
        outcome.append(result)
        with suppress(ReactorNotRunning):  # the user's code has stopped it already
            reactor.stop()

    def begin() -> None:
        try:
            start().addBoth(end)
        except Exception:
            end(Failure())

    reactor.callWhenRunning(begin)
    with _twisted_log(), _seldom_collected():
        _run(reactor, signals)
    if not outcome:
        raise KeyboardInterrupt
    if isinstance(outcome[0], Failure):
        outcome[0].raiseException()
    return outcome[0]


GARBAGE = 10_000
"""So many more containers than before make Python look for cycles of garbage; it would look at every 700. Pages leave
none: the memory that cycles of the user's hold is bounded by this."""


@contextmanager
def _seldom_collected() -> Iterator[None]:
    """Let the search for cycles of garbage take less time; what was imported stays, and need not be gone through."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(GARBAGE, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _run(reactor: AsyncioSelectorReactor, signals: bool) -> None:
    run: Callable[[], None] = partial(reactor.run, signals)
    while True:
        try:
            run()
            return
        except (SystemExit, KeyboardInterrupt) as error:
            # asyncio lets these two out of a task that the user's code has made, and stops the loop for it.
            logger.error("A task of the spider's own ended with %r; the crawl goes on", error, exc_info=error)
            run = reactor._asyncioEventloop.run_forever


@cache
def _begin_twisted_log() -> None:
    """Tell Twisted that its log is read: until then it prints what is critical on stderr itself, as a traceback."""
    from twisted.logger import globalLogBeginner

    show = warnings.showwarning
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    warnings.showwarning = show  # Python's warnings go their own way


@contextmanager
def _twisted_log() -> Iterator[None]:
    """Hand what Twisted logs, an unhandled error in a Deferred for example, to the log of Python."""
    from twisted.python.log import PythonLoggingObserver

    _begin_twisted_log()
    observer = PythonLoggingObserver(loggerName="twisted")
    observer.start()
    try:
        yield
    finally:
        observer.stop()
