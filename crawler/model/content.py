"""What kind of content is a body (HTML, XML, JSON, other text or binary), and in which encoding is it?

Content-Type decides where it says something definite; otherwise the first bytes do, in the spirit of
https://mimesniff.spec.whatwg.org/. The URL's extension has the last word only where both are silent.

The encoding is found in the order of https://html.spec.whatwg.org/#determining-the-character-encoding: byte order
mark, then Content-Type, then what the markup declares, then a guess. RFC 7303 §3 has the same order for XML.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from crawler.model.codecs import bom_encoding
from crawler.model.guess import detected_encoding
from crawler.model.labels import codec_of
from crawler.model.prescan import PRESCAN, declared_encoding, later_encoding, style_encoding

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


@lru_cache(maxsize=64)
def stated_kind(content_type: bytes | None) -> str | None:
    """Return "html", "xml", "json" or "text" for a Content-Type that is definite, None for one that is not."""
    essence = _essence(content_type)
    if essence in _HTML_TYPES:
        return "html"
    if essence in _XML_TYPES or essence.endswith(b"+xml"):
        return "xml"
    if essence in _JSON_TYPES or essence.endswith(b"+json"):
        return "json"
    if essence.startswith(b"text/") and essence != b"text/plain":
        return "text"
    return "text" if essence in _TEXT_TYPES else None


def sniffed_kind(content_type: bytes | None, url: str, head: bytes) -> str:
    """Return the kind, which may be "binary", for a Content-Type that states none, a URL and the first 1,024 bytes."""
    essence = _essence(content_type)
    if essence in _UNKNOWN or essence == b"text/plain":
        return _sniffed(head, url, plain=essence == b"text/plain")
    # Markup may also have an application's type that nobody knows ("application/html"), as Scrapy has it.
    kind = _sniffed(head, "", plain=False) if essence.startswith(b"application/") else "binary"
    return kind if kind in ("html", "xml") and not head.startswith((b"\xff\xfe", b"\xfe\xff")) else "binary"


@lru_cache(maxsize=64)
def _essence(content_type: bytes | None) -> bytes:
    """Return the media type of a field that servers also send doubled ("text/html, text/html"): the last that is
    one counts (Fetch, "extract a MIME type"). b"" if there is none, as of "html"."""
    for part in reversed((content_type or b"").split(b",")):
        essence = part.partition(b";")[0].strip(b"\t\n\r ").lower()
        if _TYPE(essence):
            return essence
    return b""


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


_BOM_STARTS = b"\xef\xfe\xff"
# RFC 9110 §8.3.1: no space around "=", and a quoted value is opaque, so the parameters are walked.
_PARAMETER = re.compile(r';[ \t]*([^\s;="]+)=(?:"((?:[^"\\]|\\.)*)"|([^;,\s"]*))(?=[\s;,]|$)')


def encoding_of(body: bytes, content_type: str | None = None, *, kind: str = "html", url: str = "") -> str:
    """Return the Python codec for a body of a kind ("html", "xml", "json", "text" or "binary")."""
    return (
        bom_encoding(body)
        or _wide(body, content_type_encoding(content_type))
        or _declared(body, kind, content_type or "")
        or detected_encoding(body, url=url)
    )


@lru_cache(maxsize=256)
def stated_encoding(content_type: str | None, first: bytes) -> str | None:
    """Return the codec that a Content-Type names, if a body that begins with this byte has nothing that goes before."""
    codec = content_type_encoding(content_type)
    return None if codec is None or codec.startswith("utf-16") or first in _BOM_STARTS else codec


def _declared(body: bytes, kind: str, content_type: str) -> str | None:
    if kind == "html":
        # Browsers read this type with an XML parser, for which a <meta> means nothing beside the declaration.
        xml = content_type.startswith("application/xhtml+xml")
        return declared_encoding(body[:PRESCAN], xml=xml) or later_encoding(body)
    if kind == "xml":
        return declared_encoding(body[:PRESCAN], xml=True)
    if kind == "json":
        # RFC 8259 §8.1 wants UTF-8; of the encodings of RFC 4627 §3 all but that have zeros at the start.
        return json.detect_encoding(body) if b"\0" in body[:4] else None
    return style_encoding(body)


def _wide(body: bytes, codec: str | None) -> str | None:
    """Return the codec of a header, which may say UTF-16 of what is plainly not, or not say which UTF-16 it is."""
    if codec is None or not codec.startswith("utf-16"):
        return codec
    if b"\0" not in body[:PRESCAN] and body[:1].isascii():
        return None if body else codec
    # RFC 2781 §4.3 takes big-endian where there is no mark; a character of ASCII at the start decides.
    return "utf-16-be" if body[:1] == b"\0" else "utf-16-le" if body[1:2] == b"\0" else codec


def content_type_encoding(content_type: str | None) -> str | None:
    """Return the codec of the first charset parameter of a Content-Type."""
    if content_type and "charset" in content_type.lower():
        for name, quoted, token in _PARAMETER.findall(";" + content_type[:PRESCAN]):
            if name.lower() == "charset":
                return codec_of(quoted or token)
    return None
