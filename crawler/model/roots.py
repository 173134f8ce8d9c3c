"""How does a body become a tree, with nothing of it lost?

What libxml2 does not put into the tree, it drops without a word. Each way it has of doing so leaves a trace
where one can look for nothing; only where there is one the page itself is looked at, and parsed again.
"""

from __future__ import annotations

import warnings

from lxml import etree
from lxml.html import HTMLParser

from crawler.model.codecs import decode, fits
from crawler.model.levelled import is_crowded, levelled, mended

# An lxml parser may be used again, and by several threads. Entities are never resolved, nothing is loaded.
_HTML = HTMLParser(recover=True, encoding="utf-8", huge_tree=True)
# Without huge_tree libxml2 bounds depth, text size and the work that entities make.
_XML = etree.XMLParser(recover=True, encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False)
_HUGE_XML = etree.XMLParser(recover=True, encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=True)
_is_outside = etree.XPath("boolean(/html/body/following-sibling::node()[not(self::script) and normalize-space()])")
_LARGE = 8192  # in less there is no room for what takes long
_DEEP = 3 * 2048


def root_of(body: bytes, codec: str, kind: str, url: str | None, *, whole: bool = True) -> etree._Element:
    """Return the root of a body; ``kind`` is "html" or "xml". Never raises: of garbage, an empty document.

    Warns, naming the URL, where something had to be left out. ``whole=False``: HTML is what libxml2 makes of it.
    """
    if codec != "utf-8" or not (body.isascii() or fits(body, "utf-8")):
        # libxml2 ends the document at a byte that its encoding does not know.
        body = decode(body, codec).encode("utf-8", "replace")
    if b"\0" in body:
        body = body.replace(b"\0", b"")
    body = body.strip()
    root = _xml_root(body, url) if kind == "xml" else _html_root(body, url, whole=whole)
    if root is not None:
        return root
    return etree.fromstring(b"<html/>", parser=_XML if kind == "xml" else _HTML, base_url=url)


def _parsed(body: bytes, parser: HTMLParser | etree.XMLParser, url: str | None) -> etree._Element | None:
    try:
        return etree.fromstring(body, parser=parser, base_url=url)
    except etree.XMLSyntaxError:
        return None


def _html_root(page: bytes, url: str | None, *, whole: bool = True) -> etree._Element | None:
    if len(page) > _LARGE and is_crowded(page):
        return levelled(mended(page), _HTML, url)
    root = _parsed(page, _HTML, url)
    if root is None or not whole:
        return root
    error = _HTML.error_log.last_error if len(page) > _DEEP else None
    if error is not None and _is_limit(error):
        return levelled(mended(page), _HTML, url)
    if _is_left_behind(root):
        return _html_root(better, url) if (better := mended(page)) is not page else root
    return root


def _is_left_behind(root: etree._Element) -> bool:
    """Tell whether something is behind the root or the body."""
    behind = root.getnext()
    while behind is not None:
        if isinstance(behind.tag, str):
            return True
        behind = behind.getnext()
    if not len(root):
        return False
    last = root[-1]
    return bool((last.tag != "body" or last.tail) and _is_outside(root))


def _xml_root(body: bytes, url: str | None) -> etree._Element | None:
    root = _parsed(body, _XML, url)
    error = _XML.error_log.last_error
    if error is not None and _is_limit(error) and b"<!DOCTYPE" not in body:
        # There are no entities, which the limits are there for.
        root = _parsed(body, _HUGE_XML, url)
        error = _HUGE_XML.error_log.last_error
    if error is not None and _is_limit(error):
        warnings.warn(f"{url}: only the beginning of the document is read: {error.message}", stacklevel=2)
    return root


def _is_limit(error: etree._LogEntry) -> bool:
    return "XML_PARSE_HUGE" in error.message
