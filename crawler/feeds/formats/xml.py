"""How are items written as XML?

As Scrapy does: <items><item><field>…</field></item></items>, the elements of a list as <value>, those of a
dict under their names. The result is well-formed whatever the items hold: characters XML 1.0 forbids
(§2.2) become U+FFFD, and a name that is no XML name is made one, the original kept in an attribute.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any

from crawler.feeds.formats.base import Format, FormatOptions
from crawler.feeds.values import Field, repaired, simpler, sound, text_of

# XML 1.0 §2.3, without the colon, which would ask for a namespace.
_FIRST = (
    "A-Z_a-z\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_FURTHER = _FIRST + "\\-.0-9\xb7\u0300-\u036f\u203f-\u2040"
_forbidden = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_special = re.compile('[&<>"\r\n\t]')
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
# In text, line feeds, tabs and quotes stay; a carriage return would be read as a line feed (§2.11).
_special_in_text = re.compile("[&<>\r]")
_SPACE = " \t\r\n"


@cache  # compiled when an XML feed is opened: it takes longer than the rest of this module's import
def _names(unicode: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what matches a right name, and each character that no name may have."""
    if unicode:
        return re.compile(f"[{_FIRST}][{_FURTHER}]*"), re.compile(f"[^{_FURTHER}]")
    return re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*"), re.compile(r"[^A-Za-z0-9_.\-]")


def _escaped(text: str, special: re.Pattern[str]) -> str:
    return special.sub(lambda match: _ESCAPES[match[0]], _forbidden.sub("\ufffd", text))


class Xml(Format):
    """An XML document; ``root_element`` and ``item_element`` may be given in item_export_kwargs."""

    extra = frozenset({"root_element", "item_element"})

    def __init__(self, options: FormatOptions) -> None:
        super().__init__(options)
        right, self._wrong_in_name = _names(self.codec.startswith("utf"))
        self._right_name = right.fullmatch
        self._tags: dict[str, tuple[str, str]] = {}
        self._pretty = (options.indent or 0) > 0
        self._pad = " " * (options.indent or 0)
        self._root = self._tag(str(options.extra.get("root_element", "items")))
        self._item = self._tag(str(options.extra.get("item_element", "item")))

    def start(self) -> bytes:
        declaration = f'<?xml version="1.0" encoding="{self.options.label}"?>\n<{self._root[0]}>'
        return super().start() + declaration.encode(self.codec)

    def encode(self, items: Sequence[dict[str, Any]]) -> bytes:
        parts: list[str] = []
        for item in items:
            parts.append("\n" + self._pad)
            self._element(parts, self._item, item, 1)
        return "".join(parts).encode(self.codec, "xmlcharrefreplace")

    def finish(self) -> bytes:
        return f"\n</{self._root[1]}>\n".encode(self.codec)

    def adopt(self, head: bytes, tail: bytes) -> int:
        """Accept a file that ends with the root's end tag and is in our encoding."""
        start = head.removeprefix(self.options.bom).decode(self.codec, "replace").lstrip(_SPACE)
        declared = re.match(r"""<\?xml[^>]*?encoding=["']([^"'>]*)["']""", start)
        if declared and declared[1].lower() not in {self.options.label, self.options.encoding.lower()}:
            raise ValueError(f"is in {declared[1]}, and the feed is in {self.options.label}")
        text = tail.decode(self.codec, "replace")
        body = text.rstrip(_SPACE)
        end = f"</{self._root[1]}>"
        if not start.startswith("<") or not body.endswith(end):
            raise ValueError(f"does not end with {end}; was its crawl killed? Resume or close that job first")
        body = body[: -len(end)].rstrip(_SPACE)
        return len(text[len(body) :].encode(self.codec))

    def _element(self, parts: list[str], tag: tuple[str, str], value: Field, depth: int) -> None:
        children = self._children(value, depth)
        if children is None:
            parts.append(f"<{tag[0]}>{_escaped(text_of(value), _special_in_text)}</{tag[1]}>")
            return
        parts.append(f"<{tag[0]}>")
        for child, inner in children:
            if self._pretty:
                parts.append("\n" + self._pad * (depth + 1))
            self._element(parts, child, inner, depth + 1)
        if self._pretty and children:
            parts.append("\n" + self._pad * depth)
        parts.append(f"</{tag[1]}>")

    def _children(self, value: Field, depth: int) -> list[tuple[tuple[str, str], Field]] | None:
        """Return the tags and values inside a container; None for anything that is text."""
        if isinstance(value, Enum):
            value = value.value
        if value is None or isinstance(value, str | int | float | bytes | bytearray | memoryview):
            return None
        if depth > 100:  # a cycle, or nearly one: as JSON text, which knows where to stop
            return None
        if not isinstance(value, Mapping | list | tuple | set | frozenset):
            value = simpler(value) if type(value).__module__ not in _KNOWN else value
            if not isinstance(value, Mapping | list):
                value = sound(value)
        if isinstance(value, Mapping):
            return [(self._tag("null" if key is None else text_of(key)), inner) for key, inner in value.items()]
        if isinstance(value, list | tuple | set | frozenset):
            return [(("value", "value"), inner) for inner in value]
        return None

    def _tag(self, name: str) -> tuple[str, str]:
        """Return what stands in the start tag and in the end tag for a field's name."""
        tag = self._tags.get(name)
        if tag is None:
            if self._right_name(name):
                tag = (name, name)
            else:
                made = self._wrong_in_name.sub("_", repaired(name))
                if not self._right_name(made):
                    made = "_" + made
                tag = (f'{made} name="{_escaped(name, _special)}"', made)
            if len(self._tags) < 10_000:  # names may come from pages
                self._tags[name] = tag
        return tag


# Values of these modules msgspec writes as text: dates, numbers, identifiers.
_KNOWN = frozenset({"datetime", "decimal", "uuid", "enum"})
