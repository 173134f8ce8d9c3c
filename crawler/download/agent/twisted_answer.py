"""What do the parts of one of the Agent's answers look like as ours: its head, its body, its failures?"""

# ruff: noqa: N802, N815 - the names are those of Twisted's interfaces

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from OpenSSL import SSL
from twisted.internet import error
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import client
from twisted.web._newclient import ParseError  # private, but it is what the Agent's reasons hold
from twisted.web.client import Response as Answer
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from crawler.download.body import Body
from crawler.download.net.failures import ssl_reason
from crawler.download.net.interfaces import Consumer
from crawler.download.seam import Head
from crawler.errors import (
    BadResponse,
    ConnectionLost,
    FetchCancelled,
    FetchError,
    TLSError,
    TruncatedBody,
)
from crawler.model.headers import Headers


@implementer(IBodyProducer)
class BytesProducer:
    """A body that is in memory."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: Consumer) -> Deferred[None]:
        """Write all of it (IBodyProducer)."""
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Nothing is left to pause."""

    resumeProducing = stopProducing = pauseProducing


def head_of(answer: Answer) -> Head:
    """Return the head of the Agent's response; raises BadResponse for what the Agent lets pass."""
    raw = [(name, value) for name, values in answer.headers.getAllRawHeaders() for value in values]
    if answer.length is not UNKNOWN_LENGTH:
        raw.append((b"Content-Length", b"%d" % int(answer.length)))  # the Agent keeps it to itself
    if not 100 <= answer.code <= 999:
        raise BadResponse(f"the status {answer.code} is none")
    if any(b"\0" in value or b"\0" in name or b"\r" in value for name, value in raw):
        raise BadResponse("a header field contains NUL or CR")
    name, major, minor = answer.version
    return Head(answer.code, answer.phrase, Headers.from_raw(raw), f"{name.decode('latin-1')}/{major}.{minor}")


class Recipient(Protocol):
    """What is told once of what became of the body."""

    def complete(self, body: Body) -> None:
        """The body is there."""

    def body_broke(self, failure: Failure) -> None:
        """The body is worth nothing."""


class Delivery(TwistedProtocol):
    """Takes the body from the Agent; the fetch is told once what became of it."""

    def __init__(self, fetch: Recipient, body: Body, *, lenient: bool) -> None:
        self._fetch = fetch
        self._body = body
        self._lenient = lenient

    def dataReceived(self, data: bytes) -> None:
        if self._body.ended:
            return
        try:
            self._body.feed(data)
        except Exception:
            self._fetch.body_broke(Failure())
        else:
            if self._body.ended:
                self._fetch.complete(self._body)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        body = self._body
        if body.ended:
            return
        # A body without length or chunks ends with the connection: that is no error (RFC 9112, 6.3).
        whole = reason.check(ResponseDone, PotentialDataLoss) is not None
        if not whole and not self._lenient:
            body.discard()
            self._fetch.body_broke(reason)
            return
        try:
            body.end(None if whole else "dataloss")
        except FetchError:
            self._fetch.body_broke(Failure())
        else:
            self._fetch.complete(body)


_WRAPPERS = (client.RequestTransmissionFailed, client.ResponseFailed, client.ResponseNeverReceived)


def translate(failure: Failure, where: str, *, sent: bool, in_body: bool = False) -> FetchError:
    """Return the FetchError for a failure; ``where`` is the peer's "host:port".

    ``in_body``: the head had come, so a lost connection means a truncated body.
    """
    cause = failure.value
    assert cause is not None
    causes = list(_unwrapped(cause))
    translated = next((inner for inner in causes if isinstance(inner, FetchError)), None)
    if translated is None:
        translated = _by_kind(causes, where, in_body)
        translated.__cause__ = cause
        translated.sent = sent
    return translated


def _unwrapped(cause: BaseException) -> Iterator[BaseException]:
    yield cause
    if isinstance(cause, _WRAPPERS):
        for reason in cause.reasons:
            yield from _unwrapped(reason.value)


def _by_kind(causes: list[BaseException], where: str, in_body: bool) -> FetchError:
    def first(*kinds: type[BaseException]) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    # From the most telling to the least.
    if first(CancelledError):
        return FetchCancelled("the fetch was cancelled")
    if found := first(SSL.Error):
        return TLSError(f"TLS with {where}: {ssl_reason(found)}")
    if in_body:
        return TruncatedBody(f"the body from {where} ended early")
    if found := first(ParseError, ValueError):
        return BadResponse(f"{where} sent what is not HTTP: {found}")
    if first(error.ConnectionDone, error.ConnectionLost, error.ConnectionAborted, client.ResponseNeverReceived):
        return ConnectionLost(f"{where} closed the connection before the response was complete")
    return ConnectionLost(f"no response from {where}: {type(causes[0]).__name__}: {causes[0]}")
