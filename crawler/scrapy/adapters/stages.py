"""How do a project's item pipelines become stages of the crawl?

Each is a stage that runs on the reactor, where it was made, one item after the other unless it awaits
(docs.scrapy.org, "Item Pipeline"). With ITEM_PIPELINES_IN_THREADS all of them are one stage with a thread of its own,
and are made there, so that what they open stays in it. None passes on as it does in Scrapy: it counts as scraped, and
no feed has it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from crawler.errors import CloseSpider, SettingError
from crawler.scrapy.adapters.calling import by_place


class Stage:
    """One pipeline."""

    threads = 0
    passes_all = True

    def __init__(self, pipeline: Any, spider: Any) -> None:
        self.process_item = _process(pipeline, spider)
        for hook in ("open_spider", "close_spider"):
            if (method := getattr(pipeline, hook, None)) is not None:
                setattr(self, hook, _hook(method, spider))


class InThread:
    """All pipelines, in one thread: ``make`` makes them there."""

    threads = 1
    passes_all = True

    def __init__(self, make: Callable[[], Iterable[Any]], spider: Any) -> None:
        self._make = make
        self._spider = spider
        self._pipelines: list[Any] = []

    def open_spider(self) -> None:
        """Make and open them. Raises SettingError for one that has coroutines."""
        self._pipelines = list(self._make())
        self._methods = [_process(each, self._spider) for each in self._pipelines]
        for each in self._pipelines:
            if inspect.iscoroutinefunction(getattr(each, "process_item", None)):
                self._refuse(each, "process_item")
            self._run(each, "open_spider")

    def process_item(self, item: Any) -> Any:
        """Let one after the other have the item."""
        for process in self._methods:
            item = process(item)
        return item

    def close_spider(self) -> None:
        """Close them, the last one first."""
        for each in reversed(self._pipelines):
            self._run(each, "close_spider")

    def _run(self, pipeline: Any, hook: str) -> None:
        method = getattr(pipeline, hook, None)
        result = _hook(method, self._spider)() if method is not None else None
        if hasattr(result, "__await__"):
            if inspect.iscoroutine(result):
                result.close()
            self._refuse(pipeline, hook)

    def _refuse(self, pipeline: Any, method: str) -> NoReturn:
        name = type(pipeline).__qualname__
        raise SettingError(f"ITEM_PIPELINES_IN_THREADS: {name}.{method} is to be awaited, which no thread does")


def stages(make: Callable[[], Iterable[Any]], spider: Any, *, in_thread: bool) -> list[Any]:
    """Return the stages for the pipelines that ``make()`` makes, the lowest number first."""
    if in_thread:
        return [InThread(make, spider)]
    # Named as the pipeline's class: so an error says whose it is.
    return [type(type(each).__name__, (Stage,), {})(each, spider) for each in make()]


def _process(pipeline: Any, spider: Any) -> Callable[[Any], Any]:
    if not hasattr(pipeline, "process_item"):
        return lambda item: item
    method = by_place(pipeline.process_item, spider, 1)

    def process(item: Any) -> Any:
        try:
            return method(item)
        except CloseSpider as error:
            # There it is an error of the item like any other, and here it would end the crawl.
            raise RuntimeError(
                "CloseSpider ends a crawl in callbacks; here, crawler.engine.close_spider does"
            ) from error

    return process


def _hook(method: Callable[..., Any], spider: Any) -> Callable[[], Any]:
    hook = by_place(method, spider, 0)
    return lambda: hook()
