"""Which cookies are kept for a crawl, and how do they get into its requests?

Set-Cookie is taken when the head arrives, Cookie is written when the request is sent: so each request
has what its predecessors brought, in whatever order they wait.
"""

from __future__ import annotations

import logging
import time
from ast import literal_eval
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from crawler.config.schema import CoreSettings
from crawler.download.middleware.chain import Fetch, as_answer_to
from crawler.download.middleware.cookies.jar import CookieJar, Place, header_of, place_of
from crawler.download.middleware.cookies.set_cookie import Cookie, default_path
from crawler.download.seam import Head
from crawler.model.fields import Cookies as OwnCookies
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import UrlParts, shortened, split

logger = logging.getLogger(__name__)

_FACT = "cookie:"
_DOMAIN_FACT = "cookies/"
"""Before the name of a fact that holds all cookies of a domain, in jobs of earlier versions: [jar, [cookie, …]]."""


class Cookies:
    """The crawl's cookie jars, one for each value of meta ``cookiejar`` (Scrapy's).

    ``request.cookies`` go into the jar first: a dict's to the URL's host, a list's to the domain and path
    each names. meta ``dont_merge_cookies``: only the request's own are sent and none is kept. A Cookie
    header of the request's own is sent before the jar's.
    """

    def __init__(self, settings: CoreSettings, *, wall: Callable[[], float] = time.time) -> None:
        self._debug = settings.COOKIES_DEBUG
        self._wall = wall
        self.jars: dict[Any, CookieJar] = {}
        self._untold: dict[str, Any] = {}  # facts that no jar tells of

    def __repr__(self) -> str:
        return f"<Cookies {len(self.jars)} jars>"

    def jar(self, key: Hashable = None) -> CookieJar:
        """Return the jar of a key, which begins empty."""
        jar = self.jars.get(key)
        if jar is None:
            jar = self.jars[key] = CookieJar()
        return jar

    def forget(self, key: Hashable) -> None:
        """Throw a jar away."""
        jar = self.jars.pop(key, None)
        if jar is not None:
            jar.changes()
            gone: dict[Place, Cookie | None] = dict.fromkeys(map(place_of, jar))
            self._untold.update(_facts(key, gone))

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        """Send the request with its cookies."""
        value = b"" if self.before(request) else self._header(request)
        if not value:
            return await fetch(request)
        if self._debug:
            logger.debug("Sending cookies to %s: %r", shortened(repr(request)), value)
        headers = request.headers.copy()
        headers[b"Cookie"] = value
        sent = request.replace(headers=headers)
        return as_answer_to(request, sent, await fetch(sent))

    def before(self, request: Request) -> bool:
        """See chain.Middleware: tell whether there is no cookie to send."""
        return not request.cookies and not (self.jars and self.jars.get(request.meta.get("cookiejar")))

    def _header(self, request: Request) -> bytes:
        url, now = split(request.normal_url), self._wall()
        jar = CookieJar() if request.meta.get("dont_merge_cookies") else self.jar(request.meta.get("cookiejar"))
        for cookie in self._own(request.cookies, url, now):
            jar.set(cookie, now)
        return _field(request, jar.cookies_for(url, now))

    def _own(self, given: OwnCookies, url: UrlParts, now: float) -> list[Cookie]:
        return _own(given, url, now)

    def sent_with(self, request: Request) -> bytes:
        """Return the Cookie field with which a request would be sent now, without a change to its jar."""
        if self.before(request):
            return request.headers.get(b"Cookie") or b""
        url, now = split(request.normal_url), self._wall()
        jar = CookieJar()
        if not request.meta.get("dont_merge_cookies"):
            known = self.jar(request.meta.get("cookiejar")).cookies_for(url, now)
            jar.merge({place_of(cookie): cookie for cookie in known}, now)
        for cookie in self._own(request.cookies, url, now):
            jar.set(cookie, now)
        return _field(request, jar.cookies_for(url, now))

    def on_head(self, request: Request, head: Head) -> bool:
        """Keep what a response sets (see chain.Middleware)."""
        lines = head.headers.getlist(b"Set-Cookie")
        if lines and not request.meta.get("dont_merge_cookies"):
            if self._debug:
                logger.debug("Received cookies from %s: %r", shortened(repr(request)), lines)
            self.jar(request.meta.get("cookiejar")).take(lines, split(request.normal_url), self._wall())
        return True

    def changed_facts(self) -> dict[str, Any]:
        """Return the cookies that changed, for the job store (engine.keeping.facts), each as a fact of its own:
        [jar, cookie], or None when it is gone. So two workers that share a job undo nothing of each other's."""
        facts, self._untold = self._untold, {}
        for key, jar in self.jars.items():
            facts.update(_facts(key, jar.changes()))
        return facts

    def restore_facts(self, facts: dict[str, Any]) -> None:
        """Take back what was kept, or what other workers have changed meanwhile (see `CookieJar.merge`)."""
        jars: dict[Hashable, dict[Place, Cookie | None]] = {}
        for name, value in facts.items():
            if not name.startswith(_FACT):
                continue
            if value is None:
                key, place = literal_eval(name.removeprefix(_FACT))
                jars.setdefault(key, {})[place] = None
            else:
                cookie = Cookie(*value[1])
                jars.setdefault(_hashable(value[0]), {})[place_of(cookie)] = cookie
        self._restore_domains(facts)
        for key, cookies in jars.items():
            self.jar(key).merge(cookies, self._wall())

    def _restore_domains(self, facts: dict[str, Any]) -> None:
        """Take what a job of an earlier version kept; it is kept as today's next time."""
        for name, value in facts.items():
            if name.startswith(_DOMAIN_FACT) and value is not None:
                key = _hashable(value[0])
                kept = {place_of(cookie): cookie for cookie in (Cookie(*fields) for fields in value[1])}
                self.jar(key).merge(kept, self._wall())
                self._untold.update({name: None, **_facts(key, kept)})


class ReplacedCookies(Cookies):
    """COOKIES_HEADER = "replaced", as Scrapy's CookiesMiddleware does: a Cookie header set by hand is not sent, and
    what is sent stands in the request's own headers. With meta dont_merge_cookies the request is sent as it is.

    A request's cookies that name no path are for that of its URL (RFC 6265 §5.1.4), over https if it goes over it.
    """

    def before(self, request: Request) -> bool:
        """See chain.Middleware: this is all."""
        if request.meta.get("dont_merge_cookies"):
            return True
        sends = not super().before(request)
        request.headers.pop(b"Cookie", None)
        if sends and (value := self._header(request)):
            request.headers[b"Cookie"] = value
            if self._debug:
                logger.debug("Sending cookies to %s: %r", shortened(repr(request)), value)
        return True

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        """Send the request with its cookies."""
        self.before(request)
        return await fetch(request)

    def _own(self, given: OwnCookies, url: UrlParts, now: float) -> list[Cookie]:
        if not isinstance(given, Mapping):
            whole = [each for each in given if each.get("name") is not None and each.get("value") is not None]
            if len(whole) < len(given):
                logger.warning("Cookies of a request to %s have no name or no value, and are not sent", url.host)
            given = whole
        return _own(given, url, now, path=default_path(url.path), secure=url.scheme == "https")


def _facts(key: Hashable, changes: Mapping[Place, Cookie | None]) -> dict[str, Any]:
    """Return the facts of cookies; none of a jar that no job can keep."""
    if not changes or not _is_plain(key):
        return {}
    return {
        f"{_FACT}{(key, place)!r}": None if cookie is None else [key, list(cookie)] for place, cookie in changes.items()
    }


def _field(request: Request, cookies: list[Cookie]) -> bytes:
    by_hand = request.headers.get(b"Cookie")
    if not by_hand:
        return header_of(cookies)
    named = {pair.partition(b"=")[0].strip() for pair in by_hand.split(b";")}
    return b"; ".join(filter(None, [by_hand, header_of([each for each in cookies if each.name not in named])]))


def _own(given: OwnCookies, url: UrlParts, now: float, *, path: str = "/", secure: bool = False) -> list[Cookie]:
    """Return the cookies a request names, as cookies for its host or for the domain each names."""
    cookies = given
    if isinstance(given, Mapping):
        cookies = [{"name": name, "value": value} for name, value in given.items()]
    made = []
    for each in cookies:
        if each["value"] is None:
            continue
        domain = str(each.get("domain") or "").removeprefix(".").lower()
        made.append(
            Cookie(
                _bytes(each["name"]),
                _bytes(each["value"]),
                domain or url.host,
                str(each.get("path") or path),
                not domain,
                bool(each.get("secure", secure)),
                None,
                now,
            )
        )
    return made


def _bytes(value: str | bytes | float) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _is_plain(key: Hashable) -> bool:
    return isinstance(key, str | int | float | bytes | None) or (isinstance(key, tuple) and all(map(_is_plain, key)))


def _hashable(key: Hashable | list[Hashable]) -> Hashable:
    return tuple(map(_hashable, key)) if isinstance(key, list) else key
