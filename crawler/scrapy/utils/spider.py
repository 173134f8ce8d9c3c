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


def spidercls_for_request(
    spider_loader: Any,
    request: Any,
    default_spidercls: type[Spider] | None = None,
    log_none: bool = False,
    log_multiple: bool = False,
) -> type[Spider] | None:
    """Return the one spider class that handles a request; the default, if it is none or several."""
    names = spider_loader.find_by_request(request)
    if len(names) == 1:
        found: type[Spider] = spider_loader.load(names[0])
        return found
    if names and log_multiple:
        logger.error("More than one spider can handle: %s - %s", request, ", ".join(names))
    if not names and log_none:
        logger.error("Unable to find spider that handles: %s", request)
    return default_spidercls


class DefaultSpider(Spider):
    """A spider for commands that are given none."""

    name = "default"
