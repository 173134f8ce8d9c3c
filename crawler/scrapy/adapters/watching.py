"""How do receivers see a response while it comes, and stop it? The signals headers_received and bytes_received.

The body is told of as a whole, when it is there: what stops it then spares the callback, and no traffic.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from twisted.python.failure import Failure

from crawler.download.seam import Head
from crawler.errors import FetchError
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.scrapy import exceptions, signals
from crawler.scrapy.adapters.responses import as_scrapy
from crawler.scrapy.exceptions import StopDownload
from crawler.scrapy.http.headers import Headers


class _Stopped(StopDownload, FetchError):
    """StopDownload as the outcome of a fetch."""

    def __init__(self, response: Response) -> None:
        FetchError.__init__(self, "its download was stopped")
        self.fail, self.response = True, response


_Stopped.__name__ = _Stopped.__qualname__ = StopDownload.__name__
_Stopped.__module__ = exceptions.__name__


class Watching:
    """A middleware, next to the downloader, that is there only where somebody hears one of the signals."""

    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler
        self._stopped: WeakKeyDictionary[Request, StopDownload] = WeakKeyDictionary()

    def on_head(self, request: Request, head: Head) -> bool:
        """Tell of the head; stop there if a receiver wants that."""
        length = head.headers.text("Content-Length") or ""
        told = {"headers": Headers(list(head.headers.raw())), "body_length": int(length) if length.isdigit() else -1}
        return self._tell(signals.headers_received, request, **told)

    async def __call__(self, request: Request, fetch: Any) -> Response:
        """See crawler.download.middleware.chain.Middleware."""
        response: Response = await fetch(request)
        if request not in self._stopped:
            self._tell(signals.bytes_received, request, data=response.body)
        stop = self._stopped.pop(request, None)
        if stop is None:
            return response
        stopped: Response = response.replace(flags=[*response.flags, "download_stopped"])
        if stop.fail:
            raise _Stopped(as_scrapy(stopped))
        return stopped

    def _tell(self, signal: Any, request: Request, **told: Any) -> bool:
        if signal not in self._crawler.telling.heard:
            return True
        spider = self._crawler.spider
        for _, result in self._crawler.signals.send_catch_log(signal, request=request, spider=spider, **told):
            if isinstance(result, Failure) and isinstance(result.value, StopDownload):
                self._stopped[request] = result.value
                return False
        return True
