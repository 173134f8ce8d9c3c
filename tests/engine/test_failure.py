"""Does an errback's failure know the errors that spiders written for Scrapy check for?"""

from __future__ import annotations

import pytest
from twisted.internet import error
from twisted.web.client import ResponseFailed, ResponseNeverReceived

from crawler.engine.user_code.failure import RequestFailure
from crawler.errors import (
    BadResponse,
    ConnectionFailed,
    ConnectionLost,
    FetchError,
    FetchTimeout,
    HttpError,
    IgnoreRequest,
    NameNotResolved,
    RequestDropped,
    TruncatedBody,
)
from crawler.model.request import Request
from crawler.model.response import Response

REQUEST = Request("http://a.test/")


@pytest.mark.parametrize(
    ("ours", "kinds"),
    [
        (NameNotResolved("x"), [error.DNSLookupError, NameNotResolved, FetchError]),
        (FetchTimeout("x"), [error.TimeoutError, error.TCPTimedOutError, TimeoutError]),
        (ConnectionFailed("x"), [error.ConnectionRefusedError, error.ConnectError]),
        (ConnectionLost("x"), [error.ConnectionLost, error.ConnectionDone, ResponseFailed, ResponseNeverReceived]),
        (TruncatedBody("x"), [ResponseFailed]),
        (BadResponse("x"), [ResponseFailed]),
        (RequestDropped("robots"), [IgnoreRequest, "scrapy.exceptions.IgnoreRequest"]),
        (HttpError("x", response=Response("http://a.test/")), ["scrapy.spidermiddlewares.httperror.HttpError"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_errors_of_twisted_and_scrapy_are_known(ours: Exception, kinds: list[object]) -> None:
    failure = RequestFailure(ours, REQUEST)
    assert failure.request is REQUEST
    assert failure.value is ours
    for kind in kinds:
        assert failure.check(ValueError, kind) is kind
        assert failure.trap(kind) is kind
    assert failure.check(ValueError, error.CannotListenError) is None
