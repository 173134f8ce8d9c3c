"""How is a request sent and its response read, as fast as the machine allows?"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Any

from twisted.internet.defer import Deferred

from crawler.config.schema import CoreSettings
from crawler.download.http.connection import Route, bind_address_of
from crawler.download.http.fetch import Fetch
from crawler.download.http.opener import ConnectionOpener
from crawler.download.http.pool import Pool
from crawler.download.net.interfaces import Reactor
from crawler.download.net.names import Lookup
from crawler.download.net.network import Network
from crawler.download.net.proxy import parse_proxy, with_authorization
from crawler.download.rules import FetchRules
from crawler.download.seam import Exchange
from crawler.download.wire.request import request_head, target_of
from crawler.errors import FetchError
from crawler.model.fields import Files
from crawler.model.request import Request
from crawler.model.response import Response


class FastDownloader:
    """The Downloader (see crawler.download.seam) over our own connection layer.

    Any Twisted reactor does. ``clock`` is monotonic, in seconds; ``lookup`` replaces DNS_RESOLVER.
    """

    def __init__(
        self,
        settings: CoreSettings,
        *,
        reactor: Reactor,
        clock: Callable[[], float] = time.monotonic,
        lookup: Lookup | None = None,
    ) -> None:
        self.clock = clock
        self.reactor = reactor
        self.rules = FetchRules(settings)
        self._network = network = Network(settings, reactor, clock=clock, lookup=lookup)
        self._bind_address = network.bind_address
        self.names = network.names
        self.pool = Pool(settings, network, ConnectionOpener(settings, network))

    def __repr__(self) -> str:
        return f"<FastDownloader {self.pool!r}>"

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        fetch = Fetch(request, exchange, self.rules, self.pool)
        now = self.clock()
        try:
            meta = request.meta
            route = self.pool.routes.get(request.origin)
            if route is None or "proxy" in meta or "bindaddress" in meta or self._bind_address:
                route = self._other_route(request, meta)
            fetch.route = route
            fetch.configure(meta, now)
            self._write(fetch, request, route, meta.get("files"))
        except FetchError as error:
            fetch.refuse(error)
            return fetch.deferred
        self.pool.send(fetch, now)
        return fetch.deferred

    def _write(self, fetch: Fetch, request: Request, route: Route, files: Files | None) -> None:
        body = request.body
        headers = request.headers.raw()
        length: int | None = len(body)
        if files:
            # Loaded here: treq's client takes 130 ms that most crawls never need.
            from crawler.download.agent.upload import multipart

            source, kind = multipart(files, body, self.reactor)
            headers = [field for field in headers if field[0].lower() != b"content-type"]
            headers.append((b"Content-Type", kind))
            fetch.body_source, length, body = source, source.length, b""
        head = request_head(
            route,
            request.method,
            target_of(request.normal_url),
            headers,
            length=length,
            accept_encoding=self.rules.decode,
        )
        fetch.payload = head + body if body else head

    def _other_route(self, request: Request, meta: dict[str, Any]) -> Route:
        bind_address, proxy = bind_address_of(request, self._bind_address), meta.get("proxy")
        if proxy and (field := request.headers.get(b"Proxy-Authorization")) is not None:
            proxy = with_authorization(proxy, field)
        return self.route(request.origin, proxy=proxy, bind_address=bind_address)

    def route(self, origin: str, *, proxy: str | None = None, bind_address: str | None = None) -> Route:
        """Return the way to "scheme://host:port"; raises ProxyError if ``proxy`` is no proxy's URL."""
        key: Hashable = (origin, proxy, bind_address) if proxy or bind_address else origin
        route = self.pool.routes.get(key)
        if route is None:
            route = Route(key, origin, parse_proxy(proxy) if proxy else None, bind_address)
            self.pool.routes[key] = route
        return route

    def close(self) -> Deferred[None]:
        """See crawler.download.seam.Downloader."""
        self._network.close()
        return self.pool.close()
