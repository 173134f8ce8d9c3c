"""Which responses does a callback get, by their status?"""

from __future__ import annotations

import logging
from typing import Any, Self

from crawler import errors
from crawler.policy.outcome import StatusRules, status_verdict
from crawler.scrapy.exceptions import IgnoreRequest

logger = logging.getLogger(__name__.removeprefix("crawler."))  # projects set its level by Scrapy's name


class HttpError(IgnoreRequest, errors.HttpError):
    """A response whose status is not asked for; ``response`` is it."""

    def __init__(self, response: Any, *message: Any) -> None:
        errors.HttpError.__init__(self, *message[:1], response=response)


class HttpErrorMiddleware:
    """Keeps responses back that are neither 2xx nor asked for, by the crawler's own rules."""

    crawler: Any

    def __init__(self, settings: Any) -> None:
        self.handle_httpstatus_all: bool = settings.getbool("HTTPERROR_ALLOW_ALL")
        self.handle_httpstatus_list: list[int] = settings.getlist("HTTPERROR_ALLOWED_CODES")

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        made = cls(crawler.settings)
        made.crawler = crawler
        return made

    def process_spider_input(self, response: Any, spider: Any = None) -> None:
        """Raise HttpError for what the callback is not to get."""
        if 200 <= response.status < 300:
            return
        handled = getattr(self.crawler.spider, "handle_httpstatus_list", None)
        rules = StatusRules(
            httperror_allow_all=self.handle_httpstatus_all,
            httperror_allowed_codes=frozenset(map(int, self.handle_httpstatus_list)),
            handle_httpstatus_list=frozenset(handled) if handled else None,
        )
        if status_verdict(response.request, response, rules) is not None:
            raise HttpError(response, "Ignoring non-200 response")

    @staticmethod
    def ignore(stats: Any, response: Any) -> None:
        """Count a response that nobody has handled, and say so."""
        stats.inc_value("httperror/response_ignored_count")
        stats.inc_value(f"httperror/response_ignored_status_count/{response.status}")
        logger.info("Ignoring response %r: HTTP status code is not handled or not allowed", response)

    def process_spider_exception(self, response: Any, exception: Exception, spider: Any = None) -> tuple[()] | None:
        """Count what is kept back, and let nothing more come of it."""
        if not isinstance(exception, errors.HttpError):
            return None
        self.ignore(self.crawler.stats, response)
        return ()
