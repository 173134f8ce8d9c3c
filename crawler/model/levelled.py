"""How does a page become a tree that libxml2's own way is too shallow or too slow for?

libxml2 stops at 2,048 nested elements, and adds an attribute by going through those that its element has already:
40,000 of them take 12 s. Here its parser only tells what it sees. Elements past a depth stand beside each other,
as they do in browsers (from 512 on); of an element's attributes the first thousand are kept, with a warning.

And it ends a document at its first ``</html>`` and puts what follows ``</body>`` outside of the body; a browser
goes on where it was, as if these tags were not there (HTML §13.2.6.4.19 and 13.2.6.4.22). It takes ``<html/>``
for the whole page. So those tags go, but where they are text: in scripts, comments, values.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from itertools import islice

from lxml import etree
from lxml.etree import SubElement
from lxml.html import HTMLParser

# A value in quotes may hold ">". Possessive, so that no page makes them go back.
_ATTRIBUTES = rb"""(?:[^>=]++|=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))*+"""
_TAG = re.compile(
    rb"<!--(?:-?>|.*?(?:--!?>|\Z))|<[!?][^>]*+|</[^a-zA-Z>][^>]*+"
    rb"|<(?P<end>/?)(?P<name>[a-zA-Z][^\s/>]*+)" + _ATTRIBUTES + rb"(?:>|\Z)",
    re.DOTALL,
)
_FRAME = frozenset({b"html", b"head", b"body"})
_NO_ELEMENT = b"</end-of-nothing>"  # libxml2 passes over the end of what is not open
_TEXT = frozenset(b"script style textarea title xmp iframe noembed noframes plaintext".split())
_SCRIPT = re.compile(rb"<!--|-->|<(/?)script(?=[\s/>])", re.IGNORECASE)
_END_OF_TEXT = re.compile(rb"</(style|textarea|title|xmp|iframe|noembed|noframes)(?=[\s/>])", re.IGNORECASE)


def mended(page: bytes) -> bytes:
    """Return a page (in UTF-8) as libxml2 reads all of it; the same object if nothing of it is to be changed."""
    parts: list[bytes] = []
    kept = 0
    for tag in tags(page):
        name = (tag["name"] or b"").lower()
        if tag["end"]:
            # Without a tag, "<</html>a" would begin an element.
            instead = _NO_ELEMENT if name in (b"html", b"body") else None
        else:
            instead = tag[0][:-2] + b">" if name in _FRAME and tag[0].endswith(b"/>") else None
        if instead is not None:
            parts += page[kept : tag.start()], instead
            kept = tag.end()
    return b"".join([*parts, page[kept:]]) if parts else page


def tags(page: bytes) -> Iterator[re.Match[bytes]]:
    """Yield the tags ("end" is "/" for end tags, "name") and comments (no name) that libxml2 sees, in linear time."""
    at = 0
    while (tag := _TAG.search(page, at)) is not None:
        yield tag
        at = tag.end()
        name = (tag["name"] or b"").lower()
        if tag["end"] or name not in _TEXT or _closes_itself(tag[0]):
            continue
        if name == b"plaintext":
            return
        if name == b"script":
            at = _end_of_script(page, at)
        else:
            ends = _END_OF_TEXT.finditer(page, at)
            at = next((end.start() for end in ends if end[1].lower() == name), len(page))


def _closes_itself(tag: bytes) -> bool:
    """Tell whether a tag ends in "/>", not counting a slash that is part of a value."""
    _, equals, value = tag[-1000:].split()[-1].partition(b"=")
    return tag.endswith(b"/>") and (not equals or value.startswith((b'"', b"'")))


def _end_of_script(page: bytes, at: int) -> int:
    """Return where a script ends: within ``<!--``, a ``<script>`` takes the next end tag (HTML §13.2.5.15 to 33)."""
    escaped = doubly = False
    for found in _SCRIPT.finditer(page, at):
        if found[0] == b"<!--":
            escaped = True
        elif found[0] == b"-->":
            escaped = doubly = False
        elif not found[1]:
            doubly = escaped
        elif doubly:
            doubly = False
        else:
            return found.start()
    return len(page)


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

    close = _write

    def _put(self, at: etree._Element, text: str) -> None:
        if self._last is None:
            at.text = text
        else:
            self._last.tail = text


def _plain(text: str) -> str:
    return text.translate(_NOT_IN_XML)
