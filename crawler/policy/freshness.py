"""May an answer be kept, and may a kept one be given again? (RFC 9111)

For a private cache: the crawler's own, whoever its sites take it for. Times are seconds: of the wall clock
where a moment is meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from functools import lru_cache
from typing import TypeAlias

from crawler.model.headers import Headers

Directives: TypeAlias = dict[bytes, bytes | None]

_DIRECTIVE = re.compile(rb'([A-Za-z][\w-]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?').finditer
_LONGEST = 2.0**31  # RFC 9111 section 1.2.2
_HEURISTIC_SHARE = 0.1  # section 4.2.2: a tenth of the time since the last change …
_HEURISTIC_MOST = 86_400.0  # … but, with RFC 9111's "24 hours" in mind, no more than a day
# RFC 9110 section 15.1: what may be kept although nothing says so.
_KEPT_BY_DEFAULT = frozenset((200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501))
# Section 3.2: what a 304 does not change, and what is true of one message or body only.
_NOT_UPDATED = frozenset(
    b"connection content-encoding content-length content-range content-type keep-alive proxy-authenticate"
    b" proxy-connection set-cookie te trailer transfer-encoding upgrade".split()
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What decides over a kept answer: ``sent`` and ``received`` are when its exchange began and ended."""

    status: int
    headers: Headers
    sent: float
    received: float


def directives(headers: Headers, name: bytes = b"Cache-Control") -> Directives:
    """Return the directives of all lines of a Cache-Control field; the first of a name counts."""
    found: Directives = {}
    for line in headers.getlist(name):
        for match in _DIRECTIVE(line[:8192]):
            quoted, plain = match[2], match[3]
            found.setdefault(match[1].lower(), quoted if quoted is not None else plain)
    return found


def _seconds(value: bytes | None) -> float | None:
    if value is None or not value.isdigit():
        return None
    return min(float(value[:12]), _LONGEST)


@lru_cache(maxsize=256)  # all answers of a second have one date
def moment(value: bytes | None) -> float | None:
    """Return the moment of an HTTP date, None if it is none."""
    if not value or len(value) > 64:
        return None
    try:
        parsed = parsedate_tz(value.decode("latin-1"))
        return None if parsed is None else float(mktime_tz(parsed))
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def may_store(method: str, request: Headers, answer: Kept) -> bool:
    """Tell whether an answer may be kept (section 3)."""
    said = directives(answer.headers)
    if method != "GET" or not 200 <= answer.status <= 599 or answer.status in (206, 304):
        return False
    if b"no-store" in said or b"no-store" in directives(request) or b"*" in vary(answer.headers):
        return False
    explicit = b"max-age" in said or b"Expires" in answer.headers or b"public" in said or b"private" in said
    if not explicit and answer.status not in _KEPT_BY_DEFAULT:
        return False
    has_validator = b"ETag" in answer.headers or b"Last-Modified" in answer.headers
    return has_validator or lifetime(answer) > 0


def lifetime(answer: Kept) -> float:
    """Return for how long an answer is fresh from its origin on (section 4.2.1)."""
    said = directives(answer.headers)
    if b"max-age" in said:
        return _seconds(said[b"max-age"]) or 0.0  # what cannot be read is stale
    date = moment(answer.headers.get(b"Date")) or answer.received
    if b"Expires" in answer.headers:
        expires = moment(answer.headers.get(b"Expires"))
        return 0.0 if expires is None else max(expires - date, 0.0)
    changed = moment(answer.headers.get(b"Last-Modified"))
    if changed is None or answer.status not in _KEPT_BY_DEFAULT:
        return 0.0
    return min(max(date - changed, 0.0) * _HEURISTIC_SHARE, _HEURISTIC_MOST)


def age(answer: Kept, wall: float) -> float:
    """Return how old an answer is (section 4.2.3)."""
    date = moment(answer.headers.get(b"Date"))
    apparent = max(0.0, answer.received - date) if date is not None else 0.0
    said = _seconds(answer.headers.get(b"Age")) or 0.0
    initial = max(apparent, said + max(0.0, answer.received - answer.sent))
    return initial + max(0.0, wall - answer.received)


def is_fresh(request: Headers, answer: Kept, wall: float) -> bool:
    """Tell whether a kept answer may be given without asking (sections 4.2 and 5.2.1)."""
    wants, said = directives(request), directives(answer.headers)
    if b"no-cache" in said or b"no-cache" in wants:
        return False
    if not wants and b"no-cache" in directives(request, b"Pragma"):
        return False
    old, limit = age(answer, wall), lifetime(answer)
    if (most := _seconds(wants.get(b"max-age"))) is not None and old > most:
        return False
    if (least := _seconds(wants.get(b"min-fresh"))) is not None:
        return limit - old >= least
    if b"max-stale" in wants and b"must-revalidate" not in said:
        extra = _seconds(wants[b"max-stale"])
        return extra is None or old <= limit + extra
    return old < limit


def fresh_until(answer: Kept) -> float:
    """Return the moment until which `is_fresh` holds for a request that says nothing to caches."""
    if b"no-cache" in directives(answer.headers):
        return answer.received - 1.0
    return answer.received + lifetime(answer) - age(answer, answer.received)


def validators(answer: Kept) -> list[tuple[bytes, bytes]]:
    """Return the fields that ask whether a kept answer still holds (section 4.3.1); none: fetch anew."""
    fields = ((b"If-None-Match", b"ETag"), (b"If-Modified-Since", b"Last-Modified"))
    return [(name, value) for name, of in fields if (value := answer.headers.get(of)) is not None]


def freshened(answer: Kept, news: Kept) -> Kept:
    """Return a kept answer after a 304 (section 4.3.4): the fields of the 304 replace its own."""
    headers = answer.headers.copy()
    changes: dict[bytes, list[bytes]] = {}
    for name, value in news.headers.raw():
        if name.lower() not in _NOT_UPDATED:
            changes.setdefault(name, []).append(value)
    for name, values in changes.items():
        headers[name] = values
    return Kept(answer.status, headers, news.sent, news.received)


def vary(headers: Headers) -> list[bytes]:
    """Return the lower-case names of the request fields an answer depends on.

    Accept-Encoding is none of them: bodies are kept decoded.
    """
    names = {name.strip().lower() for line in headers.getlist(b"Vary") for name in line.split(b",")}
    return sorted(names - {b"", b"accept-encoding"})


def variant(names: list[bytes], request: Headers) -> list[list[bytes] | None]:
    """Return what a request says in these fields; two requests that say the same get the same answer (4.1)."""
    return [_normal(request.getlist(name)) if name in request else None for name in names]


def _normal(values: list[bytes]) -> list[bytes]:
    return [part.strip() for value in values for part in value.split(b",")]


def invalidates(method: str, status: int) -> bool:
    """Tell whether an exchange makes what is kept of its URL worthless (section 4.4)."""
    return method not in ("GET", "HEAD", "OPTIONS", "TRACE") and 200 <= status < 400
