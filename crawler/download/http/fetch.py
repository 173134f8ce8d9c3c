"""How does one fetch become a Response, or the error that says why not?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.download.body import Body
from crawler.download.net.proxy import refused_by
from crawler.download.rules import FetchRules, may_go_out_again, seconds_of
from crawler.download.seam import Exchange, Head
from crawler.download.wire.head import BY_LENGTH, NO_BODY, ResponseHead
from crawler.errors import BodyTooLarge, FetchCancelled, FetchError, TruncatedBody
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response

if TYPE_CHECKING:
    from crawler.download.http.connection import BaseConnection, Route, Source
    from crawler.download.http.pool import Pool


class Fetch(Body):
    """A Call (see connection.py) that gathers the response and fires ``deferred``."""

    body_source: Source | None = None
    connection: BaseConnection | None = None
    opening: Deferred[BaseConnection] | None = None
    latency = 0.0
    _repeated = False
    _head: ResponseHead
    route: Route
    payload: bytes
    due: float

    def __init__(self, request: Request, exchange: Exchange | None, rules: FetchRules, pool: Pool) -> None:
        super().__init__(request, exchange, rules)
        self.method = request.method
        self.pool = pool
        self.deferred: Deferred[Response] = Deferred(self.cancel)

    def __repr__(self) -> str:
        return f"<Fetch {self.request!r} received={self._received}>"

    def configure(self, meta: dict[str, Any], started: float) -> None:
        """Take the limits of this one request from its meta."""
        self._started = started
        timeout = seconds_of(meta, self._rules.timeout)
        self.due = started + timeout if timeout else float("inf")
        if meta:
            self.limit(meta)

    # What the connection calls

    def on_head(self, head: ResponseHead, raw: bytes) -> bool:
        """See connection.Call."""
        self._head = head
        connection = self.connection
        assert connection is not None
        self.latency = connection.active - self._started
        self._headers = headers = Headers.from_raw(head.raw)
        if self.route.absolute and head.status == 407:
            assert self.route.proxy is not None
            raise refused_by(self.route.proxy)
        exchange = self.exchange
        if exchange is not None:
            if exchange.keep_raw:
                exchange.response_head = raw
            if exchange.on_head is not None:
                shown = Head(head.status, head.reason, headers, connection.protocol_name)
                if exchange.on_head(self.request, shown) is False:
                    return False
        if head.framing == NO_BODY:
            return True
        if self.max_size and head.framing == BY_LENGTH and head.length > self.max_size and not self.cut:
            raise BodyTooLarge(f"the body has {head.length} bytes, the limit is {self.max_size} (DOWNLOAD_MAXSIZE)")
        if self._rules.decode:
            self._decode(head.encodings)
        return True

    def on_body(self, data: bytes) -> None:
        """See connection.Call."""
        self.feed(data)
        if self.ended:
            if self.connection is not None:
                self.connection.cancel(self)
            self._answer()

    def on_end(self, flag: str | None) -> None:
        """See connection.Call."""
        try:
            self.end(flag)
        except FetchError as error:
            self._fail(error)
        else:
            self._answer()

    def on_truncated(self, error: TruncatedBody) -> None:
        """See connection.Call."""
        if self.lenient:
            self.on_end("dataloss")
        else:
            self._fail(error)

    def on_error(self, error: FetchError, *, stale: bool) -> None:
        """See connection.Call; a stale connection's fetch goes out once more, on a new one."""
        streamed = self.body_source is not None
        if may_go_out_again(self.method, error, stale=stale, repeated=self._repeated, streamed=streamed):
            if self._rules.may_repeat(self.request):
                self._repeated = True
                self.connection = None
                self.pool.open_for(self)
                return
            error.may_repeat = True
        self._fail(error)

    # What the pool and the caller call

    def begin(self, connection: BaseConnection, now: float) -> None:
        """Go out on this connection."""
        if self._rules.may_send is not None:
            try:
                self._rules.check_may_send()
            except FetchError as error:
                connection.unused()
                self._fail(error)
                return
        self.connection = connection
        exchange = self.exchange
        if exchange is not None:
            exchange.sent = True
            exchange.remote = connection.remote
            if exchange.keep_raw:
                exchange.request_head = self.payload[: self.payload.find(b"\r\n\r\n") + 4]
        connection.send(self, now)

    def cancel(self, _: Deferred[Response]) -> None:
        """End the exchange at once: the canceller of ``deferred``."""
        opening, self.opening = self.opening, None
        if opening is not None:
            opening.cancel()
        connection = self.connection
        error = FetchCancelled("the fetch was cancelled", sent=connection is not None)
        if connection is not None:
            connection.cancel(self)
        self._fail(error)

    def _fail(self, error: FetchError) -> None:
        if self.deferred.called:
            return
        error.request = self.request
        self.connection = None
        self.discard()
        self.deferred.errback(Failure(error))

    def refuse(self, error: FetchError) -> None:
        """There is no connection for it."""
        self.opening = None
        self._fail(error)

    def _answer(self) -> None:
        head, connection = self._head, self.connection
        assert connection is not None
        try:
            content, file = self.result()
        except FetchError as error:
            self._fail(error)
            return
        response = Response(
            self.request.url,
            head.status,
            self._headers,
            content,
            flags=self.flags,
            request=self.request,
            certificate=connection.certificate,
            ip_address=connection.ip_address,
            protocol=connection.protocol_name if head.minor else "HTTP/1.0",
            latency=self.latency,
            body_file=file,
            reason=head.reason.decode("latin-1"),
        )
        self.connection = None
        self.deferred.callback(response)
