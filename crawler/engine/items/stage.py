"""What is common to all pipeline stages: an item on its way, and what a stage's answer means for it?"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from itemadapter import ItemAdapter
from twisted.internet.defer import Deferred, succeed

import crawler.model.item  # noqa: F401  from here on objects of msgspec.Struct are items, too
from crawler.engine.keeping.unit import Unit
from crawler.engine.machine import Machine
from crawler.errors import DropItem
from crawler.model.response import Response
from crawler.pipeline import Change
from crawler.spider import Spider

BATCH_SIZE = 100
"""Most items given to process_batch at once, unless the stage has a ``batch_size``."""


class Outcome(NamedTuple):
    """The stage's outcome for one item: the item to pass on, or the error that keeps it back."""

    item: Any
    error: BaseException | None = None


class Travelling(ABC):
    """One item on its way through the stages; ``at`` is the number of the stage that has it, ``changes`` are those of
    stage memory that are made for it."""

    __slots__ = ("at", "changes", "item", "response", "unit")

    def __init__(self, item: Any, unit: Unit, response: Response | None, changes: list[Change]) -> None:
        self.item = item
        self.unit = unit
        self.response = response
        self.changes = changes
        self.at = 0

    @abstractmethod
    def leaves(self, outcome: Outcome) -> None:
        """The stage that has it is done with it."""


def log_of(batch: Sequence[Travelling]) -> list[Change]:
    """Return where changes of memory are recorded that are made for these items of one request."""
    return batch[0].changes if len(batch) == 1 else batch[0].unit.changes


def with_spider(method: Callable[..., Any], spider: Spider, own: int) -> Callable[..., Any]:
    """Adapt a method to be called without the spider, whether it wants it (Scrapy's form) or not.

    ``own`` is the number of arguments it has without the spider.
    """
    positional = [
        parameter
        for parameter in inspect.signature(method).parameters.values()
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(positional) > own:
        return lambda *args: method(*args, spider)
    return method


class Stage:
    """A user's stage: its methods as they are called, and how their answers are understood."""

    def __init__(self, stage: Any, spider: Spider, machine: Machine) -> None:
        self.stage = stage
        self.name = type(stage).__name__
        self.spider = spider
        self._drive = machine.drive
        self._ready: deque[Travelling] = deque()
        batch = getattr(stage, "process_batch", None)
        single = getattr(stage, "process_item", None)
        self._batch = with_spider(batch, spider, 1) if batch else None
        self._single = with_spider(single, spider, 1) if single else None
        self._passes_all = bool(getattr(stage, "passes_all", False))
        self._batch_size = int(getattr(stage, "batch_size", BATCH_SIZE))

    def _next_batch(self) -> list[Travelling]:
        """Take the next items for process_batch: of one request, so that what a stage remembers is one transaction."""
        batch = [self._ready.popleft()]
        size = self._batch_size
        if getattr(self.stage, "remembers", False) and batch[0].changes is not batch[0].unit.changes:
            size = 1  # whose change is it?
        while self._ready and len(batch) < size and self._ready[0].unit is batch[0].unit:
            batch.append(self._ready.popleft())
        return batch

    def end_threads(self) -> Deferred[None]:
        """End the threads of the stage; most have none."""
        return succeed(None)

    def _hook(self, name: str) -> Callable[..., Any] | None:
        hook = getattr(self.stage, name, None)
        return with_spider(hook, self.spider, 0) if hook else None

    def _driven(self, hook: Callable[[], Any] | None) -> Deferred[Any] | None:
        result = hook() if hook else None
        if inspect.iscoroutine(result):
            return self._drive(result)
        return result if isinstance(result, Deferred) else None

    def _checked(self, result: Any) -> Outcome:
        if self._passes_all:
            return Outcome(result)
        if result is None:
            return Outcome(None, TypeError(f"{self.name} returned None; return the item, or raise DropItem"))
        if isinstance(result, Deferred) or inspect.isawaitable(result):
            if inspect.iscoroutine(result):
                result.close()
            return Outcome(None, TypeError(
                f"{self.name} runs in a thread, but returned a {type(result).__name__}; make the method async def"
            ))  # fmt: skip
        if type(result) is not dict and not ItemAdapter.is_item(result):
            return Outcome(None, TypeError(
                f"{self.name} returned {type(result).__name__}: {str(result)[:80]!r}; return the item or raise DropItem"
            ))  # fmt: skip
        return Outcome(result)

    def _matched(self, items: Sequence[Any], returned: Any) -> list[Outcome]:
        """Tell which item each returned one stands for: by place, or else by identity."""
        if inspect.isawaitable(returned) or isinstance(returned, Deferred):
            raise TypeError(f"{self.name}.process_batch runs in a thread, but returned a {type(returned).__name__}")
        result = list(returned if returned is not None else ())
        if len(result) == len(items):
            return [self._checked(item) for item in result]
        kept = {id(item) for item in result}
        if not kept <= {id(item) for item in items}:
            raise TypeError(f"{self.name}.process_batch must return as many items as it got, or some of those it got")
        return [
            Outcome(i) if id(i) in kept else Outcome(None, DropItem("not returned by process_batch")) for i in items
        ]
