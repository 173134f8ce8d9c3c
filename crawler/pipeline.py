"""What may a pipeline stage be, and what can it remember?

A stage is any class with ``process_item(item)`` (or Scrapy's ``process_item(item, spider)``). A plain
``def`` is taken to block and runs in the stage's own threads; an ``async def`` runs on the reactor.
Inheriting from Pipeline is optional; it gives settings, logger, stats and stage memory.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Hashable, Iterator, MutableMapping, MutableSet
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from crawler.model.copied import copied
from crawler.stats import Stats

if TYPE_CHECKING:
    from treq.client import HTTPClient

    from crawler.config.settings import Settings
    from crawler.spider import Crawler, Spider

Change = tuple[str, str, str, Any, Any]
"""A change of stage memory: stage, name, "add", "set" or "del", key, value."""

changes: ContextVar[list[Change] | None] = ContextVar("changes", default=None)
"""Where the changes made now are recorded: the unit of work of the item a stage is busy with;
None while it is busy with none."""


class Stage(Protocol):
    """What the engine needs of a stage; all but process_item (or process_batch) may be absent."""

    def process_item(self, item: Any) -> Any | Awaitable[Any]:
        """Return the item to pass on; raise DropItem to refuse it."""


class Pipeline:
    """A convenient base for stages.

    ``threads``: how many threads a blocking stage may use; with one, items keep their order and a
    database connection stays in its thread; 0 says that it does not block, and runs on the reactor.
    ``remembers``: it has asked for stage memory. UPPERCASE annotated class attributes are settings.
    """

    threads: int = 1
    remembers: bool = False
    spider: Spider
    settings: Settings
    crawler: Crawler

    def bind(self, crawler: Crawler) -> None:
        """Tie the stage to its crawl; done once, by the assembly."""
        self.crawler = crawler
        self.settings = crawler.settings
        assert crawler.spider is not None  # it is made before the stages
        self.spider = crawler.spider

    @property
    def logger(self) -> logging.Logger:
        """A logger named after the stage."""
        return logging.getLogger(type(self).__name__)

    @property
    def stats(self) -> Stats:
        """The counters of this crawl; safe to use from the stage's threads."""
        return self.crawler.stats

    @property
    def http(self) -> HTTPClient:
        """A treq-like client for side calls (an API, a webhook), for stages that are coroutines."""
        return self.crawler.http

    def memory_set(self, name: str) -> MemorySet:
        """Return a set that the job remembers across a resume; members are str, int or bytes.

        Adding what the job cannot keep raises TypeError.
        """
        return MemorySet(*self._memory(name))

    def memory_dict(self, name: str) -> MemoryDict:
        """Return a dict that the job remembers across a resume; keys and values are plain values.

        Assigning what the job cannot keep raises TypeError, so that the item at hand is lost and nothing else.
        """
        return MemoryDict(*self._memory(name))

    def _memory(self, name: str) -> tuple[str, str, Crawler]:
        self.remembers = True
        kind = type(self)  # two modules may have a stage of one name
        return f"{kind.__module__}.{kind.__qualname__}", name, self.crawler


class _Memory:
    """Values of a stage; each change is recorded in the unit of work of the item at hand.

    A change is durable when the request whose item made it is; a kill before that undoes both. One that is made
    without an item (in open_spider or close_spider) is durable with the next commit.
    """

    def __init__(self, stage: str, name: str, crawler: Crawler) -> None:
        self._stage = stage
        self._name = name
        self._values = crawler.memory.setdefault((stage, name), {})
        self._check = crawler.check_value
        self._loose = crawler.memory_changes

    def _record(self, op: str, key: Hashable, value: Any) -> None:
        log = changes.get()
        (self._loose if log is None else log).append((self._stage, self._name, op, key, value))

    def _check_stored(self, key: Hashable, value: Any) -> None:
        if self._check is None:
            return
        try:
            self._check(key)
            self._check(value)
        except Exception as error:
            raise TypeError(
                f"the job cannot keep {_shown(key)} = {_shown(value)} in the memory {self._name!r} of {self._stage}: "
                f"{error}; assign plain values (str, int, list, dict, datetime, …)"
            ) from error

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._values))

    def __len__(self) -> int:
        return len(self._values)


class MemorySet(_Memory, MutableSet[Any]):
    """A set that survives with the job."""

    def add(self, value: Hashable) -> None:
        """Add a member."""
        if value not in self._values:
            self._check_stored(value, None)
            self._values[value] = None
            self._record("add", value, None)

    def discard(self, value: Hashable) -> None:
        """Remove a member if it is there."""
        if value in self._values:
            del self._values[value]
            self._record("del", value, None)


class MemoryDict(_Memory, MutableMapping[Any, Any]):
    """A dict that survives with the job; a value is saved when it is assigned, not when it is changed."""

    def __getitem__(self, key: Hashable) -> Any:
        return self._values[key]

    def __setitem__(self, key: Hashable, value: Any) -> None:
        self._check_stored(key, value)
        self._values[key] = value
        self._record("set", key, value if self._check is None else copied(value))

    def __delitem__(self, key: Hashable) -> None:
        del self._values[key]
        self._record("del", key, None)


def _shown(value: Any) -> str:
    try:
        return f"{value!r:.60}"
    except Exception:  # an object of the user's own class
        return f"<{type(value).__qualname__}>"
