"""How does the body of one of the Agent's responses become a Response?"""

# ruff: noqa: N802 - the names are those of Twisted's interfaces

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from crawler.config.schema import CoreSettings
from crawler.download.body_file import BodyFile
from crawler.download.coding.decoding import Decoder, codings
from crawler.download.request_limits import CUT, max_size_of
from crawler.errors import BodyTooLarge, FetchError
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.url import shortened

logger = logging.getLogger(__name__)


class BodyRules:
    """What settings and meta say about the body of one request (names and units: CoreSettings)."""

    def __init__(self, settings: CoreSettings, request: Request) -> None:
        meta = request.meta
        self.max_size = max_size_of(meta, settings.DOWNLOAD_MAXSIZE)
        self.decode = settings.COMPRESSION_ENABLED
        self.spool_size = settings.DOWNLOAD_SPOOL_SIZE
        self.warn_size = settings.DOWNLOAD_WARNSIZE
        self.lenient = not meta.get("download_fail_on_dataloss", settings.DOWNLOAD_FAIL_ON_DATALOSS)
        self.file = meta.get("download_file")
        self.cut = CUT in meta


class Body(Protocol):
    """Gathers one body. ``done(self)`` or ``failed(error)`` is called once, whatever happens.

    ``transfer``: codings of the transfer that are still on it, in the order in which they were applied.
    """

    def __init__(
        self,
        request: Request,
        headers: Headers,
        rules: BodyRules,
        *,
        tap: Callable[[bytes], None] | None,
        done: Callable[[Body], None],
        failed: Callable[[Any], None],
        transfer: Sequence[bytes] = (),
    ) -> None:
        self.flags: list[str] = []
        self._request = request
        self._headers = headers
        self._rules = rules
        self._tap = tap
        self._done = done
        self._failed = failed
        self._received = 0
        self._size = 0
        self._chunks: list[bytes] = []
        self._ended = False
        self._file: BodyFile | None = None if rules.file is None else BodyFile.named(rules.file)
        self._decoder: Decoder | None = None
        encodings = codings(headers.getlist(b"Content-Encoding")) if rules.decode else []
        encodings += transfer
        if encodings:
            self._decoder = Decoder(encodings, rules.max_size, lenient=rules.lenient, cut=rules.cut)

    @property
    def ended(self) -> bool:
        """Whether nothing more is taken."""
        return self._ended

    def dataReceived(self, data: bytes) -> None:
        if self._ended:
            return
        try:
            self._take(data)
        except Exception as error:
            self.fail(error)

    def _take(self, data: bytes) -> None:
        limit = self._rules.max_size
        self._received += len(data)
        if self._tap is not None:
            self._tap(data)
        too_large = 0 < limit < self._received
        if too_large and not self._rules.cut:
            raise BodyTooLarge(f"the body is larger than {limit} bytes (DOWNLOAD_MAXSIZE)")
        self._keep(data if self._decoder is None else self._decoder.feed(data))
        if too_large or (self._decoder is not None and self._decoder.full):
            self.end("stopped")

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._file is None and 0 < self._rules.spool_size < self._size:
            self._file = BodyFile.temporary()
            for chunk in self._chunks:
                self._file.write(chunk)
            self._chunks = []
        if self._file is not None:
            self._file.write(data)
        else:
            self._chunks.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._ended:
            return
        # A body without length or chunks ends with the connection: that is no error (RFC 9112, 6.3).
        if reason.check(ResponseDone, PotentialDataLoss):
            self.end()
        elif self._rules.lenient:
            self.end("dataloss")
        else:
            self.fail(reason)

    def end(self, flag: str | None = None) -> None:
        """The body is as complete as it gets."""
        self._ended = True
        if flag is not None:
            self.flags.append(flag)
        try:
            if self._decoder is not None and flag is None:
                self._keep(self._decoder.finish())
                if self._decoder.truncated:
                    self.flags.append("dataloss")
        except FetchError as error:
            self.fail(error)
            return
        if self._decoder is not None:
            self._say_what_is_left(self._decoder.left)
        if 0 < self._rules.warn_size < self._size:
            logger.warning(
                "Large body: %d bytes from %s (DOWNLOAD_WARNSIZE)", self._size, shortened(repr(self._request))
            )
        self._done(self)

    def fail(self, reason: Any) -> None:
        """The body is worth nothing."""
        self._ended = True
        if self._file is not None:
            self._file.discard()
        self._failed(reason)

    def _say_what_is_left(self, left: list[bytes]) -> None:
        if left:
            self._headers[b"Content-Encoding"] = b", ".join(left)
        else:
            self._headers.pop(b"Content-Encoding", None)

    def result(self) -> tuple[bytes, Path | None]:
        """Return the body, or b"" and the file it lies in."""
        if self._file is not None:
            return b"", self._file.keep()
        return b"".join(self._chunks), None
