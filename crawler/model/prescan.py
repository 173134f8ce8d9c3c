"""Which encoding does markup declare, in a ``<meta>`` or an XML declaration?

The first 1,024 bytes are searched by https://html.spec.whatwg.org/#prescan-a-byte-stream-to-determine-its-encoding.
A ``<meta>`` behind them counts too, where the parser would come upon it (HTML §13.2.3.4, "changing the encoding
while parsing").
"""

from __future__ import annotations

import re
from functools import lru_cache

from crawler.model.labels import codec_of, name_of

PRESCAN = 1024
LATE = 1 << 20
"""Most bytes in which a later ``<meta>`` is looked for; pages have inline styles of some 100 kB before it."""
_DECLARATIONS = 16  # most of those without a known label that are looked at

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
    rb"[\t\n\r ]*<\?xml[^>]*?encoding[\x00-\x20]*=[\x00-\x20]*(?:\"([^\x00-\x20\"]*)\"|'([^\x00-\x20']*)')"
)

_STYLE = re.compile(rb'@charset "([^"]{1,40})";')
_MAY_DECLARE = re.compile(rb"charset", re.IGNORECASE).search


def declared_encoding(head: bytes, *, xml: bool = False) -> str | None:
    """Return the codec that the markup declares: ``<meta>`` or an XML declaration."""
    order = (_xml_encoding, _prescan) if xml else (_prescan, _xml_encoding)
    name = order[0](head) or order[1](head)
    return codec_of(name) if name else None


def style_encoding(body: bytes) -> str | None:
    """Return the codec that a style sheet declares (https://drafts.csswg.org/css-syntax/#input-byte-stream)."""
    found = _STYLE.match(body)
    name = _markup_name(found[1]) if found else None
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
    return (_scanned_before(head[:end]) if end else None) or scanned(head)


def scanned(head: bytes) -> str | None:
    """Return the name of the encoding that the standard's scan finds, remembering nothing."""
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


_scanned_before = lru_cache(maxsize=64)(scanned)


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


_CANDIDATE = re.compile(rb"<meta[%b/][^<>]{0,999}?charset" % _SPACE)
_VALUE = rb"=[%b]*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|)" % _SPACE
_REST = rb"(?:[^>=]++|%b)*+(?:>|\Z)" % _VALUE
_RAW = b"|".join(
    rb"<%b(?=[%b/>])%b(?:[^<]++|<(?!/%b[%b/>]))*+" % (name, _SPACE, _REST, name, _SPACE)
    for name in b"script style textarea title xmp iframe noembed noframes".split()
)
# What lies before a <meta> that could declare something: text, comments, elements whose content is no markup,
# other tags with their quoted values. Possessive throughout, so that no page takes more than one pass.
_TO_META = re.compile(
    rb"(?:[^<]++|<!--(?:-?+>|(?:[^-]++|-(?!-!?>))*+(?:--!?>|\Z))|%b|<(?!meta[%b/])/?[a-z]%b|<(?:!(?!--)|[?]|/(?![a-z]))[^>]*+(?:>|\Z)"
    rb"|<(?![a-z!?/])|<meta(?=[%b/])(?![^<>]{0,999}?charset))*+<meta(?=[%b/])" % (_RAW, _SPACE, _REST, _SPACE, _SPACE),
    re.IGNORECASE,
)


def later_encoding(body: bytes) -> str | None:
    """Return the codec that a ``<meta>`` of HTML declares if the first 1,024 bytes have none."""
    if len(body) < PRESCAN:
        return None
    lower = body[:LATE].lower()  # faster than any search that takes no account of case
    if lower.find(b"charset", PRESCAN - 7) < 0 or not _CANDIDATE.search(lower):
        return None
    position = 0
    for _ in range(_DECLARATIONS):
        found = _TO_META.match(body, position, LATE)
        if found is None:
            break
        attributes, position = _attributes(body[: found.end() + PRESCAN], found.end())
        if name := _meta_encoding(attributes):
            return codec_of(name)
    return None
