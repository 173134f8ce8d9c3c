"""Does code written for Scrapy catch what the crawler's downloads come to?"""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet import error as of_twisted
from twisted.python.failure import Failure
from twisted.web.client import ResponseFailed, ResponseNeverReceived

from crawler import errors
from crawler.model.request import Request
from crawler.scrapy import exceptions
from crawler.scrapy.adapters.errors import as_scrapy_error, scrapy_name


@pytest.mark.parametrize(
    ("error", "of_scrapy", "of_twisteds"),
    [
        (errors.NameNotResolved, exceptions.CannotResolveHostError, of_twisted.DNSLookupError),
        (errors.ConnectionFailed, exceptions.DownloadConnectionRefusedError, of_twisted.ConnectionRefusedError),
        (errors.ConnectionLost, exceptions.DownloadFailedError, of_twisted.ConnectionLost),
        (errors.ConnectionLost, exceptions.DownloadFailedError, ResponseNeverReceived),
        (errors.FetchTimeout, exceptions.DownloadTimeoutError, of_twisted.TimeoutError),
        (errors.TLSError, exceptions.DownloadFailedError, ResponseNeverReceived),
        (errors.BadResponse, exceptions.DownloadFailedError, ResponseFailed),
        (errors.TruncatedBody, exceptions.ResponseDataLossError, ResponseFailed),
        (errors.BodyTooLarge, exceptions.DownloadCancelledError, exceptions.DownloadCancelledError),
        (errors.UnsupportedScheme, exceptions.UnsupportedURLSchemeError, exceptions.NotSupported),
        (errors.TooManyRedirects, exceptions.IgnoreRequest, exceptions.IgnoreRequest),
    ],
)
def test_an_error_is_the_crawlers_scrapys_and_twisteds(error: Any, of_scrapy: Any, of_twisteds: Any) -> None:
    request = Request("http://a.test/")
    cause = OSError("below")
    given = error("what happened", request=request)
    given.__cause__ = cause
    made = as_scrapy_error(given)
    assert Failure(made).check(of_scrapy) is of_scrapy
    assert Failure(made).check(of_twisteds) is of_twisteds
    assert isinstance(made, error)
    assert (str(made), made.request, made.__cause__) == ("what happened", request, cause)
    assert as_scrapy_error(made) is made


@pytest.mark.parametrize(
    ("below", "of_scrapy", "of_twisteds"),
    [
        (
            of_twisted.ConnectionRefusedError(),
            exceptions.DownloadConnectionRefusedError,
            of_twisted.ConnectionRefusedError,
        ),
        (of_twisted.DNSLookupError(), exceptions.CannotResolveHostError, of_twisted.DNSLookupError),
        (of_twisted.TCPTimedOutError(), exceptions.DownloadTimeoutError, of_twisted.TimeoutError),
        (of_twisted.NoRouteError(), exceptions.DownloadFailedError, of_twisted.ConnectError),
        (None, exceptions.DownloadFailedError, of_twisted.ConnectError),
    ],
)
def test_a_proxy_that_cannot_be_reached_is_told_as_a_server_that_cannot(
    below: Any, of_scrapy: Any, of_twisteds: Any
) -> None:
    given = errors.ProxyError("the proxy p.test:1 cannot be used", sent=False)
    given.__cause__ = below
    made = as_scrapy_error(given)
    assert Failure(made).check(of_scrapy) is of_scrapy
    assert Failure(made).check(of_twisteds) is of_twisteds
    assert (isinstance(made, errors.ProxyError), str(made), made.sent) == (True, str(given), False)
    assert scrapy_name(given) == scrapy_name(made) == f"scrapy.exceptions.{of_scrapy.__name__}"
    assert as_scrapy_error(made) is made


def test_what_an_error_knows_stays_with_it() -> None:
    timeout = as_scrapy_error(errors.FetchTimeout("late", phase="connect", sent=False))
    assert (timeout.phase, timeout.sent, timeout.may_repeat) == ("connect", False, False)
    dropped = as_scrapy_error(errors.RequestDropped("robots", detail="/private"))
    assert (dropped.reason, str(dropped)) == ("robots", "Forbidden by robots.txt")
    assert isinstance(dropped, exceptions.IgnoreRequest)


def test_what_is_nobodys_but_the_users_stays_as_it_is() -> None:
    for error in (KeyError("x"), exceptions.IgnoreRequest("no"), errors.DecodingError("broken")):
        assert as_scrapy_error(error) is error


def test_errors_have_the_names_that_scrapys_stats_have() -> None:
    assert scrapy_name(errors.FetchTimeout("late")) == "scrapy.exceptions.DownloadTimeoutError"
    assert scrapy_name(as_scrapy_error(errors.FetchTimeout("late"))) == "scrapy.exceptions.DownloadTimeoutError"
    assert scrapy_name(exceptions.IgnoreRequest()) == "scrapy.exceptions.IgnoreRequest"
    assert scrapy_name(errors.RequestDropped("robots")) == "scrapy.exceptions.IgnoreRequest"
    assert scrapy_name(KeyError()) == "builtins.KeyError"
