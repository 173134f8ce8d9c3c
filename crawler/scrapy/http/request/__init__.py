"""What is a request where a project was written for Scrapy?

One of ours with Scrapy's habits: fields that can be assigned, the URL as Scrapy spells it, errors where it raises
them (docs.scrapy.org, "Requests and Responses"). What is sent is the URL's normal form, as for any request.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Self, cast

from w3lib.url import safe_url_string

from crawler.model import checks
from crawler.model.fields import NO_CALLBACK, Named
from crawler.model.invalid import InvalidRequest
from crawler.model.request import Request as NativeRequest
from crawler.model.url import is_plain_url, normalise, place_of
from crawler.scrapy.http.headers import Headers
from crawler.scrapy.utils.curl import curl_to_request_kwargs
from crawler.scrapy.utils.request import request_to_curl

__all__ = ["NO_CALLBACK", "Request", "as_scrapy_request"]


def assignable(name: str, check: Callable[[Any], Any] | None = None) -> Any:
    """Make a property of the slot ``_name``, read in C; ``check`` returns what is kept, or raises."""

    def assign(request: object, value: object) -> None:
        setattr(request, f"_{name}", value if check is None else check(value))

    return property(attrgetter(f"_{name}"), assign)


def is_spelt(url: str) -> bool:
    """Tell whether a URL is plain: neither Scrapy nor a browser would write it in another way."""
    return is_plain_url(url) is not None and "/." not in url and "|" not in url and url[-1] != "?"


class Request(NativeRequest):
    """One request (Scrapy's Request): ``url`` and ``body`` stay, the other fields can be assigned.

    Raises TypeError for a URL that is no str, a priority that is no int and a callback that is not callable,
    ValueError for a URL without a scheme or with a port that is none.
    """

    __slots__ = ()

    attributes: tuple[str, ...] = (
        *("url", "headers", "body", "cookies", "meta", "encoding", "flags", "cb_kwargs"),
        *("callback", "dont_filter", "errback", "method", "priority"),
    )

    callback = assignable("callback")
    errback = assignable("errback")
    priority = assignable("priority")
    dont_filter = assignable("dont_filter")
    method = assignable("method", lambda method: checks.checked_method(str(method)))
    url: str = property(attrgetter("_url"))  # type: ignore[assignment]
    normal_url: str = property(attrgetter("_normal"))  # type: ignore[assignment]
    body: bytes = property(attrgetter("_body"))  # type: ignore[assignment]
    encoding: str = property(attrgetter("_encoding"))  # type: ignore[assignment]

    def __init__(
        self,
        url: str,
        callback: Callable[..., Any] | None = None,
        method: str = "GET",
        headers: Any = None,
        body: str | bytes | None = None,
        cookies: Any = None,
        meta: dict[str, Any] | None = None,
        encoding: str = "utf-8",
        priority: int = 0,
        dont_filter: bool = False,
        errback: Callable[..., Any] | None = None,
        flags: list[str] | None = None,
        cb_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self._encoding = encoding
        self._method = "GET" if method == "GET" else checks.checked_method(str(method))
        self._meta = dict(meta) if meta else {}
        self._set_url(url)
        if body:
            self._set_body(body)
        else:
            self._body = b""
        if not isinstance(priority, int):
            raise TypeError(f"Request priority not an integer: {priority!r}")
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable, got {type(callback).__name__}")
        if errback is not None and not callable(errback):
            raise TypeError(f"errback must be callable, got {type(errback).__name__}")
        self._priority, self._dont_filter = priority, dont_filter
        self._callback, self._errback = callback, errback
        self._cookies = cookies or None
        self._headers = Headers(headers, encoding) if headers else None  # type: ignore[assignment]
        self._cb_kwargs = dict(cb_kwargs) if cb_kwargs else None
        self._flags = list(flags) if flags else None

    def _set_url(self, url: str) -> None:
        if not isinstance(url, str):
            raise TypeError(f"Request url must be str, got {type(url).__name__}")
        if is_spelt(url):
            self._url = self._normal = url
            self._problem = self._host = self._origin = None
            return
        url = url if self._meta.get("verbatim_url") else safe_url_string(url, self._encoding)
        if "://" not in url and not url.startswith(("about:", "data:")):
            raise ValueError(f"Missing scheme in request url: {url}")
        self._take_url(url)

    def _take_url(self, url: str) -> None:
        self._url = self._normal = url
        self._problem = self._host = self._origin = None
        try:
            self._normal = normalise(url, encoding=self._encoding)
        except InvalidRequest as error:
            self._host = self._origin = ""
            self._problem = str(error)
        else:
            if self._normal != url:
                self._host, self._origin = place_of(self._normal)

    def _set_body(self, body: str | bytes | None, content_type: bytes = b"") -> None:
        if body and not isinstance(body, str | bytes):
            raise TypeError(f"a request's body must be str or bytes, got {type(body).__name__}")
        self._body = checks.checked_body(body, self._encoding) if body else b""

    @classmethod
    def to_link(
        cls, url: str, callback: Callable[..., Any] | None = None, encoding: str = "utf-8", **options: Any
    ) -> Self:
        """See the base class: here a URL that is spelt as Scrapy spells it."""
        request = super().to_link(url, callback, encoding, **options)
        request._take_url(url)
        return request

    @property
    def headers(self) -> Any:
        """The request's own headers."""
        headers: Any = self._headers
        if not isinstance(headers, Headers):
            headers = Headers(encoding=self._encoding) if headers is None else Headers.of(headers)
            self._headers = cast(Any, headers)
        return headers

    @headers.setter
    def headers(self, value: Any) -> None:
        given = value is None or isinstance(value, Headers)
        self._headers = value if given else cast(Any, Headers(value, self._encoding))

    @property
    def cookies(self) -> Any:
        """Cookies to send beyond the jar's: a dict, or a list of dicts with name, value, domain, path."""
        if self._cookies is None:
            self._cookies = {}
        return self._cookies

    @cookies.setter
    def cookies(self, value: Any) -> None:
        self._cookies = value

    @property
    def flags(self) -> list[str]:
        """Words for the log."""
        if self._flags is None:
            self._flags = []
        return self._flags

    @flags.setter
    def flags(self, value: list[str] | None) -> None:
        self._flags = value

    def replace(self, *args: Any, cls: type[NativeRequest] | None = None, **kwargs: Any) -> Any:
        """Return a request of the same class (or of ``cls``) with these fields changed."""
        for name in self.attributes:
            kwargs.setdefault(name, getattr(self, name))
        return (cls or type(self))(*args, **kwargs)

    @classmethod
    def from_curl(cls, curl_command: str, ignore_unknown_options: bool = True, **kwargs: Any) -> Self:
        """Make the request that a curl command sends, as Scrapy reads it; the other arguments go first."""
        return cls(**(curl_to_request_kwargs(curl_command, ignore_unknown_options) | kwargs))

    def to_curl(self) -> str:
        """Return the curl command that sends this request."""
        return request_to_curl(self)

    def to_dict(self, *, spider: Named | None = None) -> dict[str, Any]:
        """Return the fields as a dict; callbacks by their name on ``spider``. Raises ValueError for another's."""
        fields = {name: getattr(self, name) for name in self.attributes}
        for role in ("callback", "errback"):
            if callable(fields.get(role)):
                fields[role] = _name_on(spider, fields[role])
        fields["headers"] = dict(self.headers)
        if type(self) is not Request:
            fields["_class"] = f"{type(self).__module__}.{type(self).__name__}"
        return fields

    def __repr__(self) -> str:
        return f"<{self._method} {self._url}>"


def _name_on(spider: Any, function: Any) -> str:
    """Return under which name a spider has a method, its own or another object's."""
    wanted = getattr(function, "__func__", None)
    if spider and wanted is not None:
        for name, method in inspect.getmembers(spider, inspect.ismethod):
            if method.__func__ is wanted:
                return name
    raise ValueError(f"Function {function} is not an instance method in: {spider}")


def as_scrapy_request(request: NativeRequest) -> Request:
    """Make the dialect's request of a native one that has no class of its own, in place."""
    if request.__class__ is NativeRequest:
        request.__class__ = Request
        cast(Request, request)._take_url(request._url)
    return cast(Request, request)
