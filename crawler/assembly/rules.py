"""Which rules follow from the settings and the spider, and which keys of a request's meta are not heard?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from crawler.config.components import checked
from crawler.config.nearest import misspelt
from crawler.config.settings import Settings
from crawler.engine.deciding.acceptance import Acceptance
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import fingerprint
from crawler.policy.outcome import Rules, StatusRules
from crawler.policy.redirect import RedirectRules
from crawler.policy.retry import RetryRules
from crawler.policy.scope import (
    POLICIES,
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


def make_scope(spider: Spider) -> SpidersDomains:
    """Return what judges hosts by ``allowed_domains``. Warns of what is understood but was hardly meant so."""
    in_scope = SpidersDomains(spider)
    domains = spider.allowed_domains
    for given in [domains] if isinstance(domains, str) else domains or ():
        if isinstance(given, str) and "/" in given:
            logger.warning("allowed_domains has %s, which is no domain; it counts as its host", masked(given))
    return in_scope


def make_filters(settings: Settings, in_scope: RequestFilter, own: Sequence[RequestFilter]) -> list[RequestFilter]:
    """Return the filters a request passes before it is accepted; ``own``, those of REQUEST_FILTERS, come last."""
    core = settings.core
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


def make_acceptance(
    settings: Settings,
    filters: Sequence[RequestFilter],
    *,
    fingerprint: Callable[[Request], int] | None = None,
    redirects_as_new: bool = False,
) -> Acceptance:
    """Return what judges each request that is yielded; ``fingerprint`` is in the place of FINGERPRINT."""
    core = settings.core
    return Acceptance(
        filters,
        # A redirect is the same accepted request: no deeper, and its scheme was judged by the policy.
        [each for each in filters if not isinstance(each, DepthFilter | SchemeFilter)],
        fingerprint=fingerprint or checked_fingerprint(core.FINGERPRINT),
        slot_key=checked_slot_key(core.SLOT_KEY),
        referrer_policy=core.REFERRER_POLICY if core.REFERER_ENABLED else None,
        redirects_as_new=redirects_as_new,
    )


_READ = """
allow_offsite auth autothrottle_dont_adjust_delay bindaddress cookiejar depth dont_cache dont_merge_cookies
dont_obey_robotstxt dont_redirect dont_retry download_cut download_fail_on_dataloss download_file download_latency
download_maxsize download_slot download_timeout files ftp_password ftp_user handle_httpstatus_all
handle_httpstatus_list lastmod max_retry_times priority_adjust proxy redirect_method redirect_reasons redirect_times
redirect_ttl redirect_urls referrer_policy retry_times robots rule secret_headers session
"""
READ = frozenset(_READ.split())
"""The meta keys that mean something here; others are the user's own."""

_MOST = 1000
"""So many keys of the user's own are looked at."""


class UnreadKeys:
    """Tell once of each meta key that has no effect, and of each that is nearly one that has; refuse nothing.

    ``also``: keys that somebody else reads.
    """

    def __init__(self, also: Iterable[str] = ()) -> None:
        self._looked_at = {*READ, *also}
        self._policies = set(POLICIES)

    def __call__(self, request: Request, found_on: Response | None) -> Request:
        meta = request.meta
        if len(meta) < 2:  # the depth alone, as nearly always
            return request
        if not self._looked_at.issuperset(meta):
            self._look(meta)
        if "referrer_policy" in meta:
            self._look_at_policy(str(meta["referrer_policy"]))
        return request

    def _look(self, meta: Mapping[Any, Any]) -> None:
        from crawler.scrapy.names.elsewhere import META_KEYS  # only where there are keys that are not ours

        for key in meta.keys() - self._looked_at:
            if len(self._looked_at) < _MOST:
                self._looked_at.add(key)
            if key in META_KEYS:
                logger.warning("The meta key %s has no effect here: %s", key, META_KEYS[key])
            elif isinstance(key, str) and (meant := misspelt(key, READ)):
                logger.warning('The meta key %s has no effect; did you mean "%s"?', key, meant)

    def _look_at_policy(self, policy: str) -> None:
        if policy.strip().lower() not in self._policies and len(self._policies) < _MOST:
            self._policies.add(policy.strip().lower())
            logger.warning(
                "The meta key referrer_policy has no effect with %r; there are %s", policy, ", ".join(POLICIES)
            )
