"""How does a page become a tree that libxml2's own way is too shallow or too slow for?

libxml2 stops at 2,048 nested elements, and adds an attribute by going through those that its element has already:
40,000 of them take 12 s. Here its parser only tells what it sees. Elements past a depth stand beside each other,
as they do in browsers (from 512 on); of an element's attributes the first thousand are kept, with a warning.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from itertools import islice

from lxml import etree
from lxml.etree import SubElement
from lxml.html import HTMLParser

from crawler.model.mending import tags

DEEPEST = 2000
MOST_ATTRIBUTES = 1000
_STRIDE = 4096
_ATTRIBUTE = rb"""[^\s/>=]++(?:\s*+=\s*+(?:"[^"]*+"|'[^']*+'|[^\s>"'][^\s>]*+)?+)?+"""
_RUN = re.compile(rb"(?:[\s/]*+%s){0,%d}+(?P<more>[\s/]*+%s)?+" % (_ATTRIBUTE, MOST_ATTRIBUTES, _ATTRIBUTE)).match
_COUNTED = re.compile(_ATTRIBUTE)
_NAME = re.compile(r"[a-z_][a-z0-9_.-]*", re.IGNORECASE)
_NOT_IN_XML = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF, *range(0xD800, 0xE000)])


def is_crowded(page: bytes) -> bool:
    """Tell whether an element has more than about 2,000 attributes, at the cost of a look every 4,096 bytes.

    At each of these places it may be that we stand between two attributes, or in a value in either kind of
    quotes; where that is so, a run of attributes follows. What looks like one is looked at from the start.
    """
    for quote in (b"", b'"', b"'"):
        at = _STRIDE
        while at < len(page):
            start = page.find(quote, at) + 1 if quote else at
            if quote and not start:
                break
            run = _RUN(page, start)
            if run is not None and run["more"] is not None:
                return _has_crowded_tag(page)
            at = max(at, start, run.end() if run is not None else 0) + _STRIDE
    return False


def _has_crowded_tag(page: bytes) -> bool:
    large = (tag[0] for tag in tags(page) if tag["name"] and tag.end() - tag.start() > 2 * MOST_ATTRIBUTES)
    return any(next(islice(_COUNTED.finditer(tag), MOST_ATTRIBUTES, None), None) is not None for tag in large)


def levelled(page: bytes, parser: HTMLParser, url: str | None) -> etree._Element | None:
    """Return the root of a page (in UTF-8), made of elements of ``parser``, or None where there is nothing."""
    tree = _Levelled(parser, url)
    teller: Callable[..., HTMLParser] = HTMLParser
    try:
        etree.fromstring(page, parser=teller(recover=True, encoding="utf-8", huge_tree=True, target=tree))
    except etree.XMLSyntaxError:
        pass  # an empty page
    if tree.root is not None and url is not None:
        tree.root.getroottree().docinfo.URL = url
    return tree.root


class _Levelled:
    """What lxml calls a parser target: it is told what comes, and makes the tree."""

    def __init__(self, parser: HTMLParser, url: str | None) -> None:
        self.root: etree._Element | None = None
        self._parser = parser
        self._url = url
        self._open: list[etree._Element] = []
        self._too_deep = 0
        self._deep: etree._Element | None = None  # the last one of them
        self._at: etree._Element | None = None  # what text is in, after its last child
        self._last: etree._Element | None = None
        self._texts: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if self._texts:
            self._write()
        if len(attributes) > MOST_ATTRIBUTES:
            warnings.warn(
                f"{self._url}: an element has {len(attributes)} attributes; {MOST_ATTRIBUTES} are kept", stacklevel=2
            )
            attributes = dict(islice(attributes.items(), MOST_ATTRIBUTES))
        self._at, self._last = self._made(tag, attributes), None
        if len(self._open) < DEEPEST:
            self._open.append(self._at)
        else:
            self._too_deep += 1
            self._deep = self._at

    def end(self, tag: str) -> None:
        if self._texts:
            self._write()
        if self._too_deep:
            self._too_deep -= 1
            self._at, self._last = self._open[-1], self._deep
        else:
            self._last = self._open.pop()
            self._at = self._open[-1] if self._open else None

    def data(self, text: str) -> None:
        self._texts.append(text)

    def comment(self, text: str) -> None:
        self._write()
        if self._at is not None:
            self._last = etree.Comment()
            self._at.append(self._last)
            try:
                self._last.text = text
            except ValueError:  # "--" in it, or what XML does not know
                self._last.text = _plain(text).replace("-", " ")

    def close(self) -> None:
        self._write()

    def _made(self, tag: str, attributes: dict[str, str]) -> etree._Element:
        try:
            if self._open:
                return SubElement(self._open[-1], tag, attributes)
            element: etree._Element = self._parser.makeelement(tag, attributes)
        except ValueError:  # a name or a character that XML does not know, and libxml2 passes on
            element = self._made("".join(_NAME.findall(tag)) or "x", {})
            for name, value in attributes.items():
                element.set("".join(_NAME.findall(name)) or "x", _plain(value))
        if self.root is None:
            self.root = element
        return element

    def _write(self) -> None:
        text = "".join(self._texts)
        self._texts.clear()
        if not text or self._at is None:
            return
        try:
            self._put(self._at, text)
        except ValueError:
            self._put(self._at, _plain(text))

    def _put(self, at: etree._Element, text: str) -> None:
        if self._last is None:
            at.text = text
        else:
            self._last.tail = text


def _plain(text: str) -> str:
    return text.translate(_NOT_IN_XML)
