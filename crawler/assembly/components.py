"""How are the user's classes made: the spider, stages, middlewares and extensions?"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any, NoReturn
from uuid import UUID

from crawler.config.arguments import convert_arguments
from crawler.config.components import called
from crawler.config.settings import Settings
from crawler.errors import NotConfigured, UsageError
from crawler.spider import Crawler, Spider

logger = logging.getLogger(__name__)


def make_spider(spider_class: type[Spider], crawler: Crawler, arguments: Mapping[str, Any]) -> Spider:
    """Make the spider with its converted arguments. Raises ArgumentError."""
    if not spider_class.name:
        raise UsageError(f"{spider_class.__qualname__} has no name")
    values = convert_arguments(spider_class, arguments)
    shape = "@classmethod def from_crawler(cls, crawler, *args, **kwargs)"
    spider = called(shape, spider_class.from_crawler, crawler, **values)
    if not isinstance(spider, Spider):
        raise UsageError(f"{spider_class.__qualname__}.from_crawler must return the spider, but returned {spider!r}")
    if getattr(spider, "crawler", None) is not crawler:
        spider.bind(crawler)  # a from_crawler of the user's that does not call ours
    for name, value in crawler.settings.of(spider_class).items():
        setattr(spider, name, value)
    return spider


def make_component(component: Any, crawler: Crawler, settings: Settings) -> Any:
    """Make a stage, middleware, extension, filter or downloader of the user's.

    By its ``from_crawler`` if it has one; then its declared settings are set on it, and ``bind(crawler)`` is
    called if it has that. What is no class (an instance, a function) is returned as it is. ``settings`` are our
    own, where those of ``crawler`` are a dialect's.
    """
    if not isinstance(component, type):
        return component
    if hasattr(component, "from_crawler"):
        made = called("@classmethod def from_crawler(cls, crawler)", component.from_crawler, crawler)
    else:
        made = called("def __init__(self), or a from_crawler(cls, crawler) that gives it more", component)
    for name, value in settings.of(component).items():
        setattr(made, name, value)
    if hasattr(made, "bind"):
        made.bind(crawler)
    return made


class NoSideCalls:
    """Stands where ``self.http`` would be in a crawl whose downloader makes no side calls."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"self.http.{name}: there are no side calls in this crawl; they go over the connections of "
            'DOWNLOADER = "fast". In a test, put a stand-in in their place: spider.crawler.http = …'
        )


def make_components(components: Iterable[Any], crawler: Crawler, settings: Settings) -> list[Any]:
    """Make stages, extensions or filters; one that raises NotConfigured is left out, with a line in the log."""
    made = []
    for component in components:
        try:
            made.append(make_component(component, crawler, settings))
        except NotConfigured as error:
            logger.warning(
                "%s is left out: %s", getattr(component, "__name__", component), str(error) or "not configured"
            )
    return made


def subscribe_extension(extension: Any, crawler: Crawler) -> None:
    """Let an extension subscribe to the crawl's events. Raises UsageError if it cannot.

    One of Scrapy's kind has connected itself to signals while it was made.
    """
    if hasattr(extension, "subscribe"):
        called("def subscribe(self, events)", extension.subscribe, crawler.events)
    elif not hasattr(extension, "from_crawler"):
        raise UsageError(f"{type(extension).__name__} in EXTENSIONS has neither subscribe(events) nor from_crawler")


_SIMPLE = (str, int, float, Decimal, date, UUID, Enum, NoneType)


def simple_attributes(spider: Spider) -> dict[str, Any]:
    """Return what a feed's path may name: text, numbers and dates, of the object and of its classes."""
    classes = [kind for kind in reversed(type(spider).__mro__) if not issubclass(Spider, kind)]
    found: dict[str, Any] = {}
    for owner in (*classes, spider):
        found |= {name: value for name, value in vars(owner).items() if not name.startswith("_")}
    return {name: value for name, value in found.items() if isinstance(value, _SIMPLE)}
