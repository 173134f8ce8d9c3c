"""Which of our errors is a failure of Twisted's Agent?"""

from __future__ import annotations

from collections.abc import Iterator

from OpenSSL import SSL
from twisted.internet import error
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.web import client
from twisted.web._newclient import ParseError  # private, but it is what the Agent's reasons hold

from crawler.download.net.failures import ssl_reason
from crawler.errors import (
    BadResponse,
    ConnectionLost,
    FetchCancelled,
    FetchError,
    TLSError,
    TruncatedBody,
)

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
