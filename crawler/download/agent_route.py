"""Over which connections does a request go, when Twisted's Agent sends it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from crawler.download.fast.dial import Dialler
from crawler.download.fast.route import Proxy
from crawler.download.tunnel import connect_through
from crawler.download.watched import WatchedEndpoint
from crawler.errors import ProxyError
from crawler.model.url import split

TLSCreator = Callable[[str], Any]
"""Returns the IOpenSSLClientConnectionCreator for a host name, by the settings."""


@implementer(IAgentEndpointFactory)
class AgentRoute:
    """One way to one origin; ``key`` tells which connections may be shared."""

    def __init__(
        self,
        origin: str,
        *,
        proxy: Proxy | None,
        bind_address: str | None,
        dialler: Dialler,
        tls: TLSCreator,
        head_limit: int,
    ) -> None:
        parts = split(origin + "/")
        assert parts.port is not None
        self.key = (origin, proxy, bind_address)
        self.proxy = proxy
        self.host = parts.host
        self.port = parts.port
        self.secure = parts.scheme == "https"
        self._bind_address = bind_address
        self._dialler = dialler
        self._tls = tls
        if proxy is not None and proxy.scheme not in ("http", "https"):
            message = f'{proxy.label}: DOWNLOADER = "twisted" knows no {proxy.scheme} proxies; "fast" does'
            raise ProxyError(message, sent=False)
        self.endpoint = WatchedEndpoint(self._connect, head_limit)

    @property
    def where(self) -> str:
        """The peer as messages name it."""
        return f"{self.host}:{self.port}"

    @property
    def absolute(self) -> bool:
        """Whether the request line holds the whole URL (RFC 9112 section 3.2.2): plain HTTP to a proxy."""
        return self.proxy is not None and not self.secure

    def endpointForURI(self, uri: Any) -> WatchedEndpoint:
        """Return the endpoint (IAgentEndpointFactory)."""
        return self.endpoint

    def _connect(self, factory: Any) -> Deferred[Any]:
        connect = self._dial
        if self.proxy is not None:
            connect = self._dial_proxy
            if self.secure:
                connect = self._through
        return _over_tls(connect, factory, self._tls(self.host)) if self.secure else connect(factory)

    def _dial(self, factory: Any) -> Deferred[Any]:
        return self._dialler.dial(self.host, self.port, factory, bind_address=self._bind_address)

    def _dial_proxy(self, factory: Any) -> Deferred[Any]:
        proxy = self.proxy
        assert proxy is not None

        def dial(inner: Any) -> Deferred[Any]:
            return self._dialler.dial(
                proxy.host, proxy.port, inner, bind_address=self._bind_address, trusted=True
            ).addErrback(lambda failure: _unusable(failure, proxy))

        return _over_tls(dial, factory, self._tls(proxy.host)) if proxy.scheme == "https" else dial(factory)

    def _through(self, factory: Any) -> Deferred[Any]:
        assert self.proxy is not None
        host = f"[{self.host}]" if ":" in self.host else self.host
        return connect_through(
            self._dial_proxy,
            factory,
            authority=f"{host}:{self.port}",
            label=self.proxy.label,
            authorization=self.proxy.authorization,
        )


def _over_tls(connect: Callable[[Any], Deferred[Any]], factory: Any, creator: Any) -> Deferred[Any]:
    wrapped = TLSMemoryBIOFactory(creator, isClient=True, wrappedFactory=factory)
    wrapped.noisy = False
    return connect(wrapped).addCallback(lambda protocol: protocol.wrappedProtocol)


def _unusable(failure: Any, proxy: Proxy) -> Any:
    error = ProxyError(f"the proxy {proxy.label} cannot be used: {failure.value}", sent=False)
    raise error from failure.value
