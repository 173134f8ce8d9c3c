"""What does an errback get?

A Failure whose value is one of our errors. Errbacks written for Scrapy ask it for ``request`` and check
for the errors of Twisted (docs.scrapy.org, "Using errbacks to catch exceptions in request processing");
both are answered here, so that such a check is never silently false.
"""

from __future__ import annotations

from typing import TypeVar

from twisted.python.failure import Failure
from twisted.python.reflect import qual

from crawler.errors import (
    BadResponse,
    ConnectionFailed,
    ConnectionLost,
    FetchCancelled,
    FetchTimeout,
    HttpError,
    NameNotResolved,
    ProxyError,
    RequestDropped,
    TLSError,
    TruncatedBody,
)
from crawler.model.request import Request

KindT = TypeVar("KindT", bound=type[BaseException] | str)

_BROKEN = (ConnectionLost, TruncatedBody, BadResponse)

SAME: dict[str, tuple[type[Exception], ...]] = {
    "builtins.TimeoutError": (FetchTimeout,),
    "builtins.ConnectionError": (ConnectionFailed, ConnectionLost),
    "builtins.ConnectionRefusedError": (ConnectionFailed,),
    "OpenSSL.SSL.Error": (TLSError,),
    "crawler.errors.IgnoreRequest": (RequestDropped,),
    "scrapy.core.downloader.handlers.http11.TunnelError": (ProxyError,),
    "scrapy.exceptions.IgnoreRequest": (RequestDropped,),
    "scrapy.spidermiddlewares.httperror.HttpError": (HttpError,),
    "twisted.internet.defer.CancelledError": (FetchCancelled,),
    "twisted.internet.defer.TimeoutError": (FetchTimeout,),
    "twisted.internet.error.ConnectError": (ConnectionFailed,),
    "twisted.internet.error.ConnectionDone": (ConnectionLost,),
    "twisted.internet.error.ConnectionLost": (ConnectionLost,),
    "twisted.internet.error.ConnectionRefusedError": (ConnectionFailed,),
    "twisted.internet.error.DNSLookupError": (NameNotResolved,),
    "twisted.internet.error.NoRouteError": (ConnectionFailed,),
    "twisted.internet.error.TCPTimedOutError": (FetchTimeout,),
    "twisted.internet.error.TimeoutError": (FetchTimeout,),
    "twisted.internet.error.UserTimeoutError": (FetchTimeout,),
    "twisted.web._newclient.ResponseFailed": _BROKEN,
    "twisted.web._newclient.ResponseNeverReceived": _BROKEN,
    "twisted.web.client.ResponseFailed": _BROKEN,
    "twisted.web.client.ResponseNeverReceived": _BROKEN,
}
"""Which of our errors stand for an error of another library, by its qualified name."""


class RequestFailure(Failure):
    """The failure of one request; ``check`` and ``trap`` know Twisted's and Scrapy's errors for ours."""

    request: Request

    def __init__(self, error: BaseException, request: Request) -> None:
        super().__init__(error, type(error), error.__traceback__)  # type: ignore[no-untyped-call]  # Twisted's
        self.request = request

    def check(self, *kinds: KindT) -> KindT | None:
        """Return the first of the error types (or their qualified names) that this failure is one of, or None."""
        for kind in kinds:
            if super().check(kind):  # type: ignore[no-untyped-call]  # Twisted's
                return kind
            name = qual(kind) if isinstance(kind, type) else str(kind)
            if isinstance(self.value, SAME.get(name, ())):
                return kind
        return None
