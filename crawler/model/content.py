"""What kind of content is a body: HTML, XML, JSON, other text or binary?

Content-Type decides where it says something definite; otherwise the first bytes do, in the spirit of
https://mimesniff.spec.whatwg.org/. The URL's extension has the last word only where both are silent.
"""

from __future__ import annotations

import re
from functools import lru_cache

_HTML_TYPES = frozenset({b"text/html", b"application/xhtml+xml", b"application/vnd.wap.xhtml+xml"})
_XML_TYPES = frozenset({b"text/xml", b"application/xml"})
_JSON_TYPES = frozenset({b"application/json", b"text/json", b"application/x-json"})
_TEXT_TYPES = frozenset({b"application/javascript", b"application/x-javascript", b"application/ecmascript"})
# Servers send these for files whose type they do not know.
_UNKNOWN = frozenset(
    {b"", b"application/octet-stream", b"binary/octet-stream", b"application/x-download", b"*/*"}
    | {b"unknown/unknown", b"application/unknown"}
)

_START = re.compile(rb"(?:\xef\xbb\xbf)?[\t\n\f\r ]*(?:<!--(?:(?!-->).)*-->[\t\n\f\r ]*)*", re.DOTALL)
_HTML_START = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|title|meta|link|style|div|table|h1|p|a|br|iframe|font|b)[\s>/]",
    re.IGNORECASE,
)
_TYPE = re.compile(rb"[\w!#$&^.+*-]{1,127}/[\w!#$&^.+*-]{1,127}", re.ASCII).fullmatch
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


def kind_of(content_type: bytes | None, url: str, head: bytes) -> str:
    """Return "html", "xml", "json", "text" or "binary" for a Content-Type, a URL and the first 1,024 bytes."""
    essence = _essence(content_type) if content_type else b""
    if essence in _HTML_TYPES:
        return "html"
    if essence in _XML_TYPES or essence.endswith(b"+xml"):
        return "xml"
    if essence in _JSON_TYPES or essence.endswith(b"+json"):
        return "json"
    if essence.startswith(b"text/") and essence != b"text/plain":
        return "text"
    if essence in _TEXT_TYPES:
        return "text"
    if essence in _UNKNOWN or essence == b"text/plain":
        return _sniffed(head, url, plain=essence == b"text/plain")
    return _marked(head) if essence.startswith(b"application/") else "binary"


@lru_cache(maxsize=64)
def _essence(content_type: bytes) -> bytes:
    """Return the media type of a field that servers also send doubled ("text/html, text/html"): the last that is
    one counts (Fetch, "extract a MIME type"). b"" if there is none, as of "html"."""
    for part in reversed(content_type.split(b",")):
        essence = part.partition(b";")[0].strip(b"\t\n\r ").lower()
        if _TYPE(essence):
            return essence
    return b""


def _marked(head: bytes) -> str:
    """Tell whether what has an application's type that nobody knows ("application/html") is markup, as Scrapy does."""
    kind = _sniffed(head, "", plain=False)
    return kind if kind in ("html", "xml") and not head.startswith((b"\xff\xfe", b"\xfe\xff")) else "binary"


def _sniffed(head: bytes, url: str, *, plain: bool) -> str:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text" if plain else "html"
    if _BINARY.search(head):
        return "binary"
    if plain:
        return "text"
    start = _START.match(head)
    rest = head[start.end() :] if start else head
    if rest[:5].lower() == b"<?xml":
        return "html" if b"<html" in rest.lower() else "xml"
    if _HTML_START.match(rest):
        return "html"
    if rest[:1] in (b"{", b"["):
        return "json"
    path = url.partition("#")[0].partition("?")[0].lower()
    if path.endswith((".xml", ".rss", ".atom")):
        return "xml"
    return "json" if path.endswith(".json") else "html" if rest[:1] == b"<" else "text"
