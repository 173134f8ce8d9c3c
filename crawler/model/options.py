"""What can a request be given beside what it consists of?"""

from __future__ import annotations

from collections.abc import Hashable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypedDict

from crawler.model.fields import Callback, Cookies, Credentials, Files, FormData
from crawler.model.headers import GivenHeaders


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


class Changes(LinkOptions, total=False):
    """What ``Request.replace`` can change."""

    url: str
    callback: Callback | None
    method: str | None
    headers: GivenHeaders | None
    body: str | bytes | None
    cookies: Cookies | None
    meta: dict[str, Any] | None
    encoding: str


def check_names(class_name: str, given: Options, known: tuple[str, ...]) -> None:
    """Raise TypeError, as a call with a name that is not known does, with the nearest that is."""
    for name in given:
        if name not in Options.__annotations__:
            near = get_close_matches(name, [*known, *Options.__annotations__], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"{class_name}() got an unexpected keyword argument {name!r}{hint}")
