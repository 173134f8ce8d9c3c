"""How are the downloader, the URL schemes and the middlewares put together?"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred

from crawler.config.components import checked, constructed
from crawler.config.schema import CoreSettings
from crawler.download.builtin import BuiltIn
from crawler.download.http.downloader import FastDownloader
from crawler.download.machine import World
from crawler.download.middleware.cache.disk import Pages as CachePages
from crawler.download.middleware.cache.middleware import Fresh
from crawler.download.middleware.chain import Middleware, compile_chain
from crawler.download.net.interfaces import Reactor
from crawler.download.rules import FetchRules
from crawler.download.schemes.local import by_scheme
from crawler.download.seam import Downloader
from crawler.download.timed import TimedDownloader
from crawler.model.request import Request
from crawler.model.response import Response

logger = logging.getLogger(__name__)


class Edge:
    """Everything between the engine and the network.

    ``fetch(request)`` sends one exchange through the middlewares, the user's outermost; ``lookup(request)``
    gives the cache's fresh answer or None, and is None without a cache; ``facts`` are what a job must keep;
    ``http`` is the client for side calls. ``again`` is set by the assembly to the engine's inline fetch, which a
    middleware's second call goes to. ``make`` makes a downloader from its class; ``middlewares`` are the user's,
    outermost first; ``pages`` is where the cache's pages are kept.
    """

    def __init__(
        self,
        core: CoreSettings,
        world: World,
        *,
        make: Callable[[Any], Any],
        middlewares: Iterable[Any] = (),
        pages: CachePages | None = None,
    ) -> None:
        self.again: Callable[[Request], Awaitable[Response]] | None = None
        machine, reactor = world.machine, world.reactor
        self._clock = machine.clock

        def own(component: Any, setting: str = "SCHEMES") -> Downloader:
            return TimedDownloader(_made(component, setting, core, reactor, make), core, self._clock)

        http = world.downloader or _downloader(core, reactor=reactor, own=own)
        self._http = http
        self.http = SideCalls(http, reactor) if isinstance(http, FastDownloader) else None
        self._asked: list[tuple[Request, Deferred[Response | None]]] = []
        self._built_in = BuiltIn(core, machine, pages)
        self.facts = self._built_in.facts
        router = by_scheme(http, core, make=own)
        self._downloader = self._built_in.archived(router)
        users: list[Middleware] = [checked(each, "MIDDLEWARES", takes=2, shape=_MIDDLEWARE) for each in middlewares]
        # Fresh pages of the cache come past the middlewares at once, unless one wants to see them, too.
        sees_all = any(getattr(each, "sees_cached", False) for each in users)
        self.lookup = self._fresh if self._built_in.lookup is not None and not sees_all else None
        self.fetch: Callable[[Request], Deferred[Response]] = compile_chain(
            [*users, *self._built_in.middlewares],
            self._downloader.fetch,
            self._again,
            # Our own await nothing but the fetch: they need no asyncio Task.
            drive=machine.drive if users else Deferred.fromCoroutine,
        )

    def ask_before_repeating(self, may_repeat: Callable[[Request], bool]) -> None:
        """Let the downloader send nothing a second time by itself without this, if it does such a thing at all."""
        rules = getattr(self._http, "rules", None)
        if isinstance(rules, FetchRules):
            rules.may_repeat = may_repeat

    def ask_before_sending(self, may_send: Callable[[], bool]) -> None:
        """Let the downloader send no request's first byte without this, however long its connection took to make."""
        rules = getattr(self._http, "rules", None)
        if isinstance(rules, FetchRules):
            rules.may_send = may_send

    def _fresh(self, request: Request) -> Deferred[Response | None]:
        """Return the cache's answer to a request if it is fresh; those of one turn of the reactor come in the next."""
        answer: Deferred[Response | None] = Deferred()
        if not self._asked:
            self._clock.callLater(0, self._answer)
        self._asked.append((request, answer))
        return answer

    def _answer(self) -> None:
        asked, self._asked = self._asked, []
        for request, answer in asked:
            assert self._built_in.lookup is not None
            try:
                found = self._built_in.lookup(request)
            except Exception:  # the others of this turn wait for theirs; whoever asked takes it as a miss
                logger.exception("The cache failed at %r", request)
                answer.errback()
                continue
            answer.callback(found.response if isinstance(found, Fresh) else None)

    def _again(self, request: Request) -> Awaitable[Response]:
        if self.again is None:
            raise RuntimeError("a middleware fetched before the crawl began")
        return self.again(request)

    def close(self) -> Deferred[None]:
        """Close connections and files."""

        async def close() -> None:
            try:
                await self._downloader.close()
            finally:
                await self._built_in.close()

        return Deferred.fromCoroutine(close())


class SideCalls:
    """treq's client over our connections (see crawler.download.agent.client), made when it is first used.

    treq and twisted.web.client take 130 ms to import, which few crawls need.
    """

    def __init__(self, downloader: FastDownloader, reactor: Reactor) -> None:
        self._downloader = downloader
        self._reactor = reactor

    def __getattr__(self, name: str) -> Any:
        from crawler.download.agent.agent import FastAgent
        from crawler.download.agent.client import Client

        client = Client(FastAgent(self._downloader), reactor=self._reactor)
        # What was looked up once is found without this method from then on.
        found = getattr(client, name)
        setattr(self, name, found)
        return found


def _downloader(core: CoreSettings, *, reactor: Reactor, own: Callable[[Any, str], Downloader]) -> Downloader:
    if core.DOWNLOADER == "fast":
        return FastDownloader(core, reactor=reactor)
    if core.DOWNLOADER == "twisted":
        from crawler.download.agent.twisted import TwistedDownloader

        return TwistedDownloader(core, reactor=reactor)
    return own(core.DOWNLOADER, "DOWNLOADER")


_MIDDLEWARE = "async def __call__(self, request, fetch), or such a function (docs/extending.md)"
_DOWNLOADER = "__init__(self, settings, *, reactor), fetch(request, exchange) and close() (docs/extending.md)"


def _made(component: Any, setting: str, core: CoreSettings, reactor: Reactor, make: Callable[[Any], Any]) -> Downloader:
    """Make a user's downloader: like our own, it is given the settings and the reactor. Raises SettingError."""
    if isinstance(component, type) and not hasattr(component, "from_crawler"):
        component = constructed(setting, _DOWNLOADER, component, core, reactor=reactor)
    made: Downloader = checked(make(component), setting, has=("fetch", "close"), shape=_DOWNLOADER)
    return made
