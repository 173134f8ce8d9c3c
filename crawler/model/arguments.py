"""Have the arguments of a request the shape they need to be sent?

Checked where the request is made, so that the traceback names the line of the user's code that made it.
"""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from crawler.model.fields import Credentials, Files
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


def _check_file(name: str, value: Any) -> None:
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


def _told(value: Any) -> str:
    if not isinstance(value, tuple):
        return type(value).__name__
    return f"({', '.join(type(part).__name__ for part in value)})"


def checked_controls(controls: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that are kept in meta, by its keys; None is not given. Raises InvalidRequest."""
    given = {key: value for key, value in controls.items() if value is not None}
    for key, value in given.items():
        name, fits, wanted = _CONTROLS.get(key, ("", None, ""))
        if fits is not None and not fits(value):
            raise InvalidRequest(f"{name} must be {wanted}, got {type(value).__name__}: {value!r}")
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


_CONTROLS: dict[str, tuple[str, Any, str]] = {
    "download_timeout": ("timeout", _is_amount, "a number of seconds, 0 or more"),
    "download_maxsize": ("max_size", _is_count, "a whole number of bytes, 0 or more"),
    "proxy": ("proxy", lambda value: isinstance(value, str), "a URL"),
    "auth": ("auth", _is_auth, '(user, password) or "user:password"'),
    "download_file": ("into", lambda value: isinstance(value, str | os.PathLike), "a path"),
}
