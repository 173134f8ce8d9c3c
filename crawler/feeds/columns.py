"""Which type has each field of items, where what they are written to has types?

What a class declares counts; of a field that no class declares, its values tell. Values that have no type of their own
here (Enum, UUID, sets, item objects, …) are what they are in JSON (crawler.feeds.values).
"""

from __future__ import annotations

import types
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from functools import lru_cache, reduce
from pathlib import PurePath
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from itemadapter.adapter import ItemAdapter

from crawler.feeds.values import encode_json, repaired, text_of

LONG = range(-(2**63), 2**63)
"""The integers of 64 bits."""

DIGITS, SCALE = 38, 10
"""Of decimal numbers in Parquet. What has more digits makes its column one of text."""

_EXACT = 2**53  # every integer up to here is a float


class Kind(Enum):
    """What the values of a column are. NOTHING: no value has been seen."""

    NOTHING = "nothing"
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    DECIMAL = "decimal"
    TEXT = "text"
    BYTES = "bytes"
    DATE = "date"
    MOMENT = "moment"
    JSON = "json"


class Column(NamedTuple):
    """The type of a column; ``many``: its values are lists of that."""

    kind: Kind
    many: bool = False


class Misfit(ValueError):
    """A value that a column of its type cannot hold."""


NOTHING = Column(Kind.NOTHING)
JSON = Column(Kind.JSON)
_KINDS: dict[type, Kind] = {
    bool: Kind.BOOL,
    int: Kind.INT,
    float: Kind.FLOAT,
    Decimal: Kind.DECIMAL,
    str: Kind.TEXT,
    bytes: Kind.BYTES,
    date: Kind.DATE,
    datetime: Kind.MOMENT,
}
_IN_JSON = (*_KINDS, list, dict, type(None))
_AS_TEXT = (UUID, PurePath)
_NUMBERS = (Kind.INT, Kind.FLOAT, Kind.DECIMAL)  # each holds those before it


def plain(value: Any) -> Any:
    """Return the value as one of the types that columns are for, or as JSON's; text without surrogates and NUL."""
    kind = type(value)
    if kind is str:
        return value if value.isascii() and "\0" not in value else repaired(value).replace("\0", "\ufffd")
    if kind in _IN_JSON:
        return value
    if kind is bytearray or kind is memoryview:
        return bytes(value)
    return plain(msgspec.json.decode(encode_json(value)))


def column_of(value: Any) -> Column:
    """Return the narrowest column that holds a plain value; NOTHING for None."""
    kind = _KINDS.get(type(value))
    if kind is Kind.INT and value not in LONG:
        kind = Kind.DECIMAL
    if kind is not None:
        return Column(kind)
    if type(value) is not list:
        return NOTHING if value is None else JSON
    inner = merged_all(column_of(plain(each)) for each in value)
    return JSON if inner.many or inner.kind is Kind.JSON else Column(inner.kind, many=True)


def merged(one: Column, other: Column) -> Column:
    """Return the narrowest column that holds what both do: of a mixture text, and JSON where there is a list in it."""
    if one == other or other == NOTHING:
        return one
    if one == NOTHING:
        return other
    if one.many is not other.many or Kind.JSON in (one.kind, other.kind):
        return JSON
    kinds = {one.kind, other.kind} - {Kind.NOTHING}
    if kinds <= {*_NUMBERS}:
        return Column(max(kinds, key=_NUMBERS.index), one.many)
    return Column(kinds.pop() if len(kinds) == 1 else Kind.TEXT, one.many)


def merged_all(columns: Iterable[Column]) -> Column:
    """Merge any number."""
    return reduce(merged, columns, NOTHING)


def fitted(value: Any, column: Column) -> Any:
    """Return a plain value, not None, as the column's type; text and JSON take everything. Raises Misfit."""
    kind = column.kind
    if column.many:
        if type(value) is not list:
            raise Misfit
        return [None if each is None else fitted(plain(each), Column(kind)) for each in value]
    if kind is Kind.TEXT:
        return value if type(value) is str else plain(text_of(value))
    if kind is Kind.JSON:
        return as_json(value)
    own = column_of(value).kind
    if own is kind:
        return value
    return _widened(value, own, kind)


def _widened(value: Any, own: Kind, kind: Kind) -> Any:
    if own is Kind.INT and kind is Kind.FLOAT and -_EXACT <= value <= _EXACT:
        return float(value)
    if kind is Kind.DECIMAL and own in (Kind.INT, Kind.FLOAT):
        return Decimal(str(value))
    if own is Kind.FLOAT and kind is Kind.INT and value.is_integer() and value in LONG:
        return int(value)
    raise Misfit


def as_json(value: Any) -> str:
    """Return JSON without the escaped NUL, which databases refuse even as an escape."""
    text = encode_json(value).decode()
    return text if "\\u0000" not in text else encode_json(_without_nul(msgspec.json.decode(text))).decode()


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list):
        return [_without_nul(each) for each in value]
    if isinstance(value, dict):
        return {plain(name): _without_nul(each) for name, each in value.items()}
    return value


def in_utc(moment: datetime) -> datetime:
    """Return a moment with its zone; one without is taken for UTC."""
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def columns_of(
    kinds: Collection[type], rows: Iterable[Mapping[str, Any]], names: Mapping[str, str] | None
) -> dict[str, Column]:
    """Return the columns of items of these classes, whose fields are ``rows``; ``names`` as of Fields.

    Those that are declared come first, each class's in its order. A field without a value is of text.
    """
    declared: dict[str, Column] = {}
    for kind in kinds:
        for name, column in declared_columns(kind).items():
            shown = name if names is None else names.get(name)
            if shown is not None:
                declared[shown] = merged(declared.get(shown, NOTHING), column)
    found = dict(declared) if names is None else {shown: declared.get(shown, NOTHING) for shown in names.values()}
    open_ones = {name for name, column in declared.items() if column == NOTHING}
    for row in rows:
        for name, value in row.items():
            if name not in declared or name in open_ones:
                found[name] = merged(found.get(name, NOTHING), column_of(plain(value)))
    return found


@lru_cache(maxsize=1000)
def declared_columns(kind: type) -> dict[str, Column]:
    """Return the fields that an item class declares, NOTHING for those whose type it does not say."""
    names = ItemAdapter.get_field_names_from_class(kind)
    if names is None:
        return {}
    try:
        hints = get_type_hints(kind)
    except Exception:  # an annotation that names what is only imported for type checkers, or that is no type
        hints = {}
    shown = _shown_names(kind)
    columns = {}
    for name in names:
        meta = ItemAdapter.get_field_meta_from_class(kind, name)
        hint = meta.get("type", hints.get(name))
        columns[shown.get(name, name)] = NOTHING if callable(meta.get("serializer")) else _column_for(hint)
    return columns


def _shown_names(kind: type) -> Mapping[str, str]:
    if issubclass(kind, msgspec.Struct):
        return dict(zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True))
    return {}


def _column_for(hint: Any) -> Column:
    """Return the column for what an annotation says, NOTHING where it leaves that open."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _column_for(arguments[0])
    if origin is Literal:
        return merged_all(column_of(plain(value)) for value in arguments)
    if origin is Union or origin is types.UnionType:
        inner = [_column_for(each) for each in arguments if each is not type(None)]
        return NOTHING if NOTHING in inner else merged_all(inner)
    if origin in (list, set, frozenset) or (origin is tuple and arguments[1:] == (...,)):
        inner_one = _column_for(arguments[0])
        return JSON if inner_one.many or inner_one.kind is Kind.JSON else Column(inner_one.kind, many=True)
    kind = origin or hint
    if not isinstance(kind, type):
        return NOTHING
    if issubclass(kind, Enum):
        return merged_all(column_of(plain(member.value)) for member in kind)
    if issubclass(kind, _AS_TEXT):
        return Column(Kind.TEXT)
    if kind in _KINDS:
        return Column(_KINDS[kind])
    return JSON if issubclass(kind, dict | list | tuple | set) or ItemAdapter.is_item_class(kind) else NOTHING
