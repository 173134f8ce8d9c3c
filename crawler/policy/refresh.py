"""Does a page tell its reader to go elsewhere (meta refresh)?

Asked of every page, so the first look is at bytes: ``q`` is rare enough in pages, and found at memory
speed, that looking for it is the cheapest way to find "http-equiv" in any case of letters (0.2 µs where
a search for the word costs 3, and a regular expression 30). Only a page that has such a tag near its
start is parsed, and of it only the start.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from crawler.errors import InvalidRequest
from crawler.model.response import Response

# Scrapy reads 4096 characters. A tag further down than this is not found: pages with so much before
# it are rare, and the cost would be everybody's.
_LOOKED_AT = 8192
_PARSED = 16_384
_FEW = 50

# HTML standard, "shared declarative refresh steps": digits, perhaps a fraction that does not count, a
# separator, perhaps "url=", perhaps a quote.
_CONTENT = re.compile(
    r"\s*(?:(?P<seconds>\d{1,9})[\d.]*|\.[\d.]*)(?:\s*[;,]\s*|\s+)(?P<url>.*)",
    re.IGNORECASE | re.DOTALL | re.ASCII,
).fullmatch
_PREFIX = re.compile(r"url\s*=\s*", re.IGNORECASE | re.ASCII).match
# Their content is text, or not shown: a tag in there is none.
_NEVER = ("script", "style", "template", "textarea", "title", "xmp", "iframe", "noembed", "noframes")


class Refresh(NamedTuple):
    """``seconds`` to wait, then the absolute ``url``."""

    seconds: float
    url: str


def mentions_refresh(body: bytes) -> bool:
    """Tell whether ``http-equiv=refresh``, in any case, is near the start. May say yes wrongly."""
    at = body.find(b"q", 0, _LOOKED_AT)
    if at >= 0 and _mentioned(body, at, b"q"):
        return True
    at = body.find(b"Q", 0, _LOOKED_AT)
    return at >= 0 and _mentioned(body, at, b"Q")


def _mentioned(body: bytes, at: int, letter: bytes) -> bool:
    for _ in range(_FEW):
        if body[at - 6 : at + 4].lower() == b"http-equiv" and b"refresh" in body[at : at + 64].lower():
            return True
        at = body.find(letter, at + 1, _LOOKED_AT)
        if at < 0:
            return False
    return b"refresh" in body[:_LOOKED_AT].lower()  # so many of that letter: no time to look at each


def refresh_of(response: Response, ignored_tags: Sequence[str] = ("noscript",)) -> Refresh | None:
    """Return where the page's first meta refresh leads, or None. A reload of the page itself (no URL)
    and a URL that is none are None too."""
    if not response.is_html:
        return None
    start = response if len(response.body) <= _PARSED else response.replace(body=response.body[:_PARSED])
    ignored = {*_NEVER, *(tag.lower() for tag in ignored_tags)}
    for tag in start.xpath("//meta[@http-equiv and @content]"):
        if tag.attrib["http-equiv"].strip().lower() != "refresh":
            continue
        if ignored.intersection(ancestor.tag for ancestor in tag.root.iterancestors()):
            continue
        return _target(start, tag.attrib["content"])
    return None


def _target(response: Response, content: str) -> Refresh | None:
    found = _CONTENT(content)
    if found is None:
        return None
    url = found["url"]
    if (prefix := _PREFIX(url)) is not None:
        url = url[prefix.end() :]
    if url[:1] in ("'", '"'):
        url = url[1:].partition(url[0])[0]
    if not url.strip():
        return None
    try:
        return Refresh(float(found["seconds"] or 0), response.base.join(url))
    except InvalidRequest:
        return None
