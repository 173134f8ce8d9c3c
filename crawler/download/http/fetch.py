"""How does one fetch become a Response, or the error that says why not?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.config.schema import CoreSettings
from crawler.download.body_file import BodyFile
from crawler.download.coding.decoding import Decoder
from crawler.download.net.proxy import refused_by
from crawler.download.repeating import may_go_out_again
from crawler.download.request_limits import CUT, max_size_of, seconds_of
from crawler.download.seam import Exchange, Head, Tap
from crawler.download.wire.head import BY_LENGTH, NO_BODY, ResponseHead
from crawler.errors import BodyTooLarge, FetchCancelled, FetchError, TruncatedBody
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import shortened

if TYPE_CHECKING:
    from crawler.download.http.connection import BaseConnection, Route, Source
    from crawler.download.http.pool import Pool

logger = logging.getLogger(__name__)


class FetchRules:
    """What the settings say about every fetch (names and units: CoreSettings)."""

    __slots__ = ("decode", "fail_on_dataloss", "max_size", "may_repeat", "spool_size", "timeout", "warn_size")

    def __init__(self, settings: CoreSettings) -> None:
        self.decode = settings.COMPRESSION_ENABLED
        self.fail_on_dataloss = settings.DOWNLOAD_FAIL_ON_DATALOSS
        self.max_size = settings.DOWNLOAD_MAXSIZE
        self.spool_size = settings.DOWNLOAD_SPOOL_SIZE
        self.timeout = settings.DOWNLOAD_TIMEOUT
        self.warn_size = settings.DOWNLOAD_WARNSIZE
        self.may_repeat: Callable[[Request], bool] = lambda request: True


class Fetch:
    """A Call (see connection.py) that gathers the response and fires ``deferred``."""

    # Defaults stand on the class: setting two dozen attributes for each fetch would cost a microsecond.
    body_source: Source | None = None
    connection: BaseConnection | None = None
    opening: Deferred[BaseConnection] | None = None
    latency = 0.0
    _size = 0
    _received = 0
    _decoder: Decoder | None = None
    _file: BodyFile | None = None
    _flag: str | None = None
    _repeated = False
    _cut = False
    _tap: Tap | None = None
    _head: ResponseHead
    _headers: Headers
    route: Route
    payload: bytes
    due: float

    def __init__(self, request: Request, exchange: Exchange | None, rules: FetchRules, pool: Pool) -> None:
        self.request = request
        self.exchange = exchange
        self.method = request.method
        self.pool = pool
        self.deferred: Deferred[Response] = Deferred(self.cancel)
        self.max_size = rules.max_size
        self._rules = rules
        self._truncated_ok = not rules.fail_on_dataloss
        self._chunks: list[bytes] = []
        if exchange is not None:
            self._tap = exchange.tap

    def __repr__(self) -> str:
        return f"<Fetch {self.request!r} received={self._received}>"

    def configure(self, meta: dict[str, Any], started: float) -> None:
        """Take the limits of this one request from its meta."""
        self._started = started
        timeout = seconds_of(meta, self._rules.timeout)
        self.due = started + timeout if timeout else float("inf")
        if not meta:
            return
        self.max_size = max_size_of(meta, self.max_size)
        self._cut = CUT in meta
        if "download_fail_on_dataloss" in meta:
            self._truncated_ok = not meta["download_fail_on_dataloss"]
        if meta.get("download_file") is not None:
            self._file = BodyFile.named(meta["download_file"])

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
        if self.max_size and head.framing == BY_LENGTH and head.length > self.max_size and not self._cut:
            raise BodyTooLarge(f"the body has {head.length} bytes, the limit is {self.max_size} (DOWNLOAD_MAXSIZE)")
        if head.encodings and self._rules.decode:
            self._decoder = Decoder(list(head.encodings), self.max_size, lenient=self._truncated_ok, cut=self._cut)
        return True

    def on_body(self, data: bytes) -> None:
        """See connection.Call."""
        self._received += len(data)
        if self._tap is not None:
            self._tap(data)
        if self.max_size and self._received > self.max_size and not self._cut:
            raise BodyTooLarge(f"the body is larger than {self.max_size} bytes (DOWNLOAD_MAXSIZE)")
        if self._decoder is not None:
            data = self._decoder.feed(data)
        self._size += len(data)
        if self._file is not None:
            self._file.write(data)
        else:
            self._chunks.append(data)
            if self._size > self._rules.spool_size > 0:
                self._file = BodyFile.temporary(self.pool.spool_folder)
                for chunk in self._chunks:
                    self._file.write(chunk)
                self._chunks = []
        if self._cut and (0 < self.max_size < self._received or (self._decoder is not None and self._decoder.full)):
            if self.connection is not None:
                self.connection.cancel(self)
            self.on_end("stopped")

    def on_end(self, flag: str | None) -> None:
        """See connection.Call."""
        try:
            if flag is not None:
                self._flag = flag
            elif self._decoder is not None:
                self._finish_decoding(self._decoder)
            response = self._response()
        except FetchError as error:
            self._fail(error)
            return
        self.connection = None
        self.deferred.callback(response)

    def on_truncated(self, error: TruncatedBody) -> None:
        """See connection.Call."""
        if self._truncated_ok:
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
        if self._file is not None:
            self._file.discard()
        self.deferred.errback(Failure(error))

    def refuse(self, error: FetchError) -> None:
        """There is no connection for it."""
        self.opening = None
        self._fail(error)

    # The response

    def _finish_decoding(self, decoder: Decoder) -> None:
        rest = decoder.finish()
        if rest:
            self._size += len(rest)
            if self._file is not None:
                self._file.write(rest)
            else:
                self._chunks.append(rest)
        if decoder.truncated:
            self._flag = "dataloss"

    def _response(self) -> Response:
        head, headers, connection = self._head, self._headers, self.connection
        assert connection is not None
        if self._decoder is not None and head.framing != NO_BODY:
            self._drop_encodings(headers, self._decoder)
        if self._size > self._rules.warn_size > 0:
            logger.warning(
                "Large body: %d bytes from %s (DOWNLOAD_WARNSIZE)", self._size, shortened(repr(self.request))
            )
        chunks = self._chunks
        return Response(
            self.request.url,
            head.status,
            headers,
            chunks[0] if len(chunks) == 1 else b"".join(chunks),
            flags=[self._flag] if self._flag else None,
            request=self.request,
            certificate=connection.certificate,
            ip_address=connection.ip_address,
            protocol=connection.protocol_name if head.minor else "HTTP/1.0",
            latency=self.latency,
            body_file=None if self._file is None else self._file.keep(),
            reason=head.reason.decode("latin-1"),
        )

    def _drop_encodings(self, headers: Headers, decoder: Decoder) -> None:
        """Say of the body what is true of it now."""
        if decoder.left:
            headers[b"Content-Encoding"] = b", ".join(decoder.left)
        elif b"Content-Encoding" in headers:
            del headers[b"Content-Encoding"]
