"""May an answer be kept, and may a kept one be given again? (RFC 9111)

For a private cache: the crawler's own, whoever its sites take it for. Times are seconds: of the wall clock
where a moment is meant.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_tz
from functools import lru_cache
from typing import TypeAlias

from crawler.model.headers import Headers

Directives: TypeAlias = dict[bytes, bytes | None]

# A directive begins behind a separator: "1max-age" is another word. Sites separate by ";", too.
_DIRECTIVE = re.compile(rb'(?<![^\s,;])([A-Za-z][\w-]*)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?').finditer
_LONGEST = 2.0**31  # RFC 9111 section 1.2.2
_HEURISTIC_SHARE = 0.1  # section 4.2.2: a tenth of the time since the last change …
_HEURISTIC_MOST = 86_400.0  # … but, with RFC 9111's "24 hours" in mind, no more than a day
# RFC 9110 section 15.1: what may be kept although nothing says so.
_KEPT_BY_DEFAULT = frozenset((200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501))
# RFC 9110 section 5.6.7, in any case of letters and by GMT alone, as RFC 9111 section 4.2 asks of an expiry.
_HTTP_DATE = re.compile(
    rb"[a-z]{3}, \d\d [a-z]{3} \d{4} \d\d:\d\d:\d\d gmt"
    rb"|[a-z]{6,9}, \d\d-[a-z]{3}-\d\d \d\d:\d\d:\d\d gmt"
    rb"|[a-z]{3} [a-z]{3} [ \d]\d \d\d:\d\d:\d\d \d{4}",
    re.IGNORECASE,
).fullmatch
# Section 3.1, and RFC 9110 section 7.6.1: what concerns one connection, or a proxy.
_NOT_STORED = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authentication-info proxy-authorization proxy-connection te"
    b" trailer transfer-encoding upgrade".split()
)
# Section 3.2: what a 304 does not change, for it is true of one message or body only.
_NOT_UPDATED = frozenset(b"content-encoding content-length content-range content-type set-cookie".split())


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
    return min(float(value.lstrip(b"0")[:12] or 0), _LONGEST)


@lru_cache(maxsize=256)  # all answers of a second have one date
def moment(value: bytes | None) -> float | None:
    """Return the moment of an HTTP date, None if it is none."""
    if not value or len(value) > 64:
        return None
    try:
        parsed = parsedate_tz(value.decode("latin-1"))
        if parsed is None:
            return None
        year, month, day, hour, minute, second = parsed[:6]
        of_zone = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # 60: a leap second
        return of_zone.timestamp() - (parsed[9] or 0)
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
    if expires := answer.headers.getlist(b"Expires"):  # of several, the first counts
        until = moment(expires[0]) if _HTTP_DATE(expires[0]) else None
        return 0.0 if until is None else max(until - date, 0.0)
    changed = moment(answer.headers.get(b"Last-Modified"))
    if changed is None or not (answer.status in _KEPT_BY_DEFAULT or b"public" in said):
        return 0.0
    return min(max(date - changed, 0.0) * _HEURISTIC_SHARE, _HEURISTIC_MOST)


def age(answer: Kept, wall: float) -> float:
    """Return how old an answer is (section 4.2.3)."""
    date = moment(answer.headers.get(b"Date"))
    apparent = max(0.0, answer.received - date) if date is not None else 0.0
    # Section 5.1: of a list the first counts, and what is no number counts for nothing.
    said = _seconds(b",".join(answer.headers.getlist(b"Age")).partition(b",")[0].strip(b" \t")) or 0.0
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


def stored(answer: Kept) -> Kept:
    """Return an answer with the fields that are kept of it (section 3.1): none that Connection names or that
    concern one connection alone; its Date, if it came without one (RFC 9110 section 6.6.1)."""
    lines = answer.headers.getlist(b"Connection")
    dropped = _NOT_STORED.union(name.strip().lower() for line in lines for name in line.split(b","))
    fields = [(name, value) for name, value in answer.headers.raw() if name.lower() not in dropped]
    if moment(answer.headers.get(b"Date")) is None:
        fields = [field for field in fields if field[0].lower() != b"date"]
        fields.append((b"Date", formatdate(answer.received, usegmt=True).encode()))
    return Kept(answer.status, Headers.from_raw(fields), answer.sent, answer.received)


def freshened(answer: Kept, news: Kept) -> Kept:
    """Return a kept answer after a 304 (section 4.3.4): the fields of the 304 replace its own. Its Age was that
    of an earlier answer."""
    news = stored(news)
    headers = answer.headers.copy()
    headers.pop(b"Age", None)
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
    return [
        [part.strip() for value in request.getlist(name) for part in value.split(b",")] if name in request else None
        for name in names
    ]


def contradicts(head: Headers, answer: Kept) -> bool:
    """Tell whether the answer to a HEAD shows that a kept one holds no longer (section 4.3.5)."""
    names = (b"ETag", b"Last-Modified", b"Content-Length")
    return any(
        None not in (pair := (head.get(name), answer.headers.get(name))) and pair[0] != pair[1] for name in names
    )


def invalidates(method: str, status: int) -> bool:
    """Tell whether an exchange makes what is kept of its URL worthless (section 4.4)."""
    return method not in ("GET", "HEAD", "OPTIONS", "TRACE") and 200 <= status < 400
