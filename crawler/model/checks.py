"""Is what somebody gave for a part of a request fit to be sent?

CR, LF and NUL never get into a request: they would let a value write headers or a second request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from crawler.model.arguments import is_plain
from crawler.model.fields import Cookies
from crawler.model.headers import GivenHeaders, Headers
from crawler.model.invalid import InvalidRequest

# RFC 9110 §9.1: a method is a token.
_is_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_FORBIDDEN = re.compile("[\r\n\0]").search


def checked_method(method: str | bytes) -> str:
    """Return a method in upper case; raises InvalidRequest unless it is a token."""
    if isinstance(method, bytes):
        method = method.decode("latin-1")
    if not isinstance(method, str) or not _is_token(method):
        raise InvalidRequest(f"method must be a token such as GET or POST, got {method!r}")
    return method.upper()


def check_callables(callback: object, errback: object) -> None:
    """Raise InvalidRequest unless both are callable or None."""
    if (callback is None or callable(callback)) and (errback is None or callable(errback)):
        return
    for name, value in (("callback", callback), ("errback", errback)):
        if value is not None and not callable(value):
            raise InvalidRequest(f"{name} must be callable, got {type(value).__name__}: {value!r}")


def checked_body(body: str | bytes | bytearray | memoryview, encoding: str) -> bytes:
    """Return a body as bytes; raises InvalidRequest for other types and for text the encoding lacks."""
    if isinstance(body, str):
        try:
            return body.encode(encoding)
        except (UnicodeEncodeError, LookupError) as error:
            raise InvalidRequest(f"body cannot be encoded as {encoding!r}: {error}") from error
    if isinstance(body, bytes | bytearray | memoryview):
        return bytes(body)
    raise InvalidRequest(f"body must be str or bytes, got {type(body).__name__}; for values use json= or data=")


def checked_cookies(cookies: Cookies) -> Cookies:
    """Return a copy of cookies: a dict, or a list of dicts with at least name and value (Scrapy's forms). One whose
    value is None is left out."""
    if isinstance(cookies, Mapping):
        for name, value in cookies.items():
            _check_cookie(name, value)
        return {name: value for name, value in cookies.items() if value is not None}
    if isinstance(cookies, str | bytes):
        raise InvalidRequest('cookies must be a dict or a list of dicts; for a ready header use headers={"Cookie": …}')
    if not isinstance(cookies, Iterable):
        raise InvalidRequest(f"cookies must be a dict or a list of dicts, got {type(cookies).__name__}")
    copies = []
    for cookie in cookies:
        if not isinstance(cookie, Mapping) or "name" not in cookie or "value" not in cookie:
            raise InvalidRequest(f"a cookie in a list must be a dict with name and value, got {cookie!r}")
        for value in cookie.values():
            _check_cookie(cookie["name"], value)
        if cookie["value"] is not None:
            copies.append(dict(cookie))
    return copies


def checked_headers(headers: GivenHeaders) -> Headers:
    """Return headers of a request's own. Raises InvalidRequest."""
    try:
        return Headers(headers)
    except InvalidRequest:
        raise
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"headers must be a dict or pairs of name and value, got {headers!r}") from error


def checked_dict(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a dict. Raises InvalidRequest for what is none."""
    try:
        return dict(given)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"{name} must be a dict, got {type(given).__name__}: {given!r}") from error


def checked_keywords(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of cb_kwargs. Raises InvalidRequest for what is no dict with names as keys."""
    try:
        return dict(**given)
    except TypeError as error:
        raise InvalidRequest(f"cb_kwargs must be a dict whose keys are names, got {given!r}") from error


def checked_flags(flags: Iterable[str]) -> list[str]:
    """Return a copy of a list of words. Raises InvalidRequest."""
    if isinstance(flags, str | bytes) or not isinstance(flags, Iterable):
        raise InvalidRequest(f"flags must be a list of words, got {type(flags).__name__}: {flags!r}")
    return list(flags)


def _check_cookie(name: object, value: object) -> None:
    if not is_plain(value):
        raise InvalidRequest(f"cookie {name!r}: value must be text or a number, got {type(value).__name__}")
    for part in (name, value):
        text = part.decode("latin-1") if isinstance(part, bytes) else str(part)
        if _FORBIDDEN(text):
            raise InvalidRequest(f"cookie {name!r}: contains CR, LF or NUL")
