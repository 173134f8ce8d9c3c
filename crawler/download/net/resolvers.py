"""Who is asked for the addresses of a name?"""

from __future__ import annotations

import socket
from collections import deque
from ipaddress import IPv6Address
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure

from crawler.download.net.interfaces import Reactor
from crawler.download.net.names import Addresses, system_addresses

# getaddrinfo waits, it does not compute: more threads than this gain little even on a slow resolver.
_THREADS = 32
# DNS record types.
_A, _AAAA = 1, 28


class SystemLookup:
    """getaddrinfo() in daemon threads, at most so many at once.

    The threads are not the reactor's: those are for users' code, and are joined at the end, where a
    resolver that hangs would hold the whole program.
    """

    def __init__(self, reactor: Reactor) -> None:
        self._reactor = reactor
        self._queue: deque[tuple[str, Deferred[Addresses]]] = deque()
        self._running = 0
        self._closed = False

    def look_up(self, host: str) -> Deferred[Addresses]:
        """See names.Lookup."""
        answer: Deferred[Addresses] = Deferred()
        self._queue.append((host, answer))
        self._start()
        return answer

    def ask(self, host: str) -> Addresses:
        """Return the addresses, in a thread. Raises OSError or UnicodeError."""
        return system_addresses(host)

    def close(self) -> None:
        """See names.Lookup."""
        self._closed = True
        self._queue.clear()

    def _start(self) -> None:
        while self._queue and self._running < _THREADS:
            host, answer = self._queue.popleft()
            if answer.called:
                continue
            self._running += 1
            Thread(target=self._run, args=(host, answer), name=f"resolve {host}", daemon=True).start()

    def _run(self, host: str, answer: Deferred[Addresses]) -> None:
        result: Addresses | Failure
        try:
            result = self.ask(host)
        except (OSError, UnicodeError) as error:
            result = Failure(DNSLookupError(f"{host}: {getattr(error, 'strerror', None) or error}"))
        if not self._closed:
            self._reactor.callFromThread(self._done, answer, result)

    def _done(self, answer: Deferred[Addresses], result: Addresses | Failure) -> None:
        self._running -= 1
        if not answer.called:
            answer.callback(result)
        self._start()


class TwistedLookup:
    """twisted.names: A and AAAA records asked for at once, without a thread.

    ``servers``: (address, port) of name servers in place of those in /etc/resolv.conf.
    """

    def __init__(self, reactor: Reactor, *, servers: list[tuple[str, int]] | None = None) -> None:
        from twisted.names import client, hosts, resolve  # 40 ms that only this setting costs

        # As twisted.names.client.createResolver, which knows the global reactor only; Names is the cache.
        configuration = None if servers else "/etc/resolv.conf"
        self._resolver = resolve.ResolverChain(
            [hosts.Resolver(b"/etc/hosts"), client.Resolver(configuration, servers, reactor=reactor)]
        )
        self._reaches_ipv6 = _reaches_ipv6()

    def look_up(self, host: str) -> Deferred[Addresses]:
        """See names.Lookup."""
        queries = [self._resolver.lookupAddress(host), self._resolver.lookupIPV6Address(host)]
        both: Deferred[Any] = DeferredList(queries, consumeErrors=True)
        return both.addCallback(self._addresses, host)

    def close(self) -> None:
        """See names.Lookup."""

    def _addresses(self, results: list[tuple[bool, Any]], host: str) -> Addresses:
        payloads = [record.payload for success, answer in results if success for record in answer[0]]
        four = [payload.dottedQuad() for payload in payloads if payload.TYPE == _A]
        six = [str(IPv6Address(payload.address)) for payload in payloads if payload.TYPE == _AAAA]
        addresses = six + four if self._reaches_ipv6 else four + six
        if not addresses:
            problems = [answer.getErrorMessage() for success, answer in results if not success]
            raise DNSLookupError(f"{host}: {problems[0] if problems else 'no address'}")
        return addresses


def _reaches_ipv6() -> bool:
    """Tell whether this machine has a way to IPv6; a datagram socket is "connected" without sending anything."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect(("2000::1", 53))
    except OSError:
        return False
    return True
