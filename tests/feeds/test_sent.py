"""Is every item of a feed that is stored elsewhere there once, in whole files, whatever kills the process?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler.config.schema import CoreSettings
from crawler.errors import FeedError, OutputError, UsageError
from crawler.feeds import make_feeds
from tests.feeds.worlds import STARTED, kill

ITEMS = [{"n": number} for number in range(10)]
PER_BATCH = "shop://books/%(batch_time)s-%(batch_id)d.jl"
Marks = dict[str, Any]


class Killed(BaseException):
    """The process is gone in the middle of what it does."""


class Shop:
    """Places by their URLs; a list of errors fails the next times. ``kill``: "before" or "after" it has stored."""

    places: dict[str, list[dict[str, int]]]
    errors: list[Exception]
    kill: str

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options

    def store(self, file: Path, url: str) -> None:
        """Keep the items of a file, which must be whole."""
        if Shop.errors:
            raise Shop.errors.pop(0)
        if Shop.kill == "before":
            raise Killed
        Shop.places[url] = [json.loads(line) for line in file.read_bytes().splitlines()]
        if Shop.kill == "after":
            raise Killed


class Library(Shop):
    """A shop from where files can be fetched, so that they can be appended to."""

    def fetch(self, url: str, file: Path) -> bool:
        """Write the items that are there."""
        if Shop.errors:
            raise Shop.errors.pop(0)
        if url not in Shop.places:
            return False
        file.write_text("".join(json.dumps(item) + "\n" for item in Shop.places[url]))
        return True


@pytest.fixture(autouse=True)
def _shop() -> None:
    Shop.places, Shop.errors, Shop.kill = {}, [], ""


def stored() -> list[int]:
    """The numbers of all items that are stored, in no order."""
    return sorted(item["n"] for items in Shop.places.values() for item in items)


def feed_to(url: str, folder: Path | None, *, minute: int = 0, options: Any = None, **settings: Any) -> Any:
    """A feed of a job in a folder, as a process makes it that runs at some minute."""
    core = CoreSettings(FEED_STORAGES={"shop": Shop, "library": Library}, **settings)
    (feed,) = make_feeds({url: options or {}}, core, spider_name="books", started=STARTED)
    feed.now = lambda: datetime(2026, 1, 2, 4, minute, tzinfo=UTC)
    feed.pause = lambda _: None
    if folder is not None:
        feed.place(folder)
    feed.check()
    return feed


class Crawl:
    """A crawl of the ten items in groups of three, that goes on from the last mark which was kept."""

    def __init__(self, folder: Path, url: str, options: Any) -> None:
        self.folder, self.url, self.options = folder, url, options
        self.mark: Marks | None = None
        self.runs = 0

    def run(self, *, kill_at: str = "", group: int = -1, how: str = "") -> None:
        """Go on to the end, or until a kill: before its group is marked, before it is sent, while it is, or closing."""
        self.runs += 1
        feed = feed_to(self.url, self.folder, minute=self.runs, options=self.options)
        try:
            feed.open(self.mark, durable=True)
            self._keep(feed, feed.write((), self.mark["number"] if self.mark else 0))
            for place in range(self.mark["number"] if self.mark else 0, 10, 3):
                hit = place // 3 == group
                new = feed.write(ITEMS[place : place + 3], min(place + 3, 10))
                if hit and kill_at == "unmarked":
                    raise Killed
                self.mark = new
                if hit and kill_at == "unsent":
                    raise Killed
                Shop.kill = how if hit and kill_at == "sending" else ""
                self._keep(feed, new)
            Shop.kill = how if kill_at == "closing" else ""
            self.mark = feed.close(finished=True)
        except Killed:
            kill(feed)
        finally:
            Shop.kill = ""

    def _keep(self, feed: Any, mark: Marks) -> None:
        self.mark = mark
        feed.kept(mark)
        feed.committed(mark)


@pytest.mark.parametrize(("url", "size"), [("shop://books/all.jl", 0), (PER_BATCH, 2), (PER_BATCH, 3), (PER_BATCH, 4)])
@pytest.mark.parametrize(
    ("kill_at", "how"),
    [("unmarked", ""), ("unsent", ""), ("sending", "before"), ("sending", "after"), ("closing", "before"),
     ("closing", "after")],
)  # fmt: skip
@pytest.mark.parametrize("group", range(4))
def test_a_kill_at_any_moment_leaves_every_item_there_once(
    tmp_path: Path, url: str, size: int, kill_at: str, how: str, group: int
) -> None:
    crawl = Crawl(tmp_path, url, {"batch_item_count": size})
    crawl.run(kill_at=kill_at, group=group, how=how)
    crawl.run()
    assert stored() == list(range(10))


@pytest.mark.parametrize("size", [0, 4])
@pytest.mark.parametrize("group", range(4))
@pytest.mark.parametrize(
    ("kill_at", "how"), [("unmarked", ""), ("unsent", ""), ("sending", "after"), ("closing", "after")]
)
def test_appending_keeps_what_was_there_once_whatever_kills_it(
    tmp_path: Path, size: int, group: int, kill_at: str, how: str
) -> None:
    url = "library://books/%(batch_id)d.jl"
    for number in (1, 2):
        Shop.places[f"library://books/{number}.jl"] = [{"n": 100 + number}]
    crawl = Crawl(tmp_path, url, {"batch_item_count": size, "overwrite": False})
    crawl.run(kill_at=kill_at, group=group, how=how)
    crawl.run()
    assert stored() == [*range(10), 101, 102]


def test_what_cannot_be_fetched_to_be_appended_to_is_told_before_anything_is_written(tmp_path: Path) -> None:
    feed = feed_to("library://books/all.jl", tmp_path, options={"overwrite": False})
    Shop.errors = [OSError("no route")] * 4
    with pytest.raises(OutputError, match=r"library://books/all.jl could not be read, to be appended to: no route"):
        feed.open(None, durable=True)


def test_what_cannot_be_fetched_is_not_appended_to(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"Shop has no fetch\(url, file\), so nothing is appended"):
        feed_to("shop://books/all.jl", tmp_path, options={"overwrite": False})


def test_a_batch_is_there_as_soon_as_it_is_complete_and_its_file_here_is_gone(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path, PER_BATCH, {"batch_item_count": 3})
    crawl.run(kill_at="unmarked", group=2)
    assert stored() == [0, 1, 2, 3, 4, 5]
    assert [path.name for path in tmp_path.rglob("*") if path.is_file() and path.stat().st_size] == ["00001.jl.b3.g1"]


def test_a_crawl_without_job_leaves_nothing_here(tmp_path: Path) -> None:
    feed = feed_to("shop://books/all.jl", None, FEED_TEMPDIR=str(tmp_path))
    feed.open(None, durable=False)
    feed.committed(feed.write(ITEMS, 10))
    assert not stored()
    feed.close(finished=True)
    assert stored() == list(range(10))
    assert list(tmp_path.iterdir()) == []


def test_a_job_without_a_folder_goes_on_with_the_file_of_its_last_run(tmp_path: Path) -> None:
    def run(mark: Any, items: Any, *, finished: bool) -> Any:
        feed = feed_to("shop://books/all.jl", None, FEED_TEMPDIR=str(tmp_path))
        feed.open(mark, durable=True)
        for new in (feed.write((), mark["number"] if mark else 0), feed.write(items, items[-1]["n"] + 1)):
            feed.kept(new)
            feed.committed(new)
        return feed.close(finished=finished)

    mark = run(None, ITEMS[:4], finished=False)
    assert stored() == [0, 1, 2, 3]
    run(mark, ITEMS[4:], finished=True)
    assert stored() == list(range(10))


def test_a_failure_is_tried_again_with_growing_pauses(tmp_path: Path) -> None:
    feed = feed_to("shop://books/all.jl", tmp_path)
    pauses: list[float] = []
    feed.pause = pauses.append
    feed.open(None, durable=False)
    feed.committed(feed.write(ITEMS, 10))
    Shop.errors = [ConnectionResetError("gone"), TimeoutError("late")]
    feed.close(finished=True)
    assert stored() == list(range(10))
    assert pauses == [1.0, 3.0]


class NoRights(Exception):
    lasting = True


@pytest.mark.parametrize("errors", [[OSError("no route")] * 4, [NoRights("no rights")]])
def test_what_does_not_get_there_is_kept_here_and_named_and_sent_by_the_next_run(
    tmp_path: Path, errors: list[Exception]
) -> None:
    crawl = Crawl(tmp_path, PER_BATCH, {"batch_item_count": 3})
    Shop.errors = [*errors]
    with pytest.raises(
        FeedError, match=r"01-02T03.*1\.jl could not be written: .*no r.*; the file is kept as (\S+),"
    ) as e:
        crawl.run()
    kept = Path(str(e.value).rpartition("kept as ")[2].partition(",")[0])
    assert len(kept.read_text().splitlines()) == 3
    assert not Shop.errors
    crawl.run()
    assert stored() == list(range(10))


def test_a_job_whose_folder_is_on_another_machine_is_refused(tmp_path: Path) -> None:
    crawl = Crawl(tmp_path / "here", PER_BATCH, {"batch_item_count": 3})
    crawl.run(kill_at="unsent", group=1)
    crawl.folder = tmp_path / "there"
    with pytest.raises(OutputError, match=r"there is no .*there.* here"):
        crawl.run()


@pytest.mark.parametrize(("store_empty", "there"), [(True, ["shop://books/all.jl"]), (False, [])])
def test_a_feed_without_items(tmp_path: Path, store_empty: bool, there: list[str]) -> None:
    feed = feed_to("shop://books/all.jl", tmp_path, options={"store_empty": store_empty})
    feed.open(None, durable=True)
    mark = feed.write((), 0)
    feed.kept(mark)
    feed.committed(mark)
    feed.close(finished=True)
    assert list(Shop.places) == there


def test_a_storage_is_made_with_the_options_of_the_feed_and_its_settings() -> None:
    made: list[Any] = []

    class Other(Shop):
        REGION: str = "here"

        def __init__(self, options: Mapping[str, Any]) -> None:
            super().__init__(options)
            made.append(self)

    core = CoreSettings(FEED_STORAGES={"shop": Other})
    options = {"shop://books/all.jl": {"storage_options": {"level": 3}}}
    make_feeds(options, core, spider_name="x", started=STARTED, declared=lambda _: {"REGION": "there"})
    assert (made[0].options, made[0].REGION) == ({"level": 3}, "there")


def test_secrets_that_a_job_left_out_are_no_options_of_the_file_system() -> None:
    options = {"memory://books/all.jl": {"storage_options": {"secret": "***"}}}
    (feed,) = make_feeds(options, CoreSettings(), spider_name="x", started=STARTED)
    feed.check()


def test_two_feeds_of_one_place() -> None:
    core = CoreSettings(FEED_STORAGES={"shop": Shop})
    with pytest.raises(OutputError, match="writes to the same place"):
        make_feeds({"shop://a/%(name)s.jl": {}, "shop://a/x.jl": {}}, core, spider_name="x", started=STARTED)


def test_a_placeholder_brings_no_folder_into_a_url(tmp_path: Path) -> None:
    core = CoreSettings(FEED_STORAGES={"shop": Shop})
    (feed,) = make_feeds({"shop://a/%(name)s.jl": {}}, core, spider_name="../../x", started=STARTED)
    assert feed.destination == "shop://a/_._.._x.jl"


def test_a_place_that_nothing_is_known_of_is_told_before_the_start() -> None:
    (feed,) = make_feeds({"shpo://a/x.jl": {}}, CoreSettings(), spider_name="x", started=STARTED)
    with pytest.raises(UsageError, match="shpo:// is no place that files can be sent to"):
        feed.check()
