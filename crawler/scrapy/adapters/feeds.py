"""How do a project's FEED_EXPORTERS and FEED_STORAGES write the crawler's feeds?

An exporter writes items to a file and has a state that nobody can keep. What a mark keeps is whether it has begun, and
with which fields: one that goes on elsewhere begins again, with an item of these fields, and what it says of that is
thrown away. So a feed goes on behind a kill as any other; but one that says nothing before it finishes has to have seen
all items itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, time
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

from twisted.internet.threads import blockingCallFromThread
from w3lib.url import file_uri_to_path

from crawler.feeds.formats import Csv, Format, FormatOptions
from crawler.feeds.items import Declared
from crawler.scrapy.adapters.components import loaded
from crawler.scrapy.exporters import CsvItemExporter
from crawler.scrapy.utils.misc import build_from_crawler

_OURS = ("crawler.scrapy.exporters", "crawler.scrapy.extensions.feedexport")
_WE_WRITE = ("json", "jsonlines", "jsonl", "jl", "csv", "xml")


class ScrapysCsv(Csv):
    """CSV with Scrapy's cells: lists of texts joined, other lists, dicts and dates as str() has them, bytes UTF-8."""

    def start(self) -> bytes:
        """Begin without a header: it comes with the first item."""
        return Format.start(self)

    def cell(self, value: Any) -> str:
        """Return what a value is in its cell."""
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        elif isinstance(value, Mapping | date | time) or (
            isinstance(value, list | tuple) and not all(isinstance(element, str) for element in value)
        ):
            value = str(value)
        return super().cell(value)


class Every(frozenset[str]):
    """Has whatever is asked for."""

    def __contains__(self, name: object) -> bool:
        return True


class Exported(Format):
    """What an exporter's class writes; its ``item_export_kwargs`` are the class's to understand."""

    extra = Every()
    exporter: ClassVar[Any]
    crawler: ClassVar[Any]

    def __init__(self, options: FormatOptions) -> None:
        super().__init__(options)
        self._state: dict[str, Any] = {}
        self._silent = False
        self._live, self._file = self._begun({})

    def _begun(self, state: Mapping[str, Any]) -> tuple[Any, BytesIO]:
        options, file = self.options, BytesIO()
        names: Any = [*(options.names or {}).values()] or None
        more = {"fields_to_export": names, "encoding": options.encoding, "indent": options.indent, **options.extra}
        exporter = build_from_crawler(self.exporter, self.crawler, file, **more)
        if state:
            exporter.start_exporting()
            if state["fields"] is not None:
                _first(exporter, Declared(dict.fromkeys(state["fields"], ""), state["columns"]))
            _taken(file)
        return exporter, file

    def start(self) -> bytes:
        """See Format."""
        self.restore({})
        self._live.start_exporting()
        self._state["fields"] = None
        return _taken(self._file)

    def encode(self, items: Sequence[dict[str, Any]]) -> bytes:
        """See Format."""
        for item in items:
            if self._state.get("fields") is not None:
                self._live.export_item(item)
                continue
            _first(self._live, item)
            self._state = {"fields": [str(name) for name in item], "columns": [*getattr(item, "columns", ())]}
        said = _taken(self._file)
        self._silent = not said
        return said

    def finish(self) -> bytes:
        """See Format. Another one finishes, so that this one can go on."""
        exporter, file = (self._live, self._file) if self._silent else self._begun(self._state)
        exporter.finish_exporting()
        return _taken(file)

    def state(self) -> dict[str, Any]:
        """See Format."""
        return dict(self._state)

    def restore(self, state: Mapping[str, Any]) -> None:
        """See Format."""
        self._live, self._file = self._begun(state)
        self._state, self._silent = dict(state), False


def _first(exporter: Any, item: dict[str, Any]) -> None:
    columns = getattr(item, "columns", None)
    if columns and isinstance(exporter, CsvItemExporter) and exporter.fields_to_export is None:
        exporter.fields_to_export = [*columns]  # the item's class declares them, and it is a dict by now
    exporter.export_item(item)


def _taken(file: BytesIO) -> bytes:
    said = file.getvalue()
    file.seek(0)
    file.truncate()
    return said


class Stored:
    """A storage of Scrapy's shape as one of the crawler's: see crawler.feeds.storage.Storage."""

    storage: ClassVar[Any]
    crawler: ClassVar[Any]

    def __init__(self, storage_options: Mapping[str, Any]) -> None:
        self._options = dict(storage_options)

    def store(self, file: Path, url: str) -> None:
        """Give the bytes to the file that the user's storage opens, and have it stored, on the reactor."""
        from twisted.internet import reactor

        options = {"overwrite": True, **self._options}
        storage = build_from_crawler(self.storage, self.crawler, url, feed_options=options)
        target = storage.open(self.crawler.spider)
        with file.open("rb") as source:
            shutil.copyfileobj(source, target)
        target.flush()
        blockingCallFromThread(reactor, storage.store, target)


def laid_over(crawler: Any) -> dict[str, Any]:
    """Return what FEED_EXPORTERS and FEED_STORAGES mean in the crawler's own settings. Raises SettingError."""
    exporters = {
        name: type(f"Exported{kind.__name__}", (Exported,), {"exporter": kind, "crawler": crawler})
        for name, kind in _classes(crawler.settings, "FEED_EXPORTERS")
        if kind.__module__ not in _OURS or name not in _WE_WRITE
    }
    storages = {
        scheme: type(f"Stored{kind.__name__}", (Stored,), {"storage": kind, "crawler": crawler})
        for scheme, kind in _classes(crawler.settings, "FEED_STORAGES")
        if kind.__module__ not in _OURS
    }
    _make_folders(crawler.settings)
    return {"FEED_FORMATS": {"csv": ScrapysCsv, **exporters}, "FEED_STORAGES": storages}


def _make_folders(settings: Any) -> None:
    """Make the folders that feeds go to, as Scrapy does; what cannot be made is told of when the feeds are checked."""
    for key in [*settings.getdict("FEEDS"), settings["FEED_URI"]]:
        place = file_uri_to_path(str(key)) if str(key).startswith("file:") else str(key or "")
        if "://" not in place:
            with suppress(OSError):
                Path(place.partition("%(")[0] + "x").parent.mkdir(parents=True, exist_ok=True)


def _classes(settings: Any, name: str) -> list[tuple[str, Any]]:
    named = {**settings.getwithbase(name)}
    return [(key, loaded(value, name)) for key, value in named.items() if value is not None]
