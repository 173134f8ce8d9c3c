"""How is a value of the user's shown in a line: an item, or a setting?"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec
from itemadapter import ItemAdapter

from crawler.model.masking import masked
from crawler.observe.frames import shorten

_TEXT = 200
_ENTRIES = 20
_DEPTH = 3
_LINE = 1000


def short_json(item: Any) -> str:
    """Return the beginning of an item as JSON: of long texts, lists and dicts the first part. Never raises."""
    try:
        return shorten(msgspec.json.encode(_short(item, _DEPTH)).decode(), _LINE)
    except BaseException as error:  # values of the user's, which may do anything
        return f"<{type(item).__name__}: {type(error).__name__}>"


def _short(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, bytes | bytearray):
        return f"<{len(value):,} bytes>"
    if not isinstance(value, str | Mapping | list | tuple | set | frozenset) and ItemAdapter.is_item(value):
        value = ItemAdapter(value)
    if isinstance(value, Mapping | ItemAdapter) and depth:
        return _short_mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset) and depth:
        entries = [_short(each, depth - 1) for each in islice(value, _ENTRIES)]
        return entries + (["…"] if len(value) > _ENTRIES else [])
    text = value if isinstance(value, str) else str(value)
    if len(text) <= _TEXT:
        return masked(text)
    return masked(text[: 2 * _LINE])[:_TEXT] + "…"  # masked before it is cut: a password must not lose its "@"


def _short_mapping(value: Any, depth: int) -> dict[str, Any]:
    pairs = {str(key): _short(value[key], depth - 1) for key in islice(value, _ENTRIES)}
    return pairs | ({"…": len(value) - _ENTRIES} if len(value) > _ENTRIES else {})
