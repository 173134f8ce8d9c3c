"""Which fields has a request, how do they refuse assignment at no cost to reading them, and what else may be given?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, Protocol, TypeAlias, TypedDict

from crawler.model.headers import GivenHeaders, Headers
from crawler.model.url import place_of

Callback: TypeAlias = Callable[..., Any]
Cookies: TypeAlias = dict[Any, Any] | list[dict[str, Any]]
FormData: TypeAlias = Mapping[Any, Any] | Iterable[tuple[Any, Any]]
Files: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
GivenFile: TypeAlias = BinaryIO | tuple[str | None, BinaryIO] | tuple[str | None, str | None, BinaryIO]
Credentials: TypeAlias = str | tuple[str, str] | list[str]


def frozen(owner: str, name: str, doc: str) -> Any:
    """Make a property that reads the slot ``_name`` in C and tells how to change the value."""

    def refuse(_value: object, _given: object) -> None:
        raise AttributeError(f"a {owner}'s {name} cannot be assigned; use {owner}.replace({name}=...)")

    return property(attrgetter(f"_{name}"), refuse, doc=doc)


def NO_CALLBACK(*_: Any, **__: Any) -> NoReturn:  # noqa: N802  Scrapy's name
    """Stand as the callback of a request whose response is never meant to reach one."""
    raise RuntimeError("this request was made without a callback, and its response was handed to one")


class Named(Protocol):
    """A spider, as far as it matters here."""

    @property
    def name(self) -> str: ...


def name_on(spider: Named | None, function: Callback | None) -> str | None:
    """Return the name of a method of ``spider``; raises ValueError if it is none."""
    if function is None or isinstance(function, str):
        return function
    name = getattr(function, "__name__", "")
    if spider is not None and getattr(function, "__self__", None) is spider and hasattr(spider, name):
        return str(name)
    raise ValueError(f"{function!r} is not a method of {spider!r}")


class RequestFields:
    """The slots of a request; dictionaries but meta, which every accepted request has, are made when somebody asks for
    them."""

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
        "_normal",
        "_origin",
        "_priority",
        "_problem",
        "_url",
    )

    _url: str
    _normal: str
    _callback: Callback | None
    _method: str
    _body: bytes
    _encoding: str
    _priority: int
    _dont_filter: bool
    _errback: Callback | None
    _problem: str | None
    _headers: Headers | None
    _cookies: Cookies | None
    _meta: dict[str, Any]
    _cb_kwargs: dict[str, Any] | None
    _flags: list[str] | None
    _host: str | None
    _origin: str | None

    url: str = frozen("request", "url", "The WHATWG normal form; what was given if that is not valid.")
    normal_url: str = frozen(
        "request", "url", "The form that is sent and told apart by: ``url``, unless a subclass shows another spelling."
    )
    problem: str | None = frozen("request", "problem", "What is wrong with the URL, or None.")
    callback: Callback | None = frozen("request", "callback", "Called with the response; None is the spider's parse.")
    errback: Callback | None = frozen("request", "errback", "Called with a Failure if there is no response.")
    method: str = frozen("request", "method", "In upper case.")
    body: bytes = frozen("request", "body", "What is sent; empty for none.")
    encoding: str = frozen("request", "encoding", "Of a str body, of form data and of the query's non-ASCII.")
    priority: int = frozen("request", "priority", "Higher goes first.")
    dont_filter: bool = frozen("request", "dont_filter", "Fetch it even if it was seen.")
    meta: dict[str, Any] = frozen("request", "meta", "The request's own metadata; Scrapy's control keys work.")

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
            self._host, self._origin = place_of(self._url)
        return self._host

    @property
    def origin(self) -> str:
        """Of the URL: "scheme://host:port"."""
        if self._origin is None:
            self._host, self._origin = place_of(self._url)
        return self._origin


class Options(TypedDict, total=False):
    """The further arguments of Request: bodies in other forms, and what is kept in its meta.

    ``timeout`` in seconds, ``max_size`` in bytes (0: no limit), ``proxy`` a URL, ``auth`` (user, password) or
    "user:password", ``into`` the file that the body is streamed to.
    """

    json: Any
    data: FormData | None
    files: Files | None
    timeout: float | None
    max_size: int | None
    proxy: str | None
    session: Hashable
    auth: Credentials | None
    into: str | Path | None


class LinkOptions(Options, total=False):
    """What ``Response.follow`` takes by name alone."""

    priority: int
    dont_filter: bool
    errback: Callback | None
    flags: list[str] | None
    cb_kwargs: dict[str, Any] | None


class Parts(TypedDict, total=False):
    """What a request consists of, beside what ``LinkOptions`` has."""

    url: str
    callback: Callback | None
    method: str | None
    headers: GivenHeaders | None
    body: str | bytes | None
    cookies: Cookies | None
    meta: dict[str, Any] | None
    encoding: str


class Changes(Parts, LinkOptions, total=False):
    """What ``Request.replace`` can change."""
