"""Which of the crawler's policies work, and which do spider middlewares in the path do in their place?"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.policy.outcome import Rules
from crawler.policy.scope import DepthFilter, OffsiteFilter, RequestFilter, SpidersDomains, UrlLengthFilter
from crawler.policy.verdict import Drop
from crawler.scrapy.adapters.components import loaded, order
from crawler.scrapy.adapters.idle_code import does_nothing, passes_on

logger = logging.getLogger(__name__)

_NAME: Final = "SPIDER_MIDDLEWARES"
_is_host = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*").fullmatch


_PASSED = {
    "process_spider_input": does_nothing,
    "process_spider_output": passes_on,
    "process_spider_output_async": passes_on,
    "process_spider_exception": does_nothing,
    "process_start": passes_on,
    "process_start_requests": passes_on,
}


def in_path(settings: Any) -> bool:
    """Tell whether spider middlewares stand in the path: others than Scrapy's own in their order, and than those that
    a new project has and that do nothing yet."""
    if not settings[_NAME]:
        return False
    own = [loaded(path, _NAME) for path in sorted(settings[f"{_NAME}_BASE"], key=settings[f"{_NAME}_BASE"].get)]
    return [each for _, each in order(settings, _NAME) if each in own or not _idle(each)] != own


def _idle(component: Any) -> bool:
    methods = {name: getattr(component, name, None) for name in _PASSED}
    return isinstance(component, type) and all(_PASSED[name](each) for name, each in methods.items() if each)


class AsWritten(OffsiteFilter):
    """Reads domains as Scrapy does: a host is one of them, or below one, as they are written."""

    def __init__(self, allowed_domains: Any) -> None:
        written = frozenset(domain for domain in allowed_domains or () if domain is not None)
        self._domains = written or frozenset([""] if allowed_domains else [])


def scope(spider: Any) -> SpidersDomains:
    """Return the filter by ``allowed_domains``; warns of those that no host matches."""
    domains = getattr(spider, "allowed_domains", None)
    for domain in [domains] if isinstance(domains, str) else domains or ():
        if domain is domains or not _is_host(str(domain)):
            logger.warning(
                "allowed_domains has %r, and no host matches that, as in Scrapy: write names like 'example.com'",
                masked(str(domain)),
            )
    return SpidersDomains(spider, AsWritten)


class Depths(DepthFilter):
    """The crawler's, with meta ``depth_reset``: such a request begins anew, at 0."""

    def __call__(self, request: Request, found_on: Any) -> Request | Drop:
        """Judge a request."""
        if "depth_reset" in request.meta and request.meta.pop("depth_reset"):
            request.meta["depth"] = 0
            return request
        return DepthFilter.__call__(self, request, found_on)


def filters_within(filters: Iterable[RequestFilter], settings: Any) -> list[RequestFilter]:
    """Return the crawler's filters, without those whose work the middlewares do that stand in the path."""
    if in_path(settings):
        return [each for each in filters if not isinstance(each, DepthFilter | UrlLengthFilter)]
    depths = Depths(settings.getint("DEPTH_LIMIT"), settings.getint("DEPTH_PRIORITY"))
    return [depths if isinstance(each, DepthFilter) else each for each in filters]


def rules_within(rules: Rules, settings: Any) -> Rules:
    """Return the crawler's rules; where middlewares stand in the path, they judge the status."""
    return replace(rules, status=None) if in_path(settings) else rules


def also(settings: Any) -> dict[str, Any]:
    """Return what is laid over the crawler's own settings."""
    return {"REFERER_ENABLED": False} if in_path(settings) else {}
