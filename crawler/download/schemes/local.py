"""Who fetches a URL that is not http or https?

A class per scheme: those of the setting SCHEMES ({"ftp": FtpDownloader, "http": None} adds one and takes
one away), and two built in, ``file:`` and ``data:``, for URLs that the user wrote. That a page or a
redirect never leads to them is decided by policy.scope; here an unknown scheme is an error.
"""

from __future__ import annotations

import binascii
import mimetypes
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.internet.defer import Deferred, execute

from crawler.config.schema import CoreSettings
from crawler.download.middleware.chain import SchemeRouter
from crawler.download.rules import max_size_of
from crawler.download.seam import Downloader, Exchange, Head
from crawler.errors import BodyTooLarge, FetchError
from crawler.model.headers import Headers
from crawler.model.request import Request
from crawler.model.response import Response
from crawler.model.url import shortened, split, without_fragment

_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(?:;.*)?", re.ASCII).fullmatch


class _Local:
    """What ``file:`` and ``data:`` have in common: an answer that no network brought."""

    def __init__(self, settings: CoreSettings) -> None:
        self._max_size = settings.DOWNLOAD_MAXSIZE
        self._spool_size = settings.DOWNLOAD_SPOOL_SIZE

    def fetch(self, request: Request, exchange: Exchange | None = None) -> Deferred[Response]:
        """See crawler.download.seam.Downloader."""
        return execute(self._fetch, request, exchange)

    def close(self) -> Deferred[None]:
        """Nothing is open."""
        return execute(lambda: None)

    def _fetch(self, request: Request, exchange: Exchange | None) -> Response:
        limit = max_size_of(request.meta, self._max_size)
        try:
            content_type, body, path = self._read(request, limit)
        except FetchError as error:
            error.request, error.sent = request, False
            raise
        if limit and len(body) > limit:
            raise BodyTooLarge(f"the body is larger than {limit} bytes (DOWNLOAD_MAXSIZE)", request=request, sent=False)
        headers = Headers({"Content-Type": content_type})
        flags = ["local"]
        on_head = None if exchange is None else exchange.on_head
        if on_head is not None and on_head(request, Head(200, b"OK", headers, "")) is False:
            flags.append("stopped")
            body = b""
        if exchange is not None and exchange.tap is not None:
            exchange.tap(body)
        return Response(request.url, 200, headers, body, request=request, flags=flags, body_file=path)

    def _read(self, request: Request, limit: int) -> tuple[str, bytes, Path | None]:
        raise NotImplementedError


class FileDownloader(_Local):
    """``file:`` URLs: regular files of this machine. A large one is not read: its path is the body's."""

    def _read(self, request: Request, limit: int) -> tuple[str, bytes, Path | None]:
        parts = split(request.normal_url)
        if parts.host not in ("", "localhost"):
            raise FetchError(f"file: URLs name no other machine: {shortened(request.url)}")
        try:
            path = Path(unquote_to_bytes(parts.path).decode("utf-8", "surrogateescape"))
            content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            size = _size(path)
            if limit and size > limit:
                raise BodyTooLarge(f"{path} has {size} bytes, the limit is {limit} (DOWNLOAD_MAXSIZE)")
            if 0 < self._spool_size < size:
                return content_type, b"", path
            with path.open("rb") as file:
                return content_type, file.read(limit + 1 if limit else -1), None
        except (OSError, ValueError) as error:
            raise FetchError(f"{shortened(request.url)}: {getattr(error, 'strerror', None) or error}") from error


def _size(path: Path) -> int:
    # A pipe or a device would block or never end; asked before opening, which may block as well.
    facts = path.stat()
    mode = facts.st_mode
    if stat.S_ISDIR(mode):
        raise FetchError(f"{path} is a directory")
    if not stat.S_ISREG(mode):
        raise FetchError(f"{path} is not a regular file")
    return facts.st_size


class DataDownloader(_Local):
    """``data:`` URLs (RFC 2397, read as https://fetch.spec.whatwg.org/#data-urls says)."""

    def _read(self, request: Request, limit: int) -> tuple[str, bytes, Path | None]:
        described, comma, payload = without_fragment(request.normal_url).partition(":")[2].partition(",")
        if not comma:
            raise FetchError(f"no comma in the data: URL {request.url[:80]!r}")
        body = unquote_to_bytes(payload)
        is_base64 = re.search(r"; *base64$", described, re.IGNORECASE)
        if is_base64:
            described = described[: is_base64.start()]
            body = _from_base64(body)
        described = described.strip()
        if described.startswith(";"):
            described = f"text/plain{described}"
        return described if _MEDIA_TYPE(described) else "text/plain;charset=US-ASCII", body, None


def _from_base64(body: bytes) -> bytes:
    body = re.sub(rb"[\t\n\f\r ]", b"", body).rstrip(b"=")
    try:
        return binascii.a2b_base64(body + b"=" * (-len(body) % 4), strict_mode=True)
    except binascii.Error as error:
        raise FetchError(f"the data: URL is not valid base64: {error}") from error


def by_scheme(http: Downloader, settings: CoreSettings, *, make: Callable[[Any], Downloader]) -> SchemeRouter:
    """Put the router of a crawl together; ``make`` makes a downloader from its class (or path)."""
    built_in: dict[str, Downloader | None] = {
        "http": http,
        "https": http,
        "file": FileDownloader(settings),
        "data": DataDownloader(settings),
    }
    own = {scheme.lower(): None if given is None else make(given) for scheme, given in settings.SCHEMES.items()}
    return SchemeRouter({**built_in, **own})
