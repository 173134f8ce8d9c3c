"""Which spiders are there, and what do their callbacks give?"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from crawler.scrapy.spiders import Spider
from crawler.scrapy.utils.defer import deferred_from_coro
from crawler.scrapy.utils.misc import arg_to_iter

logger = logging.getLogger(__name__)


def iterate_spider_output(result: Any) -> Any:
    """Return what a callback gave as an iterable; for a coroutine the Deferred of one."""
    if inspect.isasyncgen(result):
        return result
    if inspect.iscoroutine(result):
        return deferred_from_coro(result).addCallback(iterate_spider_output)
    return arg_to_iter(deferred_from_coro(result))


def iter_spider_classes(module: ModuleType) -> Iterator[type[Spider]]:
    """Yield the spiders that a module defines: classes with a name."""
    for each in vars(module).values():
        if inspect.isclass(each) and issubclass(each, Spider) and each.__module__ == module.__name__ and each.name:
            yield each


class DefaultSpider(Spider):
    """A spider for commands that are given none."""

    name = "default"
