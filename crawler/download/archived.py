"""What did a site answer when it was archived?

Reads WARC files, ours and others', and answers requests from them in the place of the network: a crawl
over an archive runs the same callbacks on the same pages.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

from twisted.internet.defer import Deferred, execute
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader

from crawler.download.decoding import Decoder, codings
from crawler.download.seam import Exchange, Head
from crawler.errors import DecodingError, FetchError, InvalidRequest, NotInCache
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import normalise, shortened, without_credentials, without_fragment

logger = logging.getLogger(__name__)

_MOST_PENDING = 64
_READ = 65_536


class _Asked(NamedTuple):
    """What tells one request from another."""

    method: str
    url: str
    body: bytes


class _Records(ArchiveIterator):  # type: ignore[misc]  # warcio has no types
    """warcio's reader; what it would print, or tell in a dozen lines, is told in words of ours."""

    INC_RECORD = ""
    GZIP_ERR_MSG = "it is compressed as one, not record by record; `warcio recompress` mends that"


class ArchiveDownloader:
    """A Downloader over a WARC file: the last answer to a method, URL and body; NotInCache where there is none.

    Making it reads the file once, for an index of where each answer is. ``max_size`` bounds a decoded
    body, 0 for no limit. A damaged record ends the reading with a warning; what came before is used.
    """

    def __init__(self, path: Path, *, max_size: int = 0) -> None:
        self.path = path
        self._max_size = max_size
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
        url = without_credentials(without_fragment(request.url))
        asked: _Asked | None = _Asked(request.method, url, _digest(request.body))
        if asked not in self._offsets:
            asked = self._any_body.get((request.method, url))
        offset = self._offsets[asked] if asked is not None else None
        if offset is None:
            raise NotInCache(
                f"not in the archive {self.path.name}: {shortened(repr(request))}", request=request, sent=False
            )
        try:
            response = self._read(request, offset)
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

    def _read(self, request: Request, offset: int) -> Response:
        with self.path.open("rb") as file:
            file.seek(offset)
            record = next(iter(_Records(file)))
            if record.http_headers is None:
                raise NotInCache(f"not HTTP in the archive: {shortened(repr(request))}")
            fields = record.http_headers.headers
            headers = Headers.from_raw([(name.encode("latin-1"), _value(value)) for name, value in fields])
            status, _, reason = record.http_headers.statusline.partition(" ")
            truncated = record.rec_headers.get_header("WARC-Truncated")
            names = codings(headers.getlist(b"Content-Encoding"))
            decoder = Decoder(names, self._max_size, lenient=truncated is not None)
            body = self._body(record, decoder)
        if names and not decoder.left:
            headers.pop(b"Content-Encoding")
        return Response(
            request.url,
            int(status),
            headers,
            body,
            request=request,
            flags=["archived", "dataloss"] if truncated else ["archived"],
            reason=reason,
            protocol=record.rec_headers.get_header("WARC-Protocol") or record.http_headers.protocol,
        )

    def _body(self, record: Any, decoder: Decoder) -> bytes:
        pieces = []
        # The stream itself: the content decoding of warcio has no limit.
        stream = record.raw_stream
        if "chunked" in (record.http_headers.get_header("Transfer-Encoding") or "").lower():
            stream = ChunkedDataReader(stream)
        while chunk := stream.read(_READ):
            pieces.append(decoder.feed(chunk))
        try:
            pieces.append(decoder.finish())
        except DecodingError:
            logger.warning(
                "A body in the archive %s ends early: %s", self.path, record.rec_headers.get_header("WARC-Target-URI")
            )
        return b"".join(pieces)

    def close(self) -> Deferred[None]:
        """Nothing is open."""
        return execute(lambda: None)


def _value(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest() if body else b""


def _index(path: Path) -> Iterator[tuple[_Asked, int]]:
    """Yield what was asked and the offset of each whole response; requests tell the methods and bodies."""
    why: str | None = None
    found = False
    with path.open("rb") as file:
        records = _Records(file)
        try:
            for asked, record in _responses(records):
                offset = records.get_record_offset()  # this reads the record
                if getattr(record.raw_stream, "limit", 0):
                    why = "the last record ends early"
                    break
                found = True
                yield asked, offset
            if why is None and records.offset < path.stat().st_size:
                why = f"after {records.offset} bytes there is no further record"
        except Exception as error:  # as above
            why = str(error)
        if why is None and records.err_count:
            why = "the length of a record is wrong"
    if why is not None and found:  # else it is no archive, which whoever reads it tells
        logger.warning("The archive %s is damaged, and read up to there: %s", path, why)


def _responses(records: Any) -> Iterator[tuple[_Asked, Any]]:
    pending: dict[str, tuple[str, bytes]] = {}
    for record in records:
        if record.http_headers is None:
            continue
        target = record.rec_headers.get_header("WARC-Target-URI") or ""
        if record.rec_type == "request":
            answer = record.rec_headers.get_header("WARC-Concurrent-To") or target
            pending[answer] = record.http_headers.protocol, _digest(record.raw_stream.read())
            if len(pending) > _MOST_PENDING:
                del pending[next(iter(pending))]
        elif record.rec_type == "response":
            identifier = record.rec_headers.get_header("WARC-Record-ID") or ""
            by = identifier if identifier in pending else target
            method, body = pending.pop(by, ("GET", b""))
            with suppress(InvalidRequest):
                url = without_credentials(without_fragment(normalise(target.strip("<>"))))
                yield _Asked(method, url, body), record
