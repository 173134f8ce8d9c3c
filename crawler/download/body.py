"""How is the body of a response gathered, within the limits of its request?"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from crawler.config.schema import CoreSettings
from crawler.download.body_file import BodyFile
from crawler.download.coding.decoding import Decoder, codings
from crawler.download.request_limits import CUT, max_size_of
from crawler.download.seam import Exchange
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


class Body:
    """Gathers one body. What cannot be used raises, and leaves no file behind.

    ``transfer``: codings of the transfer that are still on it, in the order in which they were applied.
    ``ended``: nothing more is taken; ``flags`` are those that the response gets for it.
    """

    def __init__(
        self,
        request: Request,
        headers: Headers,
        rules: BodyRules,
        exchange: Exchange | None = None,
        *,
        transfer: Sequence[bytes] = (),
    ) -> None:
        self.flags: list[str] = []
        self.ended = False
        self._request = request
        self._headers = headers
        self._rules = rules
        self._tap = None if exchange is None else exchange.tap
        self._received = 0
        self._size = 0
        self._chunks: list[bytes] = []
        self._file: BodyFile | None = None if rules.file is None else BodyFile.named(rules.file)
        self._decoder: Decoder | None = None
        encodings = codings(headers.getlist(b"Content-Encoding")) if rules.decode else []
        encodings += transfer
        if encodings:
            self._decoder = Decoder(encodings, rules.max_size, lenient=rules.lenient, cut=rules.cut)

    def feed(self, data: bytes) -> None:
        """Take a piece; raises FetchError, and whatever the exchange's tap does."""
        if self.ended:
            return
        try:
            self._take(data)
        except BaseException:
            self.discard()
            raise

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

    def end(self, flag: str | None = None) -> None:
        """The body is as complete as it gets; raises FetchError."""
        self.ended = True
        if flag is not None:
            self.flags.append(flag)
        decoder = self._decoder
        if decoder is not None:
            try:
                self._finish(decoder, whole=flag is None)
            except FetchError:
                self.discard()
                raise
        if 0 < self._rules.warn_size < self._size:
            logger.warning(
                "Large body: %d bytes from %s (DOWNLOAD_WARNSIZE)", self._size, shortened(repr(self._request))
            )

    def _finish(self, decoder: Decoder, *, whole: bool) -> None:
        if whole:
            self._keep(decoder.finish())
            if decoder.truncated:
                self.flags.append("dataloss")
        if decoder.left:
            self._headers[b"Content-Encoding"] = b", ".join(decoder.left)
        else:
            self._headers.pop(b"Content-Encoding", None)

    def discard(self) -> None:
        """The body is worth nothing."""
        self.ended = True
        if self._file is not None:
            self._file.discard()

    def result(self) -> tuple[bytes, Path | None]:
        """Return the body, or b"" and the file it lies in; raises FetchError."""
        if self._file is not None:
            return b"", self._file.keep()
        return b"".join(self._chunks), None
