"""How does a notice reach its server: whom do we trust there, and what went wrong, in words?

TLS is verified, whatever the crawl's own TLS_VERIFY says: chain and name, before a byte of ours is sent. TLS_CA_FILE
and TLS_HOSTS count as they do for pages.
"""

# ruff: noqa: N802, N803 - the names are those of Twisted's interfaces

from __future__ import annotations

from typing import Any, Protocol

from msgspec.structs import replace
from OpenSSL import SSL
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost, DNSLookupError
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.task import deferLater
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from crawler.config.schema import CoreSettings
from crawler.download.edge import SideCalls
from crawler.download.http.downloader import FastDownloader
from crawler.download.net.tls import TLSRules, Trust
from crawler.errors import CrawlerError, TLSError
from crawler.notices.notice import NotSent
from crawler.notices.places import Server

CONNECT_SECONDS = 10.0
_ANSWER = 65_536
"""Most bytes of a hook's answer, which nobody reads."""


@implementer(IOpenSSLClientConnectionCreator)
class Verified(Trust):
    """Makes one TLS connection, whose name is checked as soon as it is up (IOpenSSLClientConnectionCreator)."""

    def __init__(self, core: CoreSettings, server: Server) -> None:
        super().__init__(ca_file=core.TLS_CA_FILE, min_version="1.2", hosts=core.TLS_HOSTS)
        self._handshake = self.handshake(server.host, server.port, [])
        self._protocol: TLSMemoryBIOProtocol
        self._problem: str | None = None

    @property
    def problem(self) -> str | None:
        """Why the certificate was refused; None if it was not."""
        return self._problem or self._handshake.problem

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:
        """See IOpenSSLClientConnectionCreator."""
        self._protocol = tlsProtocol
        return self._handshake.clientConnectionForTLS(tlsProtocol)

    def context(self, rules: TLSRules, protocols: tuple[bytes, ...]) -> SSL.Context:
        """See Trust; the context tells of the end of its handshake."""
        context = super().context(rules, protocols)
        context.set_info_callback(self._told)
        return context

    def _told(self, _: SSL.Connection, where: int, __: int) -> None:
        if where & SSL.SSL_CB_HANDSHAKE_DONE:
            try:
                self._handshake.check_name()
            except TLSError as error:
                self._problem = str(error)
                self._protocol.failVerification(Failure(error))


class Network(Protocol):
    """What the ways need of the machine; tests have another one."""

    def later(self, seconds: float) -> Deferred[None]:
        """Fire after a time."""

    def tls(self, server: Server) -> Any:
        """Return what one TLS connection to a server is made with."""

    def connect(self, server: Server, factory: Any, tls: Any) -> Deferred[Any]:
        """Connect, with TLS from the first byte if the server speaks so; fires with the protocol."""

    async def post(self, url: str, body: bytes) -> int:
        """Send JSON to a hook; return the status."""

    async def services(self, domain: str) -> list[tuple[str, int]]:
        """Return the servers of a domain's XMPP, best first."""

    async def close(self) -> None:
        """Close what is open."""


def not_sent(error: BaseException, tls: Any) -> NotSent:
    """Return why a notice was not sent, in words."""
    if isinstance(error, CancelledError):
        raise error  # nobody waits for it any more
    problem = getattr(tls, "problem", None)
    if problem is not None:
        return NotSent(problem)
    if isinstance(error, NotSent):
        return error
    if isinstance(error, TLSError):
        return NotSent(str(error))
    if isinstance(error, SSL.Error):
        return NotSent(f"TLS failed: {error}", again=True)
    if isinstance(error, ConnectionDone | ConnectionLost):
        return NotSent("the server ended the connection", again=True)
    if isinstance(error, ConnectError | DNSLookupError | CrawlerError):
        return NotSent(str(error), again=True)
    return NotSent(f"{type(error).__name__}: {error}", again=True)


class RealNetwork:
    """The Network beneath a reactor. ``core`` says what is trusted, and how hooks are reached: as pages are."""

    def __init__(self, reactor: Any, core: CoreSettings) -> None:
        self._reactor = reactor
        self._core = core
        self._downloader: FastDownloader | None = None

    def later(self, seconds: float) -> Deferred[None]:
        """See Network."""
        return deferLater(self._reactor, seconds)

    def tls(self, server: Server) -> Verified:
        """See Network."""
        return Verified(self._core, server)

    def connect(self, server: Server, factory: Any, tls: Any) -> Deferred[Any]:
        """See Network."""
        endpoint: Any = HostnameEndpoint(self._reactor, server.host, server.port, timeout=CONNECT_SECONDS)
        if server.tls_first:
            endpoint = wrapClientTLS(tls, endpoint)
        connected: Deferred[Any] = endpoint.connect(factory)
        return connected

    async def post(self, url: str, body: bytes) -> int:
        """See Network."""
        if self._downloader is None:
            rules = replace(self._core, TLS_VERIFY=True, DOWNLOAD_TIMEOUT=CONNECT_SECONDS, DOWNLOAD_MAXSIZE=_ANSWER)
            self._downloader = FastDownloader(rules, reactor=self._reactor)
        http = SideCalls(self._downloader, self._reactor)
        headers = {"Content-Type": ["application/json"], "User-Agent": [self._core.USER_AGENT]}
        answer = await http.post(url, data=body, headers=headers, allow_redirects=False, unbuffered=True)
        return int(answer.code)

    async def services(self, domain: str) -> list[tuple[str, int]]:
        """See Network."""
        from twisted.names.client import Resolver
        from twisted.names.dns import SRV
        from twisted.names.error import DNSQueryTimeoutError, DomainError, ResolverError

        resolver = Resolver(resolv="/etc/resolv.conf", reactor=self._reactor)
        try:
            records, _, _ = await resolver.lookupService(f"_xmpp-client._tcp.{domain}", timeout=[3])
        except (DomainError, DNSQueryTimeoutError, ResolverError, OSError):
            return []  # RFC 6120 §3.2.2: then it is the domain itself
        found = sorted((record.payload for record in records if record.type == SRV), key=lambda each: each.priority)
        if not any(str(each.target) for each in found) and found:
            raise NotSent(f"{domain} says in the DNS that it has no XMPP")  # RFC 2782: a target of "."
        return [(str(each.target), each.port) for each in found]

    async def close(self) -> None:
        """Close what is open."""
        if self._downloader is not None:
            await self._downloader.close()
