"""What did a spider's method give: one result, several, or a promise of them?"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from itemadapter import ItemAdapter

from crawler.model.request import Request
from crawler.spider import whole


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
        found: Any = [result async for result in results]
    else:
        found = await results
    for result in go_on(each(found)):
        yield result
