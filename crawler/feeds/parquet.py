"""How does a Parquet file come of columns and records? pyarrow is imported when this module is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import parquet

from crawler.errors import OutputError
from crawler.feeds.columns import DIGITS, SCALE, Column, Kind, Misfit, fitted, in_utc

GROUP_BYTES = 8 << 20
GROUP_ROWS = 50_000
"""So much of the records is one row group, which is what is held in memory."""

_COMPRESSION = "zstd"
_TYPES = {
    Kind.NOTHING: pyarrow.string(),
    Kind.BOOL: pyarrow.bool_(),
    Kind.INT: pyarrow.int64(),
    Kind.FLOAT: pyarrow.float64(),
    Kind.DECIMAL: pyarrow.decimal128(DIGITS, SCALE),
    Kind.TEXT: pyarrow.string(),
    Kind.BYTES: pyarrow.binary(),
    Kind.DATE: pyarrow.date32(),
    Kind.MOMENT: pyarrow.timestamp("us", tz="UTC"),
    Kind.JSON: pyarrow.string(),
}


def check_compression(name: str | None) -> None:
    """Raise OutputError for a compression that there is not."""
    known = ("none", "snappy", "gzip", "brotli", "zstd", "lz4")
    if name is not None and str(name).lower() not in known:
        raise OutputError(f"item_export_kwargs: compression is one of {', '.join(known)}, not {name!r}")


def write_parquet(
    made: Path, columns: Mapping[str, Column], records: Iterable[tuple[Mapping[str, Any], int]], *, compression: Any
) -> None:
    """Write a file with these columns; a record comes with its size, by which row groups are made. Raises OSError.

    Without columns there is none: not every reader takes such a file.
    """
    if not columns:
        return
    fields = [pyarrow.field(name, _type(column)) for name, column in columns.items()]
    schema = pyarrow.schema(fields)
    with parquet.ParquetWriter(made, schema, compression=compression or _COMPRESSION) as writer:
        group: list[Mapping[str, Any]] = []
        size = 0
        for record, length in records:
            group.append(record)
            size += length
            if size >= GROUP_BYTES or len(group) >= GROUP_ROWS:
                writer.write_table(_table(schema, columns, group))
                group, size = [], 0
        if group:
            writer.write_table(_table(schema, columns, group))


def _type(column: Column) -> Any:
    return pyarrow.list_(_TYPES[column.kind]) if column.many else _TYPES[column.kind]


def _table(schema: Any, columns: Mapping[str, Column], group: list[Mapping[str, Any]]) -> Any:
    arrays = [
        pyarrow.array([_value(record.get(name), column) for record in group], field.type)
        for field, (name, column) in zip(schema, columns.items(), strict=True)
    ]
    return pyarrow.Table.from_arrays(arrays, schema=schema)


def _value(value: Any, column: Column) -> Any:
    if value is None:
        return None
    try:
        value = fitted(value, column)
    except Misfit:  # a whole number that is no float
        return [float(each) for each in value] if column.many else float(value)
    return in_utc(value) if column.kind is Kind.MOMENT and not column.many else value
