"""Of which class is a response, by its headers, its URL or its body?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from mimetypes import MimeTypes
from typing import Any

from crawler.scrapy.http import HtmlResponse, JsonResponse, Response, TextResponse, XmlResponse
from crawler.scrapy.utils.python import to_unicode

_CLASSES: dict[str, type[Response]] = {
    **dict.fromkeys(("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml"), HtmlResponse),
    **dict.fromkeys((f"application/{kind}xml" for kind in ("atom+", "rdf+", "rss+", "")), XmlResponse),
    **dict.fromkeys(("application/json", "application/x-json"), JsonResponse),
    "application/json-amazonui-streaming": JsonResponse,
    **dict.fromkeys(("application/javascript", "application/x-javascript", "text/*"), TextResponse),
    "text/xml": XmlResponse,
}

# What Debian's list of types has beside Python's, as far as it is text; "application/octet-stream": it is none.
_EXTENSIONS = {
    "text/html": "shtml",
    "application/xhtml+xml": "xhtml xht",
    "application/xml": "xsd xml",
    "application/atom+xml": "atom",
    "application/rdf+xml": "rdf",
    "application/rss+xml": "rss",
    "text/plain": "323 asc bib boo brf c c++ cc cls cpp csh cxx d diff gcd h h++ hh hpp hs htc hxx ics icz jad java lhs"
    " ltx mml moc p pas patch pl pm pot scala sct sh sty tcl tex text tk tm ts uls vcs wml wmls wsc",
    "application/octet-stream": "bat",
}


_NO_TEXT = frozenset(range(32)) - frozenset(b"\0\t\n\r")


@cache
def _types() -> MimeTypes:
    types = MimeTypes()
    for kind, extensions in _EXTENSIONS.items():
        for extension in extensions.split():
            types.add_type(kind, f".{extension}")
    return types


class ResponseTypes:
    """What tells the class of a response; ``responsetypes`` is the one there is."""

    def from_mimetype(self, mimetype: str) -> type[Response]:
        """Return the class for a type: text/html."""
        return _CLASSES.get(mimetype) or _CLASSES.get(f"{mimetype.partition('/')[0]}/*", Response)

    def from_content_type(self, content_type: str | bytes, content_encoding: bytes | None = None) -> type[Response]:
        """Return the class for a Content-Type; what is still compressed is binary."""
        if content_encoding:
            return Response
        return self.from_mimetype(to_unicode(content_type, "latin-1").split(";")[0].strip().lower())

    def from_content_disposition(self, content_disposition: str | bytes) -> type[Response]:
        """Return the class for the file name of a Content-Disposition."""
        parts = to_unicode(content_disposition, "latin-1", "replace").split(";")[1:2]
        names = parts[0].split("=")[1:2] if parts else []
        return self.from_filename(names[0].strip("\"'")) if names else Response

    def from_headers(self, headers: Mapping[Any, Any]) -> type[Response]:
        """Return the class for the headers; Response, if they do not say."""
        kind: type[Response] = Response
        if b"Content-Type" in headers:
            kind = self.from_content_type(headers[b"Content-Type"], headers.get(b"Content-Encoding"))
        if kind is Response and b"Content-Disposition" in headers:
            kind = self.from_content_disposition(headers[b"Content-Disposition"])
        return kind

    def from_filename(self, filename: str) -> type[Response]:
        """Return the class for a file's name, or a URL."""
        mimetype, encoding = _types().guess_type(filename)
        return self.from_mimetype(mimetype) if mimetype and not encoding else Response

    def from_body(self, body: bytes) -> type[Response]:
        """Return the class that a body looks like."""
        beginning = body[:5000]
        if not _NO_TEXT.isdisjoint(beginning):
            return Response
        beginning = beginning.lower()
        if b"<html>" in beginning:
            return HtmlResponse
        if b"<?xml" in beginning:
            return XmlResponse
        return HtmlResponse if b"<!doctype html>" in beginning else TextResponse

    def from_args(
        self,
        headers: Mapping[Any, Any] | None = None,
        url: str | None = None,
        filename: str | None = None,
        body: bytes | None = None,
    ) -> type[Response]:
        """Return the class for what is known, the first that says something: headers, URL, file name, body."""
        kind = self.from_headers(headers) if headers is not None else Response
        for name in (url, filename):
            if kind is Response and name is not None:
                kind = self.from_filename(name)
        return self.from_body(body) if kind is Response and body is not None else kind


responsetypes = ResponseTypes()
"""The one there is."""
