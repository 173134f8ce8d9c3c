"""How are the downloader, the URL schemes and the middlewares put together?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred

from crawler.config.schema import CoreSettings
from crawler.download.fast.downloader import FastDownloader
from crawler.download.middleware.auth import Authentication
from crawler.download.middleware.chain import Drive, Middleware, compile_chain
from crawler.download.middleware.cookies import Cookies
from crawler.download.middleware.headers import DefaultHeaders
from crawler.download.middleware.proxy import EnvironmentProxy
from crawler.download.schemes import SchemeRouter
from crawler.download.seam import Downloader
from crawler.download.twisted import TwistedDownloader
from crawler.model.request import Request
from crawler.model.response import Response


class Edge:
    """Everything between the engine and the network.

    ``fetch(request)`` sends one exchange through the middlewares, the user's outermost; ``facts`` are what
    a job must keep of it. ``again`` is set by the assembly to the engine's inline fetch, which a
    middleware's second call goes to. ``make`` makes a component from its class; ``drive`` runs users'
    coroutines.
    """

    def __init__(
        self,
        core: CoreSettings,
        *,
        reactor: Any,
        make: Callable[[Any], Any],
        drive: Drive,
        downloader: Downloader | None = None,
    ) -> None:
        self.again: Callable[[Request], Awaitable[Response]] | None = None
        self.facts: list[Any] = []
        self.http: Any = None
        http = downloader or _downloader(core, reactor=reactor, make=make)
        self._downloader = SchemeRouter.assembled(http, core, make=lambda cls: _made(cls, core, reactor, make))
        users: list[Middleware] = [make(each) for each in core.MIDDLEWARES]
        self.fetch: Callable[[Request], Deferred[Response]] = compile_chain(
            [*users, *self._built_in(core)],
            self._downloader.fetch,
            self._again,
            # Our own await nothing but the fetch: they need no asyncio Task.
            drive=drive if users else Deferred.fromCoroutine,
        )

    def _built_in(self, core: CoreSettings) -> list[Middleware]:
        middlewares: list[Middleware] = [DefaultHeaders(core), Authentication(core)]
        if core.COOKIES_ENABLED:
            cookies = Cookies(core)
            self.facts.append(cookies)
            middlewares.append(cookies)
        return [*middlewares, EnvironmentProxy(core)]

    def _again(self, request: Request) -> Awaitable[Response]:
        if self.again is None:
            raise RuntimeError("a middleware fetched before the crawl began")
        return self.again(request)

    def close(self) -> Deferred[None]:
        """Close connections and files."""
        return self._downloader.close()


def _downloader(core: CoreSettings, *, reactor: Any, make: Callable[[Any], Any]) -> Downloader:
    if core.DOWNLOADER == "fast":
        return FastDownloader(core, reactor=reactor)
    if core.DOWNLOADER == "twisted":
        return TwistedDownloader(core, reactor=reactor)
    return _made(core.DOWNLOADER, core, reactor, make)


def _made(component: Any, core: CoreSettings, reactor: Any, make: Callable[[Any], Any]) -> Downloader:
    """Make a user's downloader: like our own, it is given the settings and the reactor."""
    if isinstance(component, type) and not hasattr(component, "from_crawler"):
        component = component(core, reactor=reactor)
    made: Downloader = make(component)
    return made

