"""How are items kept until there are enough for a Parquet file?

A Parquet file has its types and its index in a footer, so that it cannot be cut and continued. What is written item by
item is a file of our own: records, each a length and a MessagePack array of names and values, and behind them the
columns, with the types that hold all the values so far. ``convert`` makes a Parquet file of a whole one; pyarrow is
imported there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

import msgspec
from msgspec.msgpack import Ext

from crawler.feeds.columns import DIGITS, JSON, LONG, NOTHING, SCALE, Column, Kind, column_of, columns_of, merged, plain
from crawler.feeds.formats.base import Format, FormatOptions
from crawler.feeds.values import encode_json

MOST_COLUMNS = 1000
"""Fields beyond so many are in the column ``extra``, a JSON object: whoever names fields by data has no end of them."""

EXTRA = "extra"
PART_ITEMS = 100_000
"""Items a file where nobody says how many."""

_DECIMAL, _DATE, _MOMENT, _JSON = range(1, 5)
_LENGTH = Struct("<I")
_IN_LISTS = (Kind.NOTHING, Kind.BOOL, Kind.INT, Kind.FLOAT, Kind.TEXT)
_encode = msgspec.msgpack.Encoder().encode


class Parquet(Format):
    """Whole Parquet files, by way of records."""

    extra = frozenset({"compression"})
    text_names = True
    whole = True
    batch_items = PART_ITEMS

    def __init__(self, options: FormatOptions) -> None:
        super().__init__(options)
        self._columns: dict[str, Column] = {}

    def learn(self, kinds: Collection[type]) -> None:
        """See Format. What a class declares is where a column begins; values may widen it."""
        for name, column in columns_of(kinds, (), self.options.names).items():
            self._columns[plain(name)] = _merged(self._columns.get(plain(name), NOTHING), column)

    def start(self) -> bytes:
        """See Format. The columns stay: all files of a feed have them in one order, and types only widen."""
        return b""

    def encode(self, items: Sequence[dict[str, Any]]) -> bytes:
        """See Format."""
        encoded: list[bytes] = []
        for item in items:
            record: list[Any] = []
            beyond: dict[str, Any] = {}
            for name, value in item.items():
                name, value = plain(name), plain(value)
                if not self._take(name, value):
                    beyond[name] = value
                elif value is not None:
                    record += name, _packed(value)
            if beyond:
                self._columns[EXTRA] = JSON
                record += EXTRA, _packed(beyond)
            data = _encode(record)
            encoded += _LENGTH.pack(len(data)), data
        return b"".join(encoded)

    def _take(self, name: str, value: Any) -> bool:
        """Make room for a value; False if there are too many columns for a new one."""
        known = self._columns.get(name)
        if known is None and len(self._columns) >= MOST_COLUMNS:
            return False
        self._columns[name] = _merged(NOTHING if known is None else known, _column_of(value))
        return True

    def finish(self) -> bytes:
        """See Format."""
        columns = encode_json([[name, column.kind.value, column.many] for name, column in self._columns.items()])
        return columns + _LENGTH.pack(len(columns))

    def state(self) -> dict[str, Any]:
        """See Format."""
        return {"columns": [[name, column.kind.value, column.many] for name, column in self._columns.items()]}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See Format."""
        self._columns = _columns(state.get("columns", ()))

    def check(self) -> None:
        """See Format. ImportError if pyarrow is not installed."""
        from crawler.feeds.parquet import check_compression

        check_compression(self.options.extra.get("compression"))

    def convert(self, file: Path, made: Path) -> None:
        """See Format."""
        from crawler.feeds.parquet import write_parquet

        with file.open("rb") as source:
            columns, end = _read_columns(source)
            records = _records(source, end)
            write_parquet(made, columns, records, compression=self.options.extra.get("compression"))


def _merged(one: Column, other: Column) -> Column:
    """As ``merged``, where a decimal number has DIGITS, and lists hold what JSON has."""
    if one == other:
        return one
    if {one.kind, other.kind} == {Kind.FLOAT, Kind.DECIMAL}:
        return Column(Kind.TEXT)
    found = merged(one, other)
    return Column(Kind.TEXT, many=True) if found.many and found.kind not in _IN_LISTS else found


def _column_of(value: Any) -> Column:
    if isinstance(value, Decimal) or (type(value) is int and value not in LONG):
        number = Decimal(value)
        sign_and_digits = number.as_tuple()
        exponent = sign_and_digits.exponent
        fits = isinstance(exponent, int) and exponent >= -SCALE and number.adjusted() < DIGITS - SCALE
        return Column(Kind.DECIMAL if fits else Kind.TEXT)
    return column_of(value)


def _packed(value: Any) -> Any:
    kind = type(value)
    if kind is list or kind is dict:
        return Ext(_JSON, encode_json(value))
    if kind is Decimal or (kind is int and value not in LONG):
        return Ext(_DECIMAL, str(Decimal(value)).encode())
    if kind is date:
        return Ext(_DATE, value.isoformat().encode())
    return Ext(_MOMENT, value.isoformat().encode()) if kind is datetime else value


def _from_ext(code: int, data: memoryview) -> Any:
    text = bytes(data)
    if code == _JSON:
        return msgspec.json.decode(text)
    if code == _DECIMAL:
        return Decimal(text.decode())
    return (date if code == _DATE else datetime).fromisoformat(text.decode())


_decode = msgspec.msgpack.Decoder(list[Any], ext_hook=_from_ext).decode


def _columns(plain_columns: Any) -> dict[str, Column]:
    return {name: Column(Kind(kind), many) for name, kind, many in plain_columns}


def _read_columns(source: BinaryIO) -> tuple[dict[str, Column], int]:
    """Return the columns of a whole file, and where its records end."""
    source.seek(-_LENGTH.size, 2)
    end = source.tell()
    (length,) = _LENGTH.unpack(source.read(_LENGTH.size))
    source.seek(end - length)
    return _columns(msgspec.json.decode(source.read(length))), end - length


def _records(source: BinaryIO, end: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the fields of each item, and how many bytes its record has."""
    source.seek(0)
    place = 0
    while place < end:
        (length,) = _LENGTH.unpack(source.read(_LENGTH.size))
        parts = _decode(source.read(length))
        place += _LENGTH.size + length
        yield dict(zip(parts[::2], parts[1::2], strict=True)), length
