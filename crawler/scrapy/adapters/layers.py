"""How do the results of a callback pass through a project's spider middlewares?

As Scrapy lets them pass (docs.scrapy.org, "Spider Middleware"): process_spider_output from the highest number to the
lowest, each on what the one before gives. What raises, be it the callback or a middleware, is offered to the
process_spider_exception of those that are left; results of the first that has some go on behind it, and come last.

Plain results of plain middlewares stay plain, so that no task is needed; all others are asynchronous from the callback
on.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from crawler.results import each
from crawler.scrapy.adapters.calling import by_name
from crawler.scrapy.exceptions import _InvalidOutput


class Layer(NamedTuple):
    """One middleware: what it does with plain results, with asynchronous ones, and with an exception."""

    name: str
    output: Callable[..., Any] | None
    output_later: Callable[..., Any] | None
    exception: Callable[..., Any] | None


def layer_of(middleware: Any, spider: Any) -> Layer:
    """Return a middleware as a layer."""
    made: dict[str, Callable[..., Any]] = {
        name: by_name(method, spider)
        for name in ("process_spider_output", "process_spider_output_async", "process_spider_exception")
        if callable(method := getattr(middleware, name, None))
    }
    output, later = made.get("process_spider_output"), made.get("process_spider_output_async")
    if output is not None and inspect.isasyncgenfunction(inspect.unwrap(middleware.process_spider_output)):
        output, later = None, output
    return Layer(type(middleware).__qualname__, output, later, made.get("process_spider_exception"))


class Layers:
    """The middlewares, that of the highest number first."""

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = layers
        self._plain = not any(
            (layer.output is None and layer.output_later is not None)
            or inspect.isasyncgenfunction(getattr(layer.exception, "func", layer.exception))
            for layer in layers
        )

    def through(self, results: Any, response: Any, start: int = 0) -> Iterator[Any] | AsyncIterator[Any]:
        """Return the results of a callback, behind the layers from ``start`` on."""
        if self._plain and not hasattr(results, "__aiter__"):
            return self._now(each(results), response, start)
        return self._later(results if hasattr(results, "__aiter__") else each(results), response, start)

    def recovered(self, error: BaseException, response: Any, start: int = 0) -> Iterator[Any] | AsyncIterator[Any]:
        """Return what the layers from ``start`` on make of an exception; raises it if none of them wants it."""
        if isinstance(error, Exception) and not isinstance(error, _InvalidOutput):
            for at, layer in enumerate(self._layers[start:], start):
                if layer.exception is None:
                    continue
                results = layer.exception(response=response, exception=error)
                if results is not None:
                    _checked(results, f"{layer.name}.process_spider_exception must return None or an iterable")
                    return self.through(results, response, at + 1)
            error.__dict__["_refused_by_all"] = True  # it passes through the layers that are left
        raise error

    def _now(self, found: Iterable[Any], response: Any, start: int) -> Iterator[Any]:
        last: deque[Any] = deque()
        results = self._guarded(lambda: found, response, start, last)
        for at, layer in enumerate(self._layers[start:], start):
            if layer.output is not None:
                made = partial(_output, layer, layer.output, response, results)
                results = self._guarded(made, response, at + 1, last)
        yield from results
        while last:
            recovered = last.popleft()
            if hasattr(recovered, "__aiter__"):
                raise _InvalidOutput("process_spider_exception gave asynchronous results, and all others are plain")
            yield from recovered

    def _guarded(self, make: Callable[[], Iterable[Any]], response: Any, start: int, last: deque[Any]) -> Iterator[Any]:
        try:
            yield from make()
        except Exception as error:
            if getattr(error, "_refused_by_all", False):
                raise
            last.append(self.recovered(error, response, start))

    async def _later(self, results: Any, response: Any, start: int) -> AsyncIterator[Any]:
        last: deque[Any] = deque()
        found = self._guarded_later(lambda: _awaited(results), response, start, last)
        for at, layer in enumerate(self._layers[start:], start):
            if layer.output is not None or layer.output_later is not None:
                make = partial(_output_later, layer, response, found)
                found = self._guarded_later(make, response, at + 1, last)
        async for one in found:
            yield one
        while last:
            async for one in _awaited(last.popleft()):
                yield one

    async def _guarded_later(
        self, make: Callable[[], AsyncIterator[Any]], response: Any, start: int, last: deque[Any]
    ) -> AsyncIterator[Any]:
        results = None
        try:
            results = make()
            async for one in results:
                yield one
        except Exception as error:
            if getattr(error, "_refused_by_all", False):
                raise
            last.append(self.recovered(error, response, start))
        finally:
            if results is not None and hasattr(results, "aclose"):
                await results.aclose()


def _output(layer: Layer, output: Callable[..., Any], response: Any, results: Iterator[Any]) -> Iterable[Any]:
    made: Iterable[Any] = output(response=response, result=results)
    _checked(made, f"{layer.name}.process_spider_output must return an iterable")
    return made


def _output_later(layer: Layer, response: Any, results: AsyncIterator[Any]) -> AsyncIterator[Any]:
    if layer.output_later is None:
        return _collected(layer, response, results)
    made: AsyncIterator[Any] = layer.output_later(response=response, result=results)
    if not hasattr(made, "__aiter__"):
        _checked(made, f"{layer.name}.process_spider_output_async must be an async generator")
    return _awaited(made)


async def _collected(layer: Layer, response: Any, results: AsyncIterator[Any]) -> AsyncIterator[Any]:
    """Let a plain middleware have the results of an asynchronous callback, once all of them are there."""
    assert layer.output is not None
    found = [one async for one in results]
    for one in _output(layer, layer.output, response, iter(found)):
        yield one


async def _awaited(results: Any) -> AsyncIterator[Any]:
    if not hasattr(results, "__aiter__"):
        for one in results:
            yield one
        return
    try:
        async for one in results:
            yield one
    finally:
        if hasattr(results, "aclose"):
            await results.aclose()


def _checked(results: Any, said: str) -> None:
    if not isinstance(results, Iterable | AsyncIterator):
        if inspect.iscoroutine(results):
            results.close()
        raise _InvalidOutput(f"{said}, got {type(results)}")
