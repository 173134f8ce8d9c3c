"""What do components ask of a request?"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterable
from typing import Any, Protocol, Self
from urllib.parse import urlunparse
from weakref import WeakKeyDictionary

from w3lib.url import canonicalize_url

from crawler.scrapy.utils.httpobj import urlparse_cached
from crawler.scrapy.utils.misc import load_object
from crawler.scrapy.utils.python import to_bytes, to_unicode

_known: WeakKeyDictionary[Any, dict[Any, bytes]] = WeakKeyDictionary()


def fingerprint(
    request: Any, *, include_headers: Iterable[bytes | str] | None = None, keep_fragments: bool = False
) -> bytes:
    """Return the bytes by which a request is known again: Scrapy's own, so that they equal stored ones."""
    names = tuple(to_bytes(name.lower()) for name in sorted(include_headers or ()))
    verbatim = bool(request.meta.get("verbatim_url"))
    key = (names, keep_fragments, verbatim)
    known = _known.setdefault(request, {})
    if key not in known:
        url = request.url if verbatim else canonicalize_url(request.url, keep_fragments=keep_fragments)
        headers = {
            name.hex(): [value.hex() for value in request.headers.getlist(name)]
            for name in names
            if name in request.headers
        }
        data = {"method": request.method, "url": url, "body": (request.body or b"").hex(), "headers": headers}
        known[key] = hashlib.sha1(json.dumps(data, sort_keys=True).encode(), usedforsecurity=False).digest()
    return known[key]


class RequestFingerprinterProtocol(Protocol):
    """What REQUEST_FINGERPRINTER_CLASS is."""

    def fingerprint(self, request: Any) -> bytes:
        """Return the bytes by which a request is known again."""


class RequestFingerprinter:
    """The default REQUEST_FINGERPRINTER_CLASS."""

    def __init__(self, crawler: Any = None) -> None:
        pass

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make one."""
        return cls(crawler)

    def fingerprint(self, request: Any) -> bytes:
        """Return the bytes by which a request is known again."""
        return fingerprint(request)


def request_httprepr(request: Any) -> bytes:
    """Return a request about as HTTP/1.1 writes it; what is sent may differ."""
    parts = urlparse_cached(request)
    path = urlunparse(("", "", parts.path or "/", parts.params, parts.query, ""))
    head = f"{request.method} {path} HTTP/1.1\r\nHost: {parts.hostname or ''}\r\n".encode()
    headers = request.headers.to_string() + b"\r\n" if request.headers else b""
    return b"".join([head, headers, b"\r\n", request.body])


def referer_str(request: Any) -> str | None:
    """Return a request's Referer as text, for a log line."""
    referrer = request.headers.get("Referer")
    return None if referrer is None else to_unicode(referrer, errors="replace")


def request_from_dict(d: dict[str, Any], *, spider: Any = None) -> Any:
    """Return the request of its to_dict(); callbacks are looked up on ``spider``. Raises ValueError."""
    kind = load_object(d.get("_class") or "crawler.scrapy.http.Request")  # by name: it takes functions from here
    fields = {name: value for name, value in d.items() if name in kind.attributes}
    for role in ("callback", "errback"):
        if d.get(role) and spider:
            fields[role] = getattr(spider, str(d[role]), None)
            if fields[role] is None:
                raise ValueError(f"Method {d[role]!r} not found in: {spider}")
    return kind(**fields)


def request_to_curl(request: Any) -> str:
    """Return the command of curl that sends a request, quoted for a shell."""
    words = ["curl", "-X", request.method, request.url]
    if request.body:
        words += ["--data-raw", request.body.decode("utf-8")]
    for name, values in request.headers.items():
        words += ["-H", f"{name.decode()}: {values[0].decode()}"]
    cookies = request.cookies
    pairs = cookies.items() if isinstance(cookies, dict) else [(each["name"], each["value"]) for each in cookies]
    if cookies:
        words += ["--cookie", "; ".join(f"{_text(name)}={_text(value)}" for name, value in pairs)]
    return " ".join(word if number < 4 or word.startswith("-") else _quoted(word) for number, word in enumerate(words))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _quoted(word: str) -> str:
    return f"'{word}'" if "'" not in word else shlex.quote(word)
