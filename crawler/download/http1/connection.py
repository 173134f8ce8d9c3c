"""How does one HTTP/1.1 connection carry one exchange after another?

It knows framing (see reading.py) and nothing else: no pool, no limits on bodies, no decoding. Those belong to
the call (what is exchanged) and to the owner (where the connection goes afterwards).
"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from crawler.download.http.connection import Call
from crawler.download.http1.reading import ResponseReader
from crawler.download.net.deadlines import FOREVER
from crawler.download.wire.head import BY_CLOSE, BY_LENGTH
from crawler.errors import ConnectionLost, FetchError, FetchTimeout, TruncatedBody


class HttpConnection(ResponseReader):
    """HTTP/1.1 over any transport; one exchange at a time."""

    protocol_name = "HTTP/1.1"
    _write_now: Callable[[bytes], Any] | None = None

    def __repr__(self) -> str:
        return f"<HttpConnection to {self.remote} exchanges={self.exchanges} busy={self._call is not None}>"

    def connectionMade(self) -> None:
        super().connectionMade()
        # A plain socket is written to at once: going through the reactor's next turn costs two more
        # system calls and some 10 µs.
        if isinstance(self.transport, FileDescriptor):
            self._write_now = self.transport.writeSomeData

    def due(self) -> float:
        """When something must have happened; see Deadlines."""
        if self._closing:
            return self.idle_until
        call = self._call
        return self.idle_until if call is None else min(call.due, self.active + self._read_timeout)

    def expire(self, now: float) -> None:
        """The time is up: for the exchange, or for being idle."""
        call = self._call
        if self._closing:
            self.abort()
        elif call is None:
            self.close()
        elif call.due <= now:
            self.fail(FetchTimeout("the whole fetch took too long (DOWNLOAD_TIMEOUT)", phase="total"))
        elif self._received:
            self.fail(FetchTimeout(f"silence for {self._read_timeout:g} s while reading", phase="read"))
        else:
            self.fail(FetchTimeout(f"no answer for {self._read_timeout:g} s", phase="first byte"))

    def cancel(self, call: Call) -> None:
        """Drop the exchange if it is still this one; the connection cannot be used again."""
        if self._call is call:
            self._call = None
            self._stop_sending()
            self.abort()

    def connectionLost(self, reason: Failure | None = None) -> None:
        call, self._call = self._call, None
        self._closing = True
        self._stop_sending()
        self._remember_session()
        self.owner.lost(self)
        if call is None:
            return
        clean = reason is not None and reason.check(ConnectionDone) is not None
        why = "closed" if clean or reason is None else f"lost: {reason.getErrorMessage().rstrip('.')}"
        head = self._head
        if head is None:
            stale = self.exchanges > 1 and not self._received
            when = "in the middle of the head" if self._received else "without an answer"
            call.on_error(ConnectionLost(f"the connection was {why} {when}"), stale=stale)
        elif clean and (head.framing == BY_CLOSE or (self._chunks is not None and self._chunks.ends_here())):
            call.on_end(None)
        elif head.framing == BY_LENGTH:
            got = head.length - self._left
            call.on_truncated(TruncatedBody(f"the connection was {why} after {got} of {head.length} bytes"))
        else:
            call.on_truncated(TruncatedBody(f"the connection was {why} in the middle of the body"))

    def send(self, call: Call, now: float) -> None:
        """Begin an exchange; the connection must be idle. ``now`` is the clock's time."""
        self._call = call
        self._reader = self._read_head
        self._head = None
        self._received = False
        self._head_bytes = 0
        self.active = now
        self.exchanges += 1
        due = min(call.due, now + self._read_timeout)
        if due < self._deadlines.wake:
            self._deadlines.hasten(due)
        payload = call.payload
        if self._write_now is not None and self._source is None:
            written = self._write_now(payload)
            if written == len(payload):
                payload = b""
            elif isinstance(written, int) and written > 0:
                payload = payload[written:]
        if call.body_source is not None:
            self.transport.write(payload)
            self._source = call.body_source
            call.body_source.start(self, self.sent)
        elif payload:
            self._write_later(payload)

    def _write_later(self, data: bytes) -> None:
        """Send what the socket did not take at once; an answer that comes before it is sent ends the connection."""
        if self._write_now is None:
            self.transport.write(data)
        else:
            self._source = rest = _Rest(data, self)
            self.transport.registerProducer(rest, False)

    def pause(self, call: Call) -> None:
        """Read nothing for now; silence is not counted meanwhile."""
        self.transport.pauseProducing()
        self.active = FOREVER

    def resume(self, call: Call) -> None:
        """Read again."""
        self.active = self._clock()
        if not self._closing:
            self.transport.resumeProducing()

    def progressed(self) -> None:
        """Bytes of a streamed request body went out, so silence is measured from here."""
        self.active = self._clock()

    def sent(self, error: FetchError | None) -> None:
        """All of the request is sent, or cannot be."""
        self._source = None
        self.active = self._clock()
        if error is not None and self._call is not None:
            self.fail(error)


class _Rest:
    """The rest of a request, as a pull producer: asked again when it is sent, so that it is known when that is."""

    def __init__(self, data: bytes, connection: HttpConnection) -> None:
        self._data = data
        self._connection = connection
        self._transport = connection.transport

    def resumeProducing(self) -> None:
        data, self._data = self._data, b""
        if data:
            self._transport.write(data)
        else:
            self._transport.unregisterProducer()
            self._connection.sent(None)

    def stopProducing(self) -> None:
        """The connection is lost, which tells itself."""

    def stop(self) -> None:
        """The exchange is over."""
        self._transport.unregisterProducer()
