"""What if a downloader of the user's own never answers?

Our own keep their time-outs themselves, each phase its own; around all others is this one, so that no
request can hold its place for ever.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from crawler.config.schema import CoreSettings
from crawler.download.machine import Clock
from crawler.download.rules import seconds_of
from crawler.download.seam import Downloader, Exchange
from crawler.errors import FetchTimeout
from crawler.model.request import Request
from crawler.model.response import Response


class TimedDownloader:
    """Cancels a fetch after meta ``download_timeout`` or DOWNLOAD_TIMEOUT seconds (0: never): a FetchTimeout."""

    def __init__(self, downloader: Downloader, settings: CoreSettings, clock: Clock) -> None:
        self._downloader = downloader
        self._seconds = settings.DOWNLOAD_TIMEOUT
        self._clock: Any = clock  # Twisted's addTimeout asks for an interface of zope

    def __repr__(self) -> str:
        return f"<TimedDownloader {self._downloader!r}>"

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        fetched = self._downloader.fetch(request, exchange)
        seconds = seconds_of(request.meta, self._seconds)
        if not seconds:
            return fetched

        def late(_: Response | Failure, seconds: float) -> Response | Failure:
            # Whatever the downloader makes of being cancelled.
            raise FetchTimeout(f"no answer within {seconds:g} s (DOWNLOAD_TIMEOUT)", request=request)

        return fetched.addTimeout(seconds, self._clock, late)

    def close(self) -> Deferred[None]:
        """Close the downloader."""
        return self._downloader.close()
