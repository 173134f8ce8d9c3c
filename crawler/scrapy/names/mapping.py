"""How does the value of a Scrapy setting become values of ours?

Each function returns our settings; it raises ValueError with the reason for a value that has no counterpart.
The table that uses them is ``settings``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from crawler.config.parse import WrongValue, check, parse_text, shorten
from crawler.dialect import Asked
from crawler.scrapy.names.unmapped import Mapped, Translator


def renamed(to: str) -> Translator:
    """The same value under another name."""

    def rename(asked: Asked) -> Mapped:
        return {to: asked.value}

    return rename


def in_order(to: str) -> Translator:
    """``{class or path: number}`` becomes a list in the order of the numbers; None switches off."""

    def order(asked: Asked) -> Mapped:
        if not isinstance(asked.value, dict):
            return {to: asked.value}
        wanted = [(number, name) for name, number in asked.value.items() if number is not None]
        if any(isinstance(number, bool) or not isinstance(number, (int, float)) for number, _ in wanted):
            raise ValueError("the order of a component is a number, or None to leave it out")
        return {to: [name for _, name in sorted(wanted, key=lambda pair: pair[0])]}

    return order


def words(to: str, table: Mapping[Any, str]) -> Translator:
    """Scrapy's words for a choice become ours; others stay, and are checked as ours."""

    def translate(asked: Asked) -> Mapped:
        word = f"{asked.value.__module__}.{asked.value.__qualname__}" if isinstance(asked.value, type) else asked.value
        return {to: table.get(word, asked.value) if isinstance(word, (str, int)) else asked.value}

    return translate


_REFERER = "scrapy.spidermiddlewares.referer"
REFERRER_POLICIES: dict[str, str] = {
    f"{_REFERER}.NoReferrerPolicy": "no-referrer",
    f"{_REFERER}.NoReferrerWhenDowngradePolicy": "no-referrer-when-downgrade",
    f"{_REFERER}.SameOriginPolicy": "same-origin",
    f"{_REFERER}.OriginPolicy": "origin",
    f"{_REFERER}.StrictOriginPolicy": "strict-origin",
    f"{_REFERER}.OriginWhenCrossOriginPolicy": "origin-when-cross-origin",
    f"{_REFERER}.StrictOriginWhenCrossOriginPolicy": "strict-origin-when-cross-origin",
    f"{_REFERER}.UnsafeUrlPolicy": "unsafe-url",
    f"{_REFERER}.DefaultReferrerPolicy": "scrapy-default",
}
"""Scrapy's classes for what we call by the names of the Referrer-Policy standard."""

SWITCHES: dict[str, Mapped] = {
    "RetryMiddleware": {"RETRY_ENABLED": False},
    "RedirectMiddleware": {"REDIRECT_ENABLED": False},
    "MetaRefreshMiddleware": {"METAREFRESH_ENABLED": False},
    "CookiesMiddleware": {"COOKIES_ENABLED": False},
    "RobotsTxtMiddleware": {"ROBOTSTXT_OBEY": False},
    "HttpCompressionMiddleware": {"COMPRESSION_ENABLED": False},
    "HttpProxyMiddleware": {"HTTPPROXY_ENABLED": False},
    "HttpCacheMiddleware": {"HTTPCACHE_ENABLED": False},
    "RefererMiddleware": {"REFERER_ENABLED": False},
    "UrlLengthMiddleware": {"URLLENGTH_LIMIT": 0},
    "DepthMiddleware": {"DEPTH_LIMIT": 0},
    "HttpErrorMiddleware": {"HTTPERROR_ALLOW_ALL": True},
}
"""What switching off one of Scrapy's own middlewares means here."""


def middlewares(kind: str, instead: str) -> Translator:
    """Only switching off Scrapy's own ones can be mapped; others have another shape here."""

    def translate(asked: Asked) -> Mapped:
        mapped: Mapped = {}
        for component, order in _dictionary(asked).items():
            path = component if isinstance(component, str) else f"{component.__module__}.{component.__qualname__}"
            if order is not None and not path.startswith("scrapy."):
                raise ValueError(f"{path} is a {kind} middleware of Scrapy's shape; {instead}")
            if order is None:
                mapped |= SWITCHES.get(path.rsplit(".", 1)[-1], {})
        return mapped

    return translate


def job_dir(asked: Asked) -> Mapped:
    """Scrapy's folder of one job is a job of that name in the folder above; None, its default, or "" is not set."""
    if not asked.value:
        return {}
    path = PurePath(asked.value)
    return {"JOB_DIR": str(path.parent), "JOB_NAME": path.name}


def feed_uri(asked: Asked) -> Mapped:
    """FEED_URI and FEED_FORMAT, from before FEEDS; None, the default then, or "" is not set."""
    if not asked.value:
        return {}
    return {"FEEDS": {os.fspath(asked.value): {"format": asked.layer.get("FEED_FORMAT", "jsonlines")}}}


def cache_dir(asked: Asked) -> Mapped:
    """The cache is one file here."""
    return {"HTTPCACHE_FILE": str(PurePath(asked.value, "cache.sqlite"))}


def replay(asked: Asked) -> Mapped:
    """Only what is in the cache."""
    return {"HTTPCACHE_POLICY": "replay"} if check(asked.value, bool) else {}


def autothrottle(asked: Asked) -> Mapped:
    """Scrapy's throttle goes by latency alone."""
    on = check(asked.value, bool)
    return {"THROTTLE_ENABLED": on, "THROTTLE_BY": "latency"} if on else {"THROTTLE_ENABLED": False}


def dns_cache(asked: Asked) -> Mapped:
    """No cache is one that forgets at once."""
    return {} if check(asked.value, bool) else {"DNS_TTL": 0.0, "DNS_NEGATIVE_TTL": 0.0}


def bind_address(asked: Asked) -> Mapped:
    """A host, or Scrapy's (host, port) with port 0."""
    if isinstance(asked.value, (tuple, list)):
        if len(asked.value) != 2:
            raise WrongValue(f"expected an IP address or (address, 0), got {shorten(asked.value)}")
        host, port = asked.value
        if port:
            raise ValueError("a fixed local port allows one connection only; give the address alone")
        return {"BIND_ADDRESS": host}
    return {"BIND_ADDRESS": asked.value}


def per_address(asked: Asked) -> Mapped:
    """A limit per IP address is kept per host name; Scrapy's default, 0, is none."""
    return {"CONCURRENT_REQUESTS_PER_DOMAIN": asked.value} if _number(asked) else {}


def http_auth(asked: Asked) -> Mapped:
    """User and password go to the one domain they are for; "", Scrapy's default, is not set."""
    if not asked.value:
        return {}
    domain = asked.layer.get("HTTPAUTH_DOMAIN")
    if not domain:
        raise ValueError("needs HTTPAUTH_DOMAIN, for a password goes only where it was given for; see HTTP_AUTH")
    pair = f"{asked.value}:{asked.layer.get('HTTPAUTH_PASS', '')}"
    return {"HTTP_AUTH": {f"https://{domain}": pair, f"http://{domain}": pair}}


def handlers(asked: Asked) -> Mapped:
    """Handlers of further schemes; the built-in ones are not replaced this way."""
    mapped = {}
    for scheme, handler in _dictionary(asked).items():
        if handler is None or str(handler).startswith("scrapy."):
            continue
        if scheme in ("http", "https"):
            raise ValueError("http and https are the DOWNLOADER's; set that")
        mapped[scheme] = handler
    return {"SCHEMES": mapped} if mapped else {}


def encoding(asked: Asked) -> Mapped:
    """None, or "", leaves it to the format, which is UTF-8 here."""
    return {"FEED_EXPORT_ENCODING": asked.value} if asked.value else {}


def only(accepted: str, *, reason: str) -> Translator:
    """Nothing to do for Scrapy's own default (whose path ends so); anything else is refused."""

    def translate(asked: Asked) -> Mapped:
        if asked.value and not str(asked.value).endswith(accepted):
            raise ValueError(reason)
        return {}

    return translate


def scrapys_own(*, reason: str) -> Translator:
    """Nothing to do for any of Scrapy's own classes, which ours stands for; anything else is refused."""

    def translate(asked: Asked) -> Mapped:
        path = asked.value if isinstance(asked.value, str) else getattr(asked.value, "__module__", "")
        if asked.value and not path.startswith("scrapy."):
            raise ValueError(reason)
        return {}

    return translate


def _number(asked: Asked) -> float:
    kind, value = float | bool, asked.value
    number = parse_text(value, kind) if isinstance(value, str) else check(value, kind)
    assert isinstance(number, int | float)  # a bool is an int
    return float(number)


def _dictionary(asked: Asked) -> dict[Any, Any]:
    if asked.value is not None and not isinstance(asked.value, Mapping):
        raise WrongValue(f"expected a dictionary, got {shorten(asked.value)}")
    return dict(asked.value or {})
