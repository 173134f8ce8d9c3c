"""Do a project's exporters and storages write its feeds?"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.assembly.making import load_settings, make
from crawler.feeds.formats import FormatOptions
from crawler.feeds.items import Declared
from crawler.feeds.make import make_feeds
from crawler.scrapy.adapters.feeds import Exported
from crawler.scrapy.exporters import BaseItemExporter, CsvItemExporter, JsonItemExporter, PickleItemExporter
from crawler.scrapy.item import Field, Item
from crawler.scrapy.spiders import Spider


class Tea(Item):
    name = Field()
    price = Field(serializer=lambda value: f"{value} EUR")
    rest = Field()


class Semicolons(CsvItemExporter):
    def __init__(self, file: Any, **options: Any) -> None:
        super().__init__(file, delimiter=";", **options)


class Gathered(BaseItemExporter):
    """Says nothing before it finishes, as a workbook does."""

    def __init__(self, file: Any, **options: Any) -> None:
        super().__init__(dont_fail=True, **options)
        self.file, self.items = file, []

    def export_item(self, item: Any) -> None:
        self.items.append(dict(self.get_serialized_fields(item)))

    def finish_exporting(self) -> None:
        self.file.write(json.dumps(self.items).encode())


SPIDER = """
import scrapy
from scrapy.extensions.feedexport import BlockingFeedStorage

class Kept(BlockingFeedStorage):
    def __init__(self, uri, *, feed_options=None):
        self.uri = uri

    def _store_in_thread(self, file):
        file.seek(0)
        with open("stored", "wb") as kept:
            kept.write(self.uri.encode() + b"\\n" + file.read())
        file.close()

class Shop(scrapy.Spider):
    name = "shop"
    start_urls = ["data:,Assam"]
    custom_settings = {
        "FEED_STORAGES": {"kept": Kept}, "FEEDS": {"kept://here/teas.jl": {"format": "jsonlines"}},
    }

    def parse(self, response):
        yield {"name": response.text}
"""


def written(**settings: Any) -> None:
    """Write two items to the feeds that settings name."""
    spider = type("Shop", (Spider,), {"name": "shop", "custom_settings": settings})
    made = make(spider, load_settings(spider, None), {})
    core = made.settings.core
    for feed in make_feeds(core.FEEDS, core, spider_name="shop", started=datetime.now(UTC), declared=made.settings.of):
        feed.open(None, durable=False)
        feed.write([Tea(name="Assam", price=3), Tea(name="Lapsang; smoked", price=4)], 2)
        feed.close(finished=True)


def test_an_exporter_of_the_projects_own_writes_a_feed(tmp_path: Path) -> None:
    file = tmp_path / "not" / "there yet" / "teas.csv"
    written(FEED_EXPORTERS={"csv": Semicolons}, FEEDS={str(file): {"format": "csv"}})
    assert file.read_bytes() == b'name;price;rest\r\nAssam;3 EUR;\r\n"Lapsang; smoked";4 EUR;\r\n'


def test_an_exporter_that_only_writes_at_the_end_has_seen_all_items(tmp_path: Path) -> None:
    file = tmp_path / "teas.book"
    written(FEED_EXPORTERS={"book": Gathered}, FEEDS={str(file): {"format": "book", "item_export_kwargs": {"odd": 1}}})
    assert [each["name"] for each in json.loads(file.read_text())] == ["Assam", "Lapsang; smoked"]


def test_a_feed_of_an_exporter_goes_on_from_its_state() -> None:
    kind = type("Json", (Exported,), {"exporter": JsonItemExporter, "crawler": None})
    first, second = kind(FormatOptions()), kind(FormatOptions())
    text = first.start() + first.encode([{"a": 1}])
    second.restore(first.state())
    text += second.encode([{"a": 2}]) + second.finish()
    assert json.loads(text) == [{"a": 1}, {"a": 2}]


def test_items_of_other_classes_than_the_first_are_whole_in_a_pickle() -> None:
    kind = type("Pickles", (Exported,), {"exporter": PickleItemExporter, "crawler": None})
    form = kind(FormatOptions())
    text = form.start() + form.encode([Declared({"a": 1}, ["a", "b"]), {"c": 2}]) + form.finish()
    assert text.count(b"K\x02") == 1


@pytest.mark.process
def test_a_storage_of_the_projects_own_is_given_the_file(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(SPIDER, encoding="utf-8")
    command = [sys.executable, "-m", "crawler", "run", "shop.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    said = (tmp_path / "stored").read_text(encoding="utf-8")
    assert said == "kept://here/teas.jl\n" + '{"name":"Assam"}\n'


def scrapys_csv(options: FormatOptions) -> Any:
    spider = type("Shop", (Spider,), {"name": "shop"})
    return make(spider, load_settings(spider, None), {}).settings.core.FEED_FORMATS["csv"](options)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (["a", "b"], "a,b"),
        ([1, None], "[1, None]"),
        ([{"a": "b"}], "[{'a': 'b'}]"),
        ({"a": [1]}, "{'a': [1]}"),
        (b"\xc3\xa9", "é"),
        (datetime(2020, 1, 2, 3, 4, 5), "2020-01-02 03:04:05"),
        (1.5, "1.5"),
        (None, ""),
    ],
)
def test_a_cell_of_a_csv_is_what_scrapy_writes(value: Any, cell: str) -> None:
    form = scrapys_csv(FormatOptions())
    rows = csv.reader(form.encode([{"a": value, "b": 1}]).decode().splitlines())
    assert list(rows) == [["a", "b"], [cell, "1"]]


def test_a_csv_has_no_header_before_there_is_an_item() -> None:
    form = scrapys_csv(FormatOptions(names={"a": "A"}))
    assert form.start() == b""
    assert form.encode([{"A": 1}]) == b"A\r\n1\r\n"
