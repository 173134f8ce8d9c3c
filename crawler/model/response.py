"""What came back, and what can be read from it?

Everything beyond the bytes is made when somebody asks for it, once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, Self, TypedDict, TypeVar, Unpack, overload

from parsel import Selector as AnySelector
from parsel import SelectorList as AnySelectorList

from crawler.model.body import Body
from crawler.model.fields import Callback, Cookies, LinkOptions
from crawler.model.headers import GivenHeaders, Headers
from crawler.model.invalid import InvalidRequest
from crawler.model.link import Base, Link, holds_link, href_of
from crawler.model.masking import masked
from crawler.model.request import Request
from crawler.model.url import join

OtherResponse = TypeVar("OtherResponse", bound="Response")

# Arguments of follow() that need no check of the URL again.
_QUICK = frozenset({"cb_kwargs", "priority", "dont_filter", "errback", "flags"})


class Changes(TypedDict, total=False):
    """What ``Response.replace`` can change."""

    url: str
    status: int
    headers: GivenHeaders | None
    body: bytes | str
    flags: list[str] | None
    request: Request | None
    certificate: Any
    ip_address: IPv4Address | IPv6Address | None
    protocol: str | None
    encoding: str | None
    latency: float | None
    body_file: Path | None
    reason: str


class Response(Body):
    """One response. ``status`` is the HTTP status, ``url`` the one that was asked last, with the request's fragment.

    ``ip_address`` is the peer's, ``protocol`` e.g. "HTTP/1.1", ``latency`` in seconds from the send to the
    head, ``body_file`` a file that holds the body instead of memory. ``encoding`` overrides what headers
    and body say. The arguments and attributes of Scrapy's responses mean the same here.
    """

    __slots__ = (
        "__weakref__",
        "_base",
        "certificate",
        "flags",
        "ip_address",
        "latency",
        "protocol",
        "reason",
        "request",
        "status",
    )

    attributes: tuple[str, ...] = tuple(Changes.__annotations__)

    def __init__(
        self,
        url: str,
        status: int = 200,
        headers: GivenHeaders | None = None,
        body: bytes | str = b"",
        *,
        flags: list[str] | None = None,
        request: Request | None = None,
        certificate: Any = None,
        ip_address: IPv4Address | IPv6Address | None = None,
        protocol: str | None = None,
        encoding: str | None = None,
        latency: float | None = None,
        body_file: Path | None = None,
        reason: str = "",
    ) -> None:
        if not isinstance(url, str):
            raise TypeError(f"a response's url must be str, got {type(url).__name__}: {url!r}")
        super().__init__(url, headers, body, encoding, body_file)
        self.status = status if status.__class__ is int else int(status)
        self.flags: list[str] = [] if flags is None else list(flags)
        self.request = request
        self.certificate = certificate
        self.ip_address = ip_address
        self.protocol = protocol
        self.latency = latency
        self.reason = reason
        self._base: Base | None = None

    @property
    def meta(self) -> dict[str, Any]:
        """The request's meta; download_latency is put into it here (seconds, as Scrapy has it)."""
        meta = self._request_of("meta").meta
        if self.latency is not None:
            meta["download_latency"] = self.latency
        return meta

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
            href = self._url
            if (self._kind or self.kind) in ("html", "text"):
                body = self._body if self.body_file is None else self.body
                # Three quick looks save a parse for pages that want no selector.
                if b"<base" in body or b"<BASE" in body or b"<Base" in body:
                    href = self._stated_base()
            self._base = Base(href, self.encoding)
        return self._base

    def _stated_base(self) -> str:
        found = self.selector.root.find(".//base[@href]")
        if found is None:
            return self._url
        try:
            href = join(self._url, found.get("href"), self.encoding)
        except InvalidRequest:
            return self._url
        # As the standard says, these schemes are ignored there.
        return self._url if href.startswith(("data:", "javascript:")) else href

    def urljoin(self, url: str | None) -> str:
        """Resolve a link of this page like a browser; what cannot be resolved comes back as it is, and None, of
        an attribute that is not there, is the page's URL."""
        if url is None:
            return self._url
        try:
            return self.base.join(url)
        except InvalidRequest:
            return url

    def follow(
        self,
        url: str | Link | AnySelector,
        callback: Callback | None = None,
        method: str | None = None,
        headers: GivenHeaders | None = None,
        body: str | bytes | None = None,
        cookies: Cookies | None = None,
        meta: dict[str, Any] | None = None,
        encoding: str | None = None,
        **arguments: Unpack[LinkOptions],
    ) -> Request:
        """Return a request for a link: a str, a Link, an ``<a>``, ``<area>`` or ``<link>``, or an attribute.

        The other arguments are those of Request. Raises ValueError for a selector that holds no link; a
        link that is no URL gives a request with a ``problem``, which the crawl drops by name.
        """
        href = url if type(url) is str else href_of(url)
        base = self.base
        if encoding is not None and encoding != base.encoding:
            base = Base(base.href, encoding)
        try:
            href = base.join(href)
        except InvalidRequest:
            pass  # the request tells the problem
        else:
            if "://" in href and not (method or body or cookies or (arguments and arguments.keys() - _QUICK)):
                if not (arguments or headers or meta):
                    return Request.to_link(href, callback, base.encoding)
                return Request.to_link(href, callback, base.encoding, headers=headers, meta=meta, **arguments)
        return Request(href, callback, method, headers, body, cookies, meta, base.encoding, **arguments)

    def follow_all(
        self,
        urls: Iterable[str | Link | AnySelector] | None = None,
        callback: Callback | None = None,
        method: str | None = None,
        headers: GivenHeaders | None = None,
        body: str | bytes | None = None,
        cookies: Cookies | None = None,
        meta: dict[str, Any] | None = None,
        encoding: str | None = None,
        *,
        css: str | None = None,
        xpath: str | None = None,
        **arguments: Unpack[LinkOptions],
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
            urls = (each for each in urls if holds_link(each))  # one by one: there may be a million
        return (
            self.follow(url, callback, method, headers, body, cookies, meta, encoding, **arguments)
            for url in urls or ()
        )

    @overload
    def replace(self, *, cls: None = None, **changes: Unpack[Changes]) -> Self: ...
    @overload
    def replace(self, *, cls: type[OtherResponse], **changes: Unpack[Changes]) -> OtherResponse: ...
    def replace(self, *, cls: type[Response] | None = None, **changes: Any) -> Response:
        """Return a response of the same class (or of ``cls``) with these fields changed."""
        for name in self.attributes:
            if name not in changes:
                changes[name] = getattr(self, f"_{name}" if name in ("encoding", "body") else name)
        if isinstance(changes["headers"], Headers) and changes["headers"] is self._headers:
            changes["headers"] = self._headers.copy()
        return (cls or type(self))(**changes)

    def copy(self) -> Self:
        """Return an equal response."""
        return self.replace()

    def __repr__(self) -> str:
        return f"<{self.status} {masked(self._url)}>"
