"""How does a user's coroutine run, so that it may await Deferreds and asyncio's awaitables alike?

Inside one asyncio Task, whose driver translates each Deferred the coroutine waits for into a
future. The translation passes the Deferred's result through (``Deferred.asFuture`` would eat it),
and cancelling the Task cancels the Deferred. On a reactor without an asyncio loop only Deferreds
can be awaited.
"""

from __future__ import annotations

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar

from twisted.internet.base import ReactorBase
from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

T = TypeVar("T")

Drive = Callable[[Coroutine[Any, Any, Any]], "Deferred[Any]"]
"""Runs a coroutine; the Deferred fires with its result, and cancelling it cancels the coroutine."""


def loop_of(reactor: ReactorBase) -> asyncio.AbstractEventLoop | None:
    """Return the asyncio loop beneath the reactor, None if it has none."""
    return getattr(reactor, "_asyncioEventloop", None)


def driver(loop: asyncio.AbstractEventLoop | None) -> Drive:
    """Return the way to run users' coroutines on this loop (None: Deferreds only)."""
    if loop is None:
        return Deferred.fromCoroutine
    return lambda coroutine: _as_deferred(loop.create_task(_translated(coroutine, loop)), coroutine)


async def awaited(awaitable: Awaitable[T]) -> T:
    """Return a coroutine for anything that can be awaited."""
    return await awaitable


@types.coroutine
def _translated(coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop) -> Generator[Any, Any, Any]:
    error: BaseException | None = None
    while True:
        try:
            waited_for = coroutine.send(None) if error is None else coroutine.throw(error)
        except StopIteration as stop:
            return stop.value
        except (SystemExit, KeyboardInterrupt) as left:
            # A Task would let it out into the loop, and end that; as a result it fails the Deferred all the same.
            return Failure(left, type(left), left.__traceback__)
        error = None
        try:
            if isinstance(waited_for, Deferred):
                yield from _fired(waited_for, loop)
            else:
                yield waited_for
        except BaseException as thrown:
            error = thrown  # whatever is thrown in belongs to the user's coroutine


TRANSLATED = _translated.__code__
"""By that the tasks of users' coroutines are known; the local ``coroutine`` of its frame is theirs."""


def _fired(deferred: Deferred[Any], loop: asyncio.AbstractEventLoop) -> Generator[Any, Any, None]:
    future = loop.create_future()

    def wake(result: T) -> T:
        if not future.done():
            future.set_result(None)
        return result

    deferred.addBoth(wake)
    try:
        yield from future
    except asyncio.CancelledError:
        deferred.cancel()
        deferred.addErrback(lambda _: None)  # whoever waited for it has been told to end: it is no news to anybody
        raise


def _as_deferred(task: asyncio.Task[Any], coroutine: Coroutine[Any, Any, Any]) -> Deferred[Any]:
    def cancel(_: Deferred[Any]) -> None:
        task.cancel()

    deferred: Deferred[Any] = Deferred(cancel)

    def done(ended: asyncio.Task[Any]) -> None:
        coroutine.close()  # one that was cancelled before its first step has not ended by itself
        if deferred.called:
            ended.cancelled() or ended.exception()  # seen: the Deferred was cancelled first
        elif ended.cancelled():
            deferred.errback(Failure(CancelledError()))
        elif (error := ended.exception()) is not None:
            deferred.errback(Failure(error, type(error), error.__traceback__))
        else:
            deferred.callback(ended.result())

    task.add_done_callback(done)
    return deferred
