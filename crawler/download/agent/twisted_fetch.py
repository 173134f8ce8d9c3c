"""How does one request go through Twisted's Agent and come back as a Response?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.python.failure import Failure
from twisted.web._newclient import HTTP11ClientProtocol  # private, but it is what the pool hands out
from twisted.web.client import Agent, HTTPConnectionPool, ProxyAgent
from twisted.web.client import Response as Answer
from twisted.web.http_headers import Headers as WireHeaders
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer

from crawler.config.schema import CoreSettings
from crawler.download.agent.twisted_answer import BytesProducer, Delivery, head_of, translate
from crawler.download.agent.twisted_connection import AgentOpener, RouteEndpoint, WatchedConnection
from crawler.download.agent.upload import multipart
from crawler.download.body import Body
from crawler.download.coding.decoding import ACCEPT_ENCODING
from crawler.download.http.connection import Route, address_of
from crawler.download.net.interfaces import DelayedCall, Reactor
from crawler.download.net.proxy import refused_by
from crawler.download.rules import FetchRules, may_go_out_again, seconds_of
from crawler.download.seam import Exchange, Head
from crawler.errors import (
    BodyTooLarge,
    ConnectionLost,
    FetchCancelled,
    FetchError,
    FetchTimeout,
)
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import without_credentials, without_fragment

# The framing is the Agent's alone; credentials for a proxy come from the proxy's URL.
_NOT_THE_CALLERS = frozenset((b"content-length", b"transfer-encoding", b"proxy-authorization", b"connection"))


class Tools(Protocol):
    """What all fetches of a downloader share; ``clock`` is monotonic, in seconds."""

    settings: CoreSettings
    reactor: Reactor
    clock: Callable[[], float]
    pool: HTTPConnectionPool
    opener: AgentOpener
    rules: FetchRules


class AgentFetch:
    """One fetch; ``deferred`` is what its caller has. The Agent takes it for its connection pool."""

    persistent = True

    def __init__(self, downloader: Tools, request: Request, exchange: Exchange) -> None:
        self.deferred: Deferred[Response] = Deferred(lambda _: self.fail(FetchCancelled("the fetch was cancelled")))
        self.ended: Callable[[AgentFetch], None] = lambda _: None
        self._downloader = downloader
        self._request = request
        self._exchange = exchange
        self._route: Route
        self._asking: Deferred[Any] | None = None
        self._connection: WatchedConnection | None = None
        self._timers: list[Any] = []
        self._silence: DelayedCall | None = None
        self._connecting: DelayedCall | None = None
        self._head: Head | None = None
        self._started = downloader.clock()
        self._latency = 0.0
        self._repeated = False
        self._over = False

    @property
    def _where(self) -> str:
        return f"{self._route.host}:{self._route.port}"

    def start(self, route: Route) -> None:
        """Send the request over this route."""
        self._route = route
        settings, reactor = self._downloader.settings, self._downloader.reactor
        timeout = seconds_of(self._request.meta, settings.DOWNLOAD_TIMEOUT)
        if timeout:
            self._timers.append(reactor.callLater(timeout, self._too_late, timeout))
        self._send()

    def _send(self) -> None:
        request, route, reactor = self._request, self._route, self._downloader.reactor
        agent: Agent | ProxyAgent
        endpoint = RouteEndpoint(self._downloader.opener, route)
        if route.absolute:
            agent = ProxyAgent(endpoint, reactor, self)
        else:
            agent = Agent.usingEndpointFactory(reactor, endpoint, self)
        url = without_credentials(without_fragment(request.normal_url)).encode("ascii")
        headers = self._headers()
        body = IBodyProducer(BytesProducer(request.body)) if request.body else None
        if files := request.meta.get("files"):
            source, kind = multipart(files, request.body, reactor)
            headers.setRawHeaders(b"Content-Type", [kind])
            body = IBodyProducer(source.producer)
        self._asking = asking = agent.request(request.method.encode(), url, headers, body)
        # The outcome may be here already, which ends the asking.
        asking.addCallbacks(self._answered, self._unanswered)
        asking.addErrback(self._broken)

    def _headers(self) -> WireHeaders:
        headers = WireHeaders()
        for name, value in self._request.headers.raw():
            if name.lower() not in _NOT_THE_CALLERS:
                headers.addRawHeader(name, value)
        if self._downloader.settings.COMPRESSION_ENABLED and not headers.hasHeader(b"Accept-Encoding"):
            headers.addRawHeader(b"Accept-Encoding", ACCEPT_ENCODING)
        proxy = self._route.proxy
        if self._route.absolute and proxy is not None and proxy.authorization is not None:
            headers.addRawHeader(b"Proxy-Authorization", proxy.authorization)
        return headers

    def getConnection(self, key: Hashable, endpoint: IStreamClientEndpoint) -> Deferred[HTTP11ClientProtocol]:
        """Get a connection of our route from the pool (HTTPConnectionPool's interface to the Agent)."""
        seconds = self._downloader.settings.DOWNLOAD_CONNECT_TIMEOUT
        if seconds:
            self._connecting = self._downloader.reactor.callLater(seconds, self._not_connected, seconds)
            self._timers.append(self._connecting)
        getting = self._downloader.pool.getConnection(self._route.key, endpoint)
        return getting.addCallback(self._connected)

    def _not_connected(self, seconds: float) -> None:
        self.fail(FetchTimeout(f"no connection to {self._where} after {seconds:g} s", phase="connect", sent=False))

    def _connected(self, protocol: HTTP11ClientProtocol) -> HTTP11ClientProtocol:
        if self._connecting is not None and self._connecting.active():
            self._connecting.cancel()
        assert isinstance(protocol.transport, WatchedConnection)
        try:
            self._downloader.rules.check_may_send()
        except FetchError:
            protocol.transport.abortConnection()
            raise
        self._connection = protocol.transport
        self._connection.begin(self._heard)
        self._exchange.sent = True
        self._exchange.remote = self._connection.remote
        seconds = self._downloader.settings.DOWNLOAD_READ_TIMEOUT
        if seconds:
            self._silence = self._downloader.reactor.callLater(seconds, self._silent, seconds)
            self._timers.append(self._silence)
        return protocol

    def _heard(self) -> None:
        if self._silence is not None and self._silence.active():
            self._silence.reset(self._downloader.settings.DOWNLOAD_READ_TIMEOUT)

    def _silent(self, seconds: float) -> None:
        phase = "first byte" if self._head is None else "read"
        self.fail(FetchTimeout(f"nothing came from {self._where} for {seconds:g} s", phase=phase))

    def _too_late(self, seconds: float) -> None:
        self.fail(FetchTimeout(f"not complete after {seconds:g} s", phase="total"))

    def _answered(self, answer: Answer) -> None:
        self._asking = None
        if self._over:
            return
        self._latency = self._downloader.clock() - self._started
        connection = self._connection
        assert connection is not None
        if self._exchange.keep_raw:
            self._exchange.request_head = bytes(connection.sent)
            self._exchange.response_head = bytes(connection.head)
        head = self._head = head_of(answer)
        if self._route.absolute and head.status == 407:
            assert self._route.proxy is not None
            raise refused_by(self._route.proxy)
        body = Body(self._request, self._exchange, self._downloader.rules)
        body.limit(self._request.meta)
        body.expect(head.headers)
        on_head = self._exchange.on_head
        if on_head is not None and on_head(self._request, head) is False:
            body.end("stopped")
            self.complete(body)
            return
        has_body = self._request.method != "HEAD" and head.status not in (204, 304)
        too_large = answer.length is not UNKNOWN_LENGTH and 0 < body.max_size < int(answer.length)
        if has_body and too_large and not body.cut:
            body.discard()
            limit = body.max_size
            raise BodyTooLarge(f"the body has {answer.length} bytes, the limit is {limit} (DOWNLOAD_MAXSIZE)")
        answer.deliverBody(Delivery(self, body, lenient=body.lenient))

    def complete(self, body: Body) -> None:
        """The body is there."""
        assert self._head is not None
        assert self._connection is not None
        try:
            content, path = body.result()
        except FetchError as error:
            self.fail(error)
            return
        connection, head = self._connection, self._head
        response = Response(
            self._request.url,
            head.status,
            head.headers,
            content,
            flags=body.flags,
            request=self._request,
            certificate=connection.certificate,
            ip_address=address_of(connection.remote),
            protocol=head.protocol,
            latency=self._latency,
            body_file=path,
            reason=head.reason.decode("latin-1"),
        )
        if not self._over:
            self._end(abort=body.flag == "stopped")
            self.deferred.callback(response)

    def _unanswered(self, failure: Failure) -> None:
        stale = self._connection is not None and self._connection.uses > 1 and not self._connection.head
        error = translate(failure, self._where, sent=self._exchange.sent)
        stale = stale and isinstance(error, ConnectionLost) and not self._over
        streamed = bool(self._request.meta.get("files"))
        may_repeat = may_go_out_again(
            self._request.method, error, stale=stale, repeated=self._repeated, streamed=streamed
        )
        error.may_repeat = may_repeat and not self._downloader.rules.may_repeat(self._request)
        if may_repeat and not error.may_repeat:
            # A pooled connection that the server had closed: the request goes out once more.
            self._repeated = True
            self._send()
        else:
            self.fail(error)

    def _broken(self, failure: Failure) -> None:
        self.fail(translate(failure, self._where, sent=self._exchange.sent))

    def body_broke(self, failure: Failure) -> None:
        """The body is worth nothing."""
        self.fail(translate(failure, self._where, sent=self._exchange.sent, in_body=True))

    def fail(self, error: FetchError) -> None:
        """End it with this error; later ones are of no interest."""
        if self._over:
            return
        error.request = self._request
        error.sent = self._exchange.sent
        self._end(abort=True)
        self.deferred.errback(Failure(error))

    def _end(self, *, abort: bool) -> None:
        self._over = True
        for timer in self._timers:
            if timer.active():
                timer.cancel()
        connection, asking = self._connection, self._asking
        self.ended(self)
        if connection is not None:
            connection.end()
            if abort:
                connection.abortConnection()
        elif asking is not None:
            self._asking = None
            asking.cancel()
