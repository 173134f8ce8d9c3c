"""What came back, and what can be read from it?

Everything beyond the bytes is made when somebody asks for it, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from parsel import Selector, SelectorList
from w3lib.encoding import html_to_unicode

from crawler.model.headers import Headers
from crawler.model.link import Link
from crawler.model.request import Callback, Request
from crawler.model.url import Base, join


class Response:
    """A response; ``latency`` in seconds. ``body`` may lie in the file ``body_file``."""

    def __init__(
        self,
        url: str,
        status: int = 200,
        headers: Any = None,
        body: bytes | str = b"",
        *,
        flags: list[str] | None = None,
        request: Request | None = None,
        certificate: Any = None,
        ip_address: Any = None,
        protocol: str | None = None,
        encoding: str | None = None,
        latency: float | None = None,
        body_file: Path | None = None,
        reason: str = "",
    ) -> None:
        self.url = url
        self.status = int(status)
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self._body = body.encode(encoding or "utf-8") if isinstance(body, str) else body
        self.flags = [] if flags is None else flags
        self.request = request
        self.certificate = certificate
        self.ip_address = ip_address
        self.protocol = protocol
        self.latency = latency
        self.body_file = body_file
        self.reason = reason
        self._encoding = encoding
        self._selector: Selector | None = None

    @property
    def body(self) -> bytes:
        return self.body_file.read_bytes() if self.body_file is not None else self._body

    @property
    def encoding(self) -> str:
        return self._encoding or html_to_unicode(self.headers.text("Content-Type") or "", self.body)[0]

    @property
    def text(self) -> str:
        return self.body.decode(self.encoding, "replace")

    @property
    def is_html(self) -> bool:
        return b"html" in (self.headers.get("Content-Type") or b"html")

    @property
    def selector(self) -> Selector:
        if self._selector is None:
            self._selector = Selector(text=self.text)
        return self._selector

    @property
    def meta(self) -> dict[str, Any]:
        if self.request is None:
            raise AttributeError("response.meta is its request's, and this response has no request")
        return self.request.meta

    @property
    def cb_kwargs(self) -> dict[str, Any]:
        if self.request is None:
            raise AttributeError("response.cb_kwargs is its request's, and this response has no request")
        return self.request.cb_kwargs

    def css(self, query: str) -> SelectorList[Selector]:
        return self.selector.css(query)

    def xpath(self, query: str, **variables: Any) -> SelectorList[Selector]:
        return self.selector.xpath(query, **variables)

    def jmespath(self, query: str, **options: Any) -> SelectorList[Selector]:
        return Selector(text=self.text, type="json").jmespath(query, **options)

    def json(self) -> Any:
        return json.loads(self.body)

    def urljoin(self, href: str) -> str:
        return join(self.url, href, self.encoding)

    def follow(self, url: Any, callback: Callback | None = None, **arguments: Any) -> Request:
        if isinstance(url, Link):
            url = url.url
        elif isinstance(url, Selector):
            url = url.root if isinstance(url.root, str) else url.attrib["href"]
        return Request(Base(self.url, self.encoding).join(url.strip()), callback, **arguments)

    def follow_all(
        self,
        urls: Iterable[Any] | None = None,
        callback: Callback | None = None,
        *,
        css: str | None = None,
        xpath: str | None = None,
        **arguments: Any,
    ) -> Iterator[Request]:
        if css is not None:
            urls = self.css(css)
        elif xpath is not None:
            urls = self.xpath(xpath)
        return (self.follow(url, callback, **arguments) for url in urls or ())

    def replace(self, **changes: Any) -> Self:
        names = (
            "url",
            "status",
            "headers",
            "body",
            "flags",
            "request",
            "certificate",
            "ip_address",
            "protocol",
            "encoding",
            "latency",
            "body_file",
            "reason",
        )
        for name in names:
            changes.setdefault(name, getattr(self, name if name != "encoding" else "_encoding"))
        return type(self)(**changes)

    def copy(self) -> Self:
        return self.replace()

    def __repr__(self) -> str:
        return f"<{self.status} {self.url}>"


TextResponse = HtmlResponse = XmlResponse = Response
