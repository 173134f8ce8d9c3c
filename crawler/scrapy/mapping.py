"""How does the value of a Scrapy setting become values of ours?

Each function takes the value and the whole layer it stands in (some settings of Scrapy only mean
something together) and returns our settings; it raises ValueError with the reason for a value that
has no counterpart. The table that uses them is ``settings``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from crawler.config.parse import WrongValue, check, parse_text, shorten
from crawler.scrapy.unmapped import Translator

Mapped = dict[str, Any]


def renamed(to: str) -> Translator:
    """The same value under another name."""

    def rename(value: Any, layer: Mapping[str, Any]) -> Mapped:
        return {to: value}

    return rename


def in_order(to: str) -> Translator:
    """``{class or path: number}`` becomes a list in the order of the numbers; None switches off."""

    def order(value: Any, layer: Mapping[str, Any]) -> Mapped:
        if not isinstance(value, dict):
            return {to: value}
        wanted = [(number, name) for name, number in value.items() if number is not None]
        if any(isinstance(number, bool) or not isinstance(number, (int, float)) for number, _ in wanted):
            raise ValueError("the order of a component is a number, or None to leave it out")
        return {to: [name for _, name in sorted(wanted, key=lambda pair: pair[0])]}

    return order


def words(to: str, table: Mapping[Any, str]) -> Translator:
    """Scrapy's words for a choice become ours; others stay, and are checked as ours."""

    def translate(value: Any, layer: Mapping[str, Any]) -> Mapped:
        word = f"{value.__module__}.{value.__qualname__}" if isinstance(value, type) else value
        return {to: table.get(word, value) if isinstance(word, (str, int)) else value}

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

    def translate(value: Any, layer: Mapping[str, Any]) -> Mapped:
        mapped: Mapped = {}
        for component, order in _dictionary(value).items():
            path = component if isinstance(component, str) else f"{component.__module__}.{component.__qualname__}"
            if order is not None and not path.startswith("scrapy."):
                raise ValueError(f"{path} is a {kind} middleware of Scrapy's shape; {instead}")
            if order is None:
                mapped |= SWITCHES.get(path.rsplit(".", 1)[-1], {})
        return mapped

    return translate


def job_dir(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """Scrapy's folder of one job is a job of that name in the folder above; None, its default, or "" is not set."""
    if not value:
        return {}
    path = PurePath(value)
    return {"JOB_DIR": str(path.parent), "JOB_NAME": path.name}


def feed_uri(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """FEED_URI and FEED_FORMAT, from before FEEDS; None, the default then, or "" is not set."""
    if not value:
        return {}
    return {"FEEDS": {os.fspath(value): {"format": layer.get("FEED_FORMAT", "jsonlines")}}}


def cache_dir(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """The cache is one file here."""
    return {"HTTPCACHE_FILE": str(PurePath(value, "cache.sqlite"))}


def replay(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """Only what is in the cache."""
    return {"HTTPCACHE_POLICY": "replay"} if check(value, bool) else {}


def dns_cache(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """No cache is one that forgets at once."""
    return {} if check(value, bool) else {"DNS_TTL": 0.0, "DNS_NEGATIVE_TTL": 0.0}


def bind_address(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """A host, or Scrapy's (host, port) with port 0."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise WrongValue(f"expected an IP address or (address, 0), got {shorten(value)}")
        host, port = value
        if port:
            raise ValueError("a fixed local port allows one connection only; give the address alone")
        return {"BIND_ADDRESS": host}
    return {"BIND_ADDRESS": value}


def jitter(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """Any jitter is ours of 0 to 50 % on top."""
    return {"RANDOMIZE_DOWNLOAD_DELAY": _number(value) > 0}


def http_auth(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """User and password go to the one domain they are for; "", Scrapy's default, is not set."""
    if not value:
        return {}
    domain = layer.get("HTTPAUTH_DOMAIN")
    if not domain:
        raise ValueError("needs HTTPAUTH_DOMAIN, for a password goes only where it was given for; see HTTP_AUTH")
    pair = f"{value}:{layer.get('HTTPAUTH_PASS', '')}"
    return {"HTTP_AUTH": {f"https://{domain}": pair, f"http://{domain}": pair}}


def handlers(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """Handlers of further schemes; the built-in ones are not replaced this way."""
    mapped = {}
    for scheme, handler in _dictionary(value).items():
        if handler is None or str(handler).startswith("scrapy."):
            continue
        if scheme in ("http", "https"):
            raise ValueError("http and https are the DOWNLOADER's; set that")
        mapped[scheme] = handler
    return {"SCHEMES": mapped} if mapped else {}


def encoding(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """None, or "", leaves it to the format, which is UTF-8 here."""
    return {"FEED_EXPORT_ENCODING": value} if value else {}


def log_format(value: Any, layer: Mapping[str, Any]) -> Mapped:
    """Ours is "text" or "json"; a template of the logging module has no meaning here."""
    return {} if "%(" in str(value) else {"LOG_FORMAT": value}


def only(accepted: str, *, reason: str) -> Translator:
    """Nothing to do for Scrapy's own default (whose path ends so); anything else is refused."""

    def translate(value: Any, layer: Mapping[str, Any]) -> Mapped:
        if value and not str(value).endswith(accepted):
            raise ValueError(reason)
        return {}

    return translate


def scrapys_own(*, reason: str) -> Translator:
    """Nothing to do for any of Scrapy's own classes, which ours stands for; anything else is refused."""

    def translate(value: Any, layer: Mapping[str, Any]) -> Mapped:
        if value and not (value if isinstance(value, str) else getattr(value, "__module__", "")).startswith("scrapy."):
            raise ValueError(reason)
        return {}

    return translate


def _number(value: Any) -> float:
    kind = float | bool
    return float(parse_text(value, kind) if isinstance(value, str) else check(value, kind))


def _dictionary(value: Any) -> dict[Any, Any]:
    if value is not None and not isinstance(value, Mapping):
        raise WrongValue(f"expected a dictionary, got {shorten(value)}")
    return dict(value or {})
