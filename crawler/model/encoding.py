"""In which encoding is a body?

The order of https://html.spec.whatwg.org/#determining-the-character-encoding: byte order mark, then
Content-Type, then what the markup declares, then a guess. RFC 7303 §3 has the same order for XML.
"""

from __future__ import annotations

import json
import re

from crawler.model.codecs import bom_encoding
from crawler.model.guess import detected_encoding
from crawler.model.labels import codec_of
from crawler.model.prescan import PRESCAN, declared_encoding, later_encoding, style_encoding

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
