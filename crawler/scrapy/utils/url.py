"""What do spiders ask of a URL?"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlparse, urlunparse

from w3lib.url import any_to_uri, parse_url

_DEFAULT_PORTS = {"http": 80, "https": 443, "ftp": 21}
_PATH = re.compile(r"(\.(\.|[^/.]+)?|~)?/.|[a-z]:\\|\\\\", re.IGNORECASE)


def url_is_from_any_domain(url: Any, domains: Iterable[str]) -> bool:
    """Tell whether a URL's host is one of these domains, or below one."""
    host = parse_url(url).netloc.lower()
    return bool(host) and any(host == domain or host.endswith(f".{domain}") for domain in map(str.lower, domains))


def url_is_from_spider(url: Any, spider: Any) -> bool:
    """Tell whether a URL belongs to a spider class: by its name or its allowed_domains."""
    allowed = getattr(spider, "allowed_domains", None)
    if isinstance(allowed, property):
        warnings.warn(f"{spider.__name__}.allowed_domains is a property: a class has no value of it", stacklevel=2)
        allowed = None
    return url_is_from_any_domain(url, [spider.name, *(allowed or ())])


def url_has_any_extension(url: Any, extensions: Iterable[str]) -> bool:
    """Tell whether a URL's path ends with one of these: ".pdf"."""
    return any(map(parse_url(url).path.lower().endswith, extensions))


def add_http_if_no_scheme(url: str) -> str:
    """Return a URL with http before it where it has no scheme."""
    if re.match(r"\w+://", url):
        return url
    return ("http:" if urlparse(url).netloc else "http://") + url


def guess_scheme(url: str) -> str:
    """Return a URL with the scheme that it seems to want: file for a path, else http."""
    return str(any_to_uri(url)) if _PATH.match(url) else add_http_if_no_scheme(url)


def strip_url(
    url: str,
    strip_credentials: bool = True,
    strip_default_port: bool = True,
    origin_only: bool = False,
    strip_fragment: bool = True,
) -> str:
    """Return a URL without what is not wanted of it."""
    parts = urlparse(url)
    netloc = parts.netloc
    if (strip_credentials or origin_only) and (parts.username or parts.password):
        netloc = netloc.split("@")[-1]
    if strip_default_port and parts.port and parts.port == _DEFAULT_PORTS.get(parts.scheme):
        netloc = netloc.removesuffix(f":{parts.port}")
    place = ("/", "", "") if origin_only else (parts.path, parts.params, parts.query)
    return urlunparse((parts.scheme, netloc, *place, "" if strip_fragment else parts.fragment))
