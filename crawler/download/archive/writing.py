"""How is every exchange written to a WARC file? (ISO 28500, WARC/1.1)

A Downloader around another one. The heads are the bytes of the wire; bodies are as they arrived but for
the transfer coding, whose header field is renamed as other archivers do, so that head and body agree.
Credentials that were sent are in the archive too: its mode is 0600. A file that a killed process left is cut back
to its last whole record before anything is appended, and so is one whose disk is full.
"""

from __future__ import annotations

import hashlib
import logging
import re
import tempfile
from base64 import b32encode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from twisted.internet.defer import Deferred
from warcio.recordloader import ArcWarcRecord
from warcio.warcwriter import WARCWriter

from crawler.download.archive.file_end import Output, whole_length
from crawler.download.coding.decoding import codings
from crawler.download.seam import Downloader, Exchange
from crawler.errors import BodyTooLarge, FetchError, FetchTimeout, LocalFailure
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import is_http, without_credentials, without_fragment
from crawler.threads import Pool

logger = logging.getLogger(__name__)

Run = Callable[..., Awaitable[Any]]

_IN_MEMORY = 1_048_576
_VERSION = "WARC/1.1"
_STANDARD = "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"
_TRANSFER = re.compile(rb"(?im)^transfer-encoding[ \t]*:[ \t]*([^\r\n]*)")
_FRAMING = re.compile(rb"(?im)^(transfer-encoding|content-length)(?=[ \t]*:)")


class WarcFile:
    """The file; ``.gz`` compresses each record by itself, so that a reader can seek. Its methods block."""

    def __init__(self, path: Path, *, software: str, agent: str = "") -> None:
        """``software`` and ``agent`` (the User-Agent) go into the warcinfo record of a new file.

        Raises OSError, and ValueError (continuing "the archive … ") if an old file cannot be appended to.
        """
        self.path = path
        self._file = Output(path)
        try:
            self._cut()
            self._writer = WARCWriter(self._file, gzip=path.name.endswith(".gz"), warc_version=_VERSION)
            if self._file.length == 0:
                info = {"software": software, "format": "WARC File Format 1.1", "conformsTo": _STANDARD}
                info |= {"http-header-user-agent": agent} if agent else {}
                self._write([self._writer.create_warcinfo_record(path.name, info)])
        except BaseException:
            self._file.close()
            raise

    def _cut(self) -> None:
        whole = whole_length(self.path)
        if whole < self._file.length:
            logger.warning(
                "The archive %s ends in a record that is not whole: %d bytes are cut off",
                self.path,
                self._file.length - whole,
            )
            self._file.cut(whole)

    def __repr__(self) -> str:
        return f"<WarcFile {self.path}>"

    def write(self, record: Recorded) -> None:
        """Write the request and, if any of it came, the response; raises OSError."""
        with record.body as body:
            response = None
            if head := record.response_head:
                response = self._record(record, "response", head, body)
            request = self._record(record, "request", record.exchange.request_head, BytesIO(record.request_body))
            if response is not None:
                request.rec_headers.add_header("WARC-Concurrent-To", response.rec_headers.get_header("WARC-Record-ID"))
            self._write([request] if response is None else [request, response])

    def _write(self, records: list[ArcWarcRecord]) -> None:
        before = self._file.length
        try:
            for record in records:
                self._writer.write_record(record)
        except BaseException:
            self._file.cut(before)  # whoever reads the file meets whole records alone
            raise

    def _record(self, record: Recorded, kind: str, head: bytes, body: IO[bytes]) -> ArcWarcRecord:
        digest, whole, size = hashlib.sha1(), hashlib.sha1(head), 0
        body.seek(0)
        while chunk := body.read(_IN_MEMORY):
            digest.update(chunk)
            whole.update(chunk)
            size += len(chunk)
        body.seek(0)
        fields = {
            "WARC-Date": datetime.fromtimestamp(record.began, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "WARC-Block-Digest": _labelled(whole),
            "WARC-Payload-Digest": _labelled(digest),
        }
        if record.exchange.remote:
            fields["WARC-IP-Address"] = record.exchange.remote
        if record.protocol:
            fields["WARC-Protocol"] = record.protocol
        if kind == "response" and record.truncated:
            fields["WARC-Truncated"] = record.truncated
        return self._writer.create_warc_record(
            record.url,
            kind,
            payload=body,
            length=size,
            warc_content_type=f"application/http; msgtype={kind}",
            warc_headers_dict=fields,
            http_headers=_RawHead(head),
        )

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class _RawHead:
    """A head that warcio writes as it is, where its own would be parsed and put together anew."""

    def __init__(self, head: bytes) -> None:
        self.headers_buff = head

    def compute_headers_buffer(self, header_filter: None) -> None:
        """Called by warcio before it writes ``headers_buff``."""


def _labelled(digest: hashlib._Hash) -> str:
    return "sha1:" + b32encode(digest.digest()).decode()


class Recorded:
    """One exchange on its way into the file. ``began`` in seconds of the wall clock."""

    def __init__(self, request: Request, exchange: Exchange, *, began: float) -> None:
        self.url = without_credentials(without_fragment(request.normal_url))
        self.began = began
        self.request_body = request.body
        self.body: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when written
        self.size = 0
        self.truncated: str | None = None
        self.exchange = exchange

    def tap(self, data: bytes) -> None:
        """Take a piece of the response's body."""
        self.size += len(data)
        try:
            self.body.write(data)
        except OSError as error:
            raise LocalFailure(f"a temporary file for the archive cannot be written: {error.strerror}") from error

    @property
    def protocol(self) -> str:
        """The protocol's name in ALPN if it is one whose heads are shown here as those of HTTP/1.1; else ""."""
        return "h2" if self.exchange.response_head.startswith(b"HTTP/2 ") else ""

    @property
    def response_head(self) -> bytes:
        """The head with a length in place of the transfer coding that is gone; b"" if none came."""
        head = self.exchange.response_head
        if not head:
            return b""
        if self.protocol:
            # WARC knows no heads of HTTP/2, and readers refuse a status line of it.
            head = b"HTTP/1.1" + head.removeprefix(b"HTTP/2")
        # A coding other than chunks is still on the body.
        left = [coding for coding in codings(_TRANSFER.findall(head)) if coding != b"chunked"]
        head = _FRAMING.sub(rb"X-Archive-Orig-\1", head.rstrip(b"\r\n"))
        if left:
            head += b"\r\nTransfer-Encoding: " + b", ".join(left)
        return b"%b\r\nContent-Length: %d\r\n\r\n" % (head, self.size)


class ArchivingDownloader:
    """Writes what passes through ``inner``. The file is written in ``thread``.

    A file that cannot be written is a LocalFailure, which ends the crawl: an archive with holes is none, and what
    is not in it is asked for again by a resume.
    """

    def __init__(self, inner: Downloader, file: WarcFile, thread: Pool, *, wall: Callable[[], float]) -> None:
        self._inner = inner
        self._file = file
        self._thread = thread
        self._wall = wall

    def __repr__(self) -> str:
        return f"<ArchivingDownloader {self._file!r} {self._inner!r}>"

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        if not is_http(request.normal_url):
            return self._inner.fetch(request, exchange)
        return Deferred.fromCoroutine(self._fetch(request, exchange or Exchange()))

    async def _fetch(self, request: Request, exchange: Exchange) -> Response:
        exchange.keep_raw = True
        recorded = Recorded(request, exchange, began=self._wall())
        outer = exchange.tap

        def tap(data: bytes) -> None:
            recorded.tap(data)
            if outer is not None:
                outer(data)

        exchange.tap = tap
        try:
            response = await self._inner.fetch(request, exchange)
        except LocalFailure:
            recorded.body.close()  # it is asked for again, and is then whole
            raise
        except FetchError as error:
            recorded.truncated = _why(error)
            await self._write(recorded)
            raise
        if {"stopped", "dataloss"} & set(response.flags):
            recorded.truncated = "unspecified" if "stopped" in response.flags else "disconnect"
        await self._write(recorded)
        return response

    async def _write(self, recorded: Recorded) -> None:
        if not recorded.exchange.request_head:
            recorded.body.close()
            return
        try:
            await self._thread.run(self._file.write, recorded)
        except OSError as error:
            recorded.body.close()
            message = f"the archive {self._file.path} cannot be written: {error.strerror or error}"
            raise LocalFailure(message) from error

    def close(self) -> Deferred[None]:
        """Close the inner one, then the file."""
        return Deferred.fromCoroutine(self._close())

    async def _close(self) -> None:
        await self._inner.close()
        await self._thread.run(self._file.close)


def _why(error: FetchError) -> str:
    if isinstance(error, BodyTooLarge):
        return "length"
    return "time" if isinstance(error, FetchTimeout) else "disconnect"
