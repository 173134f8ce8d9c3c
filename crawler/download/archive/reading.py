"""What did a site answer when it was archived?

Reads WARC files, ours and others', and answers requests from them in the place of the network: a crawl
over an archive runs the same callbacks on the same pages.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from twisted.internet.defer import Deferred, execute
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import DecompressingBufferedReader
from warcio.recordloader import ArcWarcRecord

from crawler.config.schema import CoreSettings
from crawler.download.body import Body
from crawler.download.coding.decoding import codings
from crawler.download.rules import FetchRules
from crawler.download.seam import Exchange, Head
from crawler.download.wire.chunked import ChunkedBody
from crawler.errors import FetchError, InvalidRequest, NotInCache
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import normalise, shortened, without_credentials, without_fragment

logger = logging.getLogger(__name__)

_MOST_PENDING = 64
_READ = 65_536
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,16}[ \t]*(?:;[^\n]*)?\r?\n")
_MOST_HEAD = 1_048_576
_LONGEST_URL = 32_768  # the index holds them all, and a record of a longer one can be packed into 100 bytes


class _Asked(NamedTuple):
    """What tells one request from another."""

    method: str
    url: str
    body: bytes


class _Stream(Protocol):
    """What a record's bytes are read from."""

    def read(self, length: int) -> bytes:
        """Return so many bytes, fewer at the end."""


class _Records(ArchiveIterator):  # type: ignore[misc]  # warcio has no types
    """warcio's reader; what it would print, or tell in a dozen lines, is told in words of ours."""

    INC_RECORD = ""
    GZIP_ERR_MSG = "it is compressed as one, not record by record; `warcio recompress` mends that"

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.reader = _Lines(file)

    def _next_record(self, line: bytes) -> ArcWarcRecord:
        self.reader.lines = 0
        return super()._next_record(line)


class _Lines(DecompressingBufferedReader):  # type: ignore[misc]  # as above
    """What warcio reads lines from, without an end to their length or their number: a megabyte can unpack to a
    gigabyte of either. ``lines``: how many bytes of them came in a row; ``torn``: the last member has no end."""

    lines = 0
    torn = False

    def read(self, length: int | None = None) -> bytes:
        self.lines = 0
        data: bytes = super().read(length)
        return data

    def readline(self, length: int | None = None) -> bytes:
        line: bytes = super().readline(min(length or _MOST_HEAD, _MOST_HEAD))
        self.lines += len(line)
        if self.lines >= _MOST_HEAD:
            raise ValueError(f"a head of more than {_MOST_HEAD} bytes")
        return line

    def close_decompressor(self) -> None:
        self.torn = self.decompressor is not None and not self.decompressor.eof
        super().close_decompressor()


class ArchiveDownloader:
    """A Downloader over a WARC file: the last answer to a method, URL and body; NotInCache where there is none.

    Making it reads the file once, for an index of where each answer is. The settings for bodies are those of the
    network: their largest size, and from which size they lie in a file. A damaged record ends the reading with a
    warning; what came before is used.
    """

    def __init__(self, path: Path, settings: CoreSettings | None = None) -> None:
        self.path = path
        self._rules = FetchRules(settings or CoreSettings())
        self.answered = 0
        self._offsets: dict[_Asked, int] = {}
        # For a body that is made anew each time, as of an upload: None where several were sent.
        self._any_body: dict[tuple[str, str], _Asked | None] = {}
        for asked, offset in _index(path):
            self._offsets[asked] = offset
            one = self._any_body.setdefault(asked[:2], asked)
            self._any_body[asked[:2]] = asked if one == asked else None

    def __repr__(self) -> str:
        return f"<ArchiveDownloader {self.path} {len(self._offsets)} answers>"

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def urls(self) -> list[str]:
        """The URLs of all GETs, in the order in which they were archived."""
        return [asked.url for asked in self._offsets if asked.method == "GET"]

    @property
    def first(self) -> str:
        """The URL whose answer comes first, robots.txt apart; "" if there is none."""
        urls = (asked.url for asked in self._offsets)
        return next((url for url in urls if not url.endswith("/robots.txt")), "")

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        return execute(self._fetch, request, exchange)

    def _fetch(self, request: Request, exchange: Exchange | None) -> Response:
        url = without_credentials(without_fragment(request.normal_url))
        asked: _Asked | None = _Asked(request.method, url, _digest(request.body))
        if asked not in self._offsets:
            asked = self._any_body.get((request.method, url))
        offset = self._offsets[asked] if asked is not None else None
        if offset is None:
            raise NotInCache(
                f"not in the archive {self.path.name}: {shortened(repr(request))}", request=request, sent=False
            )
        try:
            response = self._read(request, offset, exchange)
        except FetchError as error:
            error.request = request
            raise
        except Exception as error:  # warcio meets damage with many kinds of error
            message = f"the archive {self.path.name} is damaged here: {error}"
            raise NotInCache(message, request=request, sent=False) from error
        if exchange is not None and exchange.on_head is not None:
            head = Head(response.status, response.reason.encode("latin-1"), response.headers, response.protocol or "")
            exchange.on_head(request, head)
        self.answered += 1
        return response

    def _read(self, request: Request, offset: int, exchange: Exchange | None) -> Response:
        with self.path.open("rb") as file:
            file.seek(offset)
            record = next(iter(_Records(file)))
            if record.http_headers is None:
                raise NotInCache(f"not HTTP in the archive: {shortened(repr(request))}")
            fields = record.http_headers.headers
            headers = Headers.from_raw([(name.encode("latin-1"), _value(value)) for name, value in fields])
            status, _, reason = record.http_headers.statusline.partition(" ")
            truncated = record.rec_headers.get_header("WARC-Truncated") is not None
            body = self._body(record, request, headers, exchange)
        if body.flag == "dataloss" and not truncated:
            logger.warning("A body in the archive %s ends early: %s", self.path, request.url)
        content, file_of_body = body.result()
        return Response(
            request.url,
            int(status),
            headers,
            content,
            request=request,
            flags=["archived", "dataloss"] if truncated or body.flag else ["archived"],
            body_file=file_of_body,
            reason=reason,
            protocol=record.rec_headers.get_header("WARC-Protocol") or record.http_headers.protocol,
        )

    def _body(self, record: ArcWarcRecord, request: Request, headers: Headers, exchange: Exchange | None) -> Body:
        body = Body(request, exchange, self._rules)
        body.limit(request.meta)
        body.lenient = True  # what there is of it is all there will be
        transfer = codings(headers.getlist(b"Transfer-Encoding"))
        chunked = b"chunked" in transfer
        body.expect(headers, transfer=[coding for coding in transfer if coding != b"chunked"])
        # The stream itself: the content decoding of warcio has no limit.
        whole = _feed(record.raw_stream, body, chunked=chunked)
        if not body.ended:
            body.end(None if whole else "dataloss")
        return body

    def close(self) -> Deferred[None]:
        """Nothing is open."""
        return execute(lambda: None)


def _feed(stream: _Stream, body: Body, *, chunked: bool) -> bool:
    """Give a body what the stream holds; tell whether no chunk of it is broken.

    Many archivers keep the field that says "chunked", and not the chunks.
    """
    data = stream.read(_READ)
    chunks = ChunkedBody() if chunked and _CHUNK.match(data) else None
    while data and not body.ended:
        body.feed(data if chunks is None else chunks.feed(data))
        if chunks is not None and (chunks.complete or chunks.failure is not None):
            break
        data = stream.read(_READ)
    return chunks is None or chunks.complete or chunks.ends_here()


def _value(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest() if body else b""


def _digest_of(stream: _Stream) -> bytes:
    """Return the same of what a stream holds, in pieces: a request of a gigabyte takes a megabyte in the file."""
    digest, empty = blake2b(digest_size=16), True
    while data := stream.read(_READ):
        digest.update(data)
        empty = False
    return b"" if empty else digest.digest()


def _index(path: Path) -> Iterator[tuple[_Asked, int]]:
    """Yield what was asked and the offset of each whole response; requests tell the methods and bodies."""
    why: str | None = None
    found = False
    with path.open("rb") as file:
        records = _Records(file)
        reader = records.reader  # which warcio forgets at the end
        try:
            for asked, record in _responses(records):
                offset = records.get_record_offset()  # this reads the record
                if getattr(record.raw_stream, "limit", 0):
                    why = "the last record ends early"
                    break
                found = True
                yield asked, offset
            if why is None and reader.torn:
                why = "the last record ends early"
            if why is None and records.offset < path.stat().st_size:
                why = f"after {records.offset} bytes there is no further record"
        except Exception as error:  # as above
            why = str(error)
        if why is None and records.err_count:
            why = "the length of a record is wrong"
    if why is not None and found:  # else it is no archive, which whoever reads it tells
        logger.warning("The archive %s is damaged, and read up to there: %s", path, why)


def _responses(records: _Records) -> Iterator[tuple[_Asked, Any]]:
    pending: dict[str, tuple[str, bytes]] = {}
    for record in records:
        if record.http_headers is None:
            continue
        target = record.rec_headers.get_header("WARC-Target-URI") or ""
        if record.rec_type == "request":
            answer = record.rec_headers.get_header("WARC-Concurrent-To") or target
            pending[answer] = record.http_headers.protocol, _digest_of(record.raw_stream)
            if getattr(record.raw_stream, "limit", 0):
                raise ValueError("the last record ends early")
            if len(pending) > _MOST_PENDING:
                del pending[next(iter(pending))]
        elif record.rec_type == "response":
            identifier = record.rec_headers.get_header("WARC-Record-ID") or ""
            by = identifier if identifier in pending else target
            method, body = pending.pop(by, ("GET", b""))
            with suppress(InvalidRequest):
                if len(target) > _LONGEST_URL:
                    continue
                url = without_credentials(without_fragment(normalise(target.strip("<>"))))
                yield _Asked(method, url, body), record
