"""What do the attributes mean that Scrapy gives a crawler and reads from a spider?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn

from crawler.errors import HttpError, UsageError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.spider import Crawler, Spider, anywhere
from crawler.stats import Named

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from crawler.scrapy.signals import Signal, Unheard

OLD_SETTINGS = {
    "download_delay": "DOWNLOAD_DELAY",
    "download_maxsize": "DOWNLOAD_MAXSIZE",
    "download_timeout": "DOWNLOAD_TIMEOUT",
    "download_warnsize": "DOWNLOAD_WARNSIZE",
    "max_concurrent_requests": "CONCURRENT_REQUESTS_PER_DOMAIN",
    "user_agent": "USER_AGENT",
    "http_user": "HTTPAUTH_USER",
    "http_pass": "HTTPAUTH_PASS",
    "http_auth_domain": "HTTPAUTH_DOMAIN",
}
"""Attributes of a spider that Scrapy reads as settings of it."""


def settings_of(spider: type) -> dict[str, Any]:
    """Return the settings that stand as attributes on a spider's class."""
    values = ((setting, getattr(spider, name, None)) for name, setting in OLD_SETTINGS.items())
    return {
        setting: value
        for setting, value in values
        if value is not None and not callable(value) and not hasattr(value, "__get__")
    }


def warn_of_late(spider: Spider) -> None:
    """Log which attributes of a spider would be settings, had they been set on its class."""
    for name in OLD_SETTINGS.keys() & spider.__dict__.keys():
        spider.logger.warning(
            "%s.%s was set too late to have an effect: set it on the class, or %s in custom_settings",
            type(spider).__name__, name, OLD_SETTINGS[name],
        )  # fmt: skip


class Signals:
    """``crawler.signals`` as Scrapy's spiders use it."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    def connect(
        self, receiver: Callable[..., Any], signal: Signal | Unheard | None = None, *, weak: bool = False
    ) -> None:
        """Call ``receiver`` when something happens; ``signal`` is one of ``from crawler import signals``.

        Receivers are kept as long as the crawl, ``weak`` or not.
        """
        subscribe = getattr(signal, "subscribe", None)
        if subscribe is None:
            raise UsageError(f"signals are those of `from crawler import signals`, got {signal!r}")
        subscribe(self._crawler, receiver)

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"crawler.signals has no {name}, only connect(); see docs/from_scrapy.md")


class Engine:
    """``crawler.engine`` as Scrapy's spiders use it."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    def close_spider(self, spider: Named | None = None, reason: str = "cancelled") -> None:
        """End the crawl once what is in flight has finished."""
        self._crawler.stop(reason)

    def stop(self) -> None:
        """End the crawl with the reason "shutdown"."""
        self._crawler.stop()

    def download(self, request: Request) -> Deferred[Response]:
        """Fetch inline; the Deferred fires with the response, whatever its status."""
        if self._crawler.running is None:
            raise RuntimeError("download() works while the crawl runs")
        return self._crawler.fetch(request).addErrback(_its_response)

    def download_async(self, request: Request) -> Awaitable[Response]:
        """Fetch inline, as ``await spider.fetch(request)``, and give the response, whatever its status."""
        return anywhere(self.download(request))

    def __getattr__(self, name: str) -> NoReturn:
        raise AttributeError(
            f"crawler.engine has no {name}, only close_spider(), stop() and download(); what a spider wants crawled "
            "is yielded by its callbacks and start() (docs/from_scrapy.md)"
        )


def _its_response(failure: Failure) -> Response:
    failure.trap(HttpError)
    error = failure.value
    assert isinstance(error, HttpError)
    return error.response
