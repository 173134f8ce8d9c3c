"""How are items written as CSV, when any item may bring a column that was not there before?

RFC 4180 with a header line. Without a choice of fields the columns are those of the first items; a column
that first appears later makes the file be written anew with a longer header: ``fits`` says so, ``rewrite``
copies the old lines, each with as many empty cells at its end as there are new columns. The copy goes
line by line, so its memory does not depend on the file's size.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from crawler.feeds.formats.base import Format, FormatOptions
from crawler.feeds.values import Field, scalars, text_of

_END = "\r\n"
# Beginnings that make a spreadsheet run a cell as a formula (OWASP, "CSV Injection").
_FORMULA = tuple("=+-@\t\r")
_CHUNK = 1 << 16


class Csv(Format):
    """Comma-separated values. item_export_kwargs: ``delimiter``, ``join_multivalued``, ``include_headers_line``.

    A list of simple values is one cell, joined with ``join_multivalued`` (default: a comma, as in Scrapy);
    other lists and dicts are JSON. A character the encoding lacks is written as \\uXXXX.
    """

    extra = frozenset({"delimiter", "join_multivalued", "include_headers_line"})
    text_names = True
    head_size = 1 << 24  # its header is one record, however many columns there are

    def __init__(self, options: FormatOptions) -> None:
        super().__init__(options)
        self._chosen = list(options.names.values()) if options.names is not None else None
        self._delimiter = str(options.extra.get("delimiter", ","))
        self._join = str(options.extra.get("join_multivalued", ","))
        self._with_header = bool(options.extra.get("include_headers_line", True))
        self._buffer = io.StringIO(newline="")
        self._writer = csv.writer(self._buffer, delimiter=self._delimiter, lineterminator=_END)
        self._columns: list[str] = []
        self._known: frozenset[str] = frozenset()
        self._bare = 0
        self._joint = b""

    def start(self) -> bytes:
        head = super().start()
        if self._chosen:
            return head + self._header(self._chosen)
        return head

    def encode(self, items: Sequence[dict[str, Any]]) -> bytes:
        head = self._joint
        self._joint = b""
        if not self._columns:
            columns = self._columns_with(items)
            if not columns:
                self._bare += len(items)  # Items without a field: a row of nothing, once there are columns.
                return b""
            head += self._header(columns)
            items = [{}] * self._bare + list(items)
            self._bare = 0
        columns, cell = self._columns, self.cell
        self._writer.writerows([[cell(item.get(name)) for name in columns] for item in items])
        return head + self._taken()

    def state(self) -> dict[str, Any]:
        return {"columns": list(self._columns), "bare": self._bare, "joint": bool(self._joint)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._columns = list(state.get("columns", ()))
        self._known = frozenset(self._columns)
        self._bare = int(state.get("bare", 0))
        self._joint = _END.encode(self.codec) if state.get("joint") else b""

    def adopt(self, head: bytes, tail: bytes) -> int:
        """Keep the file's header: its columns, in its order, are the first of ours."""
        text = head.removeprefix(self.options.bom).decode(self.codec, "replace")
        columns: list[str] = []
        if self._with_header:
            try:
                columns = next(
                    (row for row in csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter) if row), []
                )
            except csv.Error as error:
                raise ValueError(f"has a header that is no CSV: {error}") from error
            if len(head) >= self.head_size and len(next(_records(io.StringIO(text, newline="")), "")) == len(text):
                raise ValueError(f"has a header of more than {self.head_size} bytes")
        elif self._chosen:
            columns = self._chosen
        ends = tail.endswith(("\n".encode(self.codec), "\r".encode(self.codec)))
        self.restore({"columns": [self._unescaped(name) for name in columns], "joint": not ends})
        return 0

    def fits(self, items: Sequence[dict[str, Any]]) -> bool:
        """Tell whether every column is there; if fields were chosen, the chosen ones are the columns."""
        if not self._columns:
            return True
        if self._chosen is not None:
            return self._known.issuperset(self._chosen)
        known = self._known
        return all(known.issuperset(item) for item in items)

    def rewrite(self, source: BinaryIO, items: Sequence[dict[str, Any]]) -> Iterator[bytes]:
        old = len(self._columns)
        columns = self._columns_with(items)
        header = self._header(columns)
        padding = self._delimiter * (len(columns) - old)
        # What a foreign file holds beside its encoding is carried through as it is.
        lines = io.TextIOWrapper(
            source, self.codec, "surrogateescape" if self.codec == "utf-8" else "strict", newline=""
        )
        chunk: list[str] = []
        size, at_header = 0, self._with_header
        for record in _records(lines):
            body = record.rstrip("\r\n")
            if at_header and body.lstrip("\ufeff"):
                at_header = False
                yield self.options.bom + header
                continue
            text = body + padding + record[len(body) :] if body else record
            chunk.append(text)
            size += len(text)
            if size >= _CHUNK:
                yield self._encoded("".join(chunk))
                chunk, size = [], 0
        yield self._encoded("".join(chunk))

    def _columns_with(self, items: Sequence[dict[str, Any]]) -> list[str]:
        """Return the columns there are and behind them the new ones, in the order in which they first appear.

        A declared item has a column for each field of its class, so that the columns do not depend on the pages.
        """
        columns = dict.fromkeys(self._columns)
        for names in [self._chosen] if self._chosen is not None else items:
            columns.update(dict.fromkeys(getattr(names, "columns", names)))
        return list(columns)

    def _header(self, columns: Sequence[str]) -> bytes:
        self._columns = list(columns)
        self._known = frozenset(columns)
        if not self._with_header:
            return b""
        self._writer.writerow([self.cell(name) for name in columns])
        return self._taken()

    def _taken(self) -> bytes:
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return self._encoded(text)

    def _encoded(self, text: str) -> bytes:
        if self.codec == "utf-8":
            return text.encode(errors="surrogateescape")
        return text.encode(self.codec, "backslashreplace")

    def cell(self, value: Field) -> str:
        """Return what a value is in its cell."""
        if type(value) is not str:
            elements = scalars(value)
            text = text_of(value) if elements is None else self._join.join(map(text_of, elements))
            if isinstance(value, int | float) or not self.options.escape_formulas:
                return text  # A number is never a formula, so -5 stays -5.
        else:
            text = value if value.isascii() else text_of(value)
        if self.options.escape_formulas and text.startswith(_FORMULA):
            return "'" + text
        return text

    def _unescaped(self, name: str) -> str:
        if self.options.escape_formulas and name.startswith("'") and name[1:].startswith(_FORMULA):
            return name[1:]
        return name


def _records(lines: Iterator[str] | io.TextIOWrapper) -> Iterator[str]:
    """Yield whole records: a line break inside quotes does not end one (an odd number of quotes is open)."""
    pending: list[str] = []
    quotes = 0
    for line in lines:
        quotes += line.count('"')
        if quotes & 1:
            pending.append(line)
            continue
        if pending:
            yield "".join(pending) + line
            pending = []
        else:
            yield line
        quotes = 0
    if pending:
        yield "".join(pending)
