"""Is what somebody gave for a part of a request fit to be sent?

CR, LF and NUL never get into a request: they would let a value write headers or a second request. What is
wrong is said where the request is made, so that the traceback names the line of the user's code that made it.
"""

from __future__ import annotations

import io
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec

from crawler.model.fields import Cookies, Credentials, Files, GivenFile, Options
from crawler.model.headers import GivenHeaders, Headers
from crawler.model.invalid import InvalidRequest

_FILE = "a file opened in binary mode, (file name, file) or (file name, content type, file)"


def checked_json(value: Any) -> bytes:
    """Return a value as JSON. Raises InvalidRequest for one that JSON has not."""
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"json cannot be encoded: {error}") from error


def checked_files(files: Files) -> Files:
    """Return files as they were given: a mapping, or pairs, of field name and file.

    A list is made of other pairs, for they are read more than once. Raises InvalidRequest.
    """
    pairs = files.items() if isinstance(files, Mapping) else files
    if isinstance(pairs, str | bytes) or not isinstance(pairs, Iterable):
        raise InvalidRequest(f"files must be a dict or pairs of field name and file, got {type(files).__name__}")
    pairs = list(pairs)
    for pair in pairs:
        if not isinstance(pair, tuple | list) or len(pair) != 2 or not isinstance(pair[0], str):
            raise InvalidRequest(f"files must be a dict or pairs of field name and file, got {pair!r}")
        _check_file(*pair)
    return files if isinstance(files, Mapping) else pairs


def _check_file(name: str, value: GivenFile) -> None:
    parts = value if isinstance(value, tuple) else (None, value)
    if len(parts) not in (2, 3) or not all(part is None or isinstance(part, str) for part in parts[:-1]):
        raise InvalidRequest(f"files[{name!r}] must be {_FILE}, got {_told(value)}")
    file = parts[-1]
    if isinstance(file, bytes | bytearray):
        raise InvalidRequest(f"files[{name!r}] must be {_FILE}, got bytes; io.BytesIO(…) makes a file of them")
    if not callable(getattr(file, "read", None)):
        raise InvalidRequest(f"files[{name!r}] must be {_FILE}, got {_told(value)}")
    if isinstance(file, io.TextIOBase):
        raise InvalidRequest(f'files[{name!r}] must be {_FILE}, got one of text: open it with mode "rb"')


def _told(value: GivenFile) -> str:
    if not isinstance(value, tuple):
        return type(value).__name__
    return f"({', '.join(type(part).__name__ for part in value)})"


def checked_controls(options: Mapping[str, object]) -> dict[str, Any]:
    """Return the arguments that are kept in meta, by its keys; None is not given. Raises InvalidRequest."""
    given: dict[str, Any] = {}
    for name, (key, fits, wanted) in _CONTROLS.items():
        value = options.get(name)
        if value is None:
            continue
        if not fits(value):
            raise InvalidRequest(f"{name} must be {wanted}, got {type(value).__name__}: {value!r}")
        given[key] = value
    return given


def is_plain(value: Any) -> bool:
    """Tell whether a value has a text of its own: no container, and no object that is shown by its address."""
    if isinstance(value, str | bytes | int | float):
        return True
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return False
    kind: Any = type(value)
    return bool(kind.__str__ is not object.__str__ or kind.__repr__ is not object.__repr__)


def _is_amount(value: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 and math.isfinite(value)


def _is_count(value: float) -> bool:
    return _is_amount(value) and isinstance(value, int)


def _is_auth(value: Credentials) -> bool:
    return isinstance(value, str) or (isinstance(value, tuple | list) and len(value) == 2)


# The arguments that are kept in meta: their keys, whether a value fits, and what would.
_CONTROLS: dict[str, tuple[str, Callable[[Any], bool], str]] = {
    "timeout": ("download_timeout", _is_amount, "a number of seconds, 0 or more"),
    "max_size": ("download_maxsize", _is_count, "a whole number of bytes, 0 or more"),
    "proxy": ("proxy", lambda value: isinstance(value, str), "a URL"),
    "session": ("session", lambda value: True, ""),
    "auth": ("auth", _is_auth, '(user, password) or "user:password"'),
    "into": ("download_file", lambda value: isinstance(value, str | os.PathLike), "a path"),
}


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


def check_names(class_name: str, given: Options, known: tuple[str, ...]) -> None:
    """Raise TypeError, as a call with a name that is not known does, with the nearest that is."""
    for name in given:
        if name not in Options.__annotations__:
            near = get_close_matches(name, [*known, *Options.__annotations__], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"{class_name}() got an unexpected keyword argument {name!r}{hint}")


def _check_cookie(name: object, value: object) -> None:
    if not is_plain(value):
        raise InvalidRequest(f"cookie {name!r}: value must be text or a number, got {type(value).__name__}")
    for part in (name, value):
        text = part.decode("latin-1") if isinstance(part, bytes) else str(part)
        if _FORBIDDEN(text):
            raise InvalidRequest(f"cookie {name!r}: contains CR, LF or NUL")
