"""How are parts of a page selected, at the cost of the selecting alone?

parsel's classes with the same face. What is saved: expressions are compiled once per process and not
looked up again with their namespaces, results are wrapped without parsel's argument checks, and UTF-8
bytes go to libxml2 without a detour over str.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Self, cast

import parsel
from lxml import etree
from lxml.html import HTMLParser
from parsel.csstranslator import GenericTranslator, HTMLTranslator

from crawler.model.codecs import decode

_NAMESPACES = dict(parsel.Selector._default_namespaces)
_COMPILED_NAMESPACES = {prefix: uri for prefix, uri in _NAMESPACES.items() if prefix != "set"}
_TRANSLATORS = {"html": HTMLTranslator(), "xml": GenericTranslator()}
# An lxml parser may be used again, and by several threads. Entities are never resolved, nothing is loaded.
_HTML = HTMLParser(recover=True, encoding="utf-8", huge_tree=True)
# Without huge_tree libxml2 bounds depth, text size and the work that entities make.
_XML = etree.XMLParser(recover=True, encoding="utf-8", resolve_entities=False, no_network=True, huge_tree=False)


@lru_cache(maxsize=1024)
def _compiled(query: str, kind: str | None) -> tuple[etree.XPath, str] | None:
    """Compile an XPath, or for a ``kind`` of document a CSS expression; None is for parsel's own way."""
    xpath = query if kind is None else _TRANSLATORS[kind].css_to_xpath(query)
    if "set:" in xpath:
        # lxml registers this namespace's functions again at each call, and keeps some 100 bytes of it for good.
        return None
    try:
        return etree.XPath(xpath, namespaces=_COMPILED_NAMESPACES, smart_strings=False), xpath
    except etree.XPathError as error:
        raise ValueError(f"XPath error: {error} in {xpath}") from error


class SelectorList(parsel.SelectorList[Any]):
    """Several selectors (parsel's SelectorList)."""


class Selector(parsel.Selector):
    """A part of a document that can be selected from (parsel's Selector)."""

    __slots__ = ()
    selectorlist_cls = SelectorList

    def __init__(self, text: Any = None, type: str | None = None, *, response: Any = None, **options: Any) -> None:  # noqa: A002
        """Parse ``text`` or ``body``, or a ``response``, which may stand first (Scrapy's Selector)."""
        if hasattr(text, "selector"):
            response, text = text, None
        if response is not None:
            if text is not None or {"body", "root"} & options.keys():
                raise ValueError("give a response or text, not both")
            type = type or response.selector.type  # noqa: A001
            if type == response.selector.type:
                options["root"] = response.selector.root
            elif type in ("html", "xml"):
                options["root"] = _root(response.body, response.encoding, type, response.url)
            else:
                text = response.text
        super().__init__(text, type, **options)
        if self.namespaces == _NAMESPACES:
            self.namespaces = _NAMESPACES

    def register_namespace(self, prefix: str, uri: str) -> None:
        """Let expressions on this selector use a prefix."""
        self.namespaces = {**self.namespaces, prefix: uri}

    def xpath(self, query: str, namespaces: Mapping[str, str] | None = None, **variables: Any) -> SelectorList:
        """Select by XPath 1.0 (parsel's xpath)."""
        if namespaces is None and self.namespaces is _NAMESPACES and isinstance(self.root, etree._Element):
            compiled = _compiled(query, None)
            if compiled is not None:
                return self._select(compiled, variables)
        return cast(SelectorList, super().xpath(query, namespaces, **variables))

    def css(self, query: str) -> SelectorList:
        """Select by CSS with parsel's ``::text`` and ``::attr(name)``."""
        if self.namespaces is _NAMESPACES and isinstance(self.root, etree._Element):
            compiled = _compiled(query, self.type)
            if compiled is not None:
                return self._select(compiled, {})
        return cast(SelectorList, super().css(query))

    def _select(self, compiled: tuple[etree.XPath, str], variables: dict[str, Any]) -> SelectorList:
        expression, query = compiled
        try:
            found = expression(self.root, **variables)
        except etree.XPathError as error:
            raise ValueError(f"XPath error: {error} in {query}") from error
        selectors = SelectorList()
        for root in found if isinstance(found, list) else (found,):
            selectors.append(self._part(root, query))
        return selectors

    def _part(self, root: Any, query: str) -> Self:
        part = self.__class__.__new__(self.__class__)
        part.root = root
        part.type = self.type
        part.namespaces = self.namespaces
        part._expr = query
        part._huge_tree = self._huge_tree
        part._text = None
        return part

    def get(self) -> Any:
        """Return the selected text, or an element as markup."""
        return self.root if self.root.__class__ is str else super().get()

    extract = get


def document(body: bytes, codec: str, *, kind: str = "html", url: str | None = None) -> Selector:
    """Parse a body; ``kind`` is "html" or "xml". Never raises: of garbage, an empty document."""
    selector = Selector.__new__(Selector)
    selector.root = _root(body, codec, kind, url)
    selector.type = kind
    selector.namespaces = _NAMESPACES
    selector._expr = None
    selector._huge_tree = kind == "html"
    selector._text = None
    return selector


def _root(body: bytes, codec: str, kind: str, url: str | None) -> Any:
    if codec != "utf-8" or not _is_utf8(body):
        # libxml2 ends the document at a byte that its encoding does not know.
        body = decode(body, codec).encode("utf-8", "replace")
    if b"\0" in body:
        body = body.replace(b"\0", b"")
    parser: Any = _XML if kind == "xml" else _HTML
    try:
        root = etree.fromstring(body.strip() or b"<html/>", parser=parser, base_url=url)
    except etree.XMLSyntaxError:
        root = None
    return etree.fromstring(b"<html/>", parser=parser, base_url=url) if root is None else root


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
