"""Which rules follow from the settings and the spider?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from crawler.config.settings import Settings
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import fingerprint
from crawler.policy.httperror import StatusRules
from crawler.policy.outcome import Rules
from crawler.policy.redirect import RedirectRules
from crawler.policy.retry import RetryRules
from crawler.policy.scope import DepthFilter, OffsiteFilter, ReferrerFilter, SchemeFilter, UrlLengthFilter
from crawler.spider import Spider

logger = logging.getLogger(__name__)


def slot_key(request: Request) -> str:
    """Return whose queue a request waits in: meta download_slot, or its host name."""
    return str(request.meta.get("download_slot") or request.host)


def checked_slot_key(function: Callable[[Request], Any] | None) -> Callable[[Request], str]:
    """Return the SLOT_KEY of the user; what it answers is seen to before a queue or a store depends on it."""
    if function is None:
        return slot_key

    def checked(request: Request) -> str:
        key = function(request)
        if not isinstance(key, str):
            raise TypeError(f"SLOT_KEY must return a str, but it returned {key!r} for {request!r}")
        return key

    return checked


def checked_fingerprint(function: Callable[[Request], Any] | None) -> Callable[[Request], int]:
    """Return the FINGERPRINT of the user; what it answers is seen to before a store depends on it."""
    if function is None:
        return fingerprint

    def checked(request: Request) -> int:
        number = function(request)
        if not isinstance(number, int) or not 0 <= number < 2**64:
            raise TypeError(f"FINGERPRINT must return an int from 0 to 2**64 - 1, not {number!r}")
        return number

    return checked


def make_rules(settings: Settings, spider: Spider) -> Rules:
    """Return the policies' rules from the settings and the spider."""
    core = settings.core
    handled = frozenset(spider.handle_httpstatus_list or ())
    return Rules(
        redirect=RedirectRules(
            core.REDIRECT_ENABLED,
            core.REDIRECT_MAX_TIMES,
            core.REDIRECT_PRIORITY_ADJUST,
            core.METAREFRESH_ENABLED,
            core.METAREFRESH_MAXDELAY,
            tuple(core.METAREFRESH_IGNORE_TAGS),
            core.REFERRER_POLICY,
            handled,
        ),
        retry=RetryRules(
            core.RETRY_ENABLED,
            core.RETRY_TIMES,
            frozenset(core.RETRY_HTTP_CODES),
            core.RETRY_PRIORITY_ADJUST,
            core.RETRY_BACKOFF,
            core.RETRY_BACKOFF_MAX,
            core.RETRY_AFTER_MAX,
        ),
        status=StatusRules(core.HTTPERROR_ALLOW_ALL, frozenset(core.HTTPERROR_ALLOWED_CODES), handled or None),
    )


_UNREAD = {
    "verbatim_url": "URLs are sent in their normal form",
    "download_warnsize": "DOWNLOAD_WARNSIZE is for all requests",
    "autothrottle_dont_adjust_delay": "the throttle slows down only where a host says so; THROTTLE_ENABLED is for all",
}
"""Scrapy's meta keys that ask for what is not done here, and why."""


class UnreadKeys:
    """Tell once of each meta key of Scrapy that has no effect; refuse nothing."""

    def __init__(self) -> None:
        self._untold = dict(_UNREAD)

    def __call__(self, request: Request, found_on: Response | None) -> Request:
        meta = request.meta
        if len(meta) < 2:  # the depth alone, as nearly always
            return request
        for key in self._untold.keys() & meta.keys():
            logger.warning("Scrapy's meta key %s has no effect here: %s", key, self._untold.pop(key))
        return request


def make_filters(settings: Settings, spider: Spider) -> list[Any]:
    """Return the filters a request passes before it is accepted; REQUEST_FILTERS come last."""
    core = settings.core
    schemes = ("http", "https", *core.SCHEMES)
    return [
        SchemeFilter(schemes),
        OffsiteFilter(spider.allowed_domains),
        DepthFilter(core.DEPTH_LIMIT, core.DEPTH_PRIORITY),
        UrlLengthFilter(core.URLLENGTH_LIMIT),
        *([ReferrerFilter()] if core.REFERER_ENABLED else []),
        UnreadKeys(),
        *(f() if isinstance(f, type) else f for f in core.REQUEST_FILTERS),
    ]


def make_redirect_filters(settings: Settings, spider: Spider) -> list[Any]:
    """Return the filters that the target of a redirect passes."""
    # A redirect is the same accepted request: no deeper, and its scheme was judged by the policy.
    return [f for f in make_filters(settings, spider) if not isinstance(f, DepthFilter | SchemeFilter)]
