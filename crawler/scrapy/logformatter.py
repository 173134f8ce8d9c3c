"""In which words is it logged that a page is crawled, an item scraped, or one of them lost?

Scrapy's ``scrapy.logformatter``.
"""

from __future__ import annotations

import logging
import os
from typing import Any, Self, TypedDict

from twisted.python.failure import Failure

from crawler.scrapy.utils.python import global_object_name

SCRAPEDMSG = "Scraped from %(src)s" + os.linesep + "%(item)s"
DROPPEDMSG = "Dropped: %(exception)s" + os.linesep + "%(item)s"
CRAWLEDMSG = "Crawled (%(status)s) %(request)s%(request_flags)s (referer: %(referer)s)%(response_flags)s"
ITEMERRORMSG = "Error processing %(item)s"
SPIDERERRORMSG = "Spider error processing %(request)s (referer: %(referer)s)"
DOWNLOADERRORMSG_SHORT = "Error downloading %(request)s"
DOWNLOADERRORMSG_LONG = "Error downloading %(request)s: %(errmsg)s"


class LogFormatterResult(TypedDict):
    """A line: ``msg % args`` at ``level``."""

    level: int
    msg: str
    args: dict[str, Any] | tuple[Any, ...]


class LogFormatter:
    """The words of each line. A class derived from it is named by LOG_FORMATTER; None is no line."""

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the one of a crawl."""
        return cls()

    def crawled(self, request: Any, response: Any, spider: Any) -> LogFormatterResult:
        """A response goes to its callback."""
        flags = f" {response.flags}" if response.flags else ""
        args = {
            "status": response.status,
            "request": request,
            "request_flags": f" {request.flags}" if request.flags else "",
            "referer": _referer(request),
            "response_flags": flags,
            "flags": flags,
        }
        return {"level": logging.DEBUG, "msg": CRAWLEDMSG, "args": args}

    def scraped(self, item: Any, response: Any, spider: Any) -> LogFormatterResult:
        """An item has left the pipelines."""
        source = response.getErrorMessage() if isinstance(response, Failure) else response
        if response is None:
            source = f"{global_object_name(type(spider))}.start"
        return {"level": logging.DEBUG, "msg": SCRAPEDMSG, "args": {"src": source, "item": item}}

    def dropped(self, item: Any, exception: BaseException, response: Any, spider: Any) -> LogFormatterResult:
        """A pipeline dropped an item: at the level that its DropItem says, or DEFAULT_DROPITEM_LOG_LEVEL."""
        level = getattr(exception, "log_level", None)
        if level is None:
            level = spider.crawler.settings["DEFAULT_DROPITEM_LOG_LEVEL"]
        number: int = getattr(logging, level) if isinstance(level, str) else level
        return {"level": number, "msg": DROPPEDMSG, "args": {"exception": exception, "item": item}}

    def item_error(self, item: Any, exception: BaseException, response: Any, spider: Any) -> LogFormatterResult:
        """A pipeline raised something else."""
        return {"level": logging.ERROR, "msg": ITEMERRORMSG, "args": {"item": item}}

    def spider_error(self, failure: Failure, request: Any, response: Any, spider: Any) -> LogFormatterResult:
        """A callback or errback raised."""
        args = {"request": request, "referer": _referer(request)}
        return {"level": logging.ERROR, "msg": SPIDERERRORMSG, "args": args}

    def download_error(
        self, failure: Failure, request: Any, spider: Any, errmsg: str | None = None
    ) -> LogFormatterResult:
        """No response came, and the request is given up."""
        args = {"request": request, "errmsg": errmsg} if errmsg else {"request": request}
        message = DOWNLOADERRORMSG_LONG if errmsg else DOWNLOADERRORMSG_SHORT
        return {"level": logging.ERROR, "msg": message, "args": args}


def _referer(request: Any) -> str | None:
    value = request.headers.get("Referer")
    return value.decode(errors="replace") if isinstance(value, bytes) else value
