"""What does a Set-Cookie line say, and may this host say it?

By the algorithms of RFC 6265bis (draft-ietf-httpbis-rfc6265bis), sections 5.1 to 5.6: what browsers do.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from publicsuffixlist import PublicSuffixList

from crawler.errors import InvalidRequest
from crawler.model.url import UrlParts, host_of, is_address, normalise

MAX_PAIR = 4096
"""Most bytes of name and value together (section 5.6, step 6)."""

MAX_ATTRIBUTE = 1024
"""Longest attribute value that counts (section 5.6)."""

MAX_AGE = 400 * 86_400.0
"""Longest life of a cookie in seconds (section 5.5)."""

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]").search
_DATE_PARTS = re.compile(r"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+").findall
_CLOCK = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?!\d)").match
_DAY = re.compile(r"(\d{1,2})(?!\d)").match
_YEAR = re.compile(r"(\d{2,4})(?!\d)").match
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


class Cookie(NamedTuple):
    """A cookie; ``expires`` and ``created`` in seconds of the wall clock, ``expires`` None: a session's."""

    name: bytes
    value: bytes
    domain: str
    path: str
    host_only: bool
    secure: bool
    expires: float | None
    created: float


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def is_public_suffix(domain: str) -> bool:
    """Tell whether anybody can have a name below this one: "com", "co.uk", also any unlisted single label."""
    return bool(_suffixes().publicsuffix(domain) == domain)


def domain_matches(host: str, domain: str) -> bool:
    """Tell whether a cookie of ``domain`` concerns ``host`` (section 5.1.3)."""
    return host == domain or (host.endswith("." + domain) and not is_address(host))


def path_matches(path: str, cookie_path: str) -> bool:
    """Tell whether a cookie of ``cookie_path`` concerns ``path`` (section 5.1.4)."""
    if path == cookie_path:
        return True
    return path.startswith(cookie_path) and (cookie_path.endswith("/") or path[len(cookie_path)] == "/")


def default_path(path: str) -> str:
    """Return the path of a cookie that names none (section 5.1.4)."""
    end = path.rfind("/")
    return path[:end] if end > 0 and path.startswith("/") else "/"


def parse(line: bytes, url: UrlParts, now: float) -> Cookie | None:
    """Return the cookie of a Set-Cookie line that came from ``url``, None if it may not be kept.

    One that has expired is returned: it deletes.
    """
    pair, _, rest = line.partition(b";")
    if len(pair) > MAX_PAIR + 64 or _CONTROL(line[:65_536]):
        return None
    name, equals, value = pair.partition(b"=")
    if not equals:
        name, value = b"", pair
    name, value = name.strip(b" \t"), value.strip(b" \t")
    if not (name or value) or len(name) + len(value) > MAX_PAIR:
        return None
    said = _attributes(rest)
    scope = _scope(said.get(b"domain", b""), url.host)
    if scope is None:
        return None
    domain, host_only = scope
    given = said.get(b"path", b"").decode("latin-1")
    path = given if given.startswith("/") else default_path(url.path)
    secure = b"secure" in said
    cookie = Cookie(name, value, domain, path, host_only, secure, _expiry(said, now), now)
    return cookie if _may_be_set(cookie, url.scheme, has_path=given == "/") else None


def _may_be_set(cookie: Cookie, scheme: str, *, has_path: bool) -> bool:
    if cookie.secure and scheme != "https":
        return False
    prefix = (cookie.name or cookie.value)[:9].lower()
    if not cookie.name and prefix.startswith((b"__secure-", b"__host-")):
        return False
    if prefix.startswith(b"__host-"):
        return cookie.secure and cookie.host_only and has_path
    return cookie.secure or not prefix.startswith(b"__secure-")


def _attributes(rest: bytes) -> dict[bytes, bytes]:
    found = {}
    for part in rest[: 16 * MAX_ATTRIBUTE].split(b";"):
        key, _, value = part.partition(b"=")
        if len(value) <= MAX_ATTRIBUTE:
            found[key.strip(b" \t").lower()] = value.strip(b" \t")  # the last one counts
    return found


def _plain(raw: bytes) -> str:
    domain = raw.decode("utf-8", "replace").removeprefix(".").lower()
    if not domain.isascii():
        try:
            domain = host_of(normalise(f"http://{domain}/"))
        except InvalidRequest:
            return ""
    return domain


def _scope(raw: bytes, host: str) -> tuple[str, bool] | None:
    """Return the domain a cookie is kept under and whether it is for that host only; None: not allowed."""
    if raw in (b"", b"."):
        return host, True
    domain = _plain(raw)
    if domain == host:
        return host, is_address(host) or is_public_suffix(host)
    if not domain or not domain_matches(host, domain) or is_public_suffix(domain):
        return None
    return domain, False


def _expiry(said: dict[bytes, bytes], now: float) -> float | None:
    age = said.get(b"max-age")
    if age is not None and age[:1] in (b"-", *(b"%d" % digit for digit in range(10))):
        digits = age.lstrip(b"-")
        if digits.isdigit():
            seconds = 0.0 if age.startswith(b"-") else float(digits[:12])
            return now + min(seconds, MAX_AGE) if seconds > 0 else 0.0
    if b"expires" in said:
        moment = parse_date(said[b"expires"].decode("latin-1"))
        return None if moment is None else min(moment, now + MAX_AGE)
    return None


def parse_date(text: str) -> float | None:
    """Return the moment of a cookie date in seconds of the epoch, None if it is none (section 5.1.1)."""
    clock: tuple[int, ...] | None = None
    day = month = year = None
    for part in _DATE_PARTS(text[:256]):
        if clock is None and (found := _CLOCK(part)):
            clock = tuple(map(int, found.groups()))
        elif day is None and (found := _DAY(part)):
            day = int(found[1])
        elif month is None and part[:3].lower() in _MONTHS:
            month = _MONTHS.index(part[:3].lower()) + 1
        elif year is None and (found := _YEAR(part)):
            year = int(found[1])
    if clock is None or day is None or month is None or year is None:
        return None
    year += 1900 if 70 <= year <= 99 else 2000 if year < 70 else 0
    try:
        hour, minute, second = clock
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        return moment.timestamp() if year >= 1601 else None
    except ValueError:
        return None
