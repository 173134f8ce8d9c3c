"""What is a response where a project was written for Scrapy?

One of ours, laid out alike, so that one that the engine made becomes one of these at no cost. The classes say what
can be read from it: this one is for what is no text (docs.scrapy.org, "Requests and Responses").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from operator import attrgetter
from typing import Any, NoReturn, Self, cast
from urllib.parse import urljoin

import msgspec

from crawler.model.link import Link
from crawler.model.response import Response as NativeResponse
from crawler.scrapy.http.headers import Headers
from crawler.scrapy.http.request import Request

_NO_TEXT = "Response content isn't text"


def _no_text(name: str) -> Any:
    """Make an attribute that only texts have."""

    def refuse(response: object) -> NoReturn:
        raise AttributeError(_NO_TEXT if name == "text" else f"{type(response).__name__!r} object has no {name!r}")

    return property(refuse)


class Response(NativeResponse):
    """One response (Scrapy's Response): ``url`` and ``body`` stay, the other fields can be assigned.

    Raises TypeError for a URL that is no str and a body that is not bytes.
    """

    __slots__ = ()
    _fixed_kind = "binary"

    attributes: tuple[str, ...] = (
        *("url", "headers", "body", "flags", "status", "request", "certificate", "ip_address", "protocol"),
    )

    url: str = property(attrgetter("_url"))  # type: ignore[assignment]
    text = _no_text("text")
    encoding = _no_text("encoding")
    selector = _tree = _no_text("selector")
    json = _no_text("json")

    def __init__(
        self,
        url: str,
        status: int = 200,
        headers: Any = None,
        body: bytes | None = b"",
        flags: list[str] | None = None,
        request: Any = None,
        certificate: Any = None,
        ip_address: IPv4Address | IPv6Address | None = None,
        protocol: str | None = None,
    ) -> None:
        self._headers = cast(Any, Headers(headers) if headers else None)
        self.status = int(status)
        self.body_file = self._selector = self._text = self._base = self._codec = self._encoding = None
        self._json = msgspec.UNSET
        self._kind = self._fixed_kind
        self._set_body(body)
        self._set_url(url)
        self.request = request
        self.flags = list(flags) if flags else []
        self.certificate, self.ip_address, self.protocol = certificate, ip_address, protocol
        self.latency, self.reason = None, ""

    def _set_url(self, url: str) -> None:
        if not isinstance(url, str):
            raise TypeError(f"{type(self).__name__} url must be str, got {type(url).__name__}")
        self._url = url

    def _set_body(self, body: Any) -> None:
        if body is not None and not isinstance(body, bytes):
            raise TypeError(
                f"a response's body must be bytes, got {type(body).__name__}; for str there are TextResponse and "
                "what is derived from it"
            )
        self._body = body or b""

    @property
    def headers(self) -> Any:
        """The fields that came."""
        headers: Any = self._headers
        if not isinstance(headers, Headers):
            headers = Headers() if headers is None else Headers.of(headers)
            self._headers = cast(Any, headers)
        return headers

    @headers.setter
    def headers(self, value: Any) -> None:
        given = value is None or isinstance(value, Headers)
        self._headers = value if given else cast(Any, Headers(value))

    def _request_of(self, name: str) -> Any:
        if self.request is None:
            raise AttributeError(f"Response.{name} not available: the response is not tied to any request")
        return self.request

    def css(self, *_: Any, **__: Any) -> Any:
        """Raise NotSupported: only texts have this."""
        from crawler.scrapy.exceptions import NotSupported

        raise NotSupported(_NO_TEXT)

    xpath = jmespath = css

    def urljoin(self, url: Any) -> str:
        """Resolve a link by the URL alone (urllib's urljoin)."""
        return str(urljoin(self._url, url))

    def follow(self, url: Any, *args: Any, **kwargs: Any) -> Request:  # the arguments are Scrapy's
        """Return a request for a link, a str or a Link; the other arguments are those of Request."""
        if url is None or kwargs.get("encoding", "") is None:
            raise ValueError("url can't be None" if url is None else "encoding can't be None")
        return Request(self.urljoin(url.url if isinstance(url, Link) else url), *args, **kwargs)

    def follow_all(self, urls: Iterable[Any], *args: Any, **kwargs: Any) -> Iterator[Request]:  # type: ignore[override]
        """Return requests for many links; the other arguments are those of ``follow``."""
        if not hasattr(urls, "__iter__"):
            raise TypeError(f"'urls' argument must be an iterable, got {type(urls).__name__}")
        return (self.follow(url, *args, **kwargs) for url in urls)

    def replace(self, *args: Any, cls: type[NativeResponse] | None = None, **kwargs: Any) -> Any:
        """Return a response of the same class (or of ``cls``) with these fields changed."""
        for name in self.attributes:
            kwargs.setdefault(name, getattr(self, name))
        made = (cls or type(self))(*args, **kwargs)
        made.latency = self.latency
        return made

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a dict, but for the request and the certificate."""
        fields = {name: getattr(self, name) for name in self.attributes if name not in ("request", "certificate")}
        fields["headers"] = dict(self.headers)
        if type(self) is not Response:
            fields["_class"] = f"{type(self).__module__}.{type(self).__name__}"
        return fields

    @classmethod
    def from_dict(cls, d: dict[str, Any]) -> Self:
        """Return the response that ``to_dict`` told of."""
        return cls(**{name: value for name, value in d.items() if name != "_class"})

    def __repr__(self) -> str:
        return f"<{self.status} {self._url}>"
