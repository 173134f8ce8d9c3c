"""Which cookies does one client hold, and which of them go with a request?

A jar by RFC 6265bis, bounded: a site that sets cookies without end pushes out its own oldest ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from crawler.download.middleware.cookies.set_cookie import Cookie, parse, path_matches
from crawler.model.url import UrlParts

MAX_OF_DOMAIN = 180
"""Most cookies of one domain; what Chrome keeps."""

MAX_OF_JAR = 20_000
"""Most cookies of a jar; RFC 6265 section 6.1 asks for 3,000 at least, and a crawl has many hosts."""

MAX_SENT = 16_384
"""Longest Cookie header; most servers refuse longer ones."""

Key = tuple[bytes, str, bool]

Place = tuple[str, Key]
"""Where a cookie lies, and what makes it the same as another: domain, name, path, whether it is for that host only."""


class CookieJar:
    """Cookies by domain, with what changed since somebody kept them elsewhere: see `changes`."""

    def __init__(self) -> None:
        self._changed: set[Place] = set()
        self._kept: set[Place] = set()  # what is kept elsewhere, as far as it is known here
        self._domains: dict[str, dict[Key, Cookie]] = {}
        self._count = 0
        self._latest = 0.0
        # The domains with secure cookies at and below each domain: looking at all of them for each cookie from
        # plain HTTP took a millisecond per 1,000 sites.
        self._with_secure: dict[str, set[str]] = {}

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Cookie]:
        for cookies in self._domains.values():
            yield from cookies.values()

    def __repr__(self) -> str:
        return f"<CookieJar {self._count} cookies of {len(self._domains)} domains>"

    @property
    def domains_above_secure(self) -> int:
        """How many domains have secure cookies, or lie above one that has."""
        return len(self._with_secure)

    def take(self, lines: list[bytes], url: UrlParts, now: float) -> None:
        """Keep what the Set-Cookie lines of a response from ``url`` say."""
        for line in lines:
            cookie = parse(line, url, now)
            if cookie is not None and not (url.scheme != "https" and self._hides_secure(cookie)):
                self.set(cookie, now)

    def _hides_secure(self, cookie: Cookie) -> bool:
        """A cookie from plain HTTP must not lie over a secure one (section 5.7, step 16)."""
        if not self._with_secure:
            return False
        domains = {*_with_parents(cookie.domain), *self._with_secure.get(cookie.domain, ())}
        return any(
            other.secure and other.name == cookie.name and path_matches(cookie.path, other.path)
            for domain in domains
            for other in self._domains.get(domain, {}).values()
        )

    def set(self, cookie: Cookie, now: float) -> None:
        """Keep a cookie, as set after all others; one that has expired deletes.

        Those that one response sets have one time, and are sent in the order of their lines (section 5.8.3): no
        two are created at the same moment here.
        """
        if cookie.created <= self._latest:
            cookie = cookie._replace(created=math.nextafter(self._latest, math.inf))
        self._put(cookie, now)

    def _put(self, cookie: Cookie, now: float) -> None:
        self._latest = max(self._latest, cookie.created)
        of_domain = self._domains.setdefault(cookie.domain, {})
        key = (cookie.name, cookie.path, cookie.host_only)
        old = of_domain.pop(key, None)
        self._count -= old is not None
        expired = cookie.expires is not None and cookie.expires <= now
        if not expired:
            of_domain[key] = cookie if old is None else cookie._replace(created=old.created)
            self._count += 1
            self._changed.add((cookie.domain, key))
            if cookie.secure:
                for domain in _with_parents(cookie.domain):
                    self._with_secure.setdefault(domain, set()).add(cookie.domain)
            if len(of_domain) > MAX_OF_DOMAIN:
                self._evict(cookie.domain, now)
            if self._count > MAX_OF_JAR:
                self._evict(next(iter(self._domains)), now)
        elif old is not None:
            self._gone((cookie.domain, key))
        if not of_domain:
            self._drop(cookie.domain)

    def _evict(self, domain: str, now: float) -> None:
        """Remove what has expired, or else the cookie set longest ago."""
        of_domain = self._domains[domain]
        old = [key for key, cookie in of_domain.items() if cookie.expires is not None and cookie.expires <= now]
        for key in old or [next(iter(of_domain))]:
            del of_domain[key]
            self._count -= 1
            self._gone((domain, key))
        if not of_domain:
            self._drop(domain)

    def _drop(self, domain: str) -> None:
        """Forget a domain without cookies."""
        self._domains.pop(domain, None)
        for parent in _with_parents(domain):
            below = self._with_secure.get(parent, set())
            below.discard(domain)
            if not below:
                self._with_secure.pop(parent, None)

    def cookies_for(self, url: UrlParts, now: float) -> list[Cookie]:
        """Return the cookies that go to ``url``: longer paths first, then older ones (section 5.8.3)."""
        found = []
        path, secure = url.path or "/", url.scheme == "https"
        for domain in _with_parents(url.host):
            for cookie in self._domains.get(domain, {}).values():
                if cookie.host_only and domain != url.host:
                    continue
                if cookie.secure and not secure:
                    continue
                if (cookie.expires is None or cookie.expires > now) and path_matches(path, cookie.path):
                    found.append(cookie)
        if len(found) > 1:
            found.sort(key=lambda cookie: (-len(cookie.path), cookie.created))
        return found

    def _gone(self, place: Place) -> None:
        """Note that a cookie is no longer here. What was never kept elsewhere needs no word: floods of them come."""
        if place in self._kept:
            self._changed.add(place)
        else:
            self._changed.discard(place)

    def changes(self) -> dict[Place, Cookie | None]:
        """Return what changed since the last call and is to be kept elsewhere; None for what is gone."""
        changed, self._changed = self._changed, set()
        found = {place: self._domains.get(place[0], {}).get(place[1]) for place in changed}
        for place, cookie in found.items():
            (self._kept.discard if cookie is None else self._kept.add)(place)
        return found

    def merge(self, cookies: Mapping[Place, Cookie | None], now: float) -> None:
        """Take what was kept, or changed by others: any number of times; None for what is gone.

        What changed here since `changes` stays: it is the newer one, and will be kept after these. Nothing counts as
        changed by this, not even what had to make room.
        """
        here = self._changed.copy()
        taken = {place: cookie for place, cookie in cookies.items() if place not in here}
        self._kept.update(taken)
        present = [cookie for cookie in taken.values() if cookie is not None]
        for cookie in sorted(present, key=lambda cookie: cookie.created):
            self._put(cookie, now)
        for domain, (name, path, host_only) in (place for place, cookie in taken.items() if cookie is None):
            self._put(Cookie(name, b"", domain, path, host_only, secure=False, expires=0.0, created=0.0), now)
            self._kept.discard((domain, (name, path, host_only)))
        self._changed = here


def place_of(cookie: Cookie) -> Place:
    """Return where a cookie lies."""
    return cookie.domain, (cookie.name, cookie.path, cookie.host_only)


def _with_parents(host: str) -> Iterator[str]:
    yield host
    while "." in host:
        host = host.partition(".")[2]
        yield host


def header_of(cookies: list[Cookie]) -> bytes:
    """Return the value of a Cookie header; what does not fit in `MAX_SENT` stays out."""
    pairs = []
    size = 0
    for cookie in cookies:
        pair = cookie.name + b"=" + cookie.value if cookie.name else cookie.value
        size += len(pair) + 2
        if size > MAX_SENT:
            break
        pairs.append(pair)
    return b"; ".join(pairs)
