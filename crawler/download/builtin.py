"""Which of our own middlewares and wrappers do the settings ask for?

The order around the downloader, outermost first: default headers, cache, logins, sessions, cookies, proxy
pool, the environment's proxies. The cache is outside of what differs from one sending to the next
(cookies, sessions, proxies), so that it sees the same request before it is queued and when it is sent.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from twisted.internet.defer import DeferredList

from crawler.config.schema import CoreSettings
from crawler.download.machine import Machine
from crawler.download.middleware.cache.disk import Pages as CachePages
from crawler.download.middleware.cache.middleware import Fresh, HttpCache, Stale
from crawler.download.middleware.chain import Middleware
from crawler.download.middleware.cookies.middleware import Cookies, ReplacedCookies
from crawler.download.middleware.headers import Authentication, DefaultHeaders
from crawler.download.middleware.proxy import EnvironmentProxy
from crawler.download.middleware.proxy_pool import ProxyPool
from crawler.download.middleware.sessions import Sessions
from crawler.download.seam import Downloader
from crawler.errors import OutputError
from crawler.model.request import Request
from crawler.threads import Pool


class BuiltIn:
    """``middlewares`` in their order; ``facts`` are those that a job keeps something of; ``lookup`` asks the
    cache before a request is queued, None without a cache.

    ``pages`` is where the cache's pages are kept.
    """

    def __init__(
        self,
        core: CoreSettings,
        machine: Machine,
        pages: CachePages | None = None,
    ) -> None:
        self.middlewares: list[Middleware] = []
        self.facts: list[Any] = []
        self.lookup: Callable[[Request], Fresh | Stale | None] | None = None
        self._core = core
        self._pools = machine.pools
        self._wall = wall = machine.clock.wall
        self._threads: list[Pool] = []
        self._cache: HttpCache | None = None
        defaults, authentication = DefaultHeaders(core), Authentication(core)
        kind = Cookies if core.COOKIES_HEADER == "merged" else ReplacedCookies
        cookies = kind(core, wall=wall) if core.COOKIES_ENABLED else None
        self.middlewares.append(defaults)
        if pages is not None:
            thread = self._thread("cache")
            self._cache = HttpCache(
                core, pages, thread, defaults=defaults, authentication=authentication, cookies=cookies, wall=wall
            )
            self.middlewares.append(self._cache)
            self.lookup = self._cache.lookup
        self.middlewares.append(authentication)
        self._add_clients(core, cookies)

    def _add_clients(self, core: CoreSettings, cookies: Cookies | None) -> None:
        """What makes one visitor differ from another: sessions, cookies, proxies."""
        proxies = ProxyPool(core) if core.PROXIES else None
        if core.SESSIONS:
            self.middlewares.append(Sessions(core, cookies, proxies))
        if cookies is not None:
            self.facts.append(cookies)
            self.middlewares.append(cookies)
        if proxies is not None:
            self.middlewares.append(proxies)
        elif core.HTTPPROXY_ENABLED:
            environment = EnvironmentProxy(core)
            if environment:
                self.middlewares.append(environment)

    def archived(self, downloader: Downloader) -> Downloader:
        """Return the downloader, with WARC_FILE written by what passes through it; raises OutputError."""
        if self._core.WARC_FILE is None:
            return downloader
        from crawler.download.archive.writing import ArchivingDownloader, WarcFile

        try:
            software = f"crawler/{version('surecrawl')}"
            file = WarcFile(Path(self._core.WARC_FILE), software=software, agent=self._core.USER_AGENT)
        except OSError as error:
            raise OutputError(f"WARC_FILE: cannot write {self._core.WARC_FILE}: {error.strerror or error}") from error
        except ValueError as error:
            raise OutputError(f"WARC_FILE: cannot append to {self._core.WARC_FILE}: it {error}") from error
        return ArchivingDownloader(downloader, file, self._thread("archive"), wall=self._wall)

    def _thread(self, name: str) -> Pool:
        pool = self._pools(f"crawler-{name}", 1)
        self._threads.append(pool)
        return pool

    async def close(self) -> None:
        """Write what is to be written, end the threads and close the cache, when the downloader is closed."""
        if self._cache is not None:
            await self._cache.written()
        await DeferredList([pool.stop() for pool in self._threads])
        if self._cache is not None:
            self._cache.close()
