"""Who is asked for the addresses of a name?"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from ipaddress import IPv6Address
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.error import DNSLookupError
from twisted.python.failure import Failure

from crawler.download.fast.names import Addresses, system_addresses

# getaddrinfo waits, it does not compute: more threads than this gain little even on a slow resolver.
_THREADS = 32
# DNS record types.
_A, _AAAA = 1, 28


class SystemLookup:
    """getaddrinfo() in daemon threads, at most so many at once.

    The threads are not the reactor's: those are for users' code, and are joined at the end, where a
    resolver that hangs would hold the whole program.
    """

    def __init__(self, reactor: Any, *, ask: Callable[[str], Addresses] = system_addresses) -> None:
        self._reactor = reactor
        self._ask = ask
        self._queue: deque[tuple[str, Deferred[Addresses]]] = deque()
        self._running = 0
        self._closed = False

    def look_up(self, host: str) -> Deferred[Addresses]:
        """See names.Lookup."""
        answer: Deferred[Addresses] = Deferred()
        self._queue.append((host, answer))
        self._start()
        return answer

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
            result = self._ask(host)
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
    """twisted.names: A and AAAA records asked for at once, without a thread."""

    def __init__(self, reactor: Any) -> None:
        from twisted.names import client  # 40 ms that only this setting costs

        create: Any = client.createResolver
        self._resolver = create(reactor=reactor)

    def look_up(self, host: str) -> Deferred[Addresses]:
        """See names.Lookup."""
        queries = [self._resolver.lookupIPV6Address(host), self._resolver.lookupAddress(host)]
        both: Deferred[Any] = DeferredList(queries, consumeErrors=True)
        return both.addCallback(self._addresses, host)

    def close(self) -> None:
        """See names.Lookup."""

    def _addresses(self, results: list[tuple[bool, Any]], host: str) -> Addresses:
        addresses: Addresses = []
        for success, answer in results:
            if success:
                for record in answer[0]:
                    payload = record.payload
                    if payload.TYPE in (1, 28):
                        addresses.append(
                            payload.dottedQuad() if payload.TYPE == 1 else str(IPv6Address(payload.address))
                        )
        if not addresses:
            problems = [str(answer.value) for success, answer in results if not success]
            raise DNSLookupError(f"{host}: {problems[0] if problems else 'no address'}")
        return addresses
