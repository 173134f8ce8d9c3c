"""What did a function of the user's give: one result, several, or a promise of them?"""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from types import GeneratorType
from typing import Any

from itemadapter import ItemAdapter

from crawler.model.request import Request

logger = logging.getLogger(__name__)


def is_promise(results: Any) -> bool:
    """Tell whether results must be awaited: a coroutine, an async generator, a Deferred."""
    return inspect.isawaitable(results) or hasattr(results, "__aiter__")


def each(results: Any) -> Iterable[Any]:
    """Return one result, several or None as an iterable. Raises TypeError for a promise."""
    if results is None:
        return ()
    if is_promise(results):
        raise TypeError("this method must be a plain function or generator; callbacks of rules may be coroutines")
    several = isinstance(results, Iterable) and not isinstance(results, Request | str | bytes)
    return whole(results) if several and not ItemAdapter.is_item(results) else (results,)


def then(results: Any, go_on: Callable[[Iterable[Any]], Iterator[Any]]) -> Iterator[Any] | AsyncIterator[Any]:
    """Hand results to ``go_on``, a generator function, as soon as there are any."""
    return _later(results, go_on) if is_promise(results) else go_on(each(results))


async def _later(results: Any, go_on: Callable[[Iterable[Any]], Iterator[Any]]) -> AsyncIterator[Any]:
    if hasattr(results, "__aiter__"):
        found = [result async for result in results]
    else:
        found = await results
    for result in go_on(each(found)):
        yield result


async def every(results: Any) -> AsyncIterator[Any]:
    """Yield the results of a callback of any kind one by one, as the crawl takes them: those of lists, too."""
    while inspect.isawaitable(results):
        results = await results
    if not hasattr(results, "__aiter__"):
        for result in each(results):
            for one in _flat(result):
                yield one
        return
    async for result in results:
        for one in _flat(result):
            yield one


def _flat(result: Any) -> Iterator[Any]:
    if type(result) is list or type(result) is tuple:
        for one in result:
            yield from _flat(one)
    else:
        yield result


def whole(results: Iterable[Any]) -> Iterable[Any]:
    """Return results to iterate over; a generator that also returns a value is warned of, as that value is lost."""
    return _told_of(results) if isinstance(results, GeneratorType) else results


def _told_of(results: GeneratorType[Any, Any, Any]) -> Iterator[Any]:
    warn_of_return(results.__qualname__, (yield from results))


def warn_of_return(name: str, value: Any) -> None:
    """Warn of a value that a generator returned, as nobody gets it (PEP 380): once for each name."""
    if value is not None and name not in _warned_of and len(_warned_of) < 1000:
        _warned_of.add(name)
        logger.warning(
            "%s yields results, and what it returns as well (%s) is lost: yield that, too", name, type(value).__name__
        )


_warned_of: set[str] = set()
