"""In which encoding is a body, and which text is it?

The order of https://html.spec.whatwg.org/#determining-the-character-encoding: byte order mark, then
Content-Type, then what the first 1,024 bytes declare, then a guess. All loops run over at most those
1,024 bytes.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

from crawler.model.labels import codec_of, name_of

PRESCAN = 1024
DEFAULT = "cp1252"

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF16_LE, "utf-16-le"))
# RFC 9110 §8.3.1: no space around "=", and a quoted value is opaque, so the parameters are walked.
_PARAMETER = re.compile(r';[ \t]*([^\s;="]+)=(?:"((?:[^"\\]|\\.)*)"|([^;,\s"]*))(?=[\s;,]|$)')

_SPACE = rb"\t\n\f\r "
_MARKUP = re.compile(rb"<(?:(!--)|(meta)(?=[%b/])|(/?[A-Za-z])|[!/?])" % _SPACE, re.IGNORECASE)
_ATTRIBUTE = re.compile(
    rb"[%b/]*([^>%b/][^=>%b/]*)(?:[%b]*=[%b]*(?:\"([^\"]*)\"|'([^']*)'|([^\"'>%b][^>%b]*)|(?=>)|(\"|')|))?"
    % (_SPACE, _SPACE, _SPACE, _SPACE, _SPACE, _SPACE, _SPACE)
)
_TAG_NAME = re.compile(rb"[^>%b]*" % _SPACE)
_CONTENT_CHARSET = re.compile(
    rb"charset[%b]*=[%b]*(?:\"([^\"]*)\"|'([^']*)'|([^\"';%b][^;%b]*))" % ((_SPACE,) * 4), re.I
)
_XML_ENCODING = re.compile(
    rb"<\?xml[^>]*?encoding[\x00-\x20]*=[\x00-\x20]*(?:\"([^\x00-\x20\"]*)\"|'([^\x00-\x20']*)')"
)
_LANGUAGE = re.compile(rb"<html[^>]{0,400}?\blang=[\"']?([A-Za-z]{2,3})(?:[-_]([A-Za-z]+))?", re.IGNORECASE)

# What browsers guess for a user of that language (the table at the end of the standard's section); tried
# strictly, in this order.
_BY_LANGUAGE = {
    "ja": ("iso2022_jp", "euc_jp", "cp932"),
    "ko": ("cp949",),
    "zh": ("gb18030", "big5hkscs"),
    "ru": ("cp1251",),
    "uk": ("cp1251",),
    "be": ("cp1251",),
    "bg": ("cp1251",),
    "sr": ("cp1251",),
    "mk": ("cp1251",),
    "kk": ("cp1251",),
    "el": ("iso8859-7",),
    "he": ("cp1255",),
    "ar": ("cp1256",),
    "fa": ("cp1256",),
    "th": ("cp874",),
    "vi": ("cp1258",),
    "tr": ("cp1254",),
    "az": ("cp1254",),
    "ku": ("cp1254",),
    "cs": ("cp1250",),
    "hu": ("iso8859-2",),
    "pl": ("iso8859-2",),
    "sk": ("cp1250",),
    "sl": ("iso8859-2",),
    "hr": ("cp1250",),
    "et": ("cp1257",),
    "lt": ("cp1257",),
    "lv": ("cp1257",),
}
# Windows-1252 leaves five bytes open in Python's table; the standard maps them to the C1 controls.
_WINDOWS_1252 = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in range(256))


def encoding_of(body: bytes, content_type: str | None = None, *, xml: bool = False) -> str:
    """Return the Python codec for a body; ``xml``: an XML declaration counts before any ``<meta>``."""
    return (
        bom_encoding(body)
        or content_type_encoding(content_type)
        or declared_encoding(body[:PRESCAN], xml=xml)
        or detected_encoding(body)
    )


def bom_encoding(body: bytes) -> str | None:
    """Return the codec that a byte order mark names."""
    for mark, codec in _BOMS:
        if body.startswith(mark):
            return codec
    return None


def content_type_encoding(content_type: str | None) -> str | None:
    """Return the codec of the first charset parameter of a Content-Type."""
    if content_type and "charset" in content_type.lower():
        for name, quoted, token in _PARAMETER.findall(";" + content_type[:PRESCAN]):
            if name.lower() == "charset":
                return codec_of(quoted or token)
    return None


_MAY_DECLARE = re.compile(rb"charset", re.IGNORECASE).search


def declared_encoding(head: bytes, *, xml: bool = False) -> str | None:
    """Return the codec that the markup declares: ``<meta>`` or an XML declaration."""
    order = (_xml_encoding, _prescan) if xml else (_prescan, _xml_encoding)
    name = order[0](head) or order[1](head)
    return codec_of(name) if name else None


def _xml_encoding(head: bytes) -> str | None:
    if head.startswith(b"<\0?\0x\0"):
        return "utf-16le"
    if head.startswith(b"\0<\0?\0x"):
        return "utf-16be"
    found = _XML_ENCODING.match(head)
    return _markup_name(found[1] or found[2] or b"") if found else None


def _markup_name(label: bytes) -> str | None:
    """Return the encoding that a label inside markup means: it cannot be UTF-16, the markup was readable."""
    name = name_of(label.decode("latin-1"))
    return {"utf-16be": "utf-8", "utf-16le": "utf-8", "x-user-defined": "windows-1252"}.get(name or "", name)


def _prescan(head: bytes) -> str | None:
    """Run the standard's "prescan a byte stream" over the head."""
    found = _MAY_DECLARE(head)
    if found is None:
        return None  # the scan costs more than parsing a small page
    # The pages of a site begin alike: what is found up to the end of that tag does not depend on the rest.
    end = head.find(b">", found.end()) + 1
    return (_scanned_before(head[:end]) if end else None) or _scanned(head)


def _scanned(head: bytes) -> str | None:
    position = 0
    while found := _MARKUP.search(head, position):
        comment, meta, tag = found.groups()
        if comment:
            # "<!-->" is a whole comment: its dashes may be those of the end.
            end = head.find(b"-->", found.start() + 2)
            if end < 0:
                return None
            position = end + 3
        elif meta:
            attributes, position = _attributes(head, found.end())
            if name := _meta_encoding(attributes):
                return name
        elif tag:
            name_end = _TAG_NAME.match(head, found.end())
            _, position = _attributes(head, name_end.end() if name_end else found.end())
        else:
            end = head.find(b">", found.end() - 1)
            if end < 0:
                return None
            position = end + 1
    return None


_scanned_before = lru_cache(maxsize=64)(_scanned)


def _attributes(head: bytes, position: int) -> tuple[dict[bytes, bytes], int]:
    """Read attributes to the end of the tag; the first of a name counts."""
    attributes: dict[bytes, bytes] = {}
    while found := _ATTRIBUTE.match(head, position):
        if found[5] or found.end() == len(head):
            return {}, len(head)  # the tag does not end within the head
        attributes.setdefault(found[1].lower(), found[2] or found[3] or found[4] or b"")
        position = found.end()
    return attributes, position


def _meta_encoding(attributes: dict[bytes, bytes]) -> str | None:
    if b"charset" in attributes:
        return _markup_name(attributes[b"charset"])
    if attributes.get(b"http-equiv", b"").lower() != b"content-type":
        return None
    found = _CONTENT_CHARSET.search(attributes.get(b"content", b""))
    return _markup_name(found[1] or found[2] or found[3] or b"") if found else None


def detected_encoding(body: bytes) -> str:
    """Guess: UTF-8 if it is that, else what the page's language suggests, else windows-1252."""
    if body.isascii():
        return "utf-8"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        # A body cut in its last character is UTF-8 still, if it had others.
        if error.reason == "unexpected end of data" and not body[: error.start].isascii():
            return "utf-8"
    else:
        return "utf-8"
    if language := _LANGUAGE.search(body, 0, PRESCAN):
        candidates = _BY_LANGUAGE.get(language[1].decode().lower(), ())
        if candidates == _BY_LANGUAGE["zh"] and (language[2] or b"").lower() in (b"tw", b"hk", b"hant", b"mo"):
            candidates = candidates[::-1]
        for codec in candidates:
            try:
                body.decode(codec)
            except UnicodeDecodeError:
                continue
            return codec
    return DEFAULT


def decode(body: bytes, codec: str) -> str:
    """Return the text of a body without its byte order mark; undecodable bytes become U+FFFD."""
    for mark, marked in _BOMS:
        if body.startswith(mark) and codec in (marked, "utf-16"):
            body = body[len(mark) :]
            break
    if codec == "cp1252":
        return codecs.charmap_decode(body, "strict", _WINDOWS_1252)[0]
    return body.decode(codec, "replace")
