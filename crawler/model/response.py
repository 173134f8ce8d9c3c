"""What came back, and what can be read from it?

Everything beyond the bytes is made when somebody asks for it, once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar, Self

import msgspec
from lxml import etree
from parsel import Selector as AnySelector
from parsel import SelectorList as AnySelectorList

from crawler.errors import InvalidRequest
from crawler.model.content import kind_of
from crawler.model.encoding import decode, encoding_of
from crawler.model.headers import Headers
from crawler.model.link import Link
from crawler.model.request import Callback, Request
from crawler.model.selector import Selector, SelectorList, document
from crawler.model.url import Base, join

_SPACE = "\t\n\f\r "


class Response:
    """One response. ``status`` is the HTTP status, ``url`` the one that was asked last.

    ``ip_address`` is the peer's, ``protocol`` e.g. "HTTP/1.1", ``latency`` in seconds from the send to the
    head, ``body_file`` a file that holds the body instead of memory. ``encoding`` overrides what headers
    and body say. The arguments and attributes of Scrapy's responses mean the same here.
    """

    __slots__ = (
        "__weakref__",
        "_base",
        "_body",
        "_encoding",
        "_headers",
        "_json",
        "_kind",
        "_selector",
        "_text",
        "_url",
        "body_file",
        "certificate",
        "flags",
        "ip_address",
        "latency",
        "protocol",
        "reason",
        "request",
        "status",
    )

    attributes: tuple[str, ...] = (
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
    _fixed_kind: ClassVar[str | None] = None

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
        if not isinstance(url, str):
            raise TypeError(f"a response's url must be str, got {type(url).__name__}: {url!r}")
        if isinstance(body, str):
            encoding = encoding or "utf-8"
            body = body.encode(encoding)
        elif not isinstance(body, bytes):
            body = _to_bytes(body)
        self._url = url
        self.status = status if status.__class__ is int else int(status)
        self._headers = headers if headers.__class__ is Headers else Headers(headers)
        self._body = body
        self.flags: list[str] = [] if flags is None else list(flags)
        self.request = request
        self.certificate = certificate
        self.ip_address = ip_address
        self.protocol = protocol
        self.latency = latency
        self.body_file = body_file
        self.reason = reason
        self._encoding = encoding
        self._selector: Selector | None = None
        self._text: str | None = None
        self._base: Base | None = None
        self._kind: str | None = self._fixed_kind
        self._json: Any = msgspec.UNSET

    url: Any = property(attrgetter("_url"), doc="The URL that was asked last, in normal form.")
    headers: Any = property(attrgetter("_headers"), doc="The fields that came.")

    @property
    def body(self) -> bytes:
        """The bytes, content codings removed; read from ``body_file`` at each look if they lie there."""
        return self._body if self.body_file is None else self.body_file.read_bytes()

    @property
    def kind(self) -> str:
        """What the body is: "html", "xml", "json", "text" or "binary"."""
        if self._kind is None:
            self._kind = kind_of(self._headers.get(b"content-type"), self._url, self.body[:1024])
        return self._kind

    @property
    def is_html(self) -> bool:
        """Tell whether the body is HTML."""
        return self.kind == "html"

    @property
    def encoding(self) -> str:
        """The name of the Python codec of the text."""
        if self._encoding is None:
            self._encoding = encoding_of(self.body, self._headers.text(b"content-type"), xml=self.kind == "xml")
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

    def xpath(self, query: str, namespaces: Any = None, **variables: Any) -> SelectorList:
        """Select by XPath."""
        return self.selector.xpath(query, namespaces, **variables)

    def jmespath(self, query: str, **options: Any) -> Any:
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

    def _json_or_none(self) -> Any:
        try:
            return self.json()
        except ValueError:
            return None

    @property
    def meta(self) -> dict[str, Any]:
        """The request's meta."""
        return self._request_of("meta").meta

    @property
    def cb_kwargs(self) -> dict[str, Any]:
        """The request's cb_kwargs."""
        return self._request_of("cb_kwargs").cb_kwargs

    def _request_of(self, name: str) -> Request:
        if self.request is None:
            raise AttributeError(f"response.{name} is its request's, and this response has no request")
        return self.request

    @property
    def base(self) -> Base:
        """What links are resolved against: the URL, or what the page's first ``<base href>`` says."""
        if self._base is None:
            self._base = Base(self._base_url(), self.encoding)
        return self._base

    def _base_url(self) -> str:
        if self.kind in ("html", "text"):
            body = self.body
            # Three quick looks save a parse for pages that want no selector.
            if b"<base" in body or b"<BASE" in body or b"<Base" in body:
                found = self.selector.root.find(".//base[@href]")
                if found is not None:
                    try:
                        href = join(self._url, found.get("href"), self.encoding)
                    except InvalidRequest:
                        return self._url
                    # As the standard says, these schemes are ignored there.
                    return self._url if href.startswith(("data:", "javascript:")) else href
        return self._url

    def urljoin(self, url: str) -> str:
        """Resolve a link of this page like a browser; what cannot be resolved comes back as it is."""
        try:
            return self.base.join(url)
        except InvalidRequest:
            return url

    def follow(
        self,
        url: str | Link | AnySelector,
        callback: Callback | None = None,
        method: str | None = None,
        headers: Any = None,
        body: Any = None,
        cookies: Any = None,
        meta: dict[str, Any] | None = None,
        encoding: str | None = None,
        **arguments: Any,
    ) -> Request:
        """Return a request for a link: a str, a Link, an ``<a>``, ``<area>`` or ``<link>``, or an attribute.

        The other arguments are those of Request. Raises ValueError for a selector that holds no link; a
        link that is no URL gives a request with a ``problem``, which the crawl drops by name.
        """
        href = _href(url)
        if encoding is not None and encoding != self.encoding:
            base = Base(self.base.href, encoding)
        else:
            base = self.base
        try:
            href = base.join(href)
        except InvalidRequest:
            pass  # the request tells the problem
        else:
            if "://" in href and method is headers is body is cookies is meta is encoding and not arguments:
                return Request.to_link(href, callback, base.encoding)
        return Request(
            href,
            callback,
            method,
            headers,
            body,
            cookies,
            meta,
            base.encoding,
            **arguments,
        )

    def follow_all(
        self,
        urls: Iterable[str | Link | AnySelector] | None = None,
        callback: Callback | None = None,
        *arguments: Any,
        css: str | None = None,
        xpath: str | None = None,
        **options: Any,
    ) -> Iterator[Request]:
        """Return requests for many links: ``urls``, or what ``css`` or ``xpath`` selects.

        Selected elements that hold no link are passed over. Raises ValueError unless exactly one of
        the three is given.
        """
        if sum(given is not None for given in (urls, css, xpath)) != 1:
            raise ValueError("give exactly one of urls, css and xpath")
        if css is not None:
            urls = self.css(css)
        elif xpath is not None:
            urls = self.xpath(xpath)
        if isinstance(urls, AnySelectorList):
            urls = [url for url in urls if _holds_link(url)]
        return (self.follow(url, callback, *arguments, **options) for url in urls or ())

    def replace(self, *, cls: type[Response] | None = None, **changes: Any) -> Any:
        """Return a response of the same class (or of ``cls``) with these fields changed."""
        for name in self.attributes:
            if name not in changes:
                changes[name] = getattr(self, f"_{name}" if name in ("encoding", "body") else name)
        if isinstance(changes["headers"], Headers) and changes["headers"] is self._headers:
            changes["headers"] = self._headers.copy()
        return (cls or type(self))(**changes)

    def copy(self) -> Self:
        """Return an equal response."""
        return self.replace()  # type: ignore[no-any-return]  # of our own class when cls is not given

    def __repr__(self) -> str:
        return f"<{self.status} {self._url}>"


def _to_bytes(body: Any) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytearray | memoryview):
        return bytes(body)
    raise TypeError(f"a response's body must be bytes, got {type(body).__name__}")


def _json_values(body: bytes, response: Response) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # The standard library takes what is not quite JSON (NaN, lone surrogates, other encodings).
        try:
            return json.loads(body)
        except UnicodeDecodeError:
            return json.loads(response.text)


def _holds_link(selector: Any) -> bool:
    root = selector.root
    if isinstance(root, etree._Element):
        return root.tag in ("a", "area", "link") and root.get("href") is not None
    return isinstance(root, str)


def _href(link: Any) -> str:
    if link.__class__ is str:
        return link  # type: ignore[no-any-return]  # just tested
    if isinstance(link, Link):
        return link.url
    if isinstance(link, AnySelectorList):
        raise ValueError("follow() takes one link; for a SelectorList use follow_all()")
    if isinstance(link, AnySelector):
        if not _holds_link(link):
            raise ValueError(f"no link in {link!r}: <a>, <area> or <link> with href, or an attribute, can be followed")
        root = link.root
        return root if isinstance(root, str) else str(root.get("href"))
    if isinstance(link, str):
        return str(link)
    raise ValueError(f"cannot follow a {type(link).__name__}: give a str, Link or Selector")
