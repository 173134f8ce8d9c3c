"""As what does code written for Scrapy catch the crawler's errors?

Each has a class that is the crawler's own and Scrapy's, and what Twisted had for it: projects that were written for an
older Scrapy catch that. Which is Scrapy's is said in its docs ("Exceptions"); Twisted's are what its Agent fails with.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final, TypeVar

from twisted.internet import error as of_twisted

from crawler import errors
from crawler.scrapy import exceptions
from crawler.scrapy.spidermiddlewares.httperror import HttpError

Told = TypeVar("Told", bound=BaseException)


class _Both:
    """Twisted's errors have words of their own for what happened, and something that they were given by a socket."""

    osError = None  # noqa: N815  # Twisted's name
    reasons: tuple[Any, ...] = ()
    response: Any = None
    args: tuple[Any, ...]

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


@cache
def _classes() -> dict[type[BaseException], type[Exception]]:
    """Return the class of each of the crawler's errors; made when there is one, as Twisted's HTTP is not small."""
    from twisted.web._newclient import ResponseFailed, ResponseNeverReceived

    bases: dict[type[BaseException], tuple[type[Exception], ...]] = {
        errors.NameNotResolved: (exceptions.CannotResolveHostError, of_twisted.DNSLookupError),
        errors.ConnectionFailed: (exceptions.DownloadConnectionRefusedError, of_twisted.ConnectionRefusedError),
        errors.ConnectionLost: (exceptions.DownloadFailedError, of_twisted.ConnectionLost, ResponseNeverReceived),
        errors.FetchTimeout: (exceptions.DownloadTimeoutError, of_twisted.TimeoutError),
        errors.TLSError: (exceptions.DownloadFailedError, ResponseNeverReceived),
        errors.ProxyError: (exceptions.DownloadFailedError, of_twisted.ConnectError),
        errors.BadResponse: (exceptions.DownloadFailedError, ResponseFailed),
        errors.HeadTooLarge: (exceptions.DownloadCancelledError, ResponseFailed),
        errors.BodyTooLarge: (exceptions.DownloadCancelledError,),
        errors.TruncatedBody: (exceptions.ResponseDataLossError, ResponseFailed),
        errors.SessionBlocked: (exceptions.DownloadFailedError,),
        errors.FetchCancelled: (exceptions.DownloadCancelledError,),
        errors.UnsupportedScheme: (exceptions.UnsupportedURLSchemeError, exceptions.NotSupported),
        errors.NotInCache: (exceptions.IgnoreRequest,),
        errors.TooManyRedirects: (exceptions.IgnoreRequest,),
        errors.RequestDropped: (exceptions.IgnoreRequest,),
    }
    made = {
        native: type(of[0].__name__, (_Both, native, *of), {"__module__": exceptions.__name__, "__doc__": ""})
        for native, of in bases.items()
    }
    return {**made, errors.HttpError: HttpError}


# What a proxy that cannot be reached is told by: Scrapy does not tell it from a server that cannot be reached.
_OF_PROXIES: Final = (
    (of_twisted.DNSLookupError, errors.NameNotResolved),
    ((of_twisted.TimeoutError, of_twisted.TCPTimedOutError), errors.FetchTimeout),
    (of_twisted.ConnectionRefusedError, errors.ConnectionFailed),
)


@cache
def _of_proxies(like: type[BaseException]) -> type[Exception]:
    """Return the class of a proxy's error that is told as another of the crawler's errors is."""
    both = _classes()[like]
    of = [base for base in both.__bases__ if base is not _Both and base is not like]
    return type(both.__name__, (_Both, errors.ProxyError, *of), {"__module__": exceptions.__name__, "__doc__": ""})


def _class_of(error: BaseException) -> type[Exception] | None:
    if type(error) is errors.ProxyError:
        for below, like in _OF_PROXIES:
            if isinstance(error.__cause__, below):
                return _of_proxies(like)
    return _classes().get(type(error))


def as_scrapy_error(error: BaseException) -> Any:
    """Return an error of the crawler's as one that is Scrapy's and Twisted's, too; any other as it is.

    What a middleware refused with IgnoreRequest is told by that itself.
    """
    if type(error) is errors.RequestDropped and isinstance(error.__cause__, errors.IgnoreRequest):
        return error.__cause__
    both = _class_of(error)
    if both is None:
        return error
    made = both.__new__(both, *error.args)
    forbidden = isinstance(error, errors.RequestDropped) and error.reason == "robots"
    made.args = ("Forbidden by robots.txt",) if forbidden else error.args
    made.__dict__.update(error.__dict__)
    return _told_as(made, error)


def _told_as(made: Told, error: BaseException) -> Told:
    made.__cause__, made.__suppress_context__ = error.__cause__, error.__suppress_context__
    made.__context__ = error.__context__
    return made.with_traceback(error.__traceback__)


def scrapy_name(error: BaseException) -> str:
    """Return the full name of an error's class as Scrapy's stats write it."""
    kind = type(error)
    found: type = (_class_of(error) or kind) if kind.__module__ == "crawler.errors" else kind
    module = found.__module__
    if module == "crawler.errors":
        module = "scrapy.exceptions"
    return f"{module.removeprefix('crawler.') if module.startswith('crawler.scrapy') else module}.{found.__qualname__}"
