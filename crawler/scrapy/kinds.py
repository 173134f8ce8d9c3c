"""By which names does code written for Scrapy tell kinds of responses apart?

``isinstance(response, HtmlResponse)`` asks what a response is; here that is a question about its
content, not its class, since one class serves all. To construct one of these fixes the kind.
"""

from __future__ import annotations

from typing import Any

from crawler.model.response import Response


class _ByKind(type):
    """Let isinstance() judge a response by its kind."""

    kinds: frozenset[str]

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Response) and instance.kind in cls.kinds


class TextResponse(Response, metaclass=_ByKind):
    """A response that is text of any kind."""

    __slots__ = ()
    kinds = frozenset({"html", "xml", "json", "text"})

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self._kind is None and self.kind == "binary":
            self._kind = "text"


class HtmlResponse(TextResponse):
    """A response that is HTML."""

    __slots__ = ()
    kinds = frozenset({"html"})
    _fixed_kind = "html"


class XmlResponse(TextResponse):
    """A response that is XML."""

    __slots__ = ()
    kinds = frozenset({"xml"})
    _fixed_kind = "xml"


class JsonResponse(TextResponse):
    """A response that is JSON."""

    __slots__ = ()
    kinds = frozenset({"json"})
    _fixed_kind = "json"
