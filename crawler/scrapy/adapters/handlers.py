"""What fetches the URLs of a scheme, where a project has a download handler of its own (DOWNLOAD_HANDLERS)?

Scrapy's own are what the crawler has for these schemes. One of a project's is a downloader of the crawler's, for http
and https, too; robots.txt, cookies, delays and the rest stay round it.
"""

from __future__ import annotations

import asyncio
import inspect
from typing import Any, ClassVar, Final, Self

from twisted.internet.defer import Deferred, succeed

from crawler.engine.user_code.tasks import driver
from crawler.errors import UnsupportedScheme
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.scrapy.adapters import components
from crawler.scrapy.adapters.calling import by_place
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.http import as_scrapy_request

_SETTING = "DOWNLOAD_HANDLERS"


class Ftp:
    """FTP's downloader, which is imported when it is first needed."""

    def __init__(self, settings: Any, *, reactor: Any) -> None:
        self._settings, self._reactor = settings, reactor
        self._made: Any = None

    def fetch(self, request: Request, exchange: Any = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        if self._made is None:
            from crawler.download.schemes.ftp import FtpDownloader

            self._made = FtpDownloader(self._settings, reactor=self._reactor)
        fetched: Deferred[Response] = self._made.fetch(request, exchange)
        return fetched

    def close(self) -> Deferred[None]:
        """Close it, if it was needed."""
        return succeed(None) if self._made is None else self._made.close()


_OURS: Final = {"ftp": Ftp, "s3": "crawler.download.s3.S3Downloader"}
"""Beside http, https, file and data, which are always there."""


def schemes(settings: Any) -> dict[str, Any]:
    """Return our SCHEMES: what fetches URLs of a scheme, None where nothing shall. Raises SettingError."""
    named = settings.getdict(_SETTING)
    found: dict[str, Any] = {}
    for scheme, handler in settings.getwithbase(_SETTING).items():
        if handler is None:
            found[scheme] = None
        elif not str(handler).startswith("scrapy."):
            found[scheme] = _downloader(scheme, components.loaded(handler, _SETTING))
        elif scheme in _OURS and (scheme in named or scheme == "ftp"):
            found[scheme] = _OURS[scheme]
    return found


def any_own(settings: Any) -> bool:
    """Tell whether a handler is the project's own."""
    return any(
        handler is not None and not str(handler).startswith("scrapy.") for handler in settings[_SETTING].values()
    )


def _downloader(scheme: str, component: Any) -> type[HandlersDownloader]:
    name = f"{component.__name__} for {scheme}"
    return type(name, (HandlersDownloader,), {"component": component, "scheme": scheme})


class HandlersDownloader:
    """A downloader (crawler.download.seam) over a handler, which is made when it is first needed, unless it is not
    ``lazy``."""

    component: ClassVar[Any]
    scheme: ClassVar[str]

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler
        self._handler: Any = None
        self._refused = ""
        if not getattr(self.component, "lazy", True):
            self._make()

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the downloader of a crawl."""
        return cls(crawler)

    def fetch(self, request: Request, exchange: Any = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader; fails with what the handler raises."""
        return self._drive(self._fetched(request))

    async def _fetched(self, request: Request) -> Response:
        handler = self._handler or self._make()
        if handler is None:
            raise UnsupportedScheme(
                f"no handler for {self.scheme!r} URLs: {self._refused}", request=request, sent=False
            )
        download = by_place(handler.download_request, self._crawler.spider, 1)
        response = await _value(download(as_scrapy_request(request)))
        if not isinstance(response, Response):
            name = type(handler).__qualname__
            raise TypeError(f"{name}.download_request must give a Response, but gave {response!r:.80}")
        if response.request is None:
            response.request = request
        return response

    def close(self) -> Deferred[None]:
        """Let the handler clean up."""

        async def close() -> None:
            if hasattr(self._handler, "close"):
                await _value(self._handler.close())

        return self._drive(close())

    def _make(self) -> Any:
        if not self._refused:
            try:
                self._handler = components.build(self.component, self._crawler)
            except NotConfigured as error:
                self._refused = str(error) or f"{self.component.__qualname__} is not configured"
        return self._handler

    @staticmethod
    def _drive(coroutine: Any) -> Deferred[Any]:
        try:
            return driver(asyncio.get_running_loop())(coroutine)
        except RuntimeError:  # a reactor without an asyncio loop
            return Deferred.fromCoroutine(coroutine)


async def _value(result: Any) -> Any:
    return await result if inspect.isawaitable(result) else result
