"""What becomes of the results of start() before the crawl takes them?

The process_start of each spider middleware has them in its turn, that of the highest number first. One that is older
and has process_start_requests gets them all at once, since it is a plain function.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from crawler.model.request import Request
from crawler.results import each, every
from crawler.scrapy.adapters.calling import by_place
from crawler.scrapy.exceptions import _InvalidOutput
from crawler.scrapy.http.request import as_scrapy_request


async def _of_start(start: Callable[[], Any], *, marked: bool) -> AsyncIterator[Any]:
    """Yield what start() does, its requests as Scrapy's; ``marked``: with meta ``is_start_request``."""
    async for result in every(start()):
        if isinstance(result, Request):
            result = as_scrapy_request(result)
            if marked:
                result.meta.setdefault("is_start_request", True)
        yield result


def process_start(start: Callable[[], Any], middlewares: Iterable[Any] | None, spider: Any) -> AsyncIterator[Any]:
    """Return the results of ``start()`` behind the middlewares, that of the lowest number first in the list.

    ``middlewares`` None: none stands in the path, not even Scrapy's own.
    """
    results = _of_start(start, marked=middlewares is None)
    if middlewares is None:
        return results
    for middleware in reversed(list(middlewares)):
        if hasattr(middleware, "process_start"):
            results = middleware.process_start(results)
            if not hasattr(results, "__aiter__"):
                name = type(middleware).__qualname__
                raise _InvalidOutput(f"{name}.process_start must be an async generator, and it gave {type(results)}")
        elif hasattr(middleware, "process_start_requests"):
            results = _older(by_place(middleware.process_start_requests, spider, 1), results)
    return results


async def _older(process: Callable[..., Any], results: AsyncIterator[Any]) -> AsyncIterator[Any]:
    for result in each(process([result async for result in results])):
        yield result
