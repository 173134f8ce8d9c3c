"""What shall be fetched, how, and who takes the answer?

Requests are made by the million, so the fields are slots, the dictionaries are made when somebody asks
for them, and a URL that is already normal is only looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, Unpack, overload

from msgspec import UNSET, UnsetType

from crawler.model import checks
from crawler.model.curl import arguments_of
from crawler.model.fields import (
    Callback,
    Changes,
    Cookies,
    FormData,
    Named,
    Options,
    RequestFields,
    name_on,
)
from crawler.model.formdata import form_encoded, multipart_encoded, plain_encoded, submission
from crawler.model.headers import GivenHeaders
from crawler.model.invalid import InvalidRequest
from crawler.model.masking import masked
from crawler.model.url import normalise, shortened, with_query

if TYPE_CHECKING:  # lxml and parsel take 40 ms to import, which a store or a command has no use for
    from crawler.model.selector import Page

OtherRequest = TypeVar("OtherRequest", bound="Request")


class Request(RequestFields):
    """One request, immutable but for the insides of headers, cookies, meta, cb_kwargs and flags.

    The arguments are Scrapy's. Beyond them: ``json`` (any value msgspec encodes) and ``data`` (a mapping
    or pairs, sent as a form) set body and Content-Type, and the method to POST unless one is given;
    ``files`` are sent as multipart; ``timeout`` in seconds, ``max_size`` in bytes, ``proxy`` (a URL),
    ``session``, ``auth`` and ``into`` (a path) are kept under Scrapy's keys of meta. A URL that is not
    valid does not raise: ``problem`` says what is wrong, and the crawl drops the request by name. A bad
    method, header, cookie, priority or body raises InvalidRequest here.
    """

    __slots__ = ()

    attributes: tuple[str, ...] = tuple(name for name in Changes.__annotations__ if name not in Options.__annotations__)

    def __init__(
        self,
        url: str,
        callback: Callback | None = None,
        method: str | None = None,
        headers: GivenHeaders | None = None,
        body: str | bytes | None = None,
        cookies: Cookies | None = None,
        meta: dict[str, Any] | None = None,
        encoding: str = "utf-8",
        priority: int = 0,
        dont_filter: bool = False,
        errback: Callback | None = None,
        flags: list[str] | None = None,
        cb_kwargs: dict[str, Any] | None = None,
        **more: Unpack[Options],
    ) -> None:
        if not isinstance(url, str):
            raise InvalidRequest(f"URL must be str, got {type(url).__name__}: {url!r}")
        self._fill(encoding, callback, errback, headers, meta, priority, dont_filter, flags, cb_kwargs)
        self._set_url(url)
        self._method = "GET" if method is None or method == "GET" else checks.checked_method(method)
        self._body = b"" if not body else checks.checked_body(body, encoding)
        self._cookies = checks.checked_cookies(cookies) if cookies else None
        if more:
            checks.check_names(type(self).__name__, more, self.attributes)
            self._set_more(more, method_given=method is not None)

    def _fill(
        self,
        encoding: str,
        callback: Callback | None,
        errback: Callback | None = None,
        headers: GivenHeaders | None = None,
        meta: dict[str, Any] | None = None,
        priority: int = 0,
        dont_filter: bool = False,
        flags: list[str] | None = None,
        cb_kwargs: dict[str, Any] | None = None,
    ) -> None:
        if priority.__class__ is not int and not isinstance(priority, int):
            raise InvalidRequest(f"priority must be an int, got {type(priority).__name__}: {priority!r}")
        if callback is not None or errback is not None:
            checks.check_callables(callback, errback)
        self._encoding = encoding
        self._callback = callback
        self._errback = errback
        self._headers = checks.checked_headers(headers) if headers else None
        self._meta = checks.checked_dict("meta", meta) if meta else {}
        self._priority = priority
        self._dont_filter = dont_filter
        self._flags = checks.checked_flags(flags) if flags else None
        self._cb_kwargs = checks.checked_keywords(cb_kwargs) if cb_kwargs else None

    def _set_url(self, url: str) -> None:
        self._host = self._origin = self._problem = None
        try:
            self._url = normalise(url, encoding=self._encoding)
            if "://" not in self._url and not self._url.startswith(("data:", "about:")):
                self._problem = f"not a URL that can be fetched: {shortened(self._url)!r}"
        except InvalidRequest as error:
            self._url = url
            self._problem = str(error)

    def _set_more(self, more: Options, *, method_given: bool) -> None:
        json, data, files = more.get("json", UNSET), more.get("data", UNSET), more.get("files")
        has_form = json is not UNSET or bool(files)
        if json is not UNSET and (data is not UNSET or files):
            raise InvalidRequest("give json= or data= and files=, not both")
        if json is not UNSET:
            self._set_body(checks.checked_json(json), b"application/json")
        elif not (data is None or isinstance(data, UnsetType)):
            has_form = True
            self._set_body(form_encoded(data, self._encoding).encode(), b"application/x-www-form-urlencoded")
        if has_form and not method_given:
            self._method = "POST"
        if files is not None:
            self._meta["files"] = checks.checked_files(files)
        self._meta |= checks.checked_controls(more)

    def _set_body(self, body: bytes, content_type: bytes) -> None:
        if self._body:
            raise InvalidRequest("give body= or one of json= and data=, not both")
        self._body = body
        self.headers.setdefault(b"Content-Type", content_type)

    @classmethod
    def to_link(cls, url: str, callback: Callback | None = None, encoding: str = "utf-8", **options: Any) -> Self:
        """Make a GET of a URL that is known to be in normal form (``Response.follow``).

        ``options`` are headers, meta, cb_kwargs, priority, dont_filter, errback and flags.
        """
        request = cls.__new__(cls)
        request._url = url
        request._method = "GET"
        request._body = b""
        request._problem = request._host = request._origin = request._cookies = None
        if options or (callback is not None and not callable(callback)):
            request._fill(encoding, callback, **options)
            return request
        request._encoding = encoding
        request._callback = callback
        request._errback = request._headers = request._flags = request._cb_kwargs = None
        request._meta = {}
        request._priority = 0
        request._dont_filter = False
        return request

    @classmethod
    def from_form(
        cls,
        response: Page,
        formname: str | None = None,
        formid: str | None = None,
        formnumber: int = 0,
        formdata: FormData | None = None,
        clickdata: Mapping[str, Any] | None = None,
        dont_click: bool = False,
        formxpath: str | None = None,
        formcss: str | None = None,
        **arguments: Any,
    ) -> Self:
        """Submit a form of a page as a browser would, with ``formdata`` over what the page filled in.

        The form is found by name, id, XPath or CSS, else by number. A None in ``formdata`` (or ``data``, the
        same) leaves a field out. The first button is clicked, or the one whose attributes ``clickdata`` has
        ("nr": its number among the controls). It is sent as its enctype says. The other arguments are those
        of Request; ``url`` and ``method`` override the form's. Raises InvalidRequest, which lists the forms
        there are (Scrapy's FormRequest.from_response).
        """
        data = arguments.pop("data", None)
        sent = submission(
            response,
            name=formname,
            id=formid,
            number=formnumber,
            xpath=formxpath,
            css=formcss,
            data=data if formdata is None else formdata,
            click=clickdata,
            dont_click=dont_click,
            files=arguments.get("files"),
        )
        url = arguments.pop("url", None)
        url = sent.url if url is None else response.urljoin(url)
        method = (arguments.pop("method", None) or sent.method).upper()
        encoding = arguments.setdefault("encoding", sent.encoding)
        if method == "POST":
            if sent.enctype == "application/x-www-form-urlencoded" or arguments.get("files"):
                return cls(url, method="POST", data=sent.pairs, **arguments)
            encoded = multipart_encoded if sent.enctype == "multipart/form-data" else plain_encoded
            body, content_type = encoded(sent.pairs, encoding)
            request = cls(url, method="POST", body=body, **arguments)
            request.headers.setdefault(b"Content-Type", content_type)
            return request
        return cls(with_query(url, form_encoded(sent.pairs, encoding)), method="GET", **arguments)

    @classmethod
    def from_curl(cls, curl_command: str, ignore_unknown_options: bool = True, **arguments: Any) -> Self:
        """Make the request that a curl command sends, as a browser's "copy as cURL" writes it for bash or Windows.

        The other arguments are those of Request and go before the command's. Raises InvalidRequest, also for
        what cannot be sent as curl would (a file, several URLs).
        """
        return cls(**(arguments_of(curl_command, ignore_unknown=ignore_unknown_options) | arguments))

    @overload
    def replace(self, *, cls: None = None, **changes: Unpack[Changes]) -> Self: ...
    @overload
    def replace(self, *, cls: type[OtherRequest], **changes: Unpack[Changes]) -> OtherRequest: ...
    def replace(self, *, cls: type[Request] | None = None, **changes: Any) -> Request:
        """Return a request of the same class (or of ``cls``) with these fields changed."""
        resent = "json" in changes or "data" in changes
        for name in self.attributes:
            if name in changes or (resent and (name == "body" or (name == "method" and self._method == "GET"))):
                continue
            changes[name] = getattr(self, name)
        if resent and changes["headers"] is self._headers:
            changes["headers"] = headers = self.headers.copy()
            headers.pop(b"Content-Type", None)
        return (cls or type(self))(**changes)

    def copy(self) -> Self:
        """Return an equal request with dictionaries of its own."""
        return self.replace()

    def to_dict(self, *, spider: Named | None = None) -> dict[str, Any]:
        """Return the fields as a dict; callbacks by their name on ``spider`` (Scrapy's to_dict)."""
        fields = {name: getattr(self, name) for name in self.attributes}
        fields["headers"] = dict(self.headers.items())
        fields["callback"] = name_on(spider, self._callback)
        fields["errback"] = name_on(spider, self._errback)
        if type(self) is not Request:
            fields["_class"] = f"{type(self).__module__}.{type(self).__qualname__}"
        return fields

    def __repr__(self) -> str:
        return f"<{self._method} {masked(self._url)}>"


MOVED: Final = {"crawler.model.forms": "crawler.scrapy.forms"}
"""Modules whose requests lie elsewhere now, by the names that jobs and dicts made before then have of them."""


def request_classes(cls: type[Request] = Request) -> Iterator[type[Request]]:
    """Yield Request and every class derived from it that exists, a base before what is derived from it."""
    yield cls
    for subclass in cls.__subclasses__():
        yield from request_classes(subclass)
