"""How does a route get a connection: directly, through TLS, through a proxy?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate
from twisted.protocols.tls import TLSMemoryBIOFactory

from crawler.config.schema import CoreSettings
from crawler.download.http.connection import BaseConnection, Owner, Route, Terms
from crawler.download.http1.connection import HttpConnection
from crawler.download.net.failures import ssl_reason
from crawler.download.net.guard import may_be_public
from crawler.download.net.network import Network
from crawler.download.net.preamble import Preamble, PreambleFactory
from crawler.download.net.tls import Handshake, Trust
from crawler.download.net.tunnel import connect_through, socks_through
from crawler.download.wire.head import HeadLimits
from crawler.errors import AddressForbidden, TLSError


class ConnectionOpener:
    """Makes connections that carry HTTP, over TLS and through proxies as a route needs."""

    def __init__(self, settings: CoreSettings, network: Network) -> None:
        self._network = network
        self._trust = Trust(
            verify=settings.TLS_VERIFY,
            min_version=settings.TLS_MIN_VERSION,
            ca_file=settings.TLS_CA_FILE,
            hosts=settings.TLS_HOSTS,
        )
        limits = HeadLimits(settings.HEADER_MAX_LINE, settings.HEADER_MAX_COUNT, settings.HEADER_MAX_TOTAL)
        self._terms = Terms(limits, settings.DOWNLOAD_READ_TIMEOUT, network.clock, network.deadlines)
        self._http2 = settings.HTTP2_ENABLED
        self._preambles = PreambleFactory()

    def open(self, route: Route, owner: Owner) -> Deferred[BaseConnection]:
        """Connect; fails with any exception. The connection goes back to its owner when it is not in use."""
        return Deferred.fromCoroutine(self._open(route, owner))

    async def _open(self, route: Route, owner: Owner) -> BaseConnection:
        proxy = route.proxy
        host, port = (route.host, route.port) if proxy is None else (proxy.host, proxy.port)
        if proxy is not None and self._network.deny_private and not may_be_public(route.host):
            raise AddressForbidden(f"{route.host} is not public (DENY_PRIVATE_ADDRESSES)", sent=False)
        preamble: Preamble = await self._network.dialler.dial(
            host, port, self._preambles, bind_address=route.bind_address, trusted=proxy is not None
        )
        handshake: Handshake | None = None
        try:
            if proxy is not None:
                if proxy.scheme == "https":
                    preamble, _ = await self._secure(preamble, proxy.host, proxy.port, [])
                if proxy.scheme.startswith("socks5"):
                    await socks_through(preamble, proxy, route.host, route.port)
                elif route.secure:
                    await connect_through(preamble, proxy, route.host, route.port)
            if route.secure:
                preamble, handshake = await self._secure(preamble, route.host, route.port, self._protocols(route))
        except BaseException:
            preamble.abort()
            raise
        connection = self._connection(owner, preamble)
        if handshake is not None:
            peer = handshake.connection.get_peer_certificate()
            connection.certificate = None if peer is None else Certificate(peer)
            connection.handshake = handshake
        preamble.hand_over(connection)
        return connection

    async def _secure(
        self, preamble: Preamble, host: str, port: int, protocols: list[bytes]
    ) -> tuple[Preamble, Handshake]:
        """Put TLS on the connection and judge the peer; raises TLSError."""
        handshake = self._trust.handshake(host, port, protocols)
        inner = Preamble()
        make_factory: Any = TLSMemoryBIOFactory
        factory = make_factory(handshake, True, _Only(inner), self._network.reactor)
        preamble.hand_over(factory.buildProtocol(None))
        try:
            await inner.secured
            handshake.check_name()
        except (SSL.Error, ConnectionDone, ConnectionLost) as error:
            inner.abort()
            why = handshake.problem or ssl_reason(error)
            raise TLSError(f"TLS with {host}:{port}: {why}", sent=False) from error
        except BaseException:
            inner.abort()
            raise
        return inner, handshake

    def _protocols(self, route: Route) -> list[bytes]:
        """What is offered by ALPN (RFC 7301), the best first."""
        return [b"h2", b"http/1.1"] if self._http2 and route.http2 is not False else [b"http/1.1"]

    def _connection(self, owner: Owner, preamble: Preamble) -> BaseConnection:
        kind: type[BaseConnection] = HttpConnection
        if getattr(preamble.transport, "negotiatedProtocol", None) == b"h2":
            # Loaded here: h2 and hpack take 60 ms and 3 MB that many crawls never need.
            from crawler.download.http2.connection import Http2Connection

            kind = Http2Connection
        return kind(owner, self._terms)


class _Only(Factory):
    """A factory of the one protocol that is there already."""

    noisy = False

    def __init__(self, protocol: Preamble) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Preamble:
        return self._protocol
