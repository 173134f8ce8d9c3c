"""What becomes of a feed's file that goes through plug-ins, of its placeholders, and of fields that are not set?"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

import crawler as scrapy
from crawler.config.schema import CoreSettings
from crawler.errors import FeedError, OutputError
from crawler.feeds import make_feeds
from tests.feeds.worlds import STARTED, feed_for, kill, write_all

ITEMS = [{"a": 1}, {"a": 2}]


class Zipped:
    """Scrapy's GzipPlugin as its documentation has it."""

    def __init__(self, file: Any, feed_options: dict[str, Any]) -> None:
        self.gzip_file = gzip.GzipFile(fileobj=file, mode="wb", compresslevel=feed_options.get("gzip_compresslevel", 9))

    def write(self, data: bytes) -> int:
        return self.gzip_file.write(data)

    def close(self) -> None:
        self.gzip_file.close()


class Shouting:
    """Writes a last line, and closes what it writes to, as some do."""

    closed = 0

    def __init__(self, file: Any, feed_options: dict[str, Any]) -> None:
        self.file = file

    def write(self, data: bytes) -> Any:
        return self.file.write(data.upper())

    def close(self) -> None:
        Shouting.closed += 1
        self.file.write(b"END\n")
        self.file.close()


def test_plug_ins_are_one_after_the_other_and_each_is_closed_once(tmp_path: Path) -> None:
    Shouting.closed = 0
    options = {"postprocessing": [Shouting, Zipped], "gzip_compresslevel": 1, "overwrite": True}
    write_all(tmp_path / "x.jl.gz", ITEMS, options)
    assert gzip.decompress((tmp_path / "x.jl.gz").read_bytes()) == b'{"A":1}\n{"A":2}\nEND\n'
    assert Shouting.closed == 1
    assert [path.name for path in tmp_path.iterdir()] == ["x.jl.gz"]


def test_a_file_with_plug_ins_has_every_item_once_after_a_kill(tmp_path: Path) -> None:
    options = {"postprocessing": [Shouting], "overwrite": True}
    path = tmp_path / "x.jl"
    feed = feed_for(path, options)
    feed.place(tmp_path / "job")
    feed.open(None, durable=True)
    feed.committed(feed.write((), 0))
    mark = feed.write(ITEMS, 2)
    feed.committed(mark)
    feed.write([{"a": 3}], 3)
    kill(feed)
    assert not path.exists()
    feed = feed_for(path, options)
    feed.place(tmp_path / "job")
    feed.open(mark, durable=True)
    feed.committed(feed.write([{"a": 3}], 3))
    feed.close(finished=True)
    assert path.read_bytes() == b'{"A":1}\n{"A":2}\n{"A":3}\nEND\n'


class Failing(Shouting):
    def write(self, data: bytes) -> Any:
        raise RuntimeError("no more paper")


def test_a_plug_in_that_raises_costs_no_item_and_no_file(tmp_path: Path) -> None:
    path = tmp_path / "x.jl"
    path.write_text("old")
    feed = feed_for(path, {"postprocessing": [Failing], "overwrite": True})
    feed.pause = lambda _: None
    feed.open(None, durable=False)
    feed.committed(feed.write(ITEMS, 2))
    with pytest.raises(FeedError, match=r"RuntimeError: no more paper; the file is kept as (.*)") as caught:
        feed.close(finished=True)
    kept = Path(str(caught.value).rpartition("kept as ")[2])
    assert kept.read_text() == '{"a":1}\n{"a":2}\n'
    assert path.read_text() == "old"


def test_a_folder_that_is_not_there_is_told_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is no folder"):
        feed_for(tmp_path / "none" / "x.jl", {"postprocessing": [Shouting], "overwrite": True}).check()


class Spider:
    name = "books"
    region = "north"


def named(url: str, function: Any, **settings: Any) -> Path:
    core = CoreSettings(**settings)
    (feed,) = make_feeds({url: {"uri_params": function}}, core, spider_name="books", started=STARTED, spider=Spider())
    return Path(feed.path)  # type: ignore[attr-defined]  # it is a FileFeed


def test_a_function_gives_the_placeholders(tmp_path: Path) -> None:
    path = named(f"{tmp_path}/%(where)s-%(name)s.jl", lambda params, spider: {**params, "where": spider.region})
    assert path.name == "north-books.jl"


def test_a_function_that_returns_nothing_changes_nothing(tmp_path: Path) -> None:
    assert named(f"{tmp_path}/%(name)s.jl", lambda params, spider: None).name == "books.jl"


def test_what_a_function_gives_adds_no_folder(tmp_path: Path) -> None:
    assert named(f"{tmp_path}/%(x)s.jl", lambda params, spider: {"x": "../../etc/x"}).parent == tmp_path


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda params, spider: {}, r"unknown placeholder %\(where\)s"),
        (lambda params, spider: 1 // 0, "the function of its placeholders raised ZeroDivisionError"),
        (lambda params, spider: 3, "has to return a dict, or None, and returned 3"),
        (lambda: None, "the function of its placeholders raised TypeError"),
        (5, "uri_params is 5, which is no function"),
    ],
)
def test_a_function_that_does_not_do_is_told_before_the_start(tmp_path: Path, function: Any, said: str) -> None:
    with pytest.raises(OutputError, match=said):
        named(f"{tmp_path}/%(where)s.jl", function)


class Book(scrapy.Item):
    title = scrapy.Field()
    price = scrapy.Field()


class Film(msgspec.Struct):
    title: str
    year: int | msgspec.UnsetType = msgspec.UNSET


@dataclass
class Song:
    title: str
    length: int | None = None


@pytest.mark.parametrize(
    "options", [{"export_empty_fields": True}, {"item_export_kwargs": {"export_empty_fields": True}}]
)
def test_fields_that_are_not_set_are_written_if_that_is_asked_for(tmp_path: Path, options: dict[str, Any]) -> None:
    items = [Book(price=1), Film("f"), Song("s"), {"x": 1}]
    write_all(tmp_path / "x.jl", items, options)
    assert [json.loads(line) for line in (tmp_path / "x.jl").read_text().splitlines()] == [
        {"title": None, "price": 1}, {"title": "f", "year": None}, {"title": "s", "length": None}, {"x": 1}
    ]  # fmt: skip
    write_all(tmp_path / "y.jl", items, {**options, "fields": {"title": "Title", "price": "Price"}})
    assert [json.loads(line) for line in (tmp_path / "y.jl").read_text().splitlines()] == [
        {"Title": None, "Price": 1}, {"Title": "f", "Price": None}, {"Title": "s", "Price": None},
        {"Title": None, "Price": None},
    ]  # fmt: skip


def test_fields_that_are_not_set_are_left_out_otherwise(tmp_path: Path) -> None:
    write_all(tmp_path / "x.jl", [Book(price=1), Film("f")])
    assert (tmp_path / "x.jl").read_text() == '{"price":1}\n{"title":"f"}\n'
