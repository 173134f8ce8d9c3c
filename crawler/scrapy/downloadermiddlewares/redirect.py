"""Which responses send a request elsewhere? Scrapy's module of that name, over the crawler's rules of redirects."""

from __future__ import annotations

import logging
from typing import Any, Self
from urllib.parse import urljoin

from w3lib.url import safe_url_string

from crawler.errors import TooManyRedirects, UnsupportedScheme
from crawler.policy.redirect import RedirectRules, redirect_verdict
from crawler.policy.scope import referer_for
from crawler.policy.verdict import GiveUp
from crawler.scrapy import signals
from crawler.scrapy.exceptions import IgnoreRequest, NotConfigured
from crawler.scrapy.spidermiddlewares.referer import RefererMiddleware

logger = logging.getLogger(__name__.removeprefix("crawler."))

_UNCOUNTED = 2**31  # how many are too many is said by meta redirect_ttl, below
_TOO_MANY = "max redirections reached"


class BaseRedirectMiddleware:
    """What both have in common."""

    crawler: Any
    enabled_setting = "REDIRECT_ENABLED"

    def __init__(self, settings: Any) -> None:
        if not settings.getbool(self.enabled_setting):
            raise NotConfigured
        self.max_redirect_times = settings.getint("REDIRECT_MAX_TIMES")
        self.priority_adjust = settings.getint("REDIRECT_PRIORITY_ADJUST")
        self._referer_spider_middleware: Any = None
        self._rules = RedirectRules(redirect_max_times=_UNCOUNTED, metarefresh_enabled=False, join=spelt)

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        made = cls(crawler.settings)
        made.crawler = crawler
        crawler.signals.connect(made._engine_started, signal=signals.engine_started)
        return made

    def _engine_started(self) -> None:
        self._referer_spider_middleware = self.crawler.get_spider_middleware(RefererMiddleware)

    def handle_referer(self, request: Any, response: Any) -> None:
        """Set the Referer of a redirected request: what the page that redirects may be told of."""
        request.headers.pop("Referer", None)
        if self._referer_spider_middleware is not None:
            self._referer_spider_middleware.get_processed_request(request, response)
            return
        settings = self.crawler.settings
        if not settings.getbool("REFERER_ENABLED"):
            return
        policy = request.meta.get("referrer_policy") or settings.get("REFERRER_POLICY") or "scrapy-default"
        header = response.headers.get("Referrer-Policy")
        told = referer_for(response.url, request.url, policy_name(policy), header and header.decode("latin-1"))
        if told is not None:
            request.headers["Referer"] = told

    def _followed(self, request: Any, response: Any, reason: Any) -> Any:
        verdict = redirect_verdict(request, response, self._rules)
        if verdict is None or (isinstance(verdict, GiveUp) and isinstance(verdict.error, UnsupportedScheme)):
            return response
        if isinstance(verdict, GiveUp):
            raise IgnoreRequest(_TOO_MANY) if isinstance(verdict.error, TooManyRedirects) else verdict.error
        redirected: Any = verdict.request
        redirected.meta.pop("redirect_method", None)
        _keep_proxy(redirected, request)
        self.handle_referer(redirected, response)
        return self._redirect(redirected, request, reason)

    def _redirect(self, redirected: Any, request: Any, reason: Any) -> Any:
        meta = request.meta
        left = meta.setdefault("redirect_ttl", self.max_redirect_times)
        times = meta.get("redirect_times", 0) + 1
        told = {"spider": self.crawler.spider}
        if not left or times > self.max_redirect_times:
            logger.debug("Discarding %s: max redirections reached", request, extra=told)
            raise IgnoreRequest(_TOO_MANY)
        redirected.meta["redirect_times"] = times
        redirected.meta["redirect_ttl"] = left - 1
        redirected.meta["redirect_urls"] = [*meta.get("redirect_urls", ()), request.url]
        redirected.meta["redirect_reasons"] = [*meta.get("redirect_reasons", ()), reason]
        redirected.dont_filter = request.dont_filter
        redirected.priority = request.priority + self.priority_adjust
        logger.debug("Redirecting (%s) to %s from %s", reason, redirected, request, extra=told)
        return redirected


def spelt(url: str, location: str) -> str:
    """Return the target of a redirect as Scrapy spells it: `http://host` stays without a slash."""
    target = safe_url_string(location.strip())
    return urljoin(url, f"//{target.lstrip('/')}" if location.startswith("//") else target)


def _keep_proxy(redirected: Any, request: Any) -> None:
    """Let the proxy's password go along, unless another scheme's proxy is to be chosen."""
    password = request.headers.get("Proxy-Authorization")
    if redirected.url.partition(":")[0] != request.url.partition(":")[0] and redirected.meta.pop("_scheme_proxy", None):
        redirected.meta.pop("proxy", None)
        redirected.meta.pop("_auth_proxy", None)
        redirected.headers.pop("Proxy-Authorization", None)
    elif password is not None and redirected.meta.get("proxy"):
        redirected.headers["Proxy-Authorization"] = password


class RedirectMiddleware(BaseRedirectMiddleware):
    """Follows redirects by status."""

    def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
        """Return the request for the target."""
        handled = getattr(self.crawler.spider, "handle_httpstatus_list", None) or ()
        return response if response.status in handled else self._followed(request, response, response.status)


class MetaRefreshMiddleware(BaseRedirectMiddleware):
    """Follows the meta refresh of pages."""

    enabled_setting = "METAREFRESH_ENABLED"

    def __init__(self, settings: Any) -> None:
        super().__init__(settings)
        self._rules = RedirectRules(
            redirect_enabled=False,
            redirect_max_times=_UNCOUNTED,
            follows_itself=True,
            metarefresh_maxdelay=settings.getfloat("METAREFRESH_MAXDELAY"),
            metarefresh_ignore_tags=tuple(settings.getlist("METAREFRESH_IGNORE_TAGS")),
        )

    def process_response(self, request: Any, response: Any, spider: Any = None) -> Any:
        """Return the request for the target."""
        return self._followed(request, response, "meta refresh")


def policy_name(policy: Any) -> str:
    """Return the standard's name of a policy that is named by it, or by Scrapy's class."""
    from crawler.scrapy.names.mapping import REFERRER_POLICIES

    return str(getattr(policy, "name", None) or REFERRER_POLICIES.get(policy, policy))
