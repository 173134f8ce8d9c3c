"""How is a TCP connection to a host made?

To the one address a host has, or by Twisted's HostnameEndpoint, which tries the addresses of both families
a moment apart (RFC 8305). It takes its resolver and its sockets from the reactor it is given, so it is given
a small one of ours: the addresses are those our cache answered with and the guard let pass, no others.
"""

# ruff: noqa: N802, N803 - the names are those of Twisted's interfaces

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any, TypeVar

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorTime,
    IResolutionReceiver,
)
from twisted.internet.protocol import Factory
from twisted.internet.protocol import Protocol as TwistedProtocol
from zope.interface import implementer

from crawler.download.net.guard import is_public
from crawler.download.net.interfaces import Reactor
from crawler.download.net.names import Addresses, Names
from crawler.errors import AddressForbidden, SettingError

T = TypeVar("T", bound=TwistedProtocol)

# The endpoint refuses names that IDNA does not know, such as a_b.example, which exist. It never looks at
# the name itself, so it gets this one, and the addresses of the real one.
_PLACEHOLDER = "host.invalid"
# Seconds until the next address is tried; 250 ms is what RFC 8305 section 5 recommends.
_NEXT_ATTEMPT = 0.25


@implementer(IReactorTCP, IReactorTime, IReactorPluggableNameResolver, IHostnameResolver)
class _Dialling:
    """What HostnameEndpoint takes for its reactor, and for that reactor's resolver: one host's."""

    def __init__(self, reactor: Reactor, addresses: Addresses) -> None:
        self.connectTCP = reactor.connectTCP
        self.callLater = reactor.callLater
        self.seconds = reactor.seconds
        self._addresses = addresses
        self.nameResolver = self

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> _Dialling:
        receiver: Any = resolutionReceiver
        for address in self._addresses:
            kind = IPv6Address if ":" in address else IPv4Address
            receiver.addressResolved(kind("TCP", address, portNumber))
        receiver.resolutionComplete()
        return self


class Dialler:
    """Makes TCP connections. ``deny_private`` turns the guard on."""

    def __init__(self, reactor: Reactor, names: Names, *, timeout: float, deny_private: bool) -> None:
        self._reactor = reactor
        self._names = names
        self._timeout = timeout or 3600.0
        self._deny_private = deny_private

    def dial(
        self, host: str, port: int, factory: Factory[T], *, bind_address: str | None = None, trusted: bool = False
    ) -> Deferred[T]:
        """Connect and return the protocol ``factory`` builds.

        ``trusted``: the user named this host (a proxy), so it may be private. Fails with DNSLookupError,
        AddressForbidden or a ConnectError.
        """

        def connect(addresses: Addresses) -> Deferred[T]:
            if self._deny_private and not trusted:
                addresses = _public(host, addresses)
            made: Deferred[T] = self._endpoint(addresses, port, bind_address).connect(factory)
            return made

        return self._names.resolve(host).addCallback(connect)

    def _endpoint(self, addresses: Addresses, port: int, bind_address: str | None) -> Any:
        bind = (bind_address, 0) if bind_address else None
        if len(addresses) > 1:
            dialling = _Dialling(self._reactor, addresses)
            return HostnameEndpoint(
                dialling, _PLACEHOLDER, port, timeout=self._timeout, bindAddress=bind, attemptDelay=_NEXT_ATTEMPT
            )
        # HostnameEndpoint costs a tenth of a millisecond more, and its delay before it reports a failure.
        make = TCP6ClientEndpoint if ":" in addresses[0] else TCP4ClientEndpoint
        return make(self._reactor, addresses[0], port, timeout=self._timeout, bindAddress=bind)


def checked_bind_address(address: str | None) -> str | None:
    """Return BIND_ADDRESS if connections can come from it; raises SettingError if this machine has no such address."""
    if address:
        try:
            with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as trial:
                trial.bind((address, 0))
        except OSError as error:
            raise SettingError(f"BIND_ADDRESS: cannot connect from {address}: {error.strerror or error}") from error
    return address


def _public(host: str, addresses: Addresses) -> Addresses:
    """Return those that may be dialled; raises AddressForbidden if that is none."""
    allowed = [address for address in addresses if is_public(address)]
    if not allowed:
        raise AddressForbidden(f"{host} is at {addresses[0]}, which is not public (DENY_PRIVATE_ADDRESSES)")
    return allowed
