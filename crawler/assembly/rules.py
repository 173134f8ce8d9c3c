"""Which rules follow from the settings and the spider?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from crawler.assembly.unread import UnreadKeys
from crawler.config.components import checked
from crawler.config.settings import Settings
from crawler.engine.deciding.acceptance import Acceptance
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.url import fingerprint
from crawler.policy.outcome import Rules, StatusRules
from crawler.policy.redirect import RedirectRules
from crawler.policy.retry import RetryRules
from crawler.policy.scope import (
    DepthFilter,
    ReferrerFilter,
    RequestFilter,
    SchemeFilter,
    SpidersDomains,
    UrlLengthFilter,
)
from crawler.spider import Spider

logger = logging.getLogger(__name__)


def slot_key(request: Request) -> str:
    """Return whose queue a request waits in: meta download_slot, or its host name."""
    slot = request.meta.get("download_slot")
    return str(slot) if slot else request.host


def checked_slot_key(function: Callable[[Request], Any] | None) -> Callable[[Request], str]:
    """Return the SLOT_KEY of the user; what it answers is seen to before a queue or a store depends on it."""
    if function is None:
        return slot_key
    checked(function, "SLOT_KEY", takes=1, shape="a function (request) -> str")

    def checked_key(request: Request) -> str:
        key = function(request)
        if not isinstance(key, str):
            raise TypeError(f"SLOT_KEY must return a str, but it returned {key!r} for {request!r}")
        return key

    return checked_key


def checked_fingerprint(function: Callable[[Request], Any] | None) -> Callable[[Request], int]:
    """Return the FINGERPRINT of the user; what it answers is seen to before a store depends on it."""
    if function is None:
        return fingerprint
    checked(function, "FINGERPRINT", takes=1, shape="a function (request) -> int")

    def checked_number(request: Request) -> int:
        number = function(request)
        if not isinstance(number, int) or not 0 <= number < 2**64:
            raise TypeError(f"FINGERPRINT must return an int from 0 to 2**64 - 1, not {number!r}")
        return number

    return checked_number


def make_rules(settings: Settings, spider: Spider) -> Rules:
    """Return the policies' rules from the settings and the spider."""
    core = settings.core
    handled = frozenset(spider.handle_httpstatus_list or ())
    replay = core.HTTPCACHE_ENABLED and core.HTTPCACHE_POLICY == "replay"  # another try would find the same
    return Rules(
        redirect=RedirectRules(
            redirect_enabled=core.REDIRECT_ENABLED,
            redirect_max_times=core.REDIRECT_MAX_TIMES,
            redirect_priority_adjust=core.REDIRECT_PRIORITY_ADJUST,
            metarefresh_enabled=core.METAREFRESH_ENABLED,
            metarefresh_maxdelay=core.METAREFRESH_MAXDELAY,
            metarefresh_ignore_tags=tuple(core.METAREFRESH_IGNORE_TAGS),
            referrer_policy=core.REFERRER_POLICY,
            handle_httpstatus_list=handled,
            retry_after_max=core.RETRY_AFTER_MAX,
        ),
        retry=RetryRules(
            retry_enabled=core.RETRY_ENABLED and not replay,
            retry_times=core.RETRY_TIMES,
            retry_http_codes=frozenset(core.RETRY_HTTP_CODES),
            retry_priority_adjust=core.RETRY_PRIORITY_ADJUST,
            retry_backoff=core.RETRY_BACKOFF,
            retry_backoff_max=core.RETRY_BACKOFF_MAX,
            retry_after_max=core.RETRY_AFTER_MAX,
        ),
        status=StatusRules(
            httperror_allow_all=core.HTTPERROR_ALLOW_ALL,
            httperror_allowed_codes=frozenset(core.HTTPERROR_ALLOWED_CODES),
            handle_httpstatus_list=handled or None,
        ),
    )


def make_filters(settings: Settings, spider: Spider, own: Sequence[RequestFilter]) -> list[RequestFilter]:
    """Return the filters a request passes before it is accepted; ``own``, those of REQUEST_FILTERS, come last."""
    core = settings.core
    in_scope = SpidersDomains(spider)
    domains = spider.allowed_domains
    for given in [domains] if isinstance(domains, str) else domains or ():
        if isinstance(given, str) and "/" in given:
            logger.warning("allowed_domains has %s, which is no domain; it counts as its host", masked(given))
    return [
        SchemeFilter(("http", "https", *(scheme.lower() for scheme in core.SCHEMES))),
        in_scope,
        DepthFilter(core.DEPTH_LIMIT, core.DEPTH_PRIORITY),
        UrlLengthFilter(core.URLLENGTH_LIMIT),
        *([ReferrerFilter()] if core.REFERER_ENABLED else []),
        UnreadKeys(),
        *(checked(each, "REQUEST_FILTERS", takes=2, shape=_FILTER) for each in own),
    ]


_FILTER = "__call__(self, request, found_on) -> Request or Drop, or such a function (docs/extending.md)"


def make_acceptance(settings: Settings, spider: Spider, own: Sequence[RequestFilter]) -> Acceptance:
    """Return what judges each request that is yielded; ``own`` are the filters of REQUEST_FILTERS."""
    core = settings.core
    filters = make_filters(settings, spider, own)
    return Acceptance(
        filters,
        # A redirect is the same accepted request: no deeper, and its scheme was judged by the policy.
        [each for each in filters if not isinstance(each, DepthFilter | SchemeFilter)],
        fingerprint=checked_fingerprint(core.FINGERPRINT),
        slot_key=checked_slot_key(core.SLOT_KEY),
        referrer_policy=core.REFERRER_POLICY if core.REFERER_ENABLED else None,
    )
