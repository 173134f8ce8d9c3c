"""Through which proxy of a pool does a request go?

The healthy proxy with the fewest requests in flight, in turns. Requests of one cookie jar (so of one
session) stay with one proxy as long as it lives. A proxy that fails is left alone for a while, longer each
time; if all have failed, the one whose time is up first is tried, so that a crawl can recover.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from typing import Any

from twisted.internet.defer import Deferred

from crawler.config.schema import CoreSettings
from crawler.download.middleware.chain import Fetch, as_answer_to
from crawler.download.net.proxy import parse_proxy
from crawler.errors import ConnectionFailed, FetchTimeout, ProxyError, SettingError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import without_credentials

FIRST_BAN = 30.0
LONGEST_BAN = 1800.0
"""Seconds a failed proxy is left alone; doubles with each failure in a row."""

_MOST_STICKY = 10_000


class ProxyState:
    """What is known of one proxy."""

    __slots__ = ("failures", "in_flight", "url", "well_from")

    def __init__(self, url: str) -> None:
        self.url = url
        self.in_flight = 0
        self.failures = 0
        self.well_from = 0.0

    def __repr__(self) -> str:
        return f"<ProxyState {without_credentials(self.url)} in_flight={self.in_flight} failures={self.failures}>"


class ProxyPool:
    """PROXIES and PROXY_CONCURRENCY. A request that names its proxy (or None) itself passes by."""

    def __init__(self, settings: CoreSettings, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.proxies = [ProxyState(url if "://" in url else f"http://{url}") for url in dict.fromkeys(settings.PROXIES)]
        for proxy in self.proxies:
            try:
                parse_proxy(proxy.url)
            except ProxyError as error:
                raise SettingError(f"PROXIES: {error}") from error
        if not self.proxies:
            raise SettingError("PROXIES is empty: a proxy pool needs at least one")
        self._limit = settings.PROXY_CONCURRENCY
        self._clock = clock
        self._sticky: OrderedDict[Any, ProxyState] = OrderedDict()
        self._waiting: deque[Deferred[None]] = deque()
        self._turn = 0

    async def __call__(self, request: Request, fetch: Fetch) -> Response:
        """Send the request through a proxy and learn how that one is."""
        if "proxy" in request.meta:
            return await fetch(request)
        proxy = await self._free(request.meta.get("cookiejar"))
        sent = request.replace(meta={**request.meta, "proxy": proxy.url})
        try:
            response = await fetch(sent)
        except (ProxyError, ConnectionFailed) as error:
            self.failed(proxy)
            error.request = request
            raise
        except FetchTimeout as error:
            if error.phase == "connect":
                self.failed(proxy)
            raise
        else:
            proxy.failures = 0
        finally:
            proxy.in_flight -= 1
            if self._waiting:
                self._waiting.popleft().callback(None)
        return as_answer_to(request, sent, response)

    async def _free(self, jar: Hashable) -> ProxyState:
        while (proxy := self.pick(jar)) is None:
            waiting: Deferred[None] = Deferred(self._waiting.remove)
            self._waiting.append(waiting)
            await waiting
        proxy.in_flight += 1
        return proxy

    def pick(self, jar: Hashable = None) -> ProxyState | None:
        """Return the proxy whose turn it is; None if it, or all, have as many requests as they may."""
        now = self._clock()
        if jar is not None and (kept := self._sticky.get(jar)) is not None and kept.well_from <= now:
            return kept if self._has_room(kept) else None
        proxy = self._next(now)
        if proxy is not None and jar is not None:
            self._sticky[jar] = proxy
            if len(self._sticky) > _MOST_STICKY:
                self._sticky.popitem(last=False)
        return proxy

    def _has_room(self, proxy: ProxyState) -> bool:
        return not self._limit or proxy.in_flight < self._limit

    def _next(self, now: float) -> ProxyState | None:
        count = len(self.proxies)
        self._turn = (self._turn + 1) % count
        in_turn = [self.proxies[(self._turn + offset) % count] for offset in range(count)]
        well = [proxy for proxy in in_turn if proxy.well_from <= now]
        if not well:
            well = [min(in_turn, key=lambda proxy: proxy.well_from)]
        free = [proxy for proxy in well if self._has_room(proxy)]
        return min(free, key=lambda proxy: proxy.in_flight, default=None)

    def failed(self, proxy: ProxyState) -> None:
        """Leave a proxy alone for a while."""
        ban: float = min(FIRST_BAN * 2**proxy.failures, LONGEST_BAN)
        proxy.failures += 1
        proxy.well_from = self._clock() + ban

    def forget(self, jar: Hashable) -> None:
        """A cookie jar is gone: the next one of that name gets a proxy of its own."""
        self._sticky.pop(jar, None)
