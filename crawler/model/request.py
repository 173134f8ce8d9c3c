"""What shall be fetched, how, and who takes the answer?

Requests are made by the million, so the fields are slots, the dictionaries are made when somebody asks
for them, and a URL that is already normal is only looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Self, TypeAlias
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET

from crawler.errors import InvalidRequest
from crawler.model.headers import Headers
from crawler.model.url import host_of, normalise, origin_of

Callback: TypeAlias = Callable[..., Any]
Cookies: TypeAlias = dict[Any, Any] | list[dict[str, Any]]
FormData: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]

# RFC 9110 §9.1: a method is a token.
_is_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_FORBIDDEN = re.compile("[\r\n\0]").search


def no_callback(*_: Any, **__: Any) -> Any:
    """Stand as the callback of a request that is never meant to reach one (Scrapy's NO_CALLBACK)."""
    raise RuntimeError("this request was made without a callback, and its response was handed to one")


NO_CALLBACK = no_callback


def _frozen(name: str, doc: str) -> Any:
    """Make a field that reads its slot in C and tells how to change it."""

    def refuse(_request: object, _value: object) -> None:
        raise AttributeError(f"a request's {name} cannot be assigned; use request.replace({name}=...)")

    return property(attrgetter(f"_{name}"), refuse, doc=doc)


class Request:
    """One request, immutable but for the insides of headers, cookies, meta, cb_kwargs and flags.

    The arguments are Scrapy's. Beyond them: ``json`` (any value msgspec encodes) and ``data`` (a mapping
    or pairs, sent as a form) set body and Content-Type, and the method to POST unless one is given;
    ``files`` are sent as multipart; ``timeout`` in seconds, ``max_size`` in bytes, ``proxy`` (a URL),
    ``session``, ``auth`` and ``into`` (a path) are kept under Scrapy's keys of meta. A URL that is not
    valid does not raise: ``problem`` says what is wrong, and the crawl drops the request by name. A bad
    method, header, cookie, priority or body raises InvalidRequest here.
    """

    __slots__ = (
        "__weakref__",
        "_body",
        "_callback",
        "_cb_kwargs",
        "_cookies",
        "_dont_filter",
        "_encoding",
        "_errback",
        "_flags",
        "_headers",
        "_host",
        "_meta",
        "_method",
        "_origin",
        "_priority",
        "_problem",
        "_url",
    )

    attributes: tuple[str, ...] = (
        "url",
        "callback",
        "method",
        "headers",
        "body",
        "cookies",
        "meta",
        "encoding",
        "priority",
        "dont_filter",
        "errback",
        "flags",
        "cb_kwargs",
    )

    url: str = _frozen("url", "The WHATWG normal form; what was given if that is not valid.")
    problem: str | None = _frozen("problem", "What is wrong with the URL, or None.")
    callback: Callback | None = _frozen("callback", "Called with the response; None is the spider's parse.")
    errback: Callback | None = _frozen("errback", "Called with a Failure if there is no response.")
    method: str = _frozen("method", "In upper case.")
    body: bytes = _frozen("body", "What is sent; empty for none.")
    encoding: str = _frozen("encoding", "Of a str body, of form data and of the query's non-ASCII.")
    priority: int = _frozen("priority", "Higher goes first.")
    dont_filter: bool = _frozen("dont_filter", "Fetch it even if it was seen.")

    def __init__(
        self,
        url: str,
        callback: Callback | None = None,
        method: str | None = None,
        headers: Any = None,
        body: str | bytes | None = None,
        cookies: Cookies | None = None,
        meta: dict[str, Any] | None = None,
        encoding: str = "utf-8",
        priority: int = 0,
        dont_filter: bool = False,
        errback: Callback | None = None,
        flags: list[str] | None = None,
        cb_kwargs: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        if not isinstance(url, str):
            raise InvalidRequest(f"URL must be str, got {type(url).__name__}: {url!r}")
        self._encoding = encoding
        self._set_url(url)
        self._callback = callback
        self._errback = errback
        self._dont_filter = dont_filter
        self._method = "GET" if method is None or method == "GET" else _checked_method(method)
        self._priority = priority
        self._headers = Headers(headers) if headers else None
        self._body = b"" if not body else _encoded(body, encoding)
        self._cookies = _checked_cookies(cookies) if cookies else None
        self._meta = dict(meta) if meta else None
        self._flags = list(flags) if flags else None
        self._cb_kwargs = dict(cb_kwargs) if cb_kwargs else None
        if priority.__class__ is not int and not isinstance(priority, int):
            raise InvalidRequest(f"priority must be an int, got {type(priority).__name__}: {priority!r}")
        if callback is not None or errback is not None:
            _check_callables(callback, errback)
        if more:
            self._set_more(method_given=method is not None, **more)

    def _set_url(self, url: str) -> None:
        self._host: str | None = None
        self._origin: str | None = None
        self._problem: str | None = None
        try:
            self._url = normalise(url, encoding=self._encoding)
            if "://" not in self._url and not self._url.startswith(("data:", "about:")):
                self._problem = f"not a URL that can be fetched: {self._url!r}"
        except InvalidRequest as error:
            self._url = url
            self._problem = str(error)

    def _set_more(
        self,
        *,
        method_given: bool,
        json: Any = UNSET,
        data: FormData | Any = UNSET,
        files: Any = None,
        timeout: float | None = None,
        max_size: int | None = None,
        proxy: str | None = None,
        session: Any = None,
        auth: Any = None,
        into: Any = None,
    ) -> None:
        if json is not UNSET and data is not UNSET:
            raise InvalidRequest("give json= or data=, not both")
        if json is not UNSET:
            self._set_body(msgspec.json.encode(json), b"application/json")
        elif data is not UNSET and data is not None:
            self._set_body(form_encoded(data, self._encoding).encode(), b"application/x-www-form-urlencoded")
        if not method_given and (json is not UNSET or files or (data is not UNSET and data is not None)):
            self._method = "POST"
        controls = {
            "files": files,
            "download_timeout": timeout,
            "download_maxsize": max_size,
            "proxy": proxy,
            "session": session,
            "auth": auth,
            "download_file": into,
        }
        self.meta.update((key, value) for key, value in controls.items() if value is not None)

    def _set_body(self, body: bytes, content_type: bytes) -> None:
        if self._body:
            raise InvalidRequest("give body= or one of json= and data=, not both")
        self._body = body
        self.headers.setdefault(b"Content-Type", content_type)

    @classmethod
    def to_link(cls, url: str, callback: Callback | None = None, encoding: str = "utf-8") -> Self:
        """Make a plain GET of a URL that is known to be in normal form (``Response.follow``)."""
        request = cls.__new__(cls)
        request._url = url
        request._callback = callback
        request._problem = request._host = request._origin = request._errback = None
        request._headers = request._cookies = request._meta = request._flags = request._cb_kwargs = None
        request._method = "GET"
        request._body = b""
        request._encoding = encoding
        request._priority = 0
        request._dont_filter = False
        return request

    @property
    def headers(self) -> Headers:
        """The request's own headers."""
        if self._headers is None:
            self._headers = Headers()
        return self._headers

    @property
    def cookies(self) -> Cookies:
        """Cookies to send beyond the jar's: a dict, or a list of dicts with name, value, domain, path."""
        if self._cookies is None:
            self._cookies = {}
        return self._cookies

    @property
    def meta(self) -> dict[str, Any]:
        """The request's own metadata; Scrapy's control keys work."""
        if self._meta is None:
            self._meta = {}
        return self._meta

    @property
    def cb_kwargs(self) -> dict[str, Any]:
        """Keyword arguments for the callback."""
        if self._cb_kwargs is None:
            self._cb_kwargs = {}
        return self._cb_kwargs

    @property
    def flags(self) -> list[str]:
        """Words for the log."""
        if self._flags is None:
            self._flags = []
        return self._flags

    @property
    def host(self) -> str:
        """The URL's host name without port; "" if it has none."""
        if self._host is None:
            self._host = host_of(self._url)
        return self._host

    @property
    def origin(self) -> str:
        """Of the URL: "scheme://host:port"."""
        if self._origin is None:
            self._origin = origin_of(self._url)
        return self._origin

    def replace(self, *, cls: type[Request] | None = None, **changes: Any) -> Any:
        """Return a request of the same class (or of ``cls``) with these fields changed."""
        resent = "json" in changes or "data" in changes
        for name in self.attributes:
            if name in changes or (resent and (name == "body" or (name == "method" and self._method == "GET"))):
                continue
            changes[name] = getattr(self, name)
        if resent and changes["headers"] is self._headers:
            changes["headers"] = self.headers.copy()
            changes["headers"].pop(b"Content-Type", None)
        return (cls or type(self))(**changes)

    def copy(self) -> Self:
        """Return an equal request with dictionaries of its own."""
        return self.replace()  # type: ignore[no-any-return]  # of our own class when cls is not given

    def to_dict(self, *, spider: Any = None) -> dict[str, Any]:
        """Return the fields as a dict; callbacks by their name on ``spider`` (Scrapy's to_dict)."""
        fields = {name: getattr(self, name) for name in self.attributes}
        fields["headers"] = dict(self.headers.items())
        fields["callback"] = _name_on(spider, self._callback)
        fields["errback"] = _name_on(spider, self._errback)
        if type(self) is not Request:
            fields["_class"] = f"{type(self).__module__}.{type(self).__qualname__}"
        return fields

    def __repr__(self) -> str:
        return f"<{self._method} {self._url}>"


def _name_on(spider: Any, function: Callback | None) -> str | None:
    if function is None or isinstance(function, str):
        return function
    name = getattr(function, "__name__", "")
    if spider is not None and getattr(function, "__self__", None) is spider and hasattr(spider, name):
        return str(name)
    raise ValueError(f"{function!r} is not a method of {spider!r}")


def _checked_method(method: str) -> str:
    if isinstance(method, bytes):
        method = method.decode("latin-1")
    if not isinstance(method, str) or not _is_token(method):
        raise InvalidRequest(f"method must be a token such as GET or POST, got {method!r}")
    return method.upper()


def _check_callables(callback: object, errback: object) -> None:
    for name, value in (("callback", callback), ("errback", errback)):
        if value is not None and not callable(value):
            raise InvalidRequest(f"{name} must be callable, got {type(value).__name__}: {value!r}")


def _encoded(body: str | bytes, encoding: str) -> bytes:
    if isinstance(body, str):
        return body.encode(encoding)
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    raise InvalidRequest(f"body must be str or bytes, got {type(body).__name__}; for values use json= or data=")


def _checked_cookies(cookies: Cookies) -> Cookies:
    if isinstance(cookies, Mapping):
        for name, value in cookies.items():
            _check_cookie(name, value)
        return dict(cookies)
    copies = []
    for cookie in cookies:
        if not isinstance(cookie, Mapping) or "name" not in cookie or "value" not in cookie:
            raise InvalidRequest(f"a cookie in a list must be a dict with name and value, got {cookie!r}")
        for value in cookie.values():
            _check_cookie(cookie["name"], value)
        copies.append(dict(cookie))
    return copies


def _check_cookie(name: object, value: object) -> None:
    for part in (name, value):
        text = part.decode("latin-1") if isinstance(part, bytes) else str(part)
        if _FORBIDDEN(text):
            raise InvalidRequest(f"cookie {name!r}: contains CR, LF or NUL")


def form_encoded(data: Any, encoding: str = "utf-8") -> str:
    """Return application/x-www-form-urlencoded text; a list as value gives the name several times."""
    if isinstance(data, str | bytes):
        raise InvalidRequest("data must be a mapping or pairs; for text use body=")
    pairs = []
    for name, value in data.items() if isinstance(data, Mapping) else data:
        values = value if isinstance(value, list | tuple | set) else [value]
        pairs += [(_form_text(name, encoding), _form_text(each, encoding)) for each in values]
    return urlencode(pairs)


def _form_text(value: Any, encoding: str) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(encoding, "xmlcharrefreplace")
