"""What is asked of the status page, and what is answered? Plain values; nothing here knows a socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from json import dumps
from typing import Any, NamedTuple

from msgspec import json, to_builtins

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"


class Asked(NamedTuple):
    """A request. ``headers`` have lower-case names, several of one name are joined with ", ".

    ``path`` has no query and is percent-decoded; ``local`` is the address at which the connection came in. What the
    door adds: ``form`` has the fields of a body, ``csrf`` is what a form has to bring in this session.
    """

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    local: str = ""
    form: Mapping[str, str] = {}
    csrf: str = ""

    def header(self, name: str) -> str:
        """Return a header's value, "" if it was not sent."""
        return self.headers.get(name, "")


def to_json(value: Any) -> bytes:
    """Return a value as JSON, also with halves of surrogate pairs in it, which UTF-8 cannot write.

    An error's message may have them, and the name of a file that is not UTF-8 (PEP 383).
    """
    try:
        return json.encode(value)
    except UnicodeEncodeError:
        return dumps(to_builtins(value)).encode()


class Answer(NamedTuple):
    """A response as bytes."""

    body: bytes
    kind: str = JSON
    status: int = 200
    headers: Sequence[tuple[str, str]] = ()


class Refused(Exception):
    """A request is not answered. ``kind`` is what is logged, once for each; "" is not worth a line.

    ``said`` tells the client what would be right; ``detail`` is what the client sent, for the log. ``page``: the same
    as HTML, for who looks at it in a browser.
    """

    def __init__(
        self,
        status: int,
        said: str,
        *,
        kind: str = "",
        detail: str = "",
        headers: Sequence[tuple[str, str]] = (),
        page: bytes = b"",
    ) -> None:
        super().__init__(said)
        self.status = status
        self.said = said
        self.kind = kind
        self.detail = detail
        self.headers = headers
        self.page = page


class Route(NamedTuple):
    """What answers at a path: an Answer, a Stream, or a value that becomes JSON; or what gives one when it is awaited.

    ``methods``: HEAD is answered as GET is.
    """

    answer: Callable[[Asked], Any]
    methods: Sequence[str] = ("GET",)


Routes = Callable[[str], Route | None]
"""What answers at a path that begins with "/"; None: nothing is there."""
