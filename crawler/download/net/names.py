"""Which addresses has a host name?

Answers are remembered for a time, failures for a shorter one, and a name asked for twice at once is looked
up once. The look-up runs in threads of its own: a resolver that hangs takes none of the reactor's.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure

from crawler.download.net.interfaces import Reactor
from crawler.model.url import is_address

Addresses = list[str]


class Lookup(Protocol):
    """Asks somebody for the addresses of a name, without remembering anything."""

    def look_up(self, host: str) -> Deferred[Addresses]:
        """Return addresses in the order of preference; fails with DNSLookupError."""

    def close(self) -> None:
        """Leave no thread and no socket behind."""


class Names:
    """A bounded cache over a Lookup. Times in seconds; ``clock`` is monotonic."""

    def __init__(
        self,
        lookup: Lookup,
        *,
        reactor: Reactor,
        clock: Callable[[], float],
        size: int = 10_000,
        ttl: float = 300.0,
        negative_ttl: float = 10.0,
        timeout: float = 60.0,
    ) -> None:
        self.lookup = lookup
        self._reactor = reactor
        self._clock = clock
        self._size = size
        self._ttl = ttl
        self._negative_ttl = negative_ttl
        self._timeout = timeout
        self._known: dict[str, tuple[float, Addresses, str]] = {}
        self._waiting: dict[str, list[Deferred[Addresses]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def resolve(self, host: str) -> Deferred[Addresses]:
        """Return at least one address; fails with DNSLookupError."""
        if is_address(host):
            return succeed([host])
        known = self._known.get(host)
        if known is not None:
            until, addresses, problem = known
            if until > self._clock():
                return succeed(addresses) if addresses else fail(DNSLookupError(problem))
            del self._known[host]
        waiter: Deferred[Addresses] = Deferred(lambda deferred: self._leave(host, deferred))
        if host in self._waiting:
            self._waiting[host].append(waiter)
        else:
            self._waiting[host] = [waiter]
            asked = self.lookup.look_up(host)
            if self._timeout:
                clock: Any = self._reactor
                asked.addTimeout(self._timeout, clock, lambda _, __: _timed_out(host, self._timeout))
            asked.addCallbacks(self._found, self._not_found, callbackArgs=(host,), errbackArgs=(host,))
        return waiter

    def close(self) -> None:
        """Forget everything and stop looking up."""
        self._known.clear()
        self.lookup.close()

    def _leave(self, host: str, waiter: Deferred[Addresses]) -> None:
        waiters = self._waiting.get(host, [])
        if waiter in waiters:
            waiters.remove(waiter)

    def _remember(self, host: str, seconds: float, addresses: Addresses, problem: str) -> None:
        if seconds:
            while len(self._known) >= self._size:
                del self._known[next(iter(self._known))]
            self._known[host] = (self._clock() + seconds, addresses, problem)

    def _found(self, addresses: Addresses, host: str) -> None:
        if not addresses:
            self._not_found(Failure(DNSLookupError(f"{host} has no address")), host)
            return
        addresses = _interleaved(addresses)
        self._remember(host, self._ttl, addresses, "")
        for waiter in self._waiting.pop(host):
            waiter.callback(addresses)

    def _not_found(self, failure: Failure, host: str) -> None:
        arguments = getattr(failure.value, "args", ())
        problem = str(arguments[0]) if arguments else f"no address for {host}"
        self._remember(host, self._negative_ttl, [], problem)
        for waiter in self._waiting.pop(host):
            waiter.errback(Failure(DNSLookupError(problem)))


def _timed_out(host: str, seconds: float) -> Deferred[Addresses]:
    return fail(DNSLookupError(f"the resolver did not answer for {host} in {seconds:g} s (DNS_TIMEOUT)"))


def _interleaved(addresses: Addresses) -> Addresses:
    """Let the address families take turns (RFC 8305 section 4), so that a dead one costs one attempt."""
    first = [address for address in addresses if (":" in address) == (":" in addresses[0])]
    second = [address for address in addresses if (":" in address) != (":" in addresses[0])]
    mixed = []
    for position in range(max(len(first), len(second))):
        mixed += first[position : position + 1] + second[position : position + 1]
    return list(dict.fromkeys(mixed))


def system_addresses(host: str) -> Addresses:
    """Ask the system's resolver; blocks. Raises OSError or UnicodeError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return [str(entry[4][0]) for entry in found]
