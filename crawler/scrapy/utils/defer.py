"""How do Deferreds, coroutines and futures become each other?"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import wraps
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, DeferredList, fail, succeed
from twisted.internet.task import Cooperator
from twisted.python.failure import Failure

from crawler.scrapy.utils.asyncio import is_asyncio_available, sleep

T = TypeVar("T")


async def _process_pending_io() -> None:
    await sleep(0)
    await sleep(0)


def parallel(iterable: Iterable[Any], count: int, callable: Callable[..., Any], *args: Any, **named: Any) -> Any:  # noqa: A002
    """Call a function for each element, at most ``count`` at a time; the Deferred fires when all are done."""
    work = (callable(each, *args, **named) for each in iterable)
    return DeferredList([Cooperator().coiterate(work) for _ in range(count)])


def iter_errback(iterable: Iterable[T], errback: Callable[..., Any], *a: Any, **kw: Any) -> Iterator[T]:
    """Yield what an iterable gives; ``errback`` is called with the failure that ends it."""
    iterator = iter(iterable)
    while True:
        try:
            yield next(iterator)
        except StopIteration:
            return
        except Exception:
            errback(Failure(), *a, **kw)


def deferred_from_coro(o: Any) -> Any:
    """Return the Deferred of something awaitable; anything else as it is."""
    if isinstance(o, Deferred) or not inspect.isawaitable(o):
        return o
    if is_asyncio_available():
        return Deferred.fromFuture(asyncio.ensure_future(o))
    return Deferred.fromCoroutine(o)  # type: ignore[arg-type]  # what is awaitable without asyncio


def deferred_f_from_coro_f(coro_f: Callable[..., Awaitable[T]]) -> Callable[..., Deferred[T]]:
    """Return a coroutine function as one that returns a Deferred."""

    @wraps(coro_f)
    def called(*args: Any, **kwargs: Any) -> Any:
        return deferred_from_coro(coro_f(*args, **kwargs))

    return called


def maybeDeferred_coro(f: Callable[..., Any], *args: Any, **kw: Any) -> Deferred[Any]:  # noqa: N802 - Scrapy's name
    """Call a function of any kind; return the Deferred of what comes of it."""
    try:
        result = f(*args, **kw)
    except Exception:
        return fail(Failure())
    if isinstance(result, Failure):
        return fail(result)
    result = deferred_from_coro(result)
    return result if isinstance(result, Deferred) else succeed(result)


def mustbe_deferred(f: Callable[..., Any], *args: Any, **kw: Any) -> Deferred[Any]:
    """Call a function of any kind; return the Deferred of what comes of it."""
    return maybeDeferred_coro(f, *args, **kw)


def deferred_to_future(d: Deferred[T]) -> asyncio.Future[T]:
    """Return a Deferred as a future of asyncio. Raises RuntimeError without asyncio."""
    if not is_asyncio_available():
        raise RuntimeError("deferred_to_future() requires an installed asyncio reactor or a running asyncio loop.")
    return d.asFuture(asyncio.get_event_loop())


def maybe_deferred_to_future(d: Deferred[T]) -> Deferred[T] | asyncio.Future[T]:
    """Return a Deferred as what a coroutine can await here."""
    return deferred_to_future(d) if is_asyncio_available() else d


def ensure_awaitable(o: Any, _warn: str | None = None) -> Awaitable[Any]:
    """Return something as what a coroutine can await here; what is no awaitable is its own result."""
    if isinstance(o, Deferred):
        return maybe_deferred_to_future(o)
    if inspect.isawaitable(o):
        return o

    async def itself() -> Any:
        return o

    return itself()
