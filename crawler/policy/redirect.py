"""Does a response send us elsewhere, and what of the request goes along?

Statuses and methods by RFC 9110 §15.4: 301 and 302 turn a POST into a GET, 303 turns everything but HEAD
into a GET, 307 and 308 change nothing. A request that lost its body loses its Content-* headers and
files. Credentials go to the origin (scheme, host, port) they were given for and to no other: not to another
port, not from http to https, not to a sub-domain. Only http and https targets.

Chains are counted, not compared with earlier URLs: a redirect to the same URL with a new cookie is a
real pattern and works; a loop ends as TooManyRedirects.

A redirect may say how long to wait before it is followed (RFC 9110 §10.2.3, Retry-After).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crawler.errors import BadResponse, TooManyRedirects, UnsupportedScheme
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import is_http, join, origin_of, without_fragment
from crawler.policy.refresh import mentions_refresh, refresh_of
from crawler.policy.retry import retry_after
from crawler.policy.scope import referer_for
from crawler.policy.verdict import GiveUp, Later

# Host belongs here too: a name written by hand is true of one server only.
_OF_ONE_ORIGIN = (b"Authorization", b"Cookie", b"Proxy-Authorization", b"Host")
# Beside the Content-* fields, these describe a body or how it is handed over (RFC 9110 §15.4, Fetch §4.4).
_OF_A_BODY = (b"transfer-encoding", b"expect", b"trailer", b"digest")


def without_secrets(headers: Headers, meta: dict[str, Any]) -> tuple[Headers, dict[str, Any]]:
    """Return copies for another origin: no credentials, none of the headers meta names in
    ``secret_headers``, no ``auth``. The proxy and the names of cookie jar and session stay: they are ours.
    """
    headers = headers.copy()
    secret = meta.get("secret_headers") or ()
    for name in (*_OF_ONE_ORIGIN, *([secret] if isinstance(secret, str | bytes) else secret)):
        headers.pop(name, None)
    return headers, {key: value for key, value in meta.items() if key != "auth"}


def without_body(headers: Headers, meta: dict[str, Any]) -> tuple[Headers, dict[str, Any]]:
    """Return copies for a request that has lost its body: no field that describes one, no ``files``."""
    headers = headers.copy()
    for name in {name.lower() for name, _ in headers.raw()}:
        if name.startswith(b"content-") or name in _OF_A_BODY:
            headers.pop(name, None)
    return headers, {key: value for key, value in meta.items() if key != "files"}


REDIRECTS = frozenset({301, 302, 303, 307, 308})

METHOD_KEY = "redirect_method"
"""The meta key of a redirected request that tells the method of the first of its chain, unless that is GET or HEAD:
what comes is the answer to that one, and not a page that may have been seen."""


@dataclass(frozen=True, slots=True)
class RedirectRules:
    """The settings of those names, and the spider's ``handle_httpstatus_list``.

    ``refers_to_redirect``: the page that redirects is the Referer of what follows, as in Scrapy, and not the one that
    had the link. ``join`` makes a URL of the page's and a Location; it may raise ValueError, as ours does.
    ``follows_itself``: so does a page whose meta refresh leads to itself, cookie or not.
    """

    redirect_enabled: bool = True
    redirect_max_times: int = 20
    redirect_priority_adjust: int = 2
    metarefresh_enabled: bool = True
    metarefresh_maxdelay: float = 100.0
    metarefresh_ignore_tags: tuple[str, ...] = ("noscript",)
    referrer_policy: str = "strict-origin-when-cross-origin"
    handle_httpstatus_list: frozenset[int] = frozenset()
    retry_after_max: float = 600.0
    refers_to_redirect: bool = False
    join: Callable[[str, str], str] = join
    follows_itself: bool = False


def redirect_verdict(
    request: Request, response: Response, rules: RedirectRules, *, wall: float = 0.0
) -> Later | GiveUp | None:
    """Return Later with the request for the target, GiveUp for a target that is none, too many hops or
    another scheme, or None: no redirect, or one that the user wants to see.

    The meta keys are Scrapy's: dont_redirect, redirect_ttl, handle_httpstatus_list, handle_httpstatus_all are read;
    redirect_times, redirect_urls and redirect_reasons tell the chain, redirect_ttl how many more may follow. Whether
    the target is in scope and new is for the engine to ask. ``wall`` is the time as seconds since 1970 for a
    ``Retry-After`` date.
    """
    if response.status in REDIRECTS:
        return _by_status(request, response, rules, wall)
    if rules.metarefresh_enabled and response.body_file is None and mentions_refresh(response.body):
        return _by_meta_refresh(request, response, rules)
    return None


def _by_status(request: Request, response: Response, rules: RedirectRules, wall: float) -> Later | GiveUp | None:
    location = response.headers.get(b"Location")
    if location is None or not rules.redirect_enabled:
        return None
    meta = request.meta
    status = response.status
    if (
        meta.get("dont_redirect")
        or meta.get("handle_httpstatus_all")
        or status in (meta.get("handle_httpstatus_list") or ())
        or status in rules.handle_httpstatus_list
    ):
        return None
    try:
        target = rules.join(request.url, _text(location))
    except ValueError as error:
        return GiveUp(BadResponse(f"status {status} with a Location that is {_short(str(error))}", request=request))
    if "#" not in target and "#" in request.url:
        target += request.url[request.url.index("#") :]  # RFC 9110 §10.2.2: the fragment is inherited
    to_get = (status in (301, 302) and request.method == "POST") or (
        status == 303 and request.method not in ("GET", "HEAD")
    )
    seconds = min(retry_after(response, wall) or 0.0, rules.retry_after_max)
    return _follow(request, response, target, rules, reason=status, to_get=to_get, seconds=seconds)


def _by_meta_refresh(request: Request, response: Response, rules: RedirectRules) -> Later | GiveUp | None:
    """A page that tells its reader to load it again is a page, not a redirect, unless it sets a cookie:
    then it wants to be asked again with it. The delay is kept: the request comes not before."""
    if request.method == "HEAD" or request.meta.get("dont_redirect") or not is_http(request.url):
        return None
    refresh = refresh_of(response, rules.metarefresh_ignore_tags)
    if refresh is None or not is_http(refresh.url) or refresh.seconds >= rules.metarefresh_maxdelay:
        return None
    itself = without_fragment(refresh.url) == without_fragment(request.url)
    if itself and b"Set-Cookie" not in response.headers and not rules.follows_itself:
        return None
    return _follow(request, response, refresh.url, rules, reason="meta refresh", to_get=True, seconds=refresh.seconds)


def _follow(
    request: Request,
    response: Response,
    target: str,
    rules: RedirectRules,
    *,
    reason: int | str,
    to_get: bool,
    seconds: float,
) -> Later | GiveUp:
    if not is_http(target):
        refused = f"redirected from {request.url} to {_short(target)}"
        return GiveUp(UnsupportedScheme(refused, request=request, sent=False))
    headers, meta = request.headers, request.meta
    times = meta.get("redirect_times", 0) + 1
    left = meta.get("redirect_ttl", rules.redirect_max_times)
    if times > rules.redirect_max_times or left < 1:
        return GiveUp(TooManyRedirects(f"{times - 1} redirects, and one more to {_short(target)}", request=request))
    chain: dict[str, Any] = {
        "redirect_times": times,
        "redirect_ttl": left - 1,
        "redirect_urls": [*meta.get("redirect_urls", ()), request.url],
        "redirect_reasons": [*meta.get("redirect_reasons", ()), reason],
    }
    if request.method not in ("GET", "HEAD"):
        chain[METHOD_KEY] = request.method
    changes: dict[str, Any] = {}
    if request.origin != origin_of(target):
        headers, meta = without_secrets(headers, meta)
    if to_get:
        headers, meta = without_body(headers, meta)
        changes = {"method": "GET", "body": b""}
    redirected = request.replace(
        url=target,
        headers=_with_referer(headers, target, response, meta.get("referrer_policy") or rules.referrer_policy, rules),
        cookies=None,  # they are in the jar by now, which knows whom they are for
        meta={**meta, **chain},
        priority=request.priority + rules.redirect_priority_adjust,
        **changes,
    )
    return Later(redirected, seconds, "redirect", str(reason), response.status)


def _with_referer(headers: Headers, target: str, response: Response, policy: str, rules: RedirectRules) -> Headers:
    """The referrer of a chain stays the page that had the link (Fetch §4.4), cut to what the policy and
    the redirect's own Referrer-Policy allow the target to know."""
    page = response.url if rules.refers_to_redirect else headers.text(b"Referer")
    if not page:
        return headers
    headers = headers.copy()
    allowed = None
    if is_http(page):
        allowed = referer_for(page, target, policy, response.headers.text(b"Referrer-Policy"))
    if allowed is None:
        headers.pop(b"Referer", None)
    else:
        headers[b"Referer"] = allowed
    return headers


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"


def _text(location: bytes) -> str:
    """Servers send UTF-8, or bytes that only they understand, and shall get back as they are."""
    try:
        return location.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in location)
