"""How is a request sent by Twisted's own Agent?

The second downloader: slower than crawler.download.http and made of other parts, so that each can be
checked against the other. It uses the Agent that treq uses, without treq's client around it, which would
gunzip without limit and follow redirects. There are no side calls (``self.http``) over it.

Known limits, which are the Agent's: names of header fields are sent in Title-Case; a header line above
16 kB is refused; only HTTP/1.1.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.web.client import HTTPConnectionPool

from crawler.config.schema import CoreSettings
from crawler.download.agent.twisted_connection import AgentOpener
from crawler.download.agent.twisted_fetch import AgentFetch
from crawler.download.http.connection import Route, bind_address_of
from crawler.download.net.interfaces import Reactor
from crawler.download.net.network import Network
from crawler.download.net.proxy import parse_proxy
from crawler.download.rules import FetchRules
from crawler.download.seam import Exchange
from crawler.errors import FetchError
from crawler.model.request import Request
from crawler.model.response import Response


class TwistedDownloader:
    """The Downloader (see crawler.download.seam) over Twisted's Agent and its HTTPConnectionPool.

    ``clock`` is monotonic, in seconds.
    """

    def __init__(
        self,
        settings: CoreSettings,
        *,
        reactor: Reactor,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.rules = FetchRules(settings)
        self.reactor = reactor
        self.clock = clock
        self._fetches: set[AgentFetch] = set()
        self.pool = HTTPConnectionPool(reactor, persistent=True)
        # The fetch itself decides what is safe to repeat.
        self.pool.retryAutomatically = False
        self.pool.maxPersistentPerHost = max(settings.CONCURRENT_REQUESTS_PER_DOMAIN, 1)
        self.pool.cachedConnectionTimeout = max(settings.KEEP_ALIVE_SECONDS, 0.001)  # type: ignore[assignment]  # a float does
        self._network = Network(settings, reactor, clock=clock)
        self.opener = AgentOpener(settings, self._network)

    def __repr__(self) -> str:
        return f"<TwistedDownloader {len(self._fetches)} under way>"

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        fetch = AgentFetch(self, request, exchange or Exchange())
        try:
            route = self._route(request)
        except FetchError as error:
            fetch.fail(error)
            return fetch.deferred
        self._fetches.add(fetch)
        fetch.ended = self._fetches.discard
        fetch.start(route)
        return fetch.deferred

    def _route(self, request: Request) -> Route:
        bind_address = bind_address_of(request, self._network.bind_address)
        proxy = request.meta.get("proxy")
        key = (request.origin, proxy, bind_address)
        return Route(key, request.origin, parse_proxy(proxy) if proxy else None, bind_address)

    def close(self) -> Deferred[None]:
        """See crawler.download.seam.Downloader."""
        for fetch in list(self._fetches):
            fetch.deferred.cancel()
        self._network.close()
        closed: Deferred[None] = self.pool.closeCachedConnections()
        return closed.addCallback(lambda _: None)
