"""How are items written as JSON Lines: one JSON object a line?

A line holds no character at which any reader splits lines: U+0085, U+2028 and U+2029, which JSON allows
in strings but str.splitlines() splits at, are escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from crawler.feeds.formats.base import Format
from crawler.feeds.values import encode_json_lines

_BREAKS = {b"\xc2\x85": rb"\u0085", b"\xe2\x80\xa8": rb"\u2028", b"\xe2\x80\xa9": rb"\u2029"}
_beyond_ascii = re.compile("[^\x00-\x7f]")


def one_line_each(encoded: bytes) -> bytes:
    """Escape the line breaks of Unicode, which in JSON text can stand in strings only."""
    if encoded.isascii():
        return encoded
    for character, escape in _BREAKS.items():
        if character in encoded:
            encoded = encoded.replace(character, escape)
    return encoded


def in_codec(encoded: bytes, codec: str) -> bytes:
    """Return UTF-8 JSON in another encoding; where that lacks a character, all beyond ASCII are escaped."""
    if codec == "utf-8":
        return encoded
    text = encoded.decode()
    try:
        return text.encode(codec)
    except UnicodeEncodeError:
        return _beyond_ascii.sub(_escape, text).encode(codec)


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[place : place + 2].hex()}" for place in range(0, len(units), 2))


class JsonLines(Format):
    """JSON Lines (jsonlines.org); an indent is ignored, for a line is an item."""

    _joint = b""

    def encode(self, items: Sequence[dict[str, Any]]) -> bytes:
        encoded = in_codec(one_line_each(encode_json_lines(list(items))), self.codec)
        if self._joint:
            encoded, self._joint = self._joint + encoded, b""
        return encoded

    def state(self) -> dict[str, Any]:
        return {"joint": True} if self._joint else {}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._joint = "\n".encode(self.codec) if state.get("joint") else b""

    def adopt(self, head: bytes, tail: bytes) -> int:
        """Accept any text; a last line without an end gets one before the first item."""
        self.restore({"joint": not tail.endswith("\n".encode(self.codec))})
        return 0
