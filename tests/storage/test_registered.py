"""Are fingerprints known wherever they lie: in memory, in the table they wait in, and in the tree?"""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from crawler.errors import StoreError
from crawler.frontier.store import START, Finished
from crawler.storage import bulk, jobfile
from crawler.storage.registered import Registered
from crawler.storage.trace import trace
from tests.storage.support import Stores, begin, offer


def counts(path: Path) -> tuple[int, int]:
    with sqlite3.connect(path) as sql:
        found = tuple(sql.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("fresh", "seen"))
    sql.close()
    return found[0], found[1]


def keep_out_of_the_tree(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Let so many fingerprints wait outside the tree."""
    monkeypatch.setattr(jobfile, "Registered", partial(Registered, most=most))


def test_duplicates_are_known_before_and_after_they_move_and_after_a_resume(
    sqlite: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_out_of_the_tree(monkeypatch, 10)
    store = sqlite.open()
    urls = [f"http://a/{number}" for number in range(35)]
    for first in range(0, 35, 7):
        assert None not in begin(sqlite, store, *urls[first : first + 7])
    assert counts(sqlite.path) == (7, 28)
    assert begin(sqlite, store, *urls) == [None] * 35
    for url in (urls[0], urls[-1]):
        found = trace(sqlite.path, offer(url).fingerprint)
        assert found is not None
        assert found.url == url
    sqlite.finish(store)
    store = sqlite.open()
    assert begin(sqlite, store, *urls) == [None] * 35
    assert sqlite.wait(store.claim(0, [offer(urls[0]).fingerprint, offer("http://a/new").fingerprint])) == [False, True]


def test_what_a_failed_commit_registered_is_not_known(sqlite: Stores) -> None:
    store = sqlite.open()
    child = offer("http://a/1")
    with pytest.raises(StoreError, match="cannot be finished"):
        sqlite.wait(store.commit([Finished(START, children=[child]), Finished(99)]))
    assert sqlite.wait(store.claim(0, [child.fingerprint])) == [True]
    assert None not in begin(sqlite, store, "http://a/1")


def test_a_move_that_fails_costs_nothing(sqlite: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_out_of_the_tree(monkeypatch, 3)
    store = sqlite.open()

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Registered, "merge", full)
        begin(sqlite, store, *[f"http://a/{number}" for number in range(4)])
    assert counts(sqlite.path) == (4, 0)
    assert begin(sqlite, store, "http://a/1", "http://a/new")[0] is None
    assert counts(sqlite.path) == (0, 5)


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 64, 100, 257, 1000])
def test_rows_of_any_number_are_written_in_order(size: int) -> None:
    sql = sqlite3.connect(":memory:", isolation_level=None)
    sql.execute("CREATE TABLE t (number INTEGER PRIMARY KEY, twice INTEGER)")
    rows = [(number, 2 * number) for number in range(size)]
    bulk.write(sql, "INSERT INTO t", rows)
    assert sql.execute("SELECT * FROM t").fetchall() == rows
    bulk.write(
        sql, "UPDATE t SET twice = v.column2 FROM (", [(n, -n) for n, _ in rows], ") AS v WHERE number = v.column1"
    )
    assert sql.execute("SELECT * FROM t").fetchall() == [(number, -number) for number in range(size)]
    sql.close()
