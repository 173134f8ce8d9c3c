"""How are parts of a page selected, at the cost of the selecting alone?

parsel's classes with the same face. What is saved: expressions are compiled once per process and not
looked up again with their namespaces, results are wrapped without parsel's argument checks, and UTF-8
bytes go to libxml2 without a detour over str.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, Protocol, Self, TypeAlias, cast

import parsel
from lxml import etree
from parsel.csstranslator import GenericTranslator, HTMLTranslator

from crawler.model.roots import root_of

Variable: TypeAlias = str | float | etree._Element | list[etree._Element]
"""The value of a variable in an XPath expression."""

_NAMESPACES = dict(parsel.Selector._default_namespaces)
_COMPILED_NAMESPACES = {prefix: uri for prefix, uri in _NAMESPACES.items() if prefix != "set"}
_TRANSLATORS = {"html": HTMLTranslator(), "xml": GenericTranslator()}


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


class Page(Protocol):
    """A response, as far as it matters here."""

    @property
    def url(self) -> str: ...
    @property
    def body(self) -> bytes: ...
    @property
    def encoding(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def selector(self) -> Selector: ...
    def urljoin(self, url: str) -> str: ...


class SelectorList(parsel.SelectorList["Selector"]):
    """Several selectors (parsel's SelectorList)."""


class Selector(parsel.Selector):
    """A part of a document that can be selected from (parsel's Selector)."""

    __slots__ = ()
    selectorlist_cls: ClassVar[type[SelectorList]] = SelectorList  # type: ignore[assignment]  # and its own

    def __init__(
        self,
        text: Any = None,
        type: str | None = None,  # noqa: A002
        *,
        response: Page | None = None,
        **options: Any,
    ) -> None:
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
                options["root"] = root_of(response.body, response.encoding, type, response.url)
            else:
                text = response.text
        kind = _kind_of(text, type) if text.__class__ is str and options.keys() <= {"base_url"} else None
        if kind is None:
            super().__init__(text, type, **options)
        else:
            root = root_of(text.encode("utf-8", "replace"), "utf-8", kind, options.get("base_url"))
            super().__init__(type=kind, root=root)
            self._text = text
        if self.namespaces == _NAMESPACES:
            self.namespaces = _NAMESPACES

    def register_namespace(self, prefix: str, uri: str) -> None:
        """Let expressions on this selector use a prefix."""
        self.namespaces = {**self.namespaces, prefix: uri}

    def xpath(self, query: str, namespaces: Mapping[str, str] | None = None, **variables: Variable) -> SelectorList:
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

    def _select(self, compiled: tuple[etree.XPath, str], variables: dict[str, Variable]) -> SelectorList:
        expression, query = compiled
        try:
            found = expression(self.root, **variables)
        except etree.XPathError as error:
            raise ValueError(f"XPath error: {error} in {query}") from error
        selectors = SelectorList()
        for root in found if isinstance(found, list) else (found,):
            selectors.append(self._part(root, query))
        return selectors

    def _part(self, root: etree._Element | str | float, query: str) -> Self:
        part = self.__class__.__new__(self.__class__)
        part.root = root
        part.type = self.type
        part.namespaces = self.namespaces
        part._expr = query
        part._huge_tree = self._huge_tree
        part._text = None
        return part

    def _take(self, root: etree._Element, kind: str) -> None:
        """Be the selector of a document."""
        self.root = root
        self.type = kind
        self.namespaces = _NAMESPACES
        self._expr = None
        self._huge_tree = kind == "html"
        self._text = None

    def get(self) -> Any:
        """Return the selected text, or an element as markup."""
        return self.root if self.root.__class__ is str else super().get()

    extract = get


def document(body: bytes, codec: str, *, kind: str = "html", url: str | None = None) -> Selector:
    """Parse a body; ``kind`` is "html" or "xml". Never raises: of garbage, an empty document."""
    selector = Selector.__new__(Selector)
    selector._take(root_of(body, codec, kind, url), kind)
    return selector


def _kind_of(text: str, kind: str | None) -> str | None:
    """Return "html" or "xml" for what is to be read as that; None is for parsel to find out."""
    if kind is not None:
        return kind if kind in ("html", "xml") else None
    start = text[:256].lstrip()
    return None if start[:1] != "<" else "xml" if start.startswith("<?xml") else "html"
