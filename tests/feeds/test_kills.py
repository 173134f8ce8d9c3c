"""Does a feed killed at any moment end with the items of one never killed, each once?"""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import OutputError
from tests.feeds.readers import FORMATS, content, read
from tests.feeds.worlds import feed_for, kill, write_all

COMPRESSIONS = ["", ".gz", ".zst", ".bz2", ".xz"]
# The third group brings a new column, the fourth two, one of them twice in a group.
GROUPS: list[list[dict[str, Any]]] = [
    [{"a": "1", "b": 'x"y\r\nz'}, {"a": "2"}],
    [{"b": "é\u2028"}],
    [{"a": "4", "late": "new"}],
    [{"later": "5"}, {"last": "6", "later": "é"}, {"a": "7"}],
    [{"a": "8"}],
]
BEFORE = [{"b": "old", "a": "0"}, {"b": "older", "a": "0"}]


def start(path: Path, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    feed = feed_for(path, options)
    feed.open(None, durable=True)
    mark = feed.write((), 0)
    feed.committed(mark)
    return feed, mark


def resumed(path: Path, options: dict[str, Any], mark: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    feed = feed_for(path, options)
    feed.check()
    feed.open(mark, durable=True)
    opening = feed.write((), mark["number"])
    feed.committed(opening)
    return feed, opening


def crawl(path: Path, options: dict[str, Any], how: str, at: int) -> tuple[dict[str, Any], Any]:
    """Write the groups, interrupted once at group ``at`` in the way ``how``."""
    feed, mark = start(path, options)
    for number, group in enumerate(GROUPS, 1):
        new = feed.write(group, number)
        if number == at and how == "before commit":
            kill(feed)
            feed, mark = resumed(path, options, mark)
            new = feed.write(group, number)
        elif number == at and how == "twice before commit":
            kill(feed)
            feed = feed_for(path, options)
            feed.open(mark, durable=True)
            feed.write(group[:1], number)
            kill(feed)
            feed, mark = resumed(path, options, mark)
            new = feed.write(group, number)
        elif number == at and how == "after commit":
            kill(feed)
            feed, new = resumed(path, options, new)
        mark = new
        feed.committed(mark)
        if number == at and how == "committed":
            kill(feed)
            feed, mark = resumed(path, options, mark)
        elif number == at and how == "stopped":
            mark = feed.close(finished=False)
            read(path) if path.exists() else None
            feed, mark = resumed(path, options, mark)
    return feed.close(finished=True), feed


@pytest.mark.parametrize("overwrite", [True, False], ids=["overwrite", "append"])
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("form", FORMATS)
def test_a_kill_at_any_group_changes_nothing(tmp_path: Path, form: str, compression: str, overwrite: bool) -> None:
    options = {"overwrite": overwrite}

    def prepared(name: str) -> Path:
        path = tmp_path / name / f"items.{form}{compression}"
        path.parent.mkdir()
        write_all(path, BEFORE)
        return path

    reference = prepared("reference")
    _, feed = crawl(reference, options, "never", 0)
    assert feed.count() == 8
    wanted = content(reference)
    assert len(read(reference)) == (8 if overwrite else 10)
    for how in ["before commit", "twice before commit", "after commit", "committed", "stopped"]:
        for at in range(1, len(GROUPS) + 1):
            path = prepared(f"{how}-{at}")
            _, feed = crawl(path, options, how, at)
            assert content(path) == wanted, (how, at)
            assert feed.count() == 8
            assert [entry.name for entry in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("form", FORMATS)
def test_batches_survive_kills(tmp_path: Path, form: str, compression: str) -> None:
    options = {"batch_item_count": 3, "overwrite": True}
    results = []
    for how in ["never", "before commit", "after commit", "committed", "stopped"]:
        for at in range(1, len(GROUPS) + 1):
            folder = tmp_path / f"{how}-{at}"
            folder.mkdir()
            path = folder / f"%(batch_id)02d.{form}{compression}"
            crawl(path, options, how, at)
            results.append({file.name: content(file) for file in folder.iterdir()})
    assert sorted(results[0]) == [f"0{number}.{form}{compression}" for number in (1, 2, 3)]
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("form", FORMATS)
def test_batches_append_to_old_files_exactly_once(tmp_path: Path, form: str) -> None:
    """A later batch may meet a file from before the job, which a repeated write must not count as ours."""
    options = {"batch_item_count": 3}
    results = []
    for how in ["never", "before commit", "twice before commit", "after commit"]:
        for at in range(1, len(GROUPS) + 1):
            folder = tmp_path / f"{how}-{at}"
            folder.mkdir()
            write_all(folder / f"2.{form}", BEFORE)
            crawl(folder / f"%(batch_id)d.{form}", options, how, at)
            results.append({file.name: content(file) for file in folder.iterdir()})
    assert len(results[0]) == 3
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("seed", range(24))
def test_random_crawls_killed_many_times(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    form = FORMATS[seed % len(FORMATS)]
    path = tmp_path / f"items.{form}{COMPRESSIONS[seed % 3]}"
    items = [
        {chance.choice("abcdefgh"): "".join(chance.choices("xyz,\"é\n'=", k=chance.randrange(9))), "n": str(number)}
        for number in range(60)
    ]
    feed, mark = start(path, {"overwrite": True})
    done = 0
    while done < len(items):
        group = items[done : done + chance.randrange(1, 9)]
        new = feed.write(group, done + len(group))
        fate = chance.random()
        if fate < 0.3:
            kill(feed)
            feed, mark = resumed(path, {"overwrite": True}, mark)
            continue
        done, mark = done + len(group), new
        if fate < 0.5:
            kill(feed)
            feed, mark = resumed(path, {"overwrite": True}, mark)
        else:
            feed.committed(mark)
        if fate > 0.9:
            mark = feed.close(finished=False)
            assert len(read(path)) == done
            feed, mark = resumed(path, {"overwrite": True}, mark)
    feed.close(finished=True)
    assert [int(item["n"]) for item in read(path)] == list(range(60))
    assert feed.count() == 60


@pytest.mark.parametrize("store_empty", [True, False])
@pytest.mark.parametrize("form", FORMATS)
def test_a_feed_without_items(tmp_path: Path, form: str, store_empty: bool) -> None:
    path = tmp_path / f"items.{form}.gz"
    options = {"store_empty": store_empty}
    feed, mark = start(path, options)
    kill(feed)
    feed, mark = resumed(path, options, mark)
    feed.close(finished=True)
    assert path.exists() is store_empty
    assert not store_empty or read(path) == []
    feed, mark = start(path, options)
    feed.write([{"a": "1"}], 1)
    kill(feed)
    feed, mark = resumed(path, options, mark)
    feed.committed(feed.write([{"a": "1"}], 1))
    feed.close(finished=True)
    assert read(path) == [{"a": "1"}]


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_added_leaves_an_old_file_as_it_was(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"items.{form}"
    write_all(path, BEFORE)
    old = path.read_bytes()
    feed, mark = start(path, {})
    kill(feed)
    assert path.read_bytes() == old
    resumed(path, {}, mark)[0].close(finished=True)
    assert path.read_bytes() == old
    # A write that was never committed is undone, and the file is valid again.
    feed, mark = start(path, {})
    feed.write([{"a": "1"}], 1)
    kill(feed)
    resumed(path, {}, mark)[0].close(finished=True)
    assert path.read_bytes() == old


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "items.jl"
    feed, _ = start(path, {})
    mark = feed.write([{"a": 1}, {"a": 2}], 2)
    feed.committed(mark)
    kill(feed)
    good = path.read_bytes()
    for bad in [good[:-1], good[:-3] + b"9}\n", b""]:
        path.write_bytes(bad)
        with pytest.raises(OutputError, match=r"items\.jl.*cannot be continued"):
            feed_for(path).open(mark, durable=True)
        assert path.read_bytes() == bad
    path.unlink()
    with pytest.raises(OutputError, match="it is gone"):
        feed_for(path).open(mark, durable=True)
    path.write_bytes(good)
    with pytest.raises(OutputError, match="the job wrote it as jsonlines, not as csv"):
        feed_for(path, {"format": "csv"}).open(mark, durable=True)
    with pytest.raises(OutputError, match="not readable"):
        feed_for(path).open({"number": "x"}, durable=True)


def test_what_others_added_after_a_stop_is_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "items.jl"
    feed, _ = start(path, {})
    feed.committed(feed.write([{"a": 1}], 1))
    mark = feed.close(finished=False)
    write_all(path, [{"other": 1}])
    with pytest.raises(OutputError, match="changed since the job stopped"):
        feed_for(path).open(mark, durable=True)
    assert len(read(path)) == 2


def test_time_stays_as_first_resolved(tmp_path: Path) -> None:
    feed, mark = start(tmp_path / "%(time)s.jl", {})
    kill(feed)
    later = feed_for(tmp_path / "%(time)s.jl", started=datetime(2030, 1, 1, tzinfo=UTC))
    later.open(mark, durable=True)
    later.write([{"a": 1}], 1)
    later.close(finished=True)
    assert [file.name for file in tmp_path.iterdir()] == ["2026-01-02T03-04-05+00-00.jl"]


def test_members_are_closed_at_about_a_megabyte(tmp_path: Path) -> None:
    chance = random.Random(1)
    for compression, magic in ((".gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"), (".zst", b"\x28\xb5\x2f\xfd")):
        path = tmp_path / f"items.jl{compression}"
        feed, _ = start(path, {})
        items = [{"x": chance.randbytes(900).hex()} for _ in range(4000)]
        for place in range(0, 4000, 50):
            feed.committed(feed.write(items[place : place + 50], place + 50))
        feed.close(finished=True)
        assert read(path) == items
        assert path.read_bytes().count(magic) in {3, 4, 5}


def later_feed(path: Path, options: dict[str, Any], hour: int) -> Any:
    """A feed of a process that runs at another time, as each of a job does."""
    feed = feed_for(path, options)
    feed.now = lambda: datetime(2026, 1, 2, hour, tzinfo=UTC)
    return feed


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("twice", [False, True])
def test_a_batch_that_was_not_committed_leaves_no_file_under_its_time(tmp_path: Path, form: str, twice: bool) -> None:
    options = {"batch_item_count": 2}
    path = tmp_path / f"%(batch_time)s-%(batch_id)d.{form}"
    feed = later_feed(path, options, 4)
    feed.open(None, durable=True)
    mark = feed.write((), 0)
    feed.committed(mark)
    # In one write: the end of a batch, two whole ones, one of which gets a column late, and one that is begun.
    items = [{"a": str(number)} for number in range(7)]
    items[3]["late"] = "x"
    feed.write(items, 1)
    kill(feed)
    for hour in range(5, 7 if twice else 6):
        feed = later_feed(path, options, hour)
        feed.open(mark, durable=True)
        mark = feed.write((), 0)
        feed.committed(mark)
        if hour == 5 and twice:
            feed.write(items, 1)
            kill(feed)
    assert len(list(tmp_path.iterdir())) == 1
    mark = feed.write(items, 1)
    kill(feed)
    feed = later_feed(path, options, 9)
    feed.open(mark, durable=True)
    feed.committed(feed.write([{"a": "7"}], 2))
    feed.close(finished=True)
    files = sorted(tmp_path.iterdir(), key=lambda each: each.stem.rpartition("-")[2])
    assert [item["a"] for each in files for item in read(each)] == [str(number) for number in range(8)]
    assert [len(read(each)) for each in files] == [2, 2, 2, 2]


@pytest.mark.parametrize("name", ["b-%(batch_id)d.jl.gz", "b-%(batch_time)s-%(batch_id)d.csv"])
def test_batches_that_a_power_cut_made_the_job_forget_are_written_once(name: str, tmp_path: Path) -> None:
    options = {"batch_item_count": 3}
    items = [{"a": str(number)} for number in range(20)]
    feed = feed_for(tmp_path / name, options)
    feed.open(None, durable=True)
    feed.committed(feed.write((), 0))
    marks = []
    for place in range(0, 14, 2):
        marks.append(feed.write(items[place : place + 2], place + 2))
        feed.kept(marks[-1])
        if place == 2:
            feed.committed(marks[-1])
    kill(feed)
    feed = feed_for(tmp_path / name, options)
    feed.open(marks[2], durable=True)  # of six items, in two batches
    feed.committed(feed.write((), 6))
    feed.committed(feed.write(items[6:], 20))
    feed.close(finished=True)
    files = sorted(tmp_path.iterdir(), key=lambda path: int(path.name.rpartition("-")[2].split(".")[0]))
    assert [item for path in files for item in read(path)] == items
    assert len(files) == 7


def test_columns_that_a_power_cut_made_the_job_forget(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    feed = feed_for(path)
    feed.open(None, durable=True)
    feed.committed(feed.write((), 0))
    forgotten = feed.write([{"a": "1"}], 1)
    feed.committed(forgotten)
    for number, column in enumerate("bcd", 2):
        feed.kept(feed.write([{"a": "1", column: "2"}], number))
    kill(feed)
    feed = feed_for(path)
    feed.open(forgotten, durable=True)
    feed.committed(feed.write([{"a": "1", "e": "3"}], 2))
    feed.close(finished=True)
    assert read(path) == [{"a": "1", "e": ""}, {"a": "1", "e": "3"}]
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("name", [*(f"a.{form}" for form in FORMATS), "a.jl.gz"])
def test_a_kill_before_the_first_mark_leaves_the_place_as_it_was(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    write_all(path, [{"a": "1"}])
    before = path.read_bytes()
    feed = feed_for(path, {"overwrite": True})
    feed.open(None, durable=True)
    kill(feed)
    assert path.read_bytes() == before
    path.unlink()
    feed = feed_for(path)
    feed.open(None, durable=True)
    kill(feed)
    feed = feed_for(path)
    feed.open(None, durable=True)
    feed.committed(feed.write((), 0))
    feed.close(finished=True)
    assert read(path) == []
