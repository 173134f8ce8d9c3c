"""How are items written to a file, one after the other, by what a pipeline or FEED_EXPORTERS names?

Each class writes to ``file``, which takes bytes and stays open. ``fields_to_export``, a list of fields or a dict of
fields and the names they get, says what is written and in which order; with ``export_empty_fields`` missing ones are
written, too (docs.scrapy.org, "Item Exporters").
"""

from __future__ import annotations

import csv
import logging
import marshal
import pickle
from collections.abc import Iterable, Iterator, Mapping
from io import TextIOWrapper
from pprint import pformat
from typing import Any
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from itemadapter import ItemAdapter, is_item

from crawler.scrapy.item import Item
from crawler.scrapy.utils.python import is_listlike, to_bytes, to_unicode
from crawler.scrapy.utils.serialize import ScrapyJSONEncoder

logger = logging.getLogger(__name__)


class BaseItemExporter:
    """What all have. Options that are not known raise TypeError, unless ``dont_fail``."""

    def __init__(self, *, dont_fail: bool = False, **kwargs: Any) -> None:
        self._kwargs = kwargs
        self._configure(kwargs, dont_fail)

    def _configure(self, options: dict[str, Any], dont_fail: bool = False) -> None:
        self.encoding: str | None = options.pop("encoding", None)
        self.fields_to_export: Any = options.pop("fields_to_export", None)
        self.export_empty_fields: bool = options.pop("export_empty_fields", False)
        self.indent: int | None = options.pop("indent", None)
        if options and not dont_fail:
            raise TypeError(f"Unexpected options: {', '.join(options)}")

    def export_item(self, item: Any) -> Any:
        """Write an item."""
        raise NotImplementedError

    def serialize_field(self, field: Mapping[str, Any], name: str, value: Any) -> Any:
        """Return what is written for a value: what the field's ``serializer`` makes of it."""
        return field["serializer"](value) if "serializer" in field else self._default(value)

    def _default(self, value: Any) -> Any:
        return value

    def start_exporting(self) -> None:
        """Write what stands before the items."""

    def finish_exporting(self) -> None:
        """Write what stands behind them."""

    def get_serialized_fields(
        self, item: Any, default_value: Any = None, include_empty: bool | None = None
    ) -> Iterator[tuple[str, Any]]:
        """Yield name and value of each field that is written."""
        adapter = ItemAdapter(item)
        for field, name in self._fields(adapter, self.export_empty_fields if include_empty is None else include_empty):
            if field in adapter:
                yield name, self.serialize_field(adapter.get_field_meta(field), name, adapter[field])
            else:
                yield name, default_value

    def _fields(self, adapter: ItemAdapter, include_empty: bool) -> Iterable[tuple[str, str]]:
        wanted = self.fields_to_export
        if wanted is None:
            there = set(adapter)
            known = [*adapter.field_names()] if include_empty else [n for n in adapter.field_names() if n in there]
            return [(name, name) for name in (known if include_empty else dict.fromkeys([*known, *adapter]))]
        pairs = wanted.items() if isinstance(wanted, Mapping) else [(n, n) if isinstance(n, str) else n for n in wanted]
        return [pair for pair in pairs if include_empty or pair[0] in adapter]


class _Json(BaseItemExporter):
    def __init__(self, file: Any, **kwargs: Any) -> None:
        super().__init__(dont_fail=True, **kwargs)
        self.file = file
        self._kwargs.setdefault("ensure_ascii", not self.encoding)

    def _encoded(self, item: Any) -> bytes:
        return to_bytes(self.encoder.encode(dict(self.get_serialized_fields(item))), self.encoding)

    encoder: ScrapyJSONEncoder


class JsonLinesItemExporter(_Json):
    """A line of JSON for each item; further options are those of json.JSONEncoder."""

    def __init__(self, file: Any, **kwargs: Any) -> None:
        super().__init__(file, **kwargs)
        self.encoder = ScrapyJSONEncoder(**self._kwargs)

    def export_item(self, item: Any) -> None:
        """Write an item."""
        self.file.write(self._encoded(item) + "\n".encode(self.encoding or "utf-8"))


class JsonItemExporter(_Json):
    """One JSON array; further options are those of json.JSONEncoder. ``indent`` 0: an item a line."""

    def __init__(self, file: Any, **kwargs: Any) -> None:
        super().__init__(file, **kwargs)
        self._kwargs.setdefault("indent", self.indent or None if (self.indent or 0) > 0 else None)
        self.encoder = ScrapyJSONEncoder(**self._kwargs)
        self.first_item = True
        self._newline = b"" if self.indent is None else b"\n"

    def start_exporting(self) -> None:
        """Write what stands before the items."""
        self.file.write(b"[" + self._newline)

    def finish_exporting(self) -> None:
        """Write what stands behind them."""
        self.file.write(self._newline + b"]")

    def export_item(self, item: Any) -> None:
        """Write an item."""
        data = self._encoded(item)
        if not self.first_item:
            self.file.write(b"," + self._newline)
        self.first_item = False
        self.file.write(data)


class XmlItemExporter(BaseItemExporter):
    """An XML document: <items><item><name>value</name></item></items>."""

    def __init__(self, file: Any, **kwargs: Any) -> None:
        self.item_element = kwargs.pop("item_element", "item")
        self.root_element = kwargs.pop("root_element", "items")
        super().__init__(**kwargs)
        self.encoding = self.encoding or "utf-8"
        self.stream = TextIOWrapper(file, self.encoding, "xmlcharrefreplace", "\n", write_through=True)
        self.xg = XMLGenerator(self.stream, encoding=self.encoding)

    def _line(self, *, item: bool = False) -> None:
        if self.indent is not None and (item or self.indent > 0):
            self.xg.characters("\n")

    def start_exporting(self) -> None:
        """Write what stands before the items."""
        self.xg.startDocument()
        self.xg.startElement(self.root_element, AttributesImpl({}))
        self._line(item=True)

    def export_item(self, item: Any) -> None:
        """Write an item."""
        self._element(self.item_element, self.get_serialized_fields(item, default_value=""), 1, item=True)

    def finish_exporting(self) -> None:
        """Write what stands behind them; the file stays open."""
        self.xg.endElement(self.root_element)
        self.xg.endDocument()
        self.stream.detach()

    def _element(self, name: str, value: Any, depth: int, *, item: bool = False) -> None:
        pad = " " * (self.indent or 0) * depth
        self.xg.characters(pad)
        self.xg.startElement(name, AttributesImpl({}))
        if item or hasattr(value, "items") or is_listlike(value):
            self._line()
            pairs = value if item else value.items() if hasattr(value, "items") else (("value", each) for each in value)
            for inner, each in pairs:
                self._element(inner, each, depth + 1)
            self.xg.characters(pad)
        else:
            self.xg.characters(str(value))
        self.xg.endElement(name)
        self._line(item=item)


class CsvItemExporter(BaseItemExporter):
    """A line for each item under one of headers: ``fields_to_export``, or the fields of the first item.

    Lists of texts are joined; further options are those of csv.writer.
    """

    def __init__(
        self,
        file: Any,
        include_headers_line: bool = True,
        join_multivalued: str = ",",
        errors: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(dont_fail=True, **kwargs)
        self.encoding = self.encoding or "utf-8"
        self.include_headers_line = include_headers_line
        self.stream = TextIOWrapper(file, self.encoding, errors, "", write_through=True)
        self.csv_writer = csv.writer(self.stream, **self._kwargs)
        self._join_multivalued = join_multivalued
        self._begun = self._told = False
        self._found: frozenset[str] | None = None

    def _default(self, value: Any) -> Any:
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return self._join_multivalued.join(value)
        return value

    def export_item(self, item: Any) -> None:
        """Write an item, before the first one the headers."""
        if not self._begun:
            self._begun = True
            self._begin(item)
        if self._found is not None and not self._told:
            left_out = set(ItemAdapter(item).field_names()) - self._found
            if left_out:
                self._told = True
                logger.warning(
                    "CSVExporter dropped fields %s: the first item has none of them. Name all fields in "
                    "FEED_EXPORT_FIELDS", sorted(left_out),
                )  # fmt: skip
        self._write(value for _, value in self.get_serialized_fields(item, default_value="", include_empty=True))

    def _begin(self, item: Any) -> None:
        if not self.include_headers_line:
            return
        if not self.fields_to_export:
            self.fields_to_export = [*ItemAdapter(item).field_names()]
            self._found = frozenset(self.fields_to_export)
        wanted = self.fields_to_export
        self._write(wanted.values() if isinstance(wanted, Mapping) else wanted)

    def _write(self, values: Iterable[Any]) -> None:
        self.csv_writer.writerow([to_unicode(v, self.encoding) if isinstance(v, bytes) else v for v in values])

    def finish_exporting(self) -> None:
        """End; the file stays open."""
        self.stream.detach()


class _ToFile(BaseItemExporter):
    def __init__(self, file: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.file = file


class PickleItemExporter(_ToFile):
    """A pickle for each item: for Python programs that trust the file."""

    def __init__(self, file: Any, protocol: int = 4, **kwargs: Any) -> None:
        super().__init__(file, **kwargs)
        self.protocol = protocol

    def export_item(self, item: Any) -> None:
        """Write an item."""
        pickle.dump(dict(self.get_serialized_fields(item)), self.file, self.protocol)


class MarshalItemExporter(_ToFile):
    """Python's marshal for each item."""

    def export_item(self, item: Any) -> None:
        """Write an item."""
        marshal.dump(dict(self.get_serialized_fields(item)), self.file)


class PprintItemExporter(_ToFile):
    """A dict for each item, as Python writes it."""

    def export_item(self, item: Any) -> None:
        """Write an item."""
        self.file.write(to_bytes(pformat(dict(self.get_serialized_fields(item))) + "\n"))


class PythonItemExporter(BaseItemExporter):
    """Returns items as plain values of Python, items within them, too."""

    def _configure(self, options: dict[str, Any], dont_fail: bool = False) -> None:
        super()._configure(options, dont_fail)
        self.encoding = self.encoding or "utf-8"

    def _default(self, value: Any) -> Any:
        if isinstance(value, Item):
            return self.export_item(value)
        if isinstance(value, str | bytes):
            return to_unicode(value, self.encoding)
        if is_item(value):
            return {key: self._default(inner) for key, inner in ItemAdapter(value).items()}
        return [self._default(each) for each in value] if is_listlike(value) else value

    def export_item(self, item: Any) -> dict[str, Any]:
        """Return an item as a dict."""
        return dict(self.get_serialized_fields(item))
