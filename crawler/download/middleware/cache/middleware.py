"""Which requests need no network, because their answer is kept?

HTTPCACHE_POLICY: "rfc9111" gives what is fresh and asks again about what is stale; "everything" gives
whatever is kept, for development; "replay" gives that and never asks: what is not kept is an error. With SINCE
every kept page is asked about, fresh or not, but for one whose meta ``lastmod`` says that it has not changed.

An engine may ask `HttpCache.lookup` before it queues a request: Fresh needs no delay, robots.txt or place
at the host. The middleware looks again when the request is sent, so it is right with or without that.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import NamedTuple

from crawler.config.schema import CoreSettings
from crawler.download.middleware.cache.disk import KeptPages, Pages
from crawler.download.middleware.chain import Fetch, as_answer_to
from crawler.download.middleware.cookies.middleware import Cookies
from crawler.download.middleware.headers import Authentication, DefaultHeaders
from crawler.errors import NotInCache
from crawler.model.cached import CachedPage
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import is_http, shortened, without_fragment
from crawler.policy.freshness import (
    Kept,
    age,
    contradicts,
    fresh_until,
    freshened,
    invalidates,
    is_fresh,
    may_store,
    stored,
    validators,
    variant,
    vary,
)
from crawler.policy.lastmod import still_holds
from crawler.threads import Pool

# Such requests want something of their own, which the page kept for their URL is not.
_OWN_CONDITIONS = frozenset(
    (b"if-none-match", b"if-modified-since", b"if-match", b"if-unmodified-since", b"if-range", b"range")
)
_MOST_MISSES = 10_000
_NOT_KEPT = frozenset(("stopped", "dataloss", "cached", "local"))


class Fresh(NamedTuple):
    """The answer is here."""

    response: Response


class Stale(NamedTuple):
    """An answer is kept, and ``validators`` (header fields) ask the server whether it still holds."""

    validators: list[tuple[bytes, bytes]]
    page: CachedPage


class HttpCache:
    """The cache of a crawl. meta ``dont_cache`` (Scrapy's) passes by."""

    def __init__(
        self,
        settings: CoreSettings,
        pages: Pages,
        thread: Pool,
        *,
        defaults: DefaultHeaders,
        authentication: Authentication,
        cookies: Cookies | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._policy = settings.HTTPCACHE_POLICY
        self._asks = settings.SINCE is not None
        self._ignored = frozenset(settings.HTTPCACHE_IGNORE_HTTP_CODES)
        self._pages = KeptPages(pages, thread)
        # What was looked for in vain before it was queued: it is not looked for again when it is sent.
        self._misses: OrderedDict[bytes, None] = OrderedDict()
        self._defaults = defaults
        self._authentication = authentication
        self._cookies = cookies if settings.HTTPCACHE_POLICY == "rfc9111" else None  # a replay has none to compare
        self._wall = wall

    def __repr__(self) -> str:
        return f"<HttpCache {self._policy} {self._pages!r}>"

    def lookup(self, request: Request) -> Fresh | Stale | None:
        """Return what is kept for a request; None: nothing that helps. A damaged page is None."""
        if self._again(request) or not self._concerns(request):
            return None
        self._defaults.before(request)
        return self._found(request, self._key(request))

    def _again(self, request: Request) -> bool:
        """Tell whether a retry wants another answer than the one that is kept; a replay has no other."""
        return bool(request.meta.get("retry_times")) and self._policy != "replay"

    def _found(self, request: Request, key: bytes) -> Fresh | Stale | None:
        found = self._judged(request, self._pages.find(key))
        if found is None:
            self._misses[key] = None
            if len(self._misses) > _MOST_MISSES:
                self._misses.popitem(last=False)
        return found

    def _judged(self, request: Request, pages: list[CachedPage]) -> Fresh | Stale | None:
        headers = request.headers
        page = next((page for page in pages if not page.vary or self._is_for(page, request)), None)
        if page is None:
            return None
        if self._policy != "rfc9111":
            return self._fresh(page, request)
        if self._asks:
            fresh = still_holds(request.meta.get("lastmod"), _kept(page))
        elif page.fresh_until and b"Cache-Control" not in headers and b"Pragma" not in headers:
            fresh = self._wall() < page.fresh_until
        else:
            fresh = is_fresh(headers, _kept(page), self._wall())
        if fresh:
            return self._fresh(page, request)
        fields = validators(_kept(page))
        return Stale(fields, page) if fields else None

    def _is_for(self, page: CachedPage, request: Request) -> bool:
        """Tell whether a page that depends on fields was the answer to such a request (RFC 9111 section 4.1)."""
        if b"cookie" not in page.vary:
            return variant(page.vary, request.headers) == page.said
        asked = self._asked(request)
        pairs = zip(variant(page.vary, asked), page.said, page.vary, strict=True)
        return all(now == then or (name == b"cookie" and self._cookies is None) for now, then, name in pairs)

    def _asked(self, request: Request) -> Headers:
        """Return the fields with which a request is sent, the jar's cookies among them."""
        cookie = None if self._cookies is None else self._cookies.sent_with(request)
        if not cookie:
            return request.headers
        headers = request.headers.copy()
        headers[b"Cookie"] = cookie
        return headers

    def _fresh(self, page: CachedPage, request: Request) -> Fresh:
        response = _response(page, request, ["cached"])
        response.headers[b"Age"] = b"%d" % age(_kept(page), self._wall())  # RFC 9111 section 4
        return Fresh(response)

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        """Answer from the cache, or keep the answer of the network."""
        if not self._concerns(request):
            return await self._past(request, fetch)
        key = self._key(request)
        again = key in self._misses or self._again(request)
        found = None if again else self._found(request, key)
        self._misses.pop(key, None)
        if isinstance(found, Fresh):
            return found.response
        if self._policy == "replay":
            raise NotInCache(
                f"not in the cache, and HTTPCACHE_POLICY is replay: {shortened(repr(request))}", request=request
            )
        sent = request
        if found is not None:
            headers = request.headers.copy()
            headers.update(found.validators)
            sent = request.replace(headers=headers)
        began, asked = self._wall(), self._asked(request)
        response = as_answer_to(request, sent, await fetch(sent))
        answer = Kept(response.status, response.headers, began, self._wall())
        return await self._learn(request, key, response, found, answer, asked)

    async def _past(self, request: Request, fetch: Fetch) -> Response:
        if self._policy == "replay" and is_http(request.normal_url):
            raise NotInCache(
                f"HTTPCACHE_POLICY is replay, and this is never kept: {shortened(repr(request))}", request=request
            )
        response = await fetch(request)
        if invalidates(request.method, response.status) or self._contradicted(request, response):
            self._pages.remove(self._key(request, method="GET"))
        return response

    def _contradicted(self, request: Request, response: Response) -> bool:
        if request.method != "HEAD" or response.status != 200:
            return False
        pages = self._pages.find(self._key(request, method="GET"))
        return any(self._is_for(page, request) and contradicts(response.headers, _kept(page)) for page in pages)

    def _concerns(self, request: Request) -> bool:
        meta, headers = request.meta, request.headers
        if self._policy == "rfc9111" and (request.method != "GET" or request.body):
            return False
        if not is_http(request.normal_url) or meta.get("dont_cache") or "download_file" in meta or "files" in meta:
            return False
        if (headers.get(b"Authorization") or b"")[:7].lower() == b"digest ":
            return False  # half of a login; its outcome is kept for the request that wanted it
        return not any(name.lower() in _OWN_CONDITIONS for name, _ in headers.raw())

    def _key(self, request: Request, *, method: str | None = None) -> bytes:
        """A page belongs to what was asked for and to who asked: another user's page is never given."""
        body = b"" if method or self._policy == "rfc9111" else request.body
        who = (
            request.headers.get(b"Authorization"),
            self._authentication.user_of(request),
            request.meta.get("cookiejar"),
        )
        text = f"{method or request.method} {without_fragment(request.normal_url)}\n"
        if any(part is not None for part in who):
            text += f"{who!r}\n"
        return blake2b(text.encode("utf-8", "replace") + body, digest_size=16).digest()

    async def _learn(
        self, request: Request, key: bytes, response: Response, stale: Stale | None, answer: Kept, asked: Headers
    ) -> Response:
        if stale is not None and response.status == 304:
            kept = freshened(_kept(stale.page), answer)
            page = _page(
                asked, request.url, kept, stale.page.body, protocol=response.protocol, reason=stale.page.reason
            )
            if b"*" not in page.vary:  # RFC 9111 section 4.1: that would match no request
                await self._keep(key, page)
            return _response(page, request, ["cached", "revalidated"])
        if self._may_keep(request, response, answer):
            kept = stored(answer)
            page = _page(asked, request.url, kept, response.body, protocol=response.protocol, reason=response.reason)
            await self._keep(key, page)
        return response

    async def _keep(self, key: bytes, page: CachedPage) -> None:
        full = self._pages.keep(key, page)
        if full is not None:
            await full

    def written(self) -> Awaitable[None]:
        """Wait until every page is in the file."""
        return self._pages.written()

    def close(self) -> None:
        """Close the file, when all is ``written`` and the cache's thread has ended."""
        self._pages.close()

    def _may_keep(self, request: Request, response: Response, answer: Kept) -> bool:
        if response.body_file is not None or response.status in self._ignored:
            return False
        if not _NOT_KEPT.isdisjoint(response.flags):
            return False
        return self._policy == "everything" or may_store(request.method, request.headers, answer)


def _kept(page: CachedPage) -> Kept:
    return Kept(page.status, Headers.from_raw(list(page.headers)), page.sent, page.received)


def _page(asked: Headers, url: str, kept: Kept, body: bytes, *, protocol: str | None, reason: str) -> CachedPage:
    names = vary(kept.headers)
    return CachedPage(
        url,
        kept.status,
        kept.headers.raw(),
        kept.sent,
        kept.received,
        names,
        variant(names, asked),
        protocol,
        reason,
        body,
        fresh_until(kept),
    )


def _response(page: CachedPage, request: Request, flags: list[str]) -> Response:
    return Response(
        request.url,
        page.status,
        Headers.from_raw(list(page.headers)),
        page.body,
        flags=flags,
        request=request,
        protocol=page.protocol,
        latency=0.0,
        reason=page.reason,
    )
