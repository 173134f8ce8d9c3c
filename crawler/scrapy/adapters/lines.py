"""Which lines does the log of a Scrapy crawl have, in the words of its LogFormatter?

They are of the loggers that Scrapy has for them, so that a project's logging.getLogger("scrapy").setLevel() counts.
What only the crawler says is of its own logger.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from twisted.python.failure import Failure

from crawler import events
from crawler.errors import DropItem
from crawler.observe.frames import describe
from crawler.observe.lines import LogLines
from crawler.scrapy.exceptions import DownloadFailedError
from crawler.scrapy.logformatter import LogFormatter
from crawler.scrapy.utils.log import logformatter_adapter

ENGINE = logging.getLogger("scrapy.core.engine")
SCRAPER = logging.getLogger("scrapy.core.scraper")
HTTP_ERROR = logging.getLogger("scrapy.spidermiddlewares.httperror")


class ScrapyLines(LogLines):
    """One method an event."""

    def __init__(self, crawler: Any, of_crawl: int) -> None:
        super().__init__(logging.getLogger("crawler"), of_crawl)
        self._formatter: Any = crawler.logformatter
        self._spider: Any = crawler.spider
        self._raised: BaseException | None = None  # of a middleware, whose request ends next

    def subscribe(self, bus: events.Events) -> None:
        """Log what happens from now on; each page and item only where the formatter may have a line for it."""
        super().subscribe(bus)
        if self._has_lines("crawled", ENGINE):
            bus.subscribe(events.ResponseDelivered, self.crawled)
        if self._has_lines("scraped", SCRAPER):
            bus.subscribe(events.ItemScraped, self.scraped)

    def _has_lines(self, kind: str, logger: logging.Logger) -> bool:
        own = getattr(type(self._formatter), kind, None) is not getattr(LogFormatter, kind)
        return own or _is_heard(logger, logging.DEBUG)

    def _write(
        self, logger: logging.Logger, line: Mapping[str, Any] | None, error: BaseException | None = None, **extra: Any
    ) -> None:
        if not line:
            return
        extra["spider"] = self._spider
        if error is not None:  # our own lines have the frames, other handlers of the project's the error
            extra["trace"] = [describe(error), *self.frames(error)]
        logger.log(*logformatter_adapter(line), extra=extra, exc_info=error)

    def crawled(self, event: events.ResponseDelivered) -> None:
        """A response goes to its callback."""
        self._write(ENGINE, self._formatter.crawled(event.request, event.response, self._spider))

    def received(self, event: events.ResponseReceived) -> None:
        """Say nothing: ``crawled`` does."""

    def scraped(self, event: events.ItemScraped) -> None:
        """An item has left the pipelines."""
        self._write(SCRAPER, self._formatter.scraped(event.item, event.response, self._spider), item=event.item)

    def item_dropped(self, event: events.ItemDropped) -> None:
        """A pipeline dropped an item."""
        error = event.error or DropItem(event.reason)
        line = self._formatter.dropped(event.item, error, event.response, self._spider)
        self._write(SCRAPER, line, item=event.item)

    def item_failed(self, event: events.ItemFailed) -> None:
        """A pipeline lost an item."""
        line = self._formatter.item_error(event.item, event.error, event.response, self._spider)
        self._write(SCRAPER, line, event.error, item=event.item)

    def spider_failed(self, event: events.SpiderFailed) -> None:
        """A callback or errback raised; of start() the crawler says it, of a middleware the end of its request."""
        if event.callback == "middleware":
            self._raised = event.error
            return
        request = getattr(event.response, "request", None)
        if request is None:
            super().spider_failed(event)
            return
        line = self._formatter.spider_error(Failure(event.error), request, event.response, self._spider)
        self._write(SCRAPER, line, event.error)

    def ended(self, event: events.RequestEnded) -> None:
        """No response came, or one of a status that the spider does not take."""
        if event.outcome != "failed":
            super().ended(event)
        elif event.request.errback is not None:
            return  # which hears of it
        elif event.reason != "HttpError":
            raised, self._raised = self._raised, None
            failure = Failure(raised or DownloadFailedError(event.detail or event.reason))
            told = f"{event.reason}: {event.detail}" if event.detail else event.reason
            line = self._formatter.download_error(failure, event.request, self._spider, told)
            self._write(SCRAPER, line, raised)
        else:
            HTTP_ERROR.info(
                "Ignoring response <%s %s>: HTTP status code is not handled or not allowed",
                event.status, event.request.url,
            )  # fmt: skip


def _is_heard(logger: logging.Logger, level: int) -> bool:
    """Tell whether a handler takes a logger's lines of a level: in a script, Scrapy's loggers let all of them by."""
    if not logger.isEnabledFor(level):
        return False
    handlers: list[logging.Handler] = []
    each: logging.Logger | None = logger
    while each is not None:
        handlers += each.handlers
        each = each.parent if each.propagate else None
    return any(handler.level <= level for handler in handlers)


def log(crawler: Any, settings: Any, *, part: bool) -> None:
    """Let lines be logged; at the beginning, what of the crawl is not as in Scrapy. ``settings``: the crawler's own."""
    ScrapyLines(crawler, logging.DEBUG if part else logging.INFO).subscribe(crawler.events)
    if part:
        return
    logger = logging.getLogger("crawler")
    door = sys.modules.get("crawler.scrapy.door")  # to import it would open it
    if door is not None and (line := door.line()):
        logger.info("%s", line)
    if settings.origin("ROBOTSTXT_OBEY") == "default":
        logger.info("robots.txt is obeyed, for the project does not set ROBOTSTXT_OBEY (docs/from_scrapy.md)")
