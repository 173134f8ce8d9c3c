"""How is a TCP connection to a host made?

By Twisted's HostnameEndpoint, which tries the addresses of both families a moment apart (RFC 8305). It
takes its resolver and its sockets from the reactor it is given, so it is given a small one of ours: names
come from our cache, and every address passes the guard at the moment it is dialled.
"""

# ruff: noqa: N802, N803 - the names are those of Twisted's interfaces

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import DNSLookupError
from twisted.internet.interfaces import IHostnameResolver, IReactorPluggableNameResolver, IReactorTCP, IReactorTime
from twisted.python.failure import Failure
from zope.interface import implementer

from crawler.download.fast.guard import is_public
from crawler.download.fast.names import Names, is_address
from crawler.errors import AddressForbidden

# The endpoint refuses names that IDNA does not know, such as a_b.example, which exist. It never looks at
# the name itself, so it gets this one and the real one goes to the resolver.
_PLACEHOLDER = "host.invalid"
# Seconds until the next address is tried; 250 ms is what RFC 8305 section 5 recommends.
_NEXT_ATTEMPT = 0.25
_ONLY_ATTEMPT = 0.01


@implementer(IReactorTCP, IReactorTime, IReactorPluggableNameResolver, IHostnameResolver)
class _Dialling:
    """What HostnameEndpoint takes for its reactor, and for that reactor's resolver: one host's."""

    def __init__(self, reactor: Any, names: Names, host: str, *, guarded: bool) -> None:
        self._reactor = reactor
        self._names = names
        self._host = host
        self._guarded = guarded
        self.problem: Failure | None = None
        self.nameResolver = self

    def connectTCP(self, host: str, port: int, factory: Any, timeout: float = 30, bindAddress: Any = None) -> Any:
        if self._guarded and not is_public(host):
            error = AddressForbidden(f"{self._host} is at {host}, which is not public (DENY_PRIVATE_ADDRESSES)")
            self.problem = Failure(error)
            raise error
        return self._reactor.connectTCP(host, port, factory, timeout, bindAddress)

    def callLater(self, delay: float, function: Any, *args: Any, **kwargs: Any) -> Any:
        return self._reactor.callLater(delay, function, *args, **kwargs)

    def seconds(self) -> float:
        return float(self._reactor.seconds())

    def resolveHostName(
        self,
        resolutionReceiver: Any,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Any = None,
        transportSemantics: str = "TCP",
    ) -> Any:
        def found(addresses: list[str]) -> None:
            for address in addresses:
                kind = IPv6Address if ":" in address else IPv4Address
                resolutionReceiver.addressResolved(kind("TCP", address, portNumber))

        def not_found(failure: Failure) -> None:
            self.problem = failure

        self._names.resolve(self._host).addCallbacks(found, not_found).addCallback(
            lambda _: resolutionReceiver.resolutionComplete()
        )
        return self


class Dialler:
    """Makes TCP connections. ``deny_private`` turns the guard on."""

    def __init__(self, reactor: Any, names: Names, *, timeout: float, deny_private: bool) -> None:
        self._reactor = reactor
        self._names = names
        self._timeout = timeout or 3600.0
        self._deny_private = deny_private

    def dial(
        self, host: str, port: int, factory: Any, *, bind_address: str | None = None, trusted: bool = False
    ) -> Deferred[Any]:
        """Connect and return the protocol ``factory`` builds.

        ``trusted``: the user named this host (a proxy), so it may be private. Fails with DNSLookupError,
        AddressForbidden or a ConnectError.
        """
        dialling = _Dialling(self._reactor, self._names, host, guarded=self._deny_private and not trusted)
        endpoint = HostnameEndpoint(
            dialling,
            _PLACEHOLDER,
            port,
            timeout=self._timeout,
            bindAddress=(bind_address, 0) if bind_address else None,
            # The endpoint notices only after this time that there is no further address.
            attemptDelay=_ONLY_ATTEMPT if is_address(host) else _NEXT_ATTEMPT,
        )
        connecting: Deferred[Any] = endpoint.connect(factory)

        def explained(failure: Failure) -> Failure:
            # The endpoint reports an empty answer in its own words, and of several failures the last.
            problem = dialling.problem
            if problem is not None and (failure.check(DNSLookupError) or problem.check(AddressForbidden)):
                return problem
            return failure

        return connecting.addErrback(explained)
