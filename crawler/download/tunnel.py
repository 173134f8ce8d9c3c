"""How does a connection to an origin go through an HTTP proxy? (CONNECT, RFC 9110 section 9.3.6)

The credentials of the proxy are in the CONNECT alone: what goes through the tunnel is the origin's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from crawler.errors import ProxyError

_LONGEST_ANSWER = 65_536


class _Asking(Protocol):
    """Asks the proxy for the tunnel, then steps aside for the protocol that is to use it."""

    def __init__(self, authority: str, label: str, authorization: bytes | None, inner: Any) -> None:
        self._authority = authority
        self._label = label
        self._authorization = authorization
        self._inner = inner
        self._answer = b""
        self.ready: Deferred[Any] = Deferred(lambda _: self._abort())

    def connectionMade(self) -> None:
        secret = b"" if self._authorization is None else b"Proxy-Authorization: " + self._authorization + b"\r\n"
        authority = self._authority.encode()
        request = b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n%b\r\n" % (authority, authority, secret)
        transport: Any = self.transport
        transport.write(request)

    def dataReceived(self, data: bytes) -> None:
        self._answer += data
        head, end, rest = self._answer.partition(b"\r\n\r\n")
        if not end:
            if len(self._answer) > _LONGEST_ANSWER:
                self._fail("sends a head without end")
            return
        version, _, status = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
        if not version.startswith("HTTP/1.") or not status[:3].isdigit():
            self._fail("does not answer CONNECT in HTTP")
        elif status.startswith("407"):
            has = "refused the credentials" if self._authorization else "wants a user name and password"
            self._fail(f"{has} (407)")
        elif not status.startswith("2"):
            self._fail(f"refused the tunnel to {self._authority}: {status[:80]}")
        else:
            self._step_aside(rest)

    def _step_aside(self, rest: bytes) -> None:
        transport: Any = self.transport
        inner = self._inner
        transport.protocol = inner
        inner.makeConnection(transport)
        if rest:
            inner.dataReceived(rest)
        self.ready.callback(inner)

    def _fail(self, message: str) -> None:
        self._abort()
        if not self.ready.called:
            self.ready.errback(Failure(ProxyError(f"the proxy {self._label} {message}", sent=False)))

    def _abort(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.ready.called:
            message = f"the proxy {self._label} closed the connection before the tunnel was there"
            self.ready.errback(Failure(ProxyError(message, sent=False)))


def connect_through(
    dial: Callable[[Any], Deferred[Any]],
    factory: Any,
    *,
    authority: str,
    label: str,
    authorization: bytes | None,
) -> Deferred[Any]:
    """Dial a proxy, ask it for a tunnel to ``authority`` ("host:port") and connect ``factory`` in it.

    ``label`` names the proxy in messages. Fails with ProxyError.
    """

    def build() -> _Asking:
        inner = factory.buildProtocol(None)
        return _Asking(authority, label, authorization, inner)

    asking: Any = Factory.forProtocol(build)
    asking.noisy = False
    return dial(asking).addCallback(lambda protocol: protocol.ready)
