"""Which rows do items become, which tables are refused before the start, and what costs an item?"""

from __future__ import annotations

import dataclasses
import json
import logging
import sqlite3
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from crawler.commands import status_of
from crawler.errors import FeedError, OutputError
from crawler.feeds.items import Fields
from crawler.feeds.tables.address import Target
from crawler.feeds.tables.feed import TableFeed
from crawler.feeds.tables.sqlite import Sqlite
from tests.feeds.tables.conftest import Base
from tests.feeds.worlds import feed_for, write_all
from tests.servers.postgres import PostgresServer

WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone(timedelta(hours=2)))


class Colour(Enum):
    RED = "red"


@dataclasses.dataclass
class Book:
    title: str
    price: float | None = None
    pages: int | None = None
    tags: list[str] = dataclasses.field(default_factory=list)


def test_values_get_columns_of_their_types(base: Base) -> None:
    item = {
        "text": "é\0",
        "whole": 1 << 40,
        "half": 0.5,
        "yes": True,
        "exact": Decimal("1.50"),
        "when": WHEN,
        "day": date(2026, 3, 4),
        "raw": b"\0a",
        "tags": ["a", {"b": 1}],
        "colour": Colour.RED,
    }
    write_all(base.feed(), [item, {"text": "only"}])
    rows = base.run("SELECT text, whole, half, yes, exact, raw, colour FROM items ORDER BY half")
    expected = ("é\ufffd", 1 << 40, 0.5, True, Decimal("1.50"), b"\0a", "red")
    empty = ("only", None, None, None, None, None, None)
    assert sorted(rows, key=str) == sorted([expected if base.json == "JSONB" else
                                            (*expected[:4], "1.50", *expected[5:]), empty], key=str)  # fmt: skip
    ((when, day, tags),) = base.run("SELECT \"when\", day, tags FROM items WHERE text <> 'only'")
    if base.json == "JSONB":
        assert (when, day, tags) == (WHEN, date(2026, 3, 4), ["a", {"b": 1}])
    else:
        assert (when, day, json.loads(tags)) == (WHEN.isoformat(), "2026-03-04", ["a", {"b": 1}])


@pytest.mark.process
def test_a_moment_without_a_zone_is_one_of_utc(server: PostgresServer) -> None:
    name = server.database()
    write_all(f"{server.uri(name)}?table=t", [{"at": datetime(2026, 1, 2, 3)}])
    assert server.run(name, "SELECT at FROM t") == [(datetime(2026, 1, 2, 3, tzinfo=UTC),)]


def test_declared_types_make_the_columns_before_the_values_do(base: Base) -> None:
    write_all(base.feed(), [Book("a", 1), Book("b", 2.5, 3, ["x"])])  # type: ignore[list-item]
    assert base.run("SELECT title, price, pages FROM items ORDER BY title") == [("a", 1.0, None), ("b", 2.5, 3)]
    assert base.run("SELECT count(*) FROM items WHERE extra IS NOT NULL") == [(0,)]


def test_whole_and_broken_numbers_share_a_column_of_broken_ones(base: Base) -> None:
    write_all(base.feed(), [{"price": 1}, {"price": 2.5}])
    assert base.run("SELECT price FROM items ORDER BY price") == [(1.0,), (2.5,)]


def test_a_field_that_comes_later_and_a_value_of_another_type_go_into_extra(
    base: Base, caplog: pytest.LogCaptureFixture
) -> None:
    feed = feed_for(base.feed())
    feed.open(None, durable=False)
    feed.write([{"n": 1}], 1)
    with caplog.at_level(logging.WARNING):
        feed.write([{"n": "many", "late": [1]}, {"n": "more"}, {"extra": "mine"}], 4)
    feed.close(finished=True)
    rows = base.run("SELECT n, extra FROM items")
    found = [(n, extra if base.json == "JSONB" or extra is None else json.loads(extra)) for n, extra in rows]
    assert found == [
        (1, None),
        (None, {"n": "many", "late": [1]}),
        (None, {"n": "more"}),
        (None, {"extra": "mine"}),
    ]
    assert [record.message.count("'n'") for record in caplog.records] == [1]
    assert feed.count() == 4


ODD = [
    '"; DROP TABLE items; --',
    "100%",
    "%s",
    "select",
    "Ünï",
    "a b",
    "x" * 70,
    "x" * 70 + "y",
    "",
    "N",
    "n",
    "?",
    "ctid",
]


def test_names_of_fields_are_only_names(base: Base) -> None:
    item = {name: index for index, name in enumerate(ODD)}
    write_all(base.feed("odd%25%22name"), [item])
    cursor = base.run('SELECT * FROM "odd%""name"')
    assert len(cursor) == 1
    *values, extra = cursor[0]
    beyond = extra if base.json == "JSONB" else json.loads(extra) if extra else {}
    assert sorted([*filter(lambda value: value is not None, values), *beyond.values()]) == [*range(len(ODD))]
    assert all(ODD[value] == name for name, value in beyond.items() if name in ODD)


def test_a_key_overwrites_its_row(base: Base) -> None:
    write_all(base.feed(more="&key=url"), [{"url": "a", "n": 1}, {"url": "b", "n": 2}, {"url": "a", "n": 3}])
    write_all(base.feed(), [{"url": "b"}, {"url": "c", "n": 4}], {"key": ["url"]})
    assert base.run("SELECT url, n FROM items ORDER BY url") == [("a", 3), ("b", None), ("c", 4)]


def test_a_key_may_be_several_columns_or_all_there_are(base: Base) -> None:
    write_all(base.feed(more="&key=a,b"), [{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1, "b": 2}])
    assert base.run("SELECT a, b FROM items ORDER BY b") == [(1, 2), (1, 3)]


def test_overwriting_empties_the_table_and_appending_does_not(base: Base) -> None:
    write_all(base.feed(), [{"n": 1}])
    write_all(base.feed(), [{"n": 2}])
    assert base.run("SELECT n FROM items ORDER BY n") == [(1,), (2,)]
    write_all(base.feed(), [{"n": 3}], {"overwrite": True})
    assert base.run("SELECT n FROM items") == [(3,)]
    write_all(base.feed(), [], {"overwrite": True})
    assert base.run("SELECT n FROM items") == []


def test_fields_and_placeholders_are_those_of_files(base: Base) -> None:
    write_all(base.feed("%(name)s_items"), [{"a": 1, "b": 2}], {"fields": {"b": "B", "c": "C"}})
    assert base.run('SELECT "B", "C" FROM books_items') == [(2, None)]


def named(values: dict[str, Any], spider: Any) -> dict[str, Any]:
    return {**values, "what": "things"}


def test_placeholders_may_be_filled_by_a_function(base: Base) -> None:
    write_all(base.feed("%(what)s"), [{"a": 1}], {"uri_params": named})
    assert base.run("SELECT a FROM things") == [(1,)]


def test_a_crawl_without_a_job_leaves_no_mark(base: Base) -> None:
    write_all(base.feed(), [{"n": 1}])
    assert base.run("SELECT * FROM crawler_marks") == []


def test_a_row_that_the_table_refuses_costs_that_item_alone(base: Base) -> None:
    base.run(f"CREATE TABLE items (n INTEGER CHECK (n <> 7), extra {base.json})")
    feed = write_all(base.feed(), [{"n": n} for n in range(20)])
    assert [n for (n,) in base.run("SELECT n FROM items ORDER BY n")] == [n for n in range(20) if n != 7]
    ((item, error),) = feed.lost
    assert item == {"n": 7}
    assert "the table items refuses {'n': 7}" in str(error)
    assert "check" in str(error).lower()
    assert feed.count() == 19


def test_an_item_without_its_key_is_lost_by_name(base: Base) -> None:
    feed = write_all(base.feed(more="&key=url"), [{"url": "a"}, {"n": 1}])
    assert [item for item, _ in feed.lost] == [{"n": 1}]
    assert "url" in str(feed.lost[0][1])


def test_without_a_column_extra_what_has_no_place_is_lost_by_name(base: Base) -> None:
    base.run("CREATE TABLE items (n INTEGER)")
    feed = write_all(base.feed(), [{"n": 1}, {"n": "no"}], {"fields": ["n"]})
    assert base.run("SELECT n FROM items") == [(1,)]
    assert "'n' cannot be written" in str(feed.lost[0][1])


@pytest.mark.parametrize(
    ("table", "options", "more", "message"),
    [
        ("(n INTEGER)", {}, "", "no column 'extra' .*ALTER TABLE \"items\" ADD COLUMN extra"),
        ("(n INTEGER)", {"fields": ["n", "m"]}, "", "no column 'm' and none 'extra'"),
        ("(n INTEGER, extra TEXT)", {}, "&key=url", "no column 'url', which is to be its key"),
        ("(url TEXT, extra TEXT)", {}, "&key=url", 'CREATE UNIQUE INDEX "items_key" ON "items" \\("url"\\)'),
        ("(n INTEGER, m INTEGER NOT NULL)", {"fields": ["n"]}, "", "'m' of the table items needs a value"),
        (
            "(pages BOOLEAN, extra TEXT)",
            {"item_classes": [Book]},
            "",
            "'pages' .* is of type bool, .* declare it as int",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_told_before_the_start(
    base: Base, table: str, options: dict[str, Any], more: str, message: str
) -> None:
    base.run(f"CREATE TABLE items {table}")
    with pytest.raises(OutputError, match=message):
        feed_for(base.feed(more=more), options).check()


def test_the_command_that_a_message_recommends_makes_the_table_fit(base: Base) -> None:
    base.run("CREATE TABLE items (url TEXT)")
    for _ in range(2):
        with pytest.raises(OutputError) as refused:
            feed_for(base.feed(more="&key=url")).check()
        base.run(str(refused.value).split("`")[1])
    feed_for(base.feed(more="&key=url")).check()
    write_all(base.feed(more="&key=url"), [{"url": "a", "n": 1}, {"url": "a", "n": 2}])
    assert base.run("SELECT count(*) FROM items") == [(1,)]


@pytest.mark.parametrize(
    ("uri", "options", "message"),
    [
        ("sqlite:///x.db", {}, "names no table"),
        ("sqlite://x.db?table=a", {}, "is written sqlite:///FILE"),
        ("sqlite:///x.db?table=a&kee=b", {}, "unknown parameter 'kee'.*key"),
        ("sqlite:///x.db?table=a&schema=b", {}, "SQLite has no schemas"),
        ("sqlite:///none/x.db?table=a", {}, "there is no folder"),
        ("postgresql://h/d?table=a&password=b", {}, r"password=\*\*\*'.*PGPASSWORD"),
        ("postgresql://h/d?table=a", {"indent": 2}, "indent means nothing to a table"),
        ("postgresql://h/d?table=crawler_marks", {}, "can be no name of a table"),
        ("x.jsonl", {"key": "url"}, "key is for tables"),
    ],
)
def test_wrong_names_and_options_are_told_before_the_start(
    uri: str, options: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match=message):
        feed_for(uri, options).check()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_told_before_the_start(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("something else, and long enough to be looked at" * 100)
    with pytest.raises(OutputError, match="file is not a database"):
        feed_for(f"sqlite:///{tmp_path}/x.db?table=a").check()


@pytest.mark.process
def test_a_server_that_does_not_let_us_in_is_told_before_the_start(server: PostgresServer) -> None:
    name = server.database()
    server.run(name, "CREATE ROLE reader LOGIN")
    server.run(name, "CREATE TABLE items (n INTEGER, extra JSONB)")
    server.run(name, "CREATE TABLE crawler_marks (mark TEXT)")
    for uri, message in [
        (server.uri("nowhere"), 'database "nowhere" does not exist'),
        (server.uri(name, "nobody:secret"), 'role "nobody" does not exist'),
        (server.uri(name, "reader"), "lacks the right INSERT"),
        ("postgresql://127.0.0.1:1/x", "Connection refused"),
    ]:
        with pytest.raises(OutputError, match=message) as told:
            feed_for(f"{uri}?table=items").check()
        assert "secret" not in str(told.value)
    with pytest.raises(OutputError, match="lacks the right CREATE"):
        feed_for(f"{server.uri(name, 'reader')}?table=other").check()
    with pytest.raises(OutputError, match="there is no schema s"):
        feed_for(f"{server.uri(name)}?table=items&schema=s").check()


@pytest.mark.process
def test_a_schema_is_where_the_table_and_the_marks_are(server: PostgresServer) -> None:
    name = server.database()
    server.run(name, 'CREATE SCHEMA "sh%p"')
    write_all(f"{server.uri(name)}?table=items&schema=sh%25p", [{"n": 1}])
    assert server.run(name, 'SELECT n FROM "sh%p".items') == [(1,)]
    assert server.run(name, 'SELECT * FROM "sh%p".crawler_marks') == []


def test_a_table_that_goes_away_ends_the_feed(base: Base) -> None:
    feed = feed_for(base.feed())
    feed.open(None, durable=False)
    feed.write([{"n": 1}], 1)
    base.run("DROP TABLE items")
    feed.pause = lambda _: None
    with pytest.raises(FeedError, match="items"):
        feed.write([{"n": 2}], 2)
    with pytest.raises(FeedError, match="failed before"):
        feed.write([{"n": 3}], 3)
    feed.close(finished=False)


class FullDisk(Sqlite):
    """A disk on which no room is left for rows."""

    def execute_many(self, text: str, rows: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")


def test_a_full_disk_ends_the_feed_after_a_while(tmp_path: Path) -> None:
    feed = TableFeed("t", FullDisk(tmp_path / "x.db"), Fields(), Target("items"))
    waited: list[float] = []
    feed.pause = waited.append
    feed.open(None, durable=True)
    with pytest.raises(FeedError, match="database or disk is full"):
        feed.write([{"n": 1}], 1)
    feed.close(finished=False)
    assert waited == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_without_psycopg_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "crawler.feeds.tables.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.py").write_text(
        "from crawler import Spider\n\n\nclass One(Spider):\n    name = 'one'\n    start_urls = ['http://127.0.0.1:1/']\n"
    )
    assert status_of(["run", "one.py", "-o", "postgresql://127.0.0.1:1/x?table=items"]) == 2
    said = capsys.readouterr().err
    assert said == (
        "crawler: psycopg is not installed, which this needs: `pip install 'surecrawl[postgres]'` brings it\n"
    )


@pytest.mark.process
def test_a_password_that_the_job_did_not_keep_is_looked_for_and_asked_for(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = server.database()
    server.run(name, "CREATE ROLE keeper LOGIN PASSWORD 'pa ss'")
    server.run(name, "GRANT CREATE ON SCHEMA public TO keeper")
    server.ask_for_password("keeper")
    kept = f"{server.uri(name, 'keeper:***')}?table=items"
    with pytest.raises(OutputError, match=r"no password supplied; .* PGPASSWORD, ~/.pgpass or the setting STORE"):
        feed_for(kept).check()
    monkeypatch.setenv("PGPASSWORD", "pa ss")
    feed_for(kept).check()
    monkeypatch.setenv("PGPASSWORD", "wrong")
    credentials = [server.uri("", "keeper:pa%20ss").rstrip("/")]
    feed_for(kept, STORE_CREDENTIALS=credentials).check()
    with pytest.raises(OutputError, match="password authentication failed"):
        feed_for(kept).check()
