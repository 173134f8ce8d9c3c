"""How are items written as one JSON array?

An item starts on a line of its own. The closing bracket is the trailer: it is written when the feed is
closed and cut off again when the feed goes on, in this job or in a later one that appends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from crawler.feeds.formats.base import Format
from crawler.feeds.formats.jsonlines import in_codec, one_line_each
from crawler.feeds.values import encode_json

_SPACE = " \t\r\n"


class Json(Format):
    """A JSON array (RFC 8259); ``indent`` above 0 spreads each item over lines."""

    _first = True

    def start(self) -> bytes:
        return super().start() + "[".encode(self.codec)

    def encode(self, items: Sequence[dict[str, Any]]) -> bytes:
        parts: list[bytes] = []
        for item in items:
            parts.append(b"\n" if self._first else b",\n")
            self._first = False
            parts.append(self._item(item))
        return in_codec(one_line_each(b"".join(parts)), self.codec)

    def _item(self, item: dict[str, Any]) -> bytes:
        encoded = encode_json(item)
        indent = self.options.indent
        if not indent or indent < 0:
            return encoded
        pad = b" " * indent
        # A string cannot hold a raw line break, so each one here is of the layout.
        return pad + msgspec.json.format(encoded, indent=indent).replace(b"\n", b"\n" + pad)

    def finish(self) -> bytes:
        return "\n]\n".encode(self.codec)

    def state(self) -> dict[str, Any]:
        return {"first": self._first}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._first = bool(state.get("first", True))

    def adopt(self, head: bytes, tail: bytes) -> int:
        """Accept a file that begins with [ and ends with ]; the trailer is ] and the white space around it."""
        bom = self.options.bom
        text = head.removeprefix(bom).decode(self.codec, "replace").lstrip(_SPACE)
        if not text.startswith("["):
            raise ValueError("is no JSON array: it does not begin with [")
        text = tail.decode(self.codec, "replace")
        body = text.rstrip(_SPACE)
        if not body.endswith("]"):
            raise ValueError("does not end with ]; was its crawl killed? Resume or close that job first")
        body = body[:-1].rstrip(_SPACE)
        # An array of nothing: the bracket that closes it stands right behind the one that opens it.
        self._first = body.removeprefix("\ufeff").lstrip(_SPACE) == "["
        return len(text[len(body) :].encode(self.codec))
