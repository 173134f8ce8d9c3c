"""How are the receivers of a signal called? Scrapy's module of that name, over PyDispatcher.

A receiver gets what its parameters name. An error of one is logged and is its result; the others are called as well.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from typing import Any as Anything

from pydispatch.dispatcher import Anonymous, Any, disconnect, getAllReceivers, liveReceivers
from pydispatch.robustapply import robustApply
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.scrapy.exceptions import StopDownload
from crawler.scrapy.utils.defer import deferred_from_coro, ensure_awaitable

logger = logging.getLogger(__name__)

Results = list[tuple[Anything, Anything]]


def receivers_of(signal: Anything, sender: Anything) -> list[Anything]:
    """Return who hears a signal of this sender, in the order in which they were connected."""
    return list(liveReceivers(getAllReceivers(sender, signal)))


def send_catch_log(
    signal: Anything = Any, sender: Anything = Anonymous, *arguments: Anything, **named: Anything
) -> Results:
    """Call the receivers; return each with its result, a Failure if it raised. ``dont_log``: errors not to be told."""
    quiet = (*_classes(named.pop("dont_log", ())), StopDownload)
    results = []
    for receiver, result in _called(signal, sender, arguments, named):
        if isinstance(result, Failure):
            _tell(receiver, result, quiet, named)
        elif isinstance(result, Deferred) or inspect.iscoroutine(result):
            logger.error("Cannot return deferreds from signal handler: %s", receiver, extra=_spider(named))
            if inspect.iscoroutine(result):
                result.close()
        results.append((receiver, result))
    return results


def send_catch_log_deferred(
    signal: Anything = Any, sender: Anything = Anonymous, *arguments: Anything, **named: Anything
) -> Deferred[Results]:
    """Call the receivers and wait for what they return; errors are Failures in the results."""

    async def sent() -> Results:
        results = await send_catch_log_async(signal, sender, *arguments, **named)
        return [(each, Failure(result) if isinstance(result, Exception) else result) for each, result in results]

    made: Deferred[Results] = deferred_from_coro(sent())
    return made


async def send_catch_log_async(
    signal: Anything = Any, sender: Anything = Anonymous, *arguments: Anything, **named: Anything
) -> Results:
    """Call all receivers, then wait for what they return; the result of one that raised is its exception."""
    quiet, results = _classes(named.pop("dont_log", ())), []
    for receiver, result in [*_called(signal, sender, arguments, named)]:
        try:
            if inspect.isawaitable(result) and not isinstance(result, Failure):
                result = await ensure_awaitable(result)
        except Exception:
            result = Failure()
        if isinstance(result, Failure):
            _tell(receiver, result, quiet, named)
            result = result.value
        results.append((receiver, result))
    return results


def disconnect_all(signal: Anything = Any, sender: Anything = Any) -> None:
    """Disconnect all receivers of a signal."""
    for receiver in receivers_of(signal, sender):
        disconnect(receiver, signal=signal, sender=sender)


def _called(
    signal: Anything, sender: Anything, arguments: tuple[Anything, ...], named: dict[str, Anything]
) -> Iterator[tuple[Anything, Anything]]:
    for receiver in receivers_of(signal, sender):
        try:
            result = robustApply(receiver, *arguments, signal=signal, sender=sender, **named)
        except Exception:
            result = Failure()
        yield receiver, result


def _tell(receiver: Anything, failure: Failure, quiet: tuple[type[BaseException], ...], named: Anything) -> None:
    if not isinstance(failure.value, quiet):
        logger.error("Error caught on signal handler: %s", receiver, exc_info=failure.value, extra=_spider(named))


def _spider(named: dict[str, Anything]) -> dict[str, Anything]:
    return {"spider": named.get("spider")}


def _classes(given: Anything) -> tuple[type[BaseException], ...]:
    return tuple(given) if isinstance(given, tuple | list) else (given,) if given else ()
