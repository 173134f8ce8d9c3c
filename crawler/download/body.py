"""How is the body of a response gathered, within the limits of its request?"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crawler.download.body_file import BodyFile
from crawler.download.coding.decoding import Decoder, codings
from crawler.download.rules import CUT, FetchRules, max_size_of
from crawler.download.seam import Exchange, Tap
from crawler.errors import BodyTooLarge
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.url import shortened

logger = logging.getLogger(__name__)


class Body:
    """Gathers one body. What cannot be used raises, and leaves no file behind.

    ``ended``: nothing more is taken; ``flag`` is what the response is flagged with for the way it ended.
    """

    # Defaults stand on the class: setting two dozen attributes for each fetch would cost a microsecond.
    ended = False
    flag: str | None = None
    cut = False
    _received = 0
    _size = 0
    _decoder: Decoder | None = None
    _file: BodyFile | None = None
    _tap: Tap | None = None
    _headers: Headers

    def __init__(self, request: Request, exchange: Exchange | None, rules: FetchRules) -> None:
        self.request = request
        self.exchange = exchange
        self.max_size = rules.max_size
        self.lenient = not rules.fail_on_dataloss
        self._rules = rules
        self._chunks: list[bytes] = []
        if exchange is not None:
            self._tap = exchange.tap

    @property
    def flags(self) -> list[str] | None:
        """The flags of the response."""
        return [self.flag] if self.flag else None

    def limit(self, meta: dict[str, Any]) -> None:
        """Take the limits of this one request from its meta. Raises FetchError."""
        self.max_size = max_size_of(meta, self.max_size)
        self.cut = CUT in meta
        if "download_fail_on_dataloss" in meta:
            self.lenient = not meta["download_fail_on_dataloss"]
        if meta.get("download_file") is not None:
            self._file = BodyFile.named(meta["download_file"])

    def expect(self, headers: Headers, *, transfer: Sequence[bytes] = ()) -> None:
        """Take the head's word for how it is coded.

        ``transfer``: codings of the transfer that are still on it, in the order in which they were applied.
        """
        self._headers = headers
        self._decode([*(codings(headers.getlist(b"Content-Encoding")) if self._rules.decode else []), *transfer])

    def _decode(self, encodings: Sequence[bytes]) -> None:
        if encodings:
            self._decoder = Decoder(list(encodings), self.max_size, lenient=self.lenient, cut=self.cut)

    def feed(self, data: bytes) -> None:
        """Take a piece; raises FetchError, and whatever the exchange's tap does."""
        if self.ended:
            return
        try:
            limit = self.max_size
            self._received += len(data)
            if self._tap is not None:
                self._tap(data)
            too_large = 0 < limit < self._received
            if too_large and not self.cut:
                raise BodyTooLarge(f"the body is larger than {limit} bytes (DOWNLOAD_MAXSIZE)")
            decoder = self._decoder
            self._keep(data if decoder is None else decoder.feed(data))
            if too_large or (decoder is not None and decoder.full):
                self.end("stopped")
        except BaseException:
            self.discard()
            raise

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
        self.flag = flag
        if self._decoder is not None:
            try:
                self._finish(self._decoder)
            except BaseException:
                self.discard()
                raise
        if self._size > self._rules.warn_size > 0:
            logger.warning(
                "Large body: %d bytes from %s (DOWNLOAD_WARNSIZE)", self._size, shortened(repr(self.request))
            )

    def _finish(self, decoder: Decoder) -> None:
        if self.flag is None:
            self._keep(decoder.finish())
            if decoder.truncated:
                self.flag = "dataloss"
        # What is said of the body is to be true of it now.
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
