"""Shall a request that was found be accepted at all, and what may it tell of its page?

Filters are callables ``(request, found_on) -> Request | Drop``: built-in ones and those of the setting
REQUEST_FILTERS run in order, each on what the one before returned. ``found_on`` is the response whose
callback yielded the request, None for one of start(). What a filter refuses is not marked as seen.

How much of the page's URL the request may tell as its Referer is said by the W3C's Referrer Policy
(https://www.w3.org/TR/referrer-policy/). User info and fragment are never told, and nothing is told from https to
http, except under "unsafe-url" and the origin policies that ask for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sized
from copy import copy
from typing import Protocol, TypeAlias

from crawler.errors import InvalidRequest, SettingError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import domain_of, normalise, origin_of, without_credentials
from crawler.policy.verdict import Drop

Domains: TypeAlias = Collection[str] | str | None


class RequestFilter(Protocol):
    """Decide on one request; return it, another one in its place, or Drop with a reason in one word."""

    def __call__(self, request: Request, found_on: Response | None, /) -> Request | Drop: ...


class OffsiteFilter:
    """Refuse hosts that are neither one of the domains nor below one; no domains: allow all.

    As Scrapy's OffsiteMiddleware: dont_filter and meta ``allow_offsite`` let a request pass.
    """

    def __init__(self, allowed_domains: Iterable[str] | str | None) -> None:
        if isinstance(allowed_domains, str):
            allowed_domains = [allowed_domains]
        if not isinstance(allowed_domains, Iterable | None):
            raise SettingError(
                f"allowed_domains must be a list of names such as 'example.com', got {allowed_domains!r}"
            )
        self._domains = frozenset(_domain(domain) for domain in allowed_domains or () if domain)

    def __call__(self, request: Request, found_on: Response | None) -> Request | Drop:
        if not self._domains or request.dont_filter or self.allows(request.host):
            return request
        return request if request.meta.get("allow_offsite") else Drop("offsite", request.host)

    def allows(self, host: str) -> bool:
        """Tell whether a host name is in scope."""
        dot = "."
        host = host.rstrip(".")
        while dot:
            if host in self._domains:
                return True
            _, dot, host = host.partition(".")
        return False


COMPARED = 100
"""So many domains are compared one by one for each request; of more, only how many there are."""


class WithDomains(Protocol):
    """A spider, as far as it matters here."""

    @property
    def allowed_domains(self) -> Domains: ...


class SpidersDomains:
    """A filter by a spider's ``allowed_domains`` as they are now: a spider may change them while it runs.

    ``make`` gives the filter for domains: an OffsiteFilter, unless a dialect reads them in another way.
    """

    def __init__(self, spider: WithDomains, make: Callable[[Domains], RequestFilter] = OffsiteFilter) -> None:
        self._spider = spider
        self._make = make
        self._domains: Domains = None
        self._as_read: Domains = None
        self._many = 0
        self._filter = self._read(spider.allowed_domains)

    def __call__(self, request: Request, found_on: Response | None) -> Request | Drop:
        domains = self._spider.allowed_domains
        if self._many:
            changed = domains is not self._domains or len(domains or ()) != self._many
        else:
            changed = domains != self._as_read
        if changed:
            self._filter = self._read(domains)
        return self._filter(request, found_on)

    def _read(self, domains: Domains) -> RequestFilter:
        self._domains = domains
        self._as_read = copy(domains) if isinstance(domains, list | set) else domains
        count = len(domains) if isinstance(domains, Sized) else 0
        self._many = count if count > COMPARED else 0
        return self._make(domains)


def _domain(text: str) -> str:
    if not isinstance(text, str):
        raise SettingError(f"allowed_domains must be names such as 'example.com', got {text!r}")
    try:
        return domain_of(text)
    except InvalidRequest as error:
        raise SettingError(f"allowed_domains: {text!r} is no domain name such as 'example.com'") from error


class DepthFilter:
    """Write meta ``depth`` (0 for start(), unless it gives one), refuse what is deeper than ``limit`` (0: no limit),
    and lower the priority by depth times ``priority``, as Scrapy's DepthMiddleware.

    Not for redirects: their target is as deep as what was asked for.
    """

    def __init__(self, depth_limit: int = 0, depth_priority: int = 0) -> None:
        self.limit = depth_limit
        self._priority = depth_priority

    def __call__(self, request: Request, found_on: Response | None) -> Request | Drop:
        depth = 0
        if found_on is None:
            if not isinstance(request.meta.get("depth"), int):
                request.meta["depth"] = 0
            return request
        if found_on.request is not None:
            depth = found_on.request.meta.get("depth", 0) + 1
            if self.limit and depth > self.limit:
                return Drop("depth", f"{depth} is deeper than DEPTH_LIMIT = {self.limit}")
        request.meta["depth"] = depth
        if self._priority and depth:
            return request.replace(priority=request.priority - depth * self._priority)
        return request


class ReferrerFilter:
    """Set Referer by the request's own meta ``referrer_policy``, which goes before any other (as in Scrapy)."""

    def __call__(self, request: Request, found_on: Response | None) -> Request | Drop:
        if found_on is None or (policy := request.meta.get("referrer_policy")) is None:
            return request
        if b"Referer" not in request.headers:
            # None withholds it, so that nobody sets it later.
            request.headers["Referer"] = referer_for(found_on.url, request.url, str(policy))
        return request


class UrlLengthFilter:
    """Refuse URLs of more than ``urllength_limit`` characters (0: no limit)."""

    def __init__(self, urllength_limit: int = 2083) -> None:
        self._limit = urllength_limit

    def __call__(self, request: Request, found_on: Response | None) -> Request | Drop:
        length = len(request.url)
        if not self._limit or length <= self._limit:
            return request
        return Drop("url_length", f"{length} characters are more than URLLENGTH_LIMIT = {self._limit}")


class SchemeFilter:
    """Refuse schemes nobody enabled; ``file:`` and ``data:`` come from start() only, never from a page."""

    def __init__(self, schemes: Iterable[str] = ("http", "https"), local: Iterable[str] = ("file", "data")) -> None:
        self._local = frozenset(local)
        self._schemes = frozenset(schemes) - self._local

    def __call__(self, request: Request, found_on: Response | None) -> Request | Drop:
        scheme = request.normal_url.partition(":")[0]
        if scheme in self._schemes or (found_on is None and scheme in self._local):
            return request
        if scheme in self._local:
            return Drop("scheme", f"{scheme}: is opened from start() only")
        return Drop("scheme", f"no downloader is enabled for {scheme}:")


_HTTP = ("http://", "https://")
_SAFE = ("https:", "ftps:")
_DEFAULT_PORT = re.compile(r"(^http://[^/?#]*):80(?=[/?#]|$)|(^https://[^/?#]*):443(?=[/?#]|$)")
_LONGEST = 4096  # Referrer Policy §8.4: of a longer URL the origin alone is told
DEFAULT_POLICY = "strict-origin-when-cross-origin"

# What is told to the same origin, to another one, and from https to something else: "url", "origin" or nothing.
POLICIES: dict[str, tuple[str | None, str | None, str | None]] = {
    "no-referrer": (None, None, None),
    "no-referrer-when-downgrade": ("url", "url", None),
    "same-origin": ("url", None, None),
    "origin": ("origin", "origin", "origin"),
    "strict-origin": ("origin", "origin", None),
    "origin-when-cross-origin": ("url", "origin", "origin"),
    "strict-origin-when-cross-origin": ("url", "origin", None),
    "unsafe-url": ("url", "url", "url"),
    "scrapy-default": ("url", "url", None),
}


def referer_for(
    parent_url: str,
    target_url: str,
    policy: str = DEFAULT_POLICY,
    page_policy_header: str | None = None,
    schemes: tuple[str, ...] = _HTTP,
) -> str | None:
    """Return the Referer for a request to ``target_url`` found on ``parent_url``, or None to send none.

    Both URLs are in normal form. ``policy`` is the setting's (or meta's ``referrer_policy``); the page's
    own Referrer-Policy header goes before it: the last word of its list that is known (§8.1). Unknown
    words are ignored: they are compared with a table and never looked up as anything else. What both URLs begin with
    is one of ``schemes``; others tell and hear nothing.
    """
    if not parent_url.startswith(schemes) or not target_url.startswith(schemes):
        return None
    if page_policy_header or policy not in POLICIES:
        policy = _chosen(policy, page_policy_header or "")
    same, other, down = POLICIES[policy]
    path = parent_url.find("/", 8) + 1
    if (path and target_url.startswith(parent_url[:path])) or origin_of(parent_url) == origin_of(target_url):
        told = same
    else:
        told = down if parent_url.startswith(_SAFE) and not target_url.startswith(_SAFE) else other
    if told is None:
        return None
    page = parent_url.partition("#")[0]
    if ":80" in page or ":443" in page:  # as a dialect may spell it
        page = _DEFAULT_PORT.sub(r"\1\2", page)
    if "@" in page:
        page = without_credentials(page)
    return page if told == "url" and len(page) <= _LONGEST else normalise("/", base=page)


def _chosen(policy: str, page_policy_header: str) -> str:
    for word in reversed(page_policy_header.lower().split(",")):
        if (word := word.strip()) in POLICIES and word != "scrapy-default":
            return word
    policy = policy.strip().lower()
    return policy if policy in POLICIES else DEFAULT_POLICY
