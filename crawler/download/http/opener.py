"""How does a route get a connection: directly, through TLS, through a proxy?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate
from twisted.protocols.tls import TLSMemoryBIOFactory

from crawler.download.http1.connection import HttpConnection
from crawler.download.net.deadlines import Deadlines
from crawler.download.net.dial import Dialler
from crawler.download.net.failures import ssl_reason
from crawler.download.net.gate import Gate, GateFactory
from crawler.download.net.guard import may_be_public
from crawler.download.net.route import Route
from crawler.download.net.tls import Handshake, Trust
from crawler.download.net.tunnel import connect_through, socks_through
from crawler.download.wire.head import HeadLimits
from crawler.errors import AddressForbidden, TLSError


class ConnectionOpener:
    """Makes HttpConnections (see pool.Opener)."""

    def __init__(
        self,
        reactor: Any,
        dialler: Dialler,
        trust: Trust,
        *,
        limits: HeadLimits,
        read_timeout: float,
        clock: Callable[[], float],
        deadlines: Deadlines,
        deny_private: bool,
        http2: bool,
    ) -> None:
        self._reactor = reactor
        self._dialler = dialler
        self._trust = trust
        self._limits = limits
        self._read_timeout = read_timeout
        self._clock = clock
        self._deadlines = deadlines
        self._deny_private = deny_private
        self._http2 = http2
        self._gates = GateFactory()

    def open(self, route: Route, owner: Any) -> Deferred[Any]:
        """See pool.Opener."""
        return Deferred.fromCoroutine(self._open(route, owner))

    async def _open(self, route: Route, owner: Any) -> Any:
        proxy = route.proxy
        host, port = (route.host, route.port) if proxy is None else (proxy.host, proxy.port)
        if proxy is not None and self._deny_private and not may_be_public(route.host):
            raise AddressForbidden(f"{route.host} is not public (DENY_PRIVATE_ADDRESSES)", sent=False)
        gate: Gate = await self._dialler.dial(
            host, port, self._gates, bind_address=route.bind_address, trusted=proxy is not None
        )
        handshake: Handshake | None = None
        try:
            if proxy is not None:
                if proxy.scheme == "https":
                    gate, _ = await self._secure(gate, proxy.host, proxy.port, [])
                if proxy.scheme.startswith("socks5"):
                    await socks_through(gate, proxy, route.host, route.port)
                elif route.secure:
                    await connect_through(gate, proxy, route.host, route.port)
            if route.secure:
                gate, handshake = await self._secure(gate, route.host, route.port, self._protocols(route))
        except BaseException:
            gate.abort()
            raise
        connection = self._connection(owner, gate)
        if handshake is not None:
            peer = handshake.connection.get_peer_certificate()
            connection.certificate = None if peer is None else Certificate(peer)
            connection.handshake = handshake
        gate.hand_over(connection)
        return connection

    async def _secure(self, gate: Gate, host: str, port: int, protocols: list[bytes]) -> tuple[Gate, Handshake]:
        """Put TLS on the connection and judge the peer; raises TLSError."""
        creator, handshake = self._trust.creator(host, port, protocols)
        inner = Gate()
        make_factory: Any = TLSMemoryBIOFactory
        factory = make_factory(creator, True, _Only(inner), self._reactor)
        gate.hand_over(factory.buildProtocol(None))
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

    def _connection(self, owner: Any, gate: Gate) -> Any:
        kind: Any = HttpConnection
        if getattr(gate.transport, "negotiatedProtocol", None) == b"h2":
            # Loaded here: h2 and hpack take 60 ms and 3 MB that many crawls never need.
            from crawler.download.http2.connection import Http2Connection

            kind = Http2Connection
        return kind(
            owner,
            limits=self._limits,
            read_timeout=self._read_timeout,
            clock=self._clock,
            deadlines=self._deadlines,
        )


class _Only(Factory):
    """A factory of the one protocol that is there already."""

    noisy = False

    def __init__(self, protocol: Gate) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: Any) -> Gate:
        return self._protocol
