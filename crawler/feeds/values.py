"""How is a Python value written where the format has no word for its type?

One table for all formats (docs/feeds.md shows it to users):

    str                     as it is; a lone surrogate, which no encoding can carry, becomes U+FFFD
    None                    JSON null; CSV and XML: empty
    bool, float             JSON true, false, number; CSV and XML: as Python writes them
    nan, inf, -inf          JSON null, for JSON has no such number; CSV and XML: nan, inf, -inf
    int                     all its digits, beyond 64 bit and Python's limit of digits too
    bytes, bytearray        base64 text
    datetime, date, time    ISO 8601; timedelta too (P1DT2S)
    Decimal, UUID, Path     text
    Enum                    its value
    set, tuple, deque, …    an array (a set's order is not fixed)
    mappings, item objects  an object of their fields
    dict keys               text: None is "null", True is "true"
    anything else           str(value), with one warning for each type: nearly always a forgotten .get()

Nothing here raises: an item that cannot be written would stop the crawl again at every resume.
"""

from __future__ import annotations

import logging
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from os import PathLike, fspath
from typing import Any, TypeAlias
from uuid import UUID

import msgspec
from itemadapter.adapter import ItemAdapter

logger = logging.getLogger(__name__)

Moment: TypeAlias = date | time | timedelta
Field: TypeAlias = (
    bool | int | float | str | bytes | bytearray | memoryview
    | Moment | Decimal | UUID | Enum | PathLike[str] | PathLike[bytes] | msgspec.Struct | msgspec.Raw
    | Sequence["Field"] | Set["Field"] | deque["Field"] | Mapping[Any, "Field"] | None
)  # fmt: skip
"""What a field of an item holds by the table above; of what is not in it, text is made."""

# Deeper nesting is written as text; json readers give up at about a thousand levels, some at a hundred.
_DEEPEST = 100

_ARRAYS = (list, tuple, set, frozenset, deque)

_lone_surrogates = re.compile("[\ud800-\udfff]")
_warned: set[type] = set()  # One warning per type and process; types are few.


def repaired(text: str) -> str:
    """Return the text with each lone surrogate replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _lone_surrogates.sub("\ufffd", text)
    return text


def struct_fields(item: msgspec.Struct) -> dict[str, Any]:
    """Return a Struct's fields under the names it encodes to, its tag first if it has one; UNSET ones left out."""
    config = item.__struct_config__
    fields: dict[str, Any] = {} if config.tag is None else {config.tag_field or "type": config.tag}
    for name, shown in zip(item.__struct_fields__, item.__struct_encode_fields__, strict=True):
        value = getattr(item, name, msgspec.UNSET)
        if value is not msgspec.UNSET:
            fields[shown] = value
    return fields


def simpler(value: Field) -> Field:
    """Return the value as a type msgspec can encode: its ``enc_hook``, called for types it does not know."""
    if isinstance(value, str):
        return str.__str__(value)
    if value is None:  # As a value None is known: this is a key, and so are bool and tuple.
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, tuple):
        return as_text(value)
    if isinstance(value, Enum):
        plain: Field = value.value
        return plain
    if isinstance(value, PathLike):
        path = fspath(value)
        return path if isinstance(path, str) else path.decode(errors="replace")
    if isinstance(value, msgspec.Struct):
        return struct_fields(value)
    if ItemAdapter.is_item(value):
        return dict(ItemAdapter(value))
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Iterable) and not isinstance(value, Iterator | type):
        return list(value)
    return as_text(value)


def as_text(value: Field) -> str:
    """Return str(value) of something that is no data, and warn of its type once."""
    kind = type(value)
    if kind not in _warned and not isinstance(value, tuple):
        _warned.add(kind)
        logger.warning(
            "Values of type %s.%s are written as text; was a .get() forgotten?", kind.__module__, kind.__name__
        )
    try:
        return repaired(str(value))
    except BaseException:  # str() is the user's code here, and the item must be written all the same.
        return f"<{kind.__name__}>"


def sound(value: Field, depth: int = 0) -> Field:
    """Return a copy that JSON can always hold: the slow path, taken after msgspec refused the original."""
    if type(value) is str:
        return repaired(value)
    if type(value) is int:
        return value if value.bit_length() <= 4096 else msgspec.Raw(digits(value).encode())
    if value is None or type(value) in (bool, float, bytes, bytearray, memoryview):
        return value
    if depth >= _DEEPEST:
        return as_text(value)
    if isinstance(value, msgspec.Struct):
        return sound(struct_fields(value), depth)
    if isinstance(value, Mapping):
        return {_key(key): sound(element, depth + 1) for key, element in value.items()}
    if isinstance(value, _ARRAYS):
        return [sound(element, depth + 1) for element in value]
    try:
        known = msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=simpler)
    except BaseException:  # Whatever msgspec cannot take apart is told by simpler() and then looked at again.
        known = simpler(value)
    return as_text(value) if known is value else sound(known, depth + 1)


def digits(number: int) -> str:
    """Return a number in digits, by halves where it has more than Python writes (sys.get_int_max_str_digits())."""
    if number.bit_length() < 2000:
        return str(number)
    if number < 0:
        return "-" + digits(-number)
    lower = number.bit_length() * 3 // 20  # about half of its digits
    high, low = divmod(number, 10**lower)
    return digits(high) + digits(low).zfill(lower)


def _key(key: Field) -> str:
    return key if type(key) is str and key.isascii() else text_of(key) if key is not None else "null"


_encoder = msgspec.json.Encoder(enc_hook=simpler)


def encode_json(value: Field) -> bytes:
    """Return the value as UTF-8 JSON on one line; never raises."""
    try:
        return _encoder.encode(value)
    except BaseException:  # surrogates, depth, huge integers, a property that raises: the slow path knows them all
        return _encoder.encode(sound(value))


def encode_json_lines(values: list[Any]) -> bytes:
    """Return one line of UTF-8 JSON for each value; never raises."""
    try:
        return _encoder.encode_lines(values)
    except BaseException:  # as above; the others of the group are not slowed down again
        return b"".join([encode_json(value) + b"\n" for value in values])


def text_of(value: Field) -> str:
    """Return the value as text for a CSV cell or an XML element; lists and objects as JSON."""
    if type(value) is str:
        return value if value.isascii() else repaired(value)
    if value is None:
        return ""
    if isinstance(value, bool | float):
        return str(value)
    if isinstance(value, int):
        return digits(int(value))
    encoded = encode_json(value)
    if encoded[:1] == b'"':
        return str(msgspec.json.decode(encoded))
    return "" if encoded == b"null" else encoded.decode()


def scalars(value: Field) -> list[Field] | None:
    """Return the elements if the value is an array of simple values, else None."""
    if isinstance(value, _ARRAYS):
        elements = list(value)
        if not any(isinstance(element, (*_ARRAYS, Mapping)) for element in elements):
            return elements
    return None
