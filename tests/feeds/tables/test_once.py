"""Is every item in the table once, whatever is killed, cut off or put back?"""

from __future__ import annotations

import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import FeedError, OutputError
from crawler.feeds.items import Fields
from crawler.feeds.tables.address import Target
from crawler.feeds.tables.feed import TableFeed
from crawler.feeds.tables.sqlite import Sqlite
from tests.cluster.test_whole_feeds import Server, Writer
from tests.feeds.tables.conftest import Base, sqlite
from tests.feeds.worlds import feed_for
from tests.jobs.running import end, start, wait_for
from tests.jobs.web import Web
from tests.servers.postgres import PostgresServer


def begun(uri: str, *, overwrite: bool = False) -> tuple[Any, dict[str, Any]]:
    feed = feed_for(uri, {"overwrite": overwrite})
    feed.check()
    feed.open(None, durable=True)
    return feed, feed.write((), 0)


def resumed(uri: str, mark: dict[str, Any], *, overwrite: bool = False) -> tuple[Any, dict[str, Any]]:
    feed = feed_for(uri, {"overwrite": overwrite})
    feed.check()
    feed.open(mark, durable=True)
    return feed, feed.write((), mark["number"])


def kill(feed: Any) -> None:
    """What a kill leaves: the connection is closed, and nothing more is written."""
    feed.close(finished=False)


def numbers(base: Base) -> list[int]:
    return [n for (n,) in base.run("SELECT n FROM items ORDER BY n")]


@pytest.mark.parametrize("key", ["", "&key=n"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_kill_between_the_commit_of_the_table_and_that_of_the_job(base: Base, key: str, overwrite: bool) -> None:
    uri = base.feed(more=key)
    feed, _ = begun(uri, overwrite=overwrite)
    kept = feed.write([{"n": 1}, {"n": 2}], 2)
    feed.write([{"n": 3}], 3)  # of which the job never heard
    kill(feed)
    feed, opening = resumed(uri, kept, overwrite=overwrite)
    assert opening["number"] == 3, "the items up to there are not to be brought again"
    feed.write([{"n": 4}], 4)
    assert feed.close(finished=True)["number"] == 4
    assert numbers(base) == [1, 2, 3, 4]
    assert feed.count() == 4


def test_a_kill_before_the_first_mark_of_the_job(base: Base) -> None:
    base.run(f"CREATE TABLE items (n INTEGER, extra {base.json})")
    base.run("INSERT INTO items (n) VALUES (0)")
    feed, _ = begun(base.feed())
    kill(feed)
    feed, _ = begun(base.feed())
    feed.write([{"n": 1}], 1)
    feed.close(finished=True)
    assert numbers(base) == [0, 1]


def test_two_jobs_and_two_feeds_in_one_table_have_marks_of_their_own(base: Base) -> None:
    feeds = [begun(base.feed())[0], begun(base.feed())[0]]
    marks = [feed.write([{"n": n}], 10 * (n + 1)) for n, feed in enumerate(feeds)]
    for feed in feeds:
        kill(feed)
    for mark in marks:
        feed, opening = resumed(base.feed(), mark)
        assert opening == mark
        feed.close(finished=True)
    assert numbers(base) == [0, 1]
    assert base.run("SELECT spider, number FROM crawler_marks ORDER BY number") == [("books", 10), ("books", 20)]


def test_a_database_that_was_put_back_is_not_continued(base: Base) -> None:
    feed, mark = begun(base.feed())
    mark = feed.write([{"n": 1}], 1)
    feed.close(finished=False)
    base.run("UPDATE crawler_marks SET number = 0, items = 0")
    with pytest.raises(OutputError, match="the database has 0 of the 1 items that this job wrote"):
        resumed(base.feed(), mark)
    base.run("DELETE FROM crawler_marks")
    with pytest.raises(OutputError, match="has none of the 1 items"):
        resumed(base.feed(), mark)


def test_the_mark_of_a_file_is_not_one_of_a_table(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="did not write it to a table"):
        resumed(sqlite(tmp_path / "x.db").feed(), {"number": 1, "items": 1, "format": "jsonlines"})


class Cut(Sqlite):
    """A connection that breaks: ``when`` is the beginning of the statement with which it does, once.

    ``after``: the statement is carried out, and its answer does not come.
    """

    when = ""
    after = False

    def execute(self, text: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if self.when and text.startswith(self.when):
            self.when = ""
            if self.after:
                super().execute(text, values)
            self.close()
            raise sqlite3.OperationalError("the connection was cut")
        return super().execute(text, values)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("when", ["BEGIN", "CREATE TABLE", "SAVEPOINT", "RELEASE", 'INSERT INTO "crawler', "COMMIT"])
def test_a_connection_that_breaks_is_made_again(tmp_path: Path, when: str, after: bool) -> None:
    database = Cut(tmp_path / "x.db")
    feed = TableFeed("t", database, Fields(), Target("items"))
    waited: list[float] = []
    feed.pause = waited.append
    feed.open(None, durable=True)
    feed.write((), 0)
    for number in (1, 2):
        database.when, database.after = when, after
        feed.write([{"n": number}, {"n": -number, "extra": object()}], number)
        if when == "CREATE TABLE":
            break
    database.when = ""
    feed.close(finished=True)
    base = sqlite(tmp_path / "x.db")
    expected = [-1, 1] if when == "CREATE TABLE" else [-2, -1, 1, 2]
    assert (numbers(base), feed.count()) == (expected, len(expected))
    assert waited == [0.5] * (len(expected) // 2)


@pytest.mark.process
def test_a_server_that_is_started_again_gets_what_waited_and_one_that_is_gone_ends_the_feed(
    server: PostgresServer,
) -> None:
    name = server.database()
    uri = f"{server.uri(name)}?table=items"
    feed, mark = begun(uri)
    mark = feed.write([{"n": 1}], 1)
    server.stop()
    feed.pause = lambda _: server.start()
    mark = feed.write([{"n": 2}], 2)
    server.stop()
    feed.pause = lambda _: None
    with pytest.raises(FeedError, match=r"Connection refused|server closed|terminating"):
        feed.write([{"n": 3}], 3)
    feed.close(finished=False)
    server.start()
    feed, opening = resumed(uri, mark)
    assert opening["number"] == 2
    feed.write([{"n": 3}], 3)
    feed.close(finished=True)
    assert server.run(name, "SELECT n FROM items ORDER BY n") == [(1,), (2,), (3,)]


def test_a_server_of_jobs_that_goes_back_behind_the_table_is_told_and_loses_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    base = sqlite(tmp_path / "x.db")
    jobs = Server()
    writer = Tables(jobs, tmp_path, base.feed())
    jobs.items += [{"n": 1}, {"n": 2}]
    writer.look()
    older = jobs.state()
    jobs.items += [{"n": 3}, {"n": 4}]
    writer.look()
    jobs.go_back(older)
    jobs.items += [{"n": 5}]
    writer.look()
    jobs.items += [{"n": 6}]
    writer.look()
    assert writer.close() == [(base.feed(), 6)]
    assert numbers(base) == [1, 2, 3, 4, 5, 6]
    assert "put back to an older state" in caplog.text


class Tables(Writer):
    """The process that writes the feeds, into a table."""

    def __init__(self, server: Server, path: Path, uri: str) -> None:
        self.uri = uri
        super().__init__(server, path)

    def make(self) -> Sequence[Any]:
        return [feed_for(self.uri)]


_PAUSE = """
    CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.4); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER pause AFTER INSERT ON items DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.path = '/p/9') EXECUTE FUNCTION pause()
"""


@pytest.mark.process
def test_a_crawl_that_is_killed_while_the_table_commits_is_there_once(server: PostgresServer, tmp_path: Path) -> None:
    """The rows of the transaction come in after their crawler is dead, and the resume does not bring them again."""
    name = server.database()
    server.run(name, "CREATE TABLE items (path TEXT, title TEXT, extra JSONB)")
    server.run(name, _PAUSE)
    committing = "SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND wait_event = 'PgSleep'"
    uri = f"{server.uri(name)}?table=items"
    log, store = tmp_path / "log", ["-s", f"JOB_DIR={tmp_path / 'jobs'}"]
    with Web(pages=60) as web:
        crawl = start("crawl", "walk", "--job", "k", "-a", f"base={web.base}", "-o", uri, *store, log=log)
        wait_for(lambda: server.run(name, committing) or crawl.poll() is not None)
        end(crawl, signal.SIGKILL)
        assert start("resume", "k", *store, log=log).wait(30) == 0, log.read_text()
        paths = Counter(path for (path,) in server.run(name, "SELECT path FROM items"))
        assert set(paths) == web.paths
        assert max(paths.values()) == 1
    assert crawl.returncode == -signal.SIGKILL, log.read_text()


@pytest.mark.slow
@pytest.mark.process
def test_a_crawl_that_is_killed_at_any_moment_is_in_each_table_once(server: PostgresServer, tmp_path: Path) -> None:
    name = server.database()
    bases = [
        sqlite(tmp_path / "x.db"),
        Base(server.uri(name), lambda statement: server.run(name, statement), "JSONB"),
    ]
    outputs = [argument for base in bases for argument in ("-o", base.feed(), "-O", base.feed("keyed", "&key=path"))]
    log, store = tmp_path / "log", ["-s", f"JOB_DIR={tmp_path / 'jobs'}"]
    rng = random.Random(11)
    with Web(pages=200) as web:
        crawl = start("crawl", "walk", "--job", "k", "-a", f"base={web.base}", *outputs, *store, log=log)
        for _ in range(3):
            goal = len(web.log) + rng.randrange(20, 60)
            wait_for(lambda goal=goal, crawl=crawl: len(web.log) >= goal or crawl.poll() is not None)
            end(crawl, signal.SIGKILL)
            crawl = start("resume", "k", *store, log=log)
        assert crawl.wait(60) == 0, log.read_text()
        for base in bases:
            for table in ("items", "keyed"):
                assert Counter(path for (path,) in base.run(f"SELECT path FROM {table}")) == Counter(web.paths)
