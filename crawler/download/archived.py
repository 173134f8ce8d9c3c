"""What did a site answer when it was archived?

Reads WARC files, ours and others', and answers requests from them in the place of the network: a crawl
over an archive runs the same callbacks on the same pages.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, execute
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader

from crawler.download.decoding import Decoder, codings
from crawler.download.seam import Exchange, Head
from crawler.errors import DecodingError, FetchError, InvalidRequest, NotInCache
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import normalise, without_credentials, without_fragment

logger = logging.getLogger(__name__)

_MOST_PENDING = 64
_READ = 65_536


class ArchiveDownloader:
    """A Downloader over a WARC file: the last answer to a method and URL; NotInCache where there is none.

    Making it reads the file once, for an index of where each answer is. ``max_size`` bounds a decoded
    body, 0 for no limit. A damaged record ends the reading with a warning; what came before is used.
    """

    def __init__(self, path: Path, *, max_size: int = 0) -> None:
        self.path = path
        self._max_size = max_size
        self._offsets: dict[tuple[str, str], int] = {}
        for method, url, offset in _index(path):
            self._offsets[method, url] = offset

    def __repr__(self) -> str:
        return f"<ArchiveDownloader {self.path} {len(self._offsets)} answers>"

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def urls(self) -> list[str]:
        """The URLs of all GETs, in the order in which they were archived."""
        return [url for method, url in self._offsets if method == "GET"]

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        return execute(self._fetch, request, exchange)

    def _fetch(self, request: Request, exchange: Exchange | None) -> Response:
        offset = self._offsets.get((request.method, without_credentials(without_fragment(request.url))))
        if offset is None:
            raise NotInCache(f"not in the archive {self.path.name}: {request!r}", request=request, sent=False)
        try:
            response = self._read(request, offset)
        except FetchError as error:
            error.request = request
            raise
        except Exception as error:  # warcio meets damage with many kinds of error
            message = f"the archive {self.path.name} is damaged here: {error}"
            raise NotInCache(message, request=request, sent=False) from error
        if exchange is not None and exchange.on_head is not None:
            head = Head(response.status, response.reason.encode("latin-1"), response.headers, "HTTP/1.1")
            exchange.on_head(request, head)
        return response

    def _read(self, request: Request, offset: int) -> Response:
        with self.path.open("rb") as file:
            file.seek(offset)
            record = next(iter(ArchiveIterator(file)))
            if record.http_headers is None:
                raise NotInCache(f"not HTTP in the archive: {request!r}")
            fields = record.http_headers.headers
            headers = Headers.from_raw([(name.encode("latin-1"), _value(value)) for name, value in fields])
            status, _, reason = record.http_headers.statusline.partition(" ")
            truncated = record.rec_headers.get_header("WARC-Truncated")
            names = codings(headers.getlist(b"Content-Encoding"))
            decoder = Decoder(names, self._max_size, lenient=truncated is not None)
            body = self._body(record, decoder)
        if names and not decoder.left:
            headers.pop(b"Content-Encoding")
        flags = ["archived", "dataloss"] if truncated else ["archived"]
        return Response(request.url, int(status), headers, body, request=request, flags=flags, reason=reason)

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


def _index(path: Path) -> Iterator[tuple[str, str, int]]:
    """Yield method, URL and offset of each response; requests tell the methods."""
    methods: dict[str, str] = {}
    with path.open("rb") as file:
        records = ArchiveIterator(file)
        try:
            for record in records:
                target = record.rec_headers.get_header("WARC-Target-URI") or ""
                if record.rec_type == "request" and record.http_headers is not None:
                    answer = record.rec_headers.get_header("WARC-Concurrent-To") or target
                    methods[answer] = record.http_headers.protocol
                    if len(methods) > _MOST_PENDING:
                        del methods[next(iter(methods))]
                elif record.rec_type == "response" and record.http_headers is not None:
                    identifier = record.rec_headers.get_header("WARC-Record-ID") or ""
                    method = methods.pop(identifier, None) or methods.pop(target, "GET")
                    try:
                        url = without_credentials(without_fragment(normalise(target.strip("<>"))))
                    except InvalidRequest:
                        continue
                    yield method, url, records.get_record_offset()
        except Exception as error:  # as above
            logger.warning("The archive %s is damaged, and read up to there: %s", path, error)
