"""Are Parquet files whole, of the right types, and with every item once, whatever kills the process?"""

from __future__ import annotations

import dataclasses
import errno
import io
import random
import signal
import sys
import time
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import duckdb
import fsspec
import msgspec
import pydantic
import pytest
from pyarrow import parquet

from crawler import Item
from crawler.commands import status_of
from crawler.errors import FeedError, OutputError
from crawler.feeds.formats import FormatOptions
from crawler.feeds.formats.parquet import MOST_COLUMNS, Parquet
from crawler.feeds.parquet import write_parquet
from crawler.model.item import Field
from tests.feeds.worlds import feed_for, write_all
from tests.jobs.running import end, start
from tests.jobs.web import Web


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(items: list[Any], **options: Any) -> Any:
    """The table of the one file that the items make."""
    write_all("x.parquet", items, {"overwrite": True, **options})
    assert [path.name for path in sorted(Path().iterdir())] == ["x-00001.parquet"]
    return parquet.read_table("x-00001.parquet")


def types(table: Any) -> dict[str, str]:
    return {field.name: str(field.type) for field in table.schema}


def test_values_get_columns_of_their_types() -> None:
    item = {
        "text": "é",
        "whole": 1 << 40,
        "half": 0.5,
        "yes": True,
        "exact": Decimal("1.50"),
        "when": datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=UTC),
        "day": date(2026, 3, 4),
        "raw": b"\0a",
        "tags": ["a", "b"],
        "made": {"by": 1},
        "none": None,
    }
    table = written([item, {"text": "only"}])
    assert types(table) == {
        "text": "string",
        "whole": "int64",
        "half": "double",
        "yes": "bool",
        "exact": "decimal128(38, 10)",
        "when": "timestamp[us, tz=UTC]",
        "day": "date32[day]",
        "raw": "binary",
        "tags": "list<element: string>",
        "made": "string",
        "none": "string",
    }
    assert table.to_pylist() == [item | {"made": '{"by":1}'}, dict.fromkeys(item) | {"text": "only"}]
    row = duckdb.sql("SELECT whole + 1, exact * 2, tags[2], year(day), made::JSON->>'by' FROM 'x-*.parquet'").fetchall()
    assert row == [((1 << 40) + 1, Decimal("3.00"), "b", 2026, "1"), (None,) * 5]


@dataclasses.dataclass
class OfDataclass:
    price: float | None = None
    tags: list[str] = dataclasses.field(default_factory=list)
    at: datetime | None = None


@attrs.define
class OfAttrs:
    price: float | None = None
    tags: list[str] = attrs.field(factory=list)
    at: datetime | None = None


class OfPydantic(pydantic.BaseModel):
    price: float | None = None
    tags: list[str] = []
    at: datetime | None = None


class OfMsgspec(msgspec.Struct):
    price: float | None = None
    tags: list[str] = []
    at: datetime | None = None


class OfItem(Item):
    price = Field(type=float)
    tags = Field(type=list[str])
    at = Field(type=datetime)


@pytest.mark.parametrize("kind", [OfDataclass, OfAttrs, OfPydantic, OfMsgspec, OfItem])
def test_what_a_class_declares_are_the_types(kind: type) -> None:
    assert types(written([kind(price=1)])) == {
        "price": "double",
        "tags": "list<element: string>",
        "at": "timestamp[us, tz=UTC]",
    }


@pytest.mark.parametrize(
    ("values", "kind", "read"),
    [
        ([1, 2.5], "double", [1.0, 2.5]),
        ([1, "b"], "string", ["1", "b"]),
        ([True, 1], "string", ["True", "1"]),
        ([1, Decimal("2.5")], "decimal128(38, 10)", [Decimal(1), Decimal("2.5")]),
        ([0.5, Decimal("2.5")], "string", ["0.5", "2.5"]),
        ([Decimal("1e-20")], "string", ["1E-20"]),
        ([Decimal("nan")], "string", ["NaN"]),
        ([1 << 70], "decimal128(38, 10)", [Decimal(1 << 70)]),
        ([10**40], "string", [str(10**40)]),
        ([(1 << 60) + 1, 0.5], "double", [float(1 << 60), 0.5]),
        ([[1], [2.5, None]], "list<element: double>", [[1.0], [2.5, None]]),
        ([[], ["a"]], "list<element: string>", [[], ["a"]]),
        ([[date(2026, 1, 2)]], "list<element: string>", [["2026-01-02"]]),
        ([["a"], "b"], "string", ['["a"]', '"b"']),
        ([[{"a": 1}], [1]], "string", ['[{"a":1}]', "[1]"]),
        ([date(2026, 1, 2), datetime(2026, 1, 2)], "string", ["2026-01-02", "2026-01-02T00:00:00"]),
        ([datetime(2026, 1, 2)], "timestamp[us, tz=UTC]", [datetime(2026, 1, 2, tzinfo=UTC)]),
        (["\ud800\0"], "string", ["\ufffd\ufffd"]),
    ],
)
def test_a_mixture_is_of_the_narrowest_type_that_holds_all(values: list[Any], kind: str, read: list[Any]) -> None:
    table = written([{"a": value} for value in values])
    assert types(table) == {"a": kind}
    assert table.column("a").to_pylist() == read


def test_each_file_has_as_many_items_as_are_asked_for_and_the_columns_of_those_before() -> None:
    items: list[dict[str, Any]] = [{"n": n} for n in range(4)] + [{"late": "x", "n": 4}]
    write_all("x.parquet", items, {"overwrite": True, "batch_item_count": 2})
    names = [f"x-0000{number}.parquet" for number in (1, 2, 3)]
    assert [path.name for path in sorted(Path().iterdir())] == names
    assert [parquet.read_table(name).column("n").to_pylist() for name in names] == [[0, 1], [2, 3], [4]]
    assert duckdb.sql("SELECT sum(n) FROM read_parquet('x-*.parquet', union_by_name = true)").fetchall() == [(10,)]


def test_a_name_may_say_where_its_number_stands() -> None:
    write_all("%(batch_id)d of %(name)s.parquet", [{"n": 1}], {"overwrite": True})
    assert [path.name for path in Path().iterdir()] == ["1 of books.parquet"]


def test_files_that_an_earlier_crawl_left_behind_the_last_one_go() -> None:
    options = {"overwrite": True, "batch_item_count": 1}
    write_all("x.parquet", [{"n": n} for n in range(5)], options)
    Path("x-00007.parquet").touch()
    write_all("x.parquet", [{"n": 9}, {"n": 8}], options)
    assert sorted(path.name for path in Path().iterdir()) == ["x-00001.parquet", "x-00002.parquet", "x-00007.parquet"]
    write_all("x.parquet", [], options)
    assert [path.name for path in Path().iterdir()] == ["x-00007.parquet"]


def test_appending_puts_files_behind_those_that_are_there() -> None:
    write_all("x.parquet", [{"n": n} for n in range(3)], {"batch_item_count": 2})
    write_all("x.parquet", [{"n": n} for n in range(3, 6)], {"batch_item_count": 2})
    write_all("x.parquet", [], {"batch_item_count": 2})
    assert [parquet.read_table(path).column("n").to_pylist() for path in sorted(Path().iterdir())] == [
        [0, 1], [2], [3, 4], [5],
    ]  # fmt: skip


def test_two_processes_never_number_files_at_once() -> None:
    one, other = feed_for("x.parquet"), feed_for("x.parquet", {"overwrite": True})
    one.open(None, durable=False)
    with pytest.raises(OutputError, match="is writing to it"):
        other.open(None, durable=False)
    one.write([{"n": 1}], 1)
    one.close(finished=True)
    other.open(None, durable=False)
    other.close(finished=False)
    assert [path.name for path in Path().iterdir()] == ["x-00001.parquet"]


def test_without_an_item_there_is_a_file_if_it_is_known_what_columns_it_has() -> None:
    assert types(written([], item_classes=[OfDataclass])) == {
        "price": "double",
        "tags": "list<element: string>",
        "at": "timestamp[us, tz=UTC]",
    }


def test_fields_beyond_so_many_are_in_one_column() -> None:
    item = {f"f{number}": number for number in range(MOST_COLUMNS + 2)}
    table = written([item, {"f0": 1, "other": "x"}])
    assert table.num_columns == MOST_COLUMNS + 1
    assert table.column("extra").to_pylist() == ['{"f1000":1000,"f1001":1001}', '{"other":"x"}']


def test_what_is_held_in_memory_is_a_row_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.feeds.parquet.GROUP_ROWS", 10)
    written([{"n": n} for n in range(25)], item_export_kwargs={"compression": "snappy"})
    groups = parquet.ParquetFile("x-00001.parquet").metadata
    assert [groups.row_group(number).num_rows for number in range(groups.num_row_groups)] == [10, 10, 5]
    assert groups.row_group(0).column(0).compression == "SNAPPY"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("s3://box/x.parquet", {"overwrite": False}, "nothing is appended to a file that is made as a whole"),
        ("x.parquet.gz", {"overwrite": True}, "compressed inside; .gz does not belong"),
        ("-:parquet", {}, "parquet is written as whole files alone"),
        ("none/x.parquet", {"overwrite": True}, "there is no folder"),
        ("x.parquet", {"overwrite": True, "item_export_kwargs": {"compression": "rar"}}, "compression is one of none"),
        ("x.parquet", {"overwrite": True, "item_export_kwargs": {"delimiter": ";"}}, "delimiter mean nothing"),
    ],
)
def test_what_cannot_be_is_told_before_the_start(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OutputError, match=message):
        feed_for(name, options).check()
    assert list(Path().iterdir()) == []


def test_without_pyarrow_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "crawler.feeds.parquet", raising=False)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    Path("one.py").write_text(
        "from crawler import Spider\n\n\nclass One(Spider):\n    name = 'one'\n    start_urls = ['http://127.0.0.1:1/']\n"
    )
    assert status_of(["run", "one.py", "-O", "x.parquet"]) == 2
    said = capsys.readouterr().err
    assert said == "crawler: pyarrow is not installed, which this needs: `pip install 'surecrawl[parquet]'` brings it\n"


def test_a_state_holds_the_columns_so_far() -> None:
    one, other = Parquet(FormatOptions()), Parquet(FormatOptions())
    encoded = one.encode([{"a": 1}, {"a": "b", "c": [1]}])
    other.restore(msgspec.json.decode(msgspec.json.encode(one.state())))
    Path("records").write_bytes(encoded + other.encode([{"d": 0.5}]) + other.finish())
    other.convert(Path("records"), Path("made"))
    assert types(parquet.read_table("made")) == {"a": "string", "c": "list<element: int64>", "d": "double"}


GROUPS = [[{"n": 1}, {"n": 2}], [{"n": 3}, {"n": "four"}, {"n": 5}], [{"n": 6}], [{"n": 7}, {"n": 8}]]


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("size", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("how", ["before the mark", "after the mark", "sent", "stopped"])
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_kill_at_any_group_changes_nothing(overwrite: bool, how: str, size: int, at: int) -> None:
    def begun(mark: Any) -> Any:
        feed = feed_for("x.parquet", {"overwrite": overwrite, "batch_item_count": size})
        feed.place(Path("job"))
        feed.check()
        feed.open(mark, durable=True)
        opening = feed.write((), mark["number"] if mark else 0)
        feed.kept(opening)
        feed.committed(opening)
        return feed, opening

    write_all("x.parquet", [{"n": 0}])
    before = [] if overwrite else ["0"]
    feed, mark = begun(None)
    for number, group in enumerate(GROUPS, 1):
        new = feed.write(group, number)
        if number - 1 == at and how == "before the mark":
            kill(feed)
            feed, mark = begun(mark)
            new = feed.write(group, number)
        elif number - 1 == at and how == "after the mark":
            kill(feed)
            feed, new = begun(new)
        feed.kept(new)
        feed.committed(new)
        mark = new
        if number - 1 == at and how == "sent":
            kill(feed)
            feed, mark = begun(mark)
        elif number - 1 == at and how == "stopped":
            mark = feed.close(finished=False)
            assert found() == before + [str(item["n"]) for group in GROUPS[:number] for item in group]
            feed, mark = begun(mark)
    feed.close(finished=True)
    assert found() == before + [str(item["n"]) for group in GROUPS for item in group]


def kill(feed: Any) -> None:
    """What SIGKILL does to a feed: its files are closed, the lock is gone, and nothing more is written."""
    feed.let_go()
    if hasattr(feed, "unlock"):
        feed.unlock()


class Killed(BaseException):
    """The process is gone in the middle of what it does."""


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("store", ["x.parquet", "memory://box/x.parquet"])
def test_a_kill_while_a_file_is_made_leaves_those_before_and_loses_nothing(
    store: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = fsspec.filesystem("memory")
    box.rm("/box", recursive=True) if box.exists("/box") else None

    def files() -> list[Any]:
        if "memory" in store:
            made = [box.cat(path) for path in sorted(box.find("/box"))]
        else:
            made = [path.read_bytes() for path in sorted(Path().glob("x-*"))]
        return [parquet.read_table(io.BytesIO(data)).column("n").to_pylist() for data in made]

    def begun(mark: Any) -> Any:
        feed = feed_for(store, {"overwrite": True, "batch_item_count": 2})
        feed.place(Path("job"))
        feed.open(mark, durable=True)
        keep(feed, feed.write((), mark["number"] if mark else 0))
        return feed

    def keep(feed: Any, mark: Any) -> Any:
        feed.kept(mark)
        feed.committed(mark)
        return mark

    def write_half(made: Path, columns: Any, records: Any, **more: Any) -> None:
        if len(files()) == number - 1:
            made.write_bytes(b"PAR1 and no end")
            raise Killed
        write(made, columns, records, **more)

    write = write_parquet
    monkeypatch.setattr("crawler.feeds.parquet.write_parquet", write_half)
    feed = begun(None)
    mark: Any = None
    for n in (0, 2, 4)[: number - 1]:
        mark = keep(feed, feed.write([{"n": n}, {"n": n + 1}], n + 2))
    n = 2 * (number - 1)
    mark = feed.write([{"n": n}, {"n": n + 1}], n + 2)
    with pytest.raises(Killed):
        keep(feed, mark)
    kill(feed)
    assert files() == [[0, 1], [2, 3], [4, 5]][: number - 1]
    monkeypatch.setattr("crawler.feeds.parquet.write_parquet", write)
    feed = begun(mark)
    for n in range(mark["number"], 7):
        keep(feed, feed.write([{"n": n}], n + 1))
    feed.close(finished=True)
    assert files() == [[0, 1], [2, 3], [4, 5], [6]]


def test_a_full_disk_names_the_file_and_keeps_the_items(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    feed = feed_for("x.parquet", {"overwrite": True})
    feed.place(Path("job"))
    feed.pause = lambda _: None
    feed.open(None, durable=True)
    keep = feed.write((), 0)
    feed.committed(keep)
    mark = feed.write([{"n": 1}], 1)
    feed.committed(mark)
    with monkeypatch.context() as full:
        full.setattr("crawler.feeds.parquet.write_parquet", no_room)
        with pytest.raises(FeedError, match=r"x-00001.parquet could not be written: No space left .* kept as .*job"):
            feed.close(finished=True)
    assert not list(Path().glob("x-*"))
    feed = feed_for("x.parquet", {"overwrite": True})
    feed.place(Path("job"))
    feed.open(mark, durable=True)
    feed.committed(feed.write((), 1))
    feed.close(finished=True)
    assert found() == ["1"]


def found() -> list[str]:
    """What all files have, in their order; each must be whole."""
    tables = [parquet.read_table(path) for path in sorted(Path().glob("x-*.parquet"))]
    return [str(value) for table in tables for value in table.column("n").to_pylist()]


@pytest.mark.slow
@pytest.mark.process
def test_a_crawl_that_is_killed_has_whole_files_and_every_item_once(tmp_path: Path) -> None:
    log, store = tmp_path / "log", ["-s", f"JOB_DIR={tmp_path / 'jobs'}"]
    output = ["-O", str(tmp_path / "x.parquet"), "-s", "FEED_EXPORT_BATCH_ITEM_COUNT=40"]
    rng = random.Random(5)
    with Web(pages=200) as web:
        crawl = start("crawl", "walk", "--job", "k", "-a", f"base={web.base}", *output, *store, log=log)
        for _ in range(2):
            count = len(web.log)
            until = time.monotonic() + 10
            while len(web.log) < count + 50 and crawl.poll() is None and time.monotonic() < until:
                time.sleep(0.002)
            time.sleep(rng.random() * 0.1)
            end(crawl, signal.SIGKILL)
            for part in tmp_path.glob("x-*.parquet"):
                assert parquet.read_table(part).num_rows == 40
            crawl = start("resume", "k", *store, log=log)
        assert crawl.wait(60) == 0, log.read_text()
        read = duckdb.sql(f"SELECT path FROM read_parquet('{tmp_path}/x-*.parquet', union_by_name = true)").fetchall()
        assert Counter(path for (path,) in read) == Counter(web.paths)
