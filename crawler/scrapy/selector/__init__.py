"""How are parts of a page selected where a project was written for Scrapy?

By our selectors, over the tree that parsel makes of the page: a root that ours mends is left as it is.
"""

from __future__ import annotations

from typing import Any

from w3lib.encoding import html_to_unicode

from crawler.model.roots import root_of
from crawler.model.selector import Selector as NativeSelector
from crawler.model.selector import SelectorList

__all__ = ["Selector", "SelectorList"]

_NOT_GIVEN: Any = object()
_KINDS = {"html": "html", "xml": "xml", "json": "json"}  # of other texts parsel finds out what they are


class Selector(NativeSelector):
    """A part of a document: of a ``response``, a ``text`` (str, or bytes in UTF-8) or lxml's ``root``.

    ``type`` is "html", "xml", "json" or "text"; by default what the response is, and of a text "html" (Scrapy's
    Selector). Raises ValueError for a response and a text.
    """

    response: Any = None

    def __init__(
        self,
        response: Any = None,
        text: str | bytes | None = None,
        type: str | None = None,  # noqa: A002
        root: Any = _NOT_GIVEN,
        **kwargs: Any,
    ) -> None:
        if response is not None and text is not None:
            raise ValueError(f"{self.__class__.__name__}: give a response or text, not both")
        if root is not _NOT_GIVEN:
            super().__init__(None, type, root=root, **kwargs)
            return
        self.response = response
        kind = type or (_KINDS.get(response.kind) if response is not None else "html")
        if kind not in ("html", "xml") or kwargs:
            if response is not None:
                kwargs.setdefault("base_url", response.base.href)
            super().__init__(_text(text) if response is None else response.text, kind, **kwargs)
        elif response is None:
            self._take(root_of(_octets(text), "utf-8", kind, "about:blank", whole=False), kind)
        else:
            codec = response.encoding
            readable = codec == "utf-8" or (codec in ("ascii", "cp1252") and response.body.isascii())
            octets = _octets(response.body if readable else response.text)
            self._take(root_of(octets, "utf-8", kind, response.base.href, whole=False), kind)


def _text(given: str | bytes | None) -> str:
    return given.decode("utf-8", "replace") if isinstance(given, bytes) else given or ""


def _octets(given: str | bytes | None) -> bytes:
    octets = given if isinstance(given, bytes) else (given or "").encode("utf-8", "replace")
    if not (octets[:1] + octets[-1:]).isascii():  # it may begin with a mark, or end with a space that is no ASCII
        octets = html_to_unicode("charset=utf-8", octets)[1].strip().encode("utf-8", "replace")
    return octets
