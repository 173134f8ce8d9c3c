"""Which files are written, which requests are refused, and what happens when writing fails?"""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.config.schema import CoreSettings
from crawler.errors import FeedError, OutputClosed, OutputError
from crawler.feeds import make_feeds, parse_output
from crawler.feeds.formats import Format
from crawler.feeds.formats.csv import Csv
from crawler.feeds.outfile import OutFile
from tests.feeds.readers import FORMATS, content, read
from tests.feeds.worlds import STARTED, feed_for, kill, write_all
from tests.servers.process import folder

NAMES = [f"x.{form}" for form in FORMATS]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("items.jl", ("items.jl", None)),
        ("items.dat:jsonl", ("items.dat", "jsonl")),
        ("-", ("-", None)),
        ("-:CSV", ("-", "csv")),
        ("a:b/items.json", ("a:b/items.json", None)),
        ("a:items.json", ("a:items.json", None)),
        ("file:///tmp/items.json", ("file:///tmp/items.json", None)),
        ("file:///tmp/items.json:xml", ("file:///tmp/items.json", "xml")),
        ("stdout:", ("stdout:", None)),
    ],
)
def test_parse_output(text: str, wanted: tuple[str, str | None]) -> None:
    assert parse_output(text) == wanted


@pytest.mark.parametrize("text", ["", "  "])
def test_parse_output_wants_a_path(text: str) -> None:
    with pytest.raises(OutputError, match="names no output file"):
        parse_output(text)


@pytest.mark.parametrize(
    ("key", "options", "message"),
    [
        ("x.jsno", {}, "names no format"),
        ("x", {}, "has no extension"),
        ("sqlte:///x.db?table=books", {}, r"a table of a database is written sqlite:///FILE\?table=NAME"),
        ("sqlite:x.db", {}, "a table of a database is written sqlite:///FILE"),
        ("mysql://h/shop?table=books", {}, "or postgresql://HOST/DATABASE"),
        ("x:jsno", {}, "unknown format 'jsno'; did you mean \"json\""),
        ("x.jl", {"feilds": ["a"]}, "unknown option 'feilds'; did you mean \"fields\""),
        ("x.jl", {"indent": "two"}, 'indent: expected a whole number or none, got "two"'),
        ("x.jl", {"batch_item_count": -1}, "expected a whole number, 0 or more or none, got -1"),
        ("x.jl", {"batch_item_count": 5}, r"batches need %\(batch_id\)d"),
        ("x.jl", {"encoding": "utf-9"}, "unknown encoding 'utf-9'"),
        ("x.jl", {"encoding": "base64"}, "unknown encoding"),
        ("%(nmae)s.jl", {}, r"unknown placeholder %\(nmae\)s; did you mean \"name\""),
        ("%(qqq)s.jl", {}, r"unknown placeholder %\(qqq\)s; there is batch_id, batch_time, name, time"),
        ("x:qqq", {}, "unknown format 'qqq'; there is csv, jl, json,"),
        ("%(name.jl", {}, "a placeholder is written"),
        ("%(name)d.jl", {}, "asks for a number"),
        ("s3://bucket/", {"format": "jl"}, "it names no file"),
        ("memory://x.jl", {}, "it names no file"),
        ("file://host/x.jl", {}, "has three slashes: file:///x.jl"),
        ("x.csv", {"postprocessing": ["bz2.BZ2File"]}, "through postprocessing: -O, or overwrite True"),
        ("x.csv", {"postprocessing": [5], "overwrite": True}, "holds 5, which is no class"),
        ("x.csv", {"postprocessing": ["bz2.BZ2File"], "overwrite": True, "feilds": []}, "unknown option 'feilds'"),
        ("x.pickle", {}, "pickle is not written: to read such a file runs what is in it"),
        ("x.dat:marshal", {}, "marshal is not written.*jsonlines"),
        ("x.jl", {"item_export_kwargs": {"delimiter": ";"}}, "delimiter mean nothing to JsonLines"),
        (
            "x.csv",
            {"item_export_kwargs": {"delimiter": ";;"}},
            "Csv cannot be made with .* 1-character",
        ),
        ("x.jl", {"item_classes": ["no.such.Class"]}, "cannot load 'no.such.Class'"),
        ("x.jl", {"item_filter": 5}, "item_filter is neither"),
    ],
)
def test_wrong_options(key: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OutputError, match=message) as caught:
        feed_for(key, options)
    assert repr(key) in str(caught.value)


def test_two_feeds_of_one_file(tmp_path: Path) -> None:
    keys = {f"{tmp_path}/x.jl": {}, f"{tmp_path}/./x.jl:csv": {}}
    with pytest.raises(OutputError, match="writes to the same place"):
        make_feeds(keys, CoreSettings(), spider_name="x", started=STARTED)


def test_check_names_what_is_wrong_and_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"there is no folder .*missing"):
        feed_for(tmp_path / "missing" / "x.jl").check()
    (tmp_path / "x.jl").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        feed_for(tmp_path / "x.jl").check()
    feed_for(tmp_path / "y.jl").check()
    feed_for(tmp_path / "%(name)s" / "y.jl").check()
    assert [file.name for file in tmp_path.iterdir()] == ["x.jl"]


def test_a_file_system_that_does_not_say_how_much_room_it_has_is_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unsaid = os.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: unsaid)
    feed_for(tmp_path / "x.jl").check()
    monkeypatch.setattr(os, "statvfs", lambda _: os.statvfs_result((4096, 4096, 9, 1, 0, 9, 9, 9, 0, 255)))
    with pytest.raises(OutputError, match="no space is left"):
        feed_for(tmp_path / "x.jl").check()


@contextmanager
def an_ordinary_user() -> Iterator[None]:
    """Root may write anywhere; let it be nobody for a moment."""
    real, effective, saved = os.getresuid()
    if effective == 0:
        os.setresuid(65534, 65534, 0)
    try:
        yield
    finally:
        os.setresuid(real, effective, saved)


def test_check_finds_a_file_that_may_not_be_written() -> None:
    with folder("feeds") as place:
        file, below = place / "x.jl", place / "sub" / "x.jl"
        file.touch()
        below.parent.mkdir()
        for path in (file, below):
            feed = feed_for(path)
            feed.check()
            (path if path.exists() else path.parent).chmod(0o555)
            with an_ordinary_user(), pytest.raises(OutputError, match="no permission"):
                feed.check()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.json", '{"a":1}\n', r"does not begin with \["),
        ("x.json", '[\n{"a":1}', r"does not end with \]"),
        ("x.xml", "<items><item/>", "does not end with </items>"),
        ("x.xml", '<?xml version="1.0" encoding="latin-1"?><items></items>', "is in latin-1"),
        ("x.jl.gz", "no gzip", "is not valid .gz"),
        ("x.jl.zst", "no zstd", "is not valid .zst"),
        ("x.jl.bz2", "no bz2", "is not valid .bz2"),
        ("x.jl.xz", "no xz", "is not valid .xz"),
    ],
)
def test_what_cannot_be_appended_to_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    feed = feed_for(path)
    with pytest.raises(OutputError, match=message):
        feed.open(None, durable=True)
    assert path.read_text() == text
    write_all(path, [{"a": "1"}], {"overwrite": True})
    assert [str(item["a"]) for item in read(path)] == ["1"]


@pytest.mark.process
def test_a_file_in_use_is_refused_naming_who(tmp_path: Path) -> None:
    path = tmp_path / "x.jl"
    script = """
        import sys
        from pathlib import Path
        from crawler.feeds.outfile import OutFile
        file = OutFile(Path(sys.argv[1]), "")
        print("open", flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(script), str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        for act in (lambda: feed_for(path).check(), lambda: feed_for(path).open(None, durable=False)):
            with pytest.raises(OutputError, match=rf"x\.jl: (process {process.pid}|another process) is writing"):
                act()
        process.communicate()
    feed_for(path).check()


def test_overwriting_waits_for_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "x.jl"
    feed = feed_for(path)
    feed.open(None, durable=True)
    feed.write([{"a": 1}], 1)
    with pytest.raises(OutputError, match="is writing to it"):
        feed_for(path, {"overwrite": True}).open(None, durable=True)
    feed.close(finished=True)
    assert read(path) == [{"a": 1}]


@pytest.mark.parametrize("durable", [True, False])
@pytest.mark.parametrize("name", [*NAMES, "x.json.gz", "x.csv.zst", "x.xml.bz2", "x.csv.xz"])
def test_a_full_disk_is_named_and_the_file_stays_valid(
    tmp_path: Path, name: str, durable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    feed = feed_for(path)
    feed.open(None, durable=durable)
    feed.committed(feed.write((), 0))

    def big() -> list[dict[str, Any]]:
        return [{"a": os.urandom(100).hex()} for _ in range(2000)]

    def write_on() -> None:
        for number in range(2, 20):
            feed.committed(feed.write([*big(), {"late": "x"}] if durable else big(), number))

    feed.committed(feed.write(big(), 1))
    real = os.pwrite

    def full(descriptor: int, data: Any, place: int) -> int:
        if place > 400_000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, bytes(data)[:70_000], place)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(FeedError, match=rf"{name}.*No space left on device"):
            write_on()
        with pytest.raises(FeedError, match="failed before"):
            feed.write(big(), 20)
    feed.close(finished=False)
    assert len(read(path)) == feed.count()
    assert feed.count() >= 2000
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_full_device_is_named() -> None:
    feed = feed_for("/dev/full:json")
    feed.check()
    feed.open(None, durable=False)
    with pytest.raises(FeedError, match="/dev/full: No space left on device"):
        feed.write([{"a": 1}], 1)
    feed.close(finished=True)
    assert feed.count() == 0


class Breaking(io.BytesIO):
    """A pipe whose reader goes away after the first writes."""

    left = 2

    def flush(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


@pytest.mark.parametrize("durable", [True, False])
def test_what_did_not_get_through_a_pipe_is_not_counted(durable: bool) -> None:
    stream = Breaking()
    (feed,) = make_feeds({"-:json": {}}, CoreSettings(), spider_name="x", started=STARTED, stdout=stream)
    feed.open(None, durable=durable)

    def write(number: int) -> None:
        feed.committed(feed.write([{"a": number}, {"a": number}], number))

    write(1)
    write(2)
    with pytest.raises(OutputClosed, match="nobody reads the standard output"):
        write(3)
    feed.close(finished=True)
    assert feed.count() == 4
    assert b"]" not in stream.getvalue()


def test_a_pipe_that_breaks_at_the_end() -> None:
    (feed,) = make_feeds({"-:json": {}}, CoreSettings(), spider_name="x", started=STARTED, stdout=Breaking())
    feed.open(None, durable=True)
    for number in (1, 2):
        feed.committed(feed.write([{"a": number}], number))
    feed.write([{"a": 3}], 3)
    with pytest.raises(OutputClosed, match="nobody reads the standard output"):
        feed.close(finished=True)
    assert feed.count() == 2


@pytest.mark.parametrize("name", NAMES)
def test_what_a_disk_that_is_full_at_the_end_did_not_take_is_not_counted(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / name
    feed = feed_for(path)
    feed.open(None, durable=False)
    feed.write([{"a": n, "b": os.urandom(100).hex()} for n in range(5000)], 1)
    safe = feed.count()
    feed.write([{"a": n, "b": "x"} for n in range(100)], 2)  # these are in the buffer yet
    real, room = os.pwrite, path.stat().st_size + 20  # for the end of a document, not for the items

    def full(descriptor: int, data: Any, place: int) -> int:
        if place >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, bytes(data)[: room - place], place)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        with pytest.raises(FeedError, match=rf"{name}.*No space left on device"):
            feed.close(finished=True)
    assert feed.count() == safe == len(read(path))


def test_an_output_that_is_gone_at_a_resume_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "x.jl"
    feed = feed_for(path)
    feed.open(None, durable=True)
    mark = feed.write([{"a": 1}], 1)
    feed.committed(mark)
    feed.close(finished=False)
    path.unlink()
    with pytest.raises(
        OutputError, match=r"it is gone; put it back .* or give the resume another output .* -s 'FEEDS="
    ):
        feed_for(path).open(mark, durable=True)
    assert not path.exists()


def test_placeholders(tmp_path: Path) -> None:
    attributes = {"name": "books", "shop": "a/../b"}
    key = f"{tmp_path}/%(name)s/%(shop)s/100%%-%(time)s-%(batch_id)03d.jl"
    (feed,) = make_feeds(
        {key: {"batch_item_count": 1}}, CoreSettings(), spider_name="books", started=STARTED, attributes=attributes
    )
    feed.check()
    feed.open(None, durable=False)
    feed.write([{"a": 1}, {"a": 2}], 2)
    feed.close(finished=True)
    found = sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*.jl"))
    assert found == [f"books/a_.._b/100%-2026-01-02T03-04-05+00-00-00{number}.jl" for number in (1, 2)]


def test_batch_time_is_that_of_the_batch(tmp_path: Path) -> None:
    feed = feed_for(tmp_path / "%(batch_time)s.jl", {"batch_item_count": 1})
    feed.now = lambda: datetime(2030, 1, 1, tzinfo=UTC)
    feed.open(None, durable=False)
    feed.write([{"a": 1}, {"a": 2}], 2)
    feed.close(finished=True)
    assert sorted(file.name[:4] for file in tmp_path.iterdir()) == ["2026", "2030"]


@pytest.mark.parametrize(
    "name", ["../../evil", "..", ".", "", "/etc/x", "a/b", "a\\b", "a\x00b", ".hidden", "x" * 999, "\ud800"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    for key in (f"{root}/%(name)s.jl", f"{root}/%(name)s/x.jl", f"{root}/a-%(name)s.jl"):
        (feed,) = make_feeds({key: {}}, CoreSettings(), spider_name=name, started=STARTED)
        feed.check()
        feed.open(None, durable=False)
        feed.close(finished=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["root"]
    assert len(list(root.rglob("*.jl"))) == 3


def test_symbolic_links_are_not_followed_where_names_are_filled_in(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret.jl").write_text("keep\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "books").symlink_to(tmp_path / "secret")
    (root / "books.jl").symlink_to(tmp_path / "secret.jl")
    for key in (root / "%(name)s" / "x.jl", root / "%(name)s.jl"):
        with pytest.raises(OutputError, match="is a symbolic link"):
            feed_for(key).check()
    assert (tmp_path / "secret.jl").read_text() == "keep\n"
    with pytest.raises(OSError, match="symbolic link"):
        OutFile(root / "books.jl", "", follow=False)


def test_a_link_the_user_named_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    feed = feed_for(tmp_path / "link.csv")
    feed.open(None, durable=True)
    feed.committed(feed.write([{"a": 1}], 1))
    feed.committed(feed.write([{"b": 2}], 2))
    feed.close(finished=True)
    assert (tmp_path / "link.csv").is_symlink()
    assert len(read(tmp_path / "real.csv")) == 2


def test_a_generation_keeps_the_permissions(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write_all(path, [{"a": 1}])
    path.chmod(0o640)
    write_all(path, [{"b": 1}])
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_generation_never_replaces_a_file_that_changed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    feed = feed_for(path)
    feed.open(None, durable=True)
    feed.committed(feed.write([{"a": 1}], 1))
    mark = feed.write([{"b": 1}], 2)
    kill(feed)
    with path.open("a") as file:
        file.write("9\n")
    with pytest.raises(OutputError, match="was changed before"):
        feed_for(path).open(mark, durable=True)
    assert path.read_text() == "a\n1\n9\n"


class Item(dict[str, Any]):
    pass


def test_items_are_chosen_by_class_and_filter(tmp_path: Path) -> None:
    class Odd:
        def __init__(self, options: dict[str, Any]) -> None:
            self.options = options

        def accepts(self, item: Any) -> bool:
            return bool(item["a"] % 2)

    items = [{"a": 1}, Item(a=1), Item(a=2), Item(a=3)]
    feed = write_all(tmp_path / "x.jl", items, {"item_classes": [f"{__name__}.Item"], "item_filter": Odd})
    assert read(tmp_path / "x.jl") == [{"a": 1}, {"a": 3}]
    assert feed.count() == 2
    write_all(tmp_path / "y.jl", items, {"item_filter": lambda item: item["a"] == 2})
    assert read(tmp_path / "y.jl") == [{"a": 2}]


def stdout_feed(key: str = "-", **settings: Any) -> tuple[Any, io.BytesIO]:
    stream = io.BytesIO()
    (feed,) = make_feeds({key: {}}, CoreSettings(**settings), spider_name="x", started=STARTED, stdout=stream)
    feed.check()
    return feed, stream


@pytest.mark.parametrize("key", ["-", *(f"-:{form}" for form in FORMATS)])
def test_stdout_after_a_kill_repeats_a_group_and_loses_none(key: str) -> None:
    feed, first = stdout_feed(key)
    feed.open(None, durable=True)
    feed.committed(feed.write((), 0))
    feed.committed(feed.write([{"a": 1}], 1))
    mark = feed.write([{"a": 2}], 2)
    assert b"2" not in first.getvalue().partition(b"1</a>")[2]
    feed, second = stdout_feed(key)
    feed.open(mark, durable=True)
    feed.committed(feed.write((), 2))
    feed.committed(feed.write([{"a": 3}], 3))
    feed.close(finished=True)
    assert feed.count() == 3
    whole, stream = stdout_feed(key)
    whole.open(None, durable=False)
    whole.write([{"a": 2}, {"a": 3}], 2)
    whole.close(finished=True)
    assert second.getvalue() == stream.getvalue()


def test_stdout_refuses_a_late_column() -> None:
    feed, stream = stdout_feed("-:csv")
    feed.open(None, durable=False)
    feed.write([{"a": 1}], 1)
    with pytest.raises(FeedError, match="name the fields"):
        feed.write([{"b": 1}], 2)
    feed.close(finished=False)
    assert stream.getvalue() == b"a\r\n1\r\n"


def test_stdout_is_sys_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write_all("-", [{"a": "é"}])
    assert json.loads(capfdbinary.readouterr().out) == {"a": "é"}


def test_something_that_is_no_item(tmp_path: Path) -> None:
    feed = feed_for(tmp_path / "x.jl")
    feed.open(None, durable=False)
    with pytest.raises(FeedError, match="int is no item"):
        feed.write([5], 1)
    feed.close(finished=False)
    assert content(tmp_path / "x.jl") == b""


def test_a_csv_whose_header_is_longer_than_a_piece_of_the_file_is_appended_to(tmp_path: Path) -> None:
    items = [{f"column_number_{number:05d}": f"{row}{number}" for number in range(5000)} for row in "ab"]
    for item in items:
        write_all(tmp_path / "x.csv", [item])
    with (tmp_path / "x.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == items


def test_a_csv_whose_header_has_no_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Csv, "head_size", 1000)
    (tmp_path / "x.csv").write_text("column," * 500)
    with pytest.raises(OutputError, match="a header of more than 1000 bytes"):
        write_all(tmp_path / "x.csv", [{"a": 1}])


@pytest.mark.parametrize("key", ["x.jl", "x.csv", "-"])
def test_an_item_that_a_filter_raises_for_is_lost_alone_and_by_name(tmp_path: Path, key: str) -> None:
    def accepts(item: Any) -> Any:
        if item["a"] == 2:
            sys.exit("no such item")
        if item["a"] == 3:
            raise KeyError("price")
        return True

    path = key if key == "-" else str(tmp_path / key)
    stream = io.BytesIO()
    options = {path: {"item_filter": accepts}}
    (feed,) = make_feeds(options, CoreSettings(), spider_name="x", started=STARTED, stdout=stream)
    feed.open(None, durable=True)
    mark = feed.write([{"a": n} for n in range(6)], 6)
    feed.committed(mark)
    feed.close(finished=True)
    assert feed.count() == 4
    assert [(item["a"], type(error)) for item, error in feed.lost] == [(2, SystemExit), (3, KeyError)]


def test_an_attribute_without_a_text_in_a_name_is_said_by_name(tmp_path: Path) -> None:
    class Leaving:
        def __str__(self) -> str:
            sys.exit(3)

    with pytest.raises(OutputError, match=r"x-%\(what\)s.jl': %\(what\)s is a Leaving, whose text cannot be had"):
        make_feeds(
            {str(tmp_path / "x-%(what)s.jl"): {}},
            CoreSettings(),
            spider_name="x",
            started=STARTED,
            attributes={"what": Leaving()},
        )[0].check()


@pytest.mark.parametrize("name", NAMES)
def test_what_a_serializer_returns_may_be_anything(tmp_path: Path, name: str) -> None:
    class Number(int):
        def __int__(self) -> int:
            raise RuntimeError("no number")

        __str__ = __repr__ = __index__ = __int__  # type: ignore[assignment]

    class Array(list[int]):
        def __iter__(self) -> Any:
            sys.exit(3)

    @dataclass
    class Product:
        number: int = field(metadata={"serializer": Number})
        array: list[int] = field(metadata={"serializer": Array})
        leaving: int = field(metadata={"serializer": sys.exit})

    feed = write_all(tmp_path / name, [Product(7, [8], 9), {"number": 1}])
    assert feed.count() == 2
    assert "9" in content(tmp_path / name).decode()


def test_what_a_format_of_one_s_own_raises_is_told_with_its_type(tmp_path: Path) -> None:
    class Broken(Format):
        def encode(self, items: Any) -> bytes:
            raise KeyError("price")

    settings = CoreSettings(FEED_FORMATS={"own": Broken})
    (feed,) = make_feeds({str(tmp_path / "x.own"): {}}, settings, spider_name="x", started=STARTED)
    feed.open(None, durable=True)
    with pytest.raises(FeedError, match=r"x\.own: KeyError: 'price'"):
        feed.write([{"a": 1}], 1)


def test_what_the_constructor_of_a_format_of_one_s_own_raises_is_told_with_its_type() -> None:
    class Missing(Format):
        def __init__(self, options: Any) -> None:
            raise ModuleNotFoundError("No module named 'yaml'")

    settings = CoreSettings(FEED_FORMATS={"own": Missing})
    with pytest.raises(OutputError, match=r"'x\.own': Missing cannot be made: ModuleNotFoundError: No module named"):
        make_feeds({"x.own": {}}, settings, spider_name="x", started=STARTED)
