"""What can be read from the bytes that came?

Kind, encoding, text, values, document: each is made when somebody asks for it, once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import msgspec
from parsel import SelectorList as AnySelectorList

from crawler.model.codecs import decode
from crawler.model.content import encoding_of, sniffed_kind, stated_encoding, stated_kind
from crawler.model.fields import frozen
from crawler.model.headers import GivenHeaders, Headers
from crawler.model.selector import Selector, SelectorList, Variable, document

Given: TypeAlias = bytes | str | bytearray | memoryview | None
Json: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None


class Body:
    """The content of a response, with its URL and headers, which say what it is."""

    __slots__ = (
        "_body",
        "_codec",
        "_encoding",
        "_headers",
        "_json",
        "_kind",
        "_selector",
        "_text",
        "_url",
        "body_file",
    )
    _fixed_kind: ClassVar[str | None] = None

    url: str = frozen("response", "url", "The URL that was asked last, in normal form, with the request's fragment.")
    headers: Headers = frozen("response", "headers", "The fields that came.")

    def __init__(
        self, url: str, headers: GivenHeaders | None, body: Given, encoding: str | None, body_file: Path | None
    ) -> None:
        if isinstance(body, str):
            encoding = encoding or "utf-8"
            body = body.encode(encoding)
        elif not isinstance(body, bytes):
            if not isinstance(body, bytearray | memoryview | None):
                raise TypeError(f"a response's body must be bytes, got {type(body).__name__}")
            body = bytes(body or b"")
        self._url = url
        self._headers = headers if headers.__class__ is Headers else Headers(headers)
        self._body: bytes = body
        self.body_file = body_file
        self._encoding = encoding
        self._codec = encoding
        self._kind: str | None = self._fixed_kind
        self._selector: Selector | None = None
        self._text: str | None = None
        self._json: Json | msgspec.UnsetType = msgspec.UNSET

    @property
    def body(self) -> bytes:
        """The bytes, content codings removed; read from ``body_file`` at each look if they lie there."""
        return self._body if self.body_file is None else self.body_file.read_bytes()

    @property
    def kind(self) -> str:
        """What the body is: "html", "xml", "json", "text" or "binary"."""
        if self._kind is None:
            content_type = self._headers.get(b"content-type")
            self._kind = stated_kind(content_type) or sniffed_kind(content_type, self._url, self.body[:1024])
        return self._kind

    @property
    def is_html(self) -> bool:
        """Tell whether the body is HTML."""
        return self.kind == "html"

    @property
    def encoding(self) -> str:
        """The name of the Python codec of the text."""
        if self._codec is None:
            content_type = self._headers.text(b"content-type")
            body = self._body if self.body_file is None else self.body
            self._codec = stated_encoding(content_type, body[:1]) or encoding_of(
                body, content_type, kind=self.kind, url=self._url
            )
        return self._codec

    @property
    def given_encoding(self) -> str | None:
        """What the constructor was told of the encoding, if anything: it counts more than the headers and the body."""
        return self._encoding

    @property
    def text(self) -> str:
        """The body as text; what does not decode is U+FFFD."""
        if self._text is None:
            self._text = decode(self.body, self.encoding)
        return self._text

    @property
    def selector(self) -> Selector:
        """The parsed document, whatever the body is; JSON is parsed for ``jmespath``."""
        if self._selector is None:
            if self.kind == "json":
                self._selector = Selector(root=self._json_or_none(), type="json")
            else:
                kind = "xml" if self.kind == "xml" else "html"
                self._selector = document(self.body, self.encoding, kind=kind, url=self._url)
        return self._selector

    def css(self, query: str) -> SelectorList:
        """Select by CSS."""
        return self.selector.css(query)

    def xpath(self, query: str, namespaces: Mapping[str, str] | None = None, **variables: Variable) -> SelectorList:
        """Select by XPath."""
        return self.selector.xpath(query, namespaces, **variables)

    def jmespath(self, query: str, **options: Any) -> AnySelectorList[Selector]:
        """Select from JSON by JMESPath."""
        selector = self.selector
        if selector.type != "json":
            selector = Selector(root=self._json_or_none(), type="json")
        return selector.jmespath(query, **options)

    def json(self) -> Any:
        """Return the body as JSON values; raises ValueError."""
        if self._json is msgspec.UNSET:
            self._json = _json_values(self.body, self)
        return self._json

    def _json_or_none(self) -> Json:
        values: Json = None
        with suppress(ValueError):
            values = self.json()
        return values


def _json_values(body: bytes, content: Body) -> Json:
    values: Json
    try:
        values = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The standard library takes what is not quite JSON (NaN, lone surrogates, other encodings).
        try:
            values = json.loads(body)
        except UnicodeDecodeError:
            values = json.loads(content.text)
    return values
