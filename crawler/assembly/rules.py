"""Which rules follow from the settings and the spider?"""

from __future__ import annotations

from typing import Any

from crawler.config.settings import Settings
from crawler.model.request import Request
from crawler.policy.httperror import StatusRules
from crawler.policy.outcome import Rules
from crawler.policy.redirect import RedirectRules
from crawler.policy.retry import RetryRules
from crawler.policy.scope import DepthFilter, OffsiteFilter, SchemeFilter, UrlLengthFilter
from crawler.spider import Spider


def slot_key(request: Request) -> str:
    """Return whose queue a request waits in: meta download_slot, or its host name."""
    return request.meta.get("download_slot") or request.host


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


def make_filters(settings: Settings, spider: Spider) -> list[Any]:
    """Return the filters a request passes before it is accepted; REQUEST_FILTERS come last."""
    core = settings.core
    schemes = ("http", "https", *core.SCHEMES)
    return [
        SchemeFilter(schemes),
        OffsiteFilter(spider.allowed_domains),
        DepthFilter(core.DEPTH_LIMIT, core.DEPTH_PRIORITY),
        UrlLengthFilter(core.URLLENGTH_LIMIT),
        *(f() if isinstance(f, type) else f for f in core.REQUEST_FILTERS),
    ]


def make_redirect_filters(settings: Settings, spider: Spider) -> list[Any]:
    """Return the filters that the target of a redirect passes."""
    # A redirect is the same accepted request: no deeper, and its scheme was judged by the policy.
    return [f for f in make_filters(settings, spider) if not isinstance(f, DepthFilter | SchemeFilter)]
