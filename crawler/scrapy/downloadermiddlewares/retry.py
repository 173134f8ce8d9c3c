"""Which requests are tried again, and how does code of a project's ask for that? Scrapy's module of that name.

How long a try more waits is the crawler's to say (RETRY_BACKOFF, Retry-After), and not this middleware's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Self

from crawler.policy.retry import reason_of
from crawler.scrapy.adapters.errors import scrapy_name
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.utils.misc import load_object

retry_logger = logging.getLogger(__name__.removeprefix("crawler."))


def get_retry_request(
    request: Any,
    *,
    spider: Any,
    reason: Any = "unspecified",
    max_retry_times: int | None = None,
    priority_adjust: int | None = None,
    logger: logging.Logger = retry_logger,
    give_up_log_level: int | str | None = None,
    stats_base_key: str = "retry",
) -> Any:
    """Return a request that tries ``request`` again, or None if it was tried often enough; both are counted and logged.

    What is None is by meta ``max_retry_times`` and the settings RETRY_TIMES, RETRY_PRIORITY_ADJUST and
    RETRY_GIVE_UP_LOG_LEVEL. ``reason`` is a text or an exception; it names the stats. Raises ValueError for a level
    that is none.
    """
    settings, stats, told = spider.crawler.settings, spider.crawler.stats, {"spider": spider}
    times = request.meta.get("retry_times", 0) + 1
    if max_retry_times is None:
        max_retry_times = request.meta.get("max_retry_times")
    if max_retry_times is None:
        max_retry_times = settings.getint("RETRY_TIMES")
    if times > max_retry_times:
        level = _level(
            settings.get("RETRY_GIVE_UP_LOG_LEVEL", "ERROR") if give_up_log_level is None else give_up_log_level
        )
        stats.inc_value(f"{stats_base_key}/max_reached")
        logger.log(level, "Gave up retrying %s (failed %d times): %s", request, times, reason, extra=told)
        return None
    logger.debug("Retrying %s (failed %d times): %s", request, times, reason, extra=told)
    again = request.copy()
    again.meta["retry_times"] = times
    again.dont_filter = True
    again.priority += settings.getint("RETRY_PRIORITY_ADJUST") if priority_adjust is None else priority_adjust
    if callable(reason):
        reason = reason()
    stats.inc_value(f"{stats_base_key}/count")
    stats.inc_value(f"{stats_base_key}/reason_count/{scrapy_name(reason) if isinstance(reason, Exception) else reason}")
    return again


def _level(given: int | str) -> int:
    level = logging.getLevelName(given) if isinstance(given, str) else given
    if not isinstance(level, int):
        raise ValueError(f"a log level is a number, or one of DEBUG, INFO, WARNING, ERROR, CRITICAL, not {given!r}")
    return level


def retried(exceptions: Iterable[Any]) -> tuple[type[Exception], ...]:
    """Return the classes of RETRY_EXCEPTIONS; those that are in Scrapy's core alone are never raised here."""
    return tuple(load_object(each) for each in exceptions if not str(each).startswith("scrapy.core."))


class RetryMiddleware:
    """Tries again what failed, and statuses that may pass."""

    crawler: Any

    def __init__(self, settings: Any) -> None:
        if not settings.getbool("RETRY_ENABLED"):
            raise NotConfigured
        self.max_retry_times = settings.getint("RETRY_TIMES")
        self.retry_http_codes = {int(status) for status in settings.getlist("RETRY_HTTP_CODES")}
        self.priority_adjust = settings.getint("RETRY_PRIORITY_ADJUST")
        self.give_up_log_level = settings.get("RETRY_GIVE_UP_LOG_LEVEL", "ERROR")
        self.exceptions_to_retry = retried(settings.getlist("RETRY_EXCEPTIONS"))

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        made = cls(crawler.settings)
        made.crawler = crawler
        return made

    def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
        """Return a request where the status is to be tried again."""
        if response.status not in self.retry_http_codes or request.meta.get("dont_retry"):
            return response
        return self._retry(request, reason_of(response)[0]) or response

    def process_exception(self, request: Any, exception: Exception, spider: Any = None) -> Any:
        """Return a request where the error may pass."""
        if not isinstance(exception, self.exceptions_to_retry) or request.meta.get("dont_retry"):
            return None
        return self._retry(request, exception)

    def _retry(self, request: Any, reason: Any, spider: Any = None) -> Any:
        meta = request.meta
        return get_retry_request(
            request,
            reason=reason,
            spider=spider or self.crawler.spider,
            max_retry_times=meta.get("max_retry_times", self.max_retry_times),
            priority_adjust=meta.get("priority_adjust", self.priority_adjust),
            give_up_log_level=meta.get("give_up_log_level", self.give_up_log_level),
        )
