"""Does a run remember its items, whatever happens to its process and its files?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from crawler.errors import StoreError
from crawler.feeds.digests import DigestFeed
from crawler.model.keyed import Keyed
from crawler.storage import history
from crawler.storage.history import Kept, Page, Run
from crawler.storage.itemhistory import leaves, with_items
from crawler.storage.itemrecord import ItemRecord, items_of, revive_record
from crawler.storage.itemrows import rows_of

URL = "http://a.test/"


def page(token: int, outcome: str = "answered", reason: str = "", *, requests: int = 0, status: str = "200") -> Page:
    return Page(token, f"{URL}{token}", (1000 + token,), outcome, reason, status, 1, requests, 0, -1, "")


def item(token: int, value: Any = 1, place: int = 0) -> Keyed:
    return {"value": value}, token, f"{URL}{token}", place


class Job:
    """A job of a run, whose feed is opened, written and closed as FeedWriters does."""

    def __init__(self, folder: Path, name: str, *, since: Run | None = None, changes: bool = False) -> None:
        self.path = folder / "jobs" / f"{name}.sqlite"
        self.path.parent.mkdir(exist_ok=True)
        self._since = None if since is None else since.path
        self.target = folder / "changes.jsonl" if changes else None
        self.mark: dict[str, Any] | None = None
        self.feed = self._opened()

    def _opened(self) -> DigestFeed:
        feed = DigestFeed(ItemRecord(self.path, whole=False, since=self._since, target=self.target))
        feed.open(self.mark, durable=True)
        self.mark = feed.write((), 0 if self.mark is None else self.mark["number"])
        return feed

    def write(self, *items: Keyed, kept: bool = True) -> None:
        assert self.mark is not None
        mark = self.feed.write(items, self.mark["number"] + len(items))
        if kept:
            self.mark = mark

    def go_on(self) -> None:
        """Another process takes the job up; the mark of the closing did not come to the store."""
        self.feed.close(finished=False)
        self.feed = self._opened()

    def finish(self, pages: Iterable[Page]) -> Run:
        self.feed.close(finished=True)
        run = Run(self.path.stem, "shop", 0.0, 1.0, 1, 0, 1)
        return history.read_run(history.write(self.path.parent, run, with_items(self.path, Kept(pages))))

    def changes(self) -> list[tuple[str, str]]:
        assert self.target is not None
        lines = map(json.loads, self.target.read_text().splitlines())
        return sorted((line["change"], line["key"].removeprefix(URL)) for line in lines)


@pytest.fixture
def first(tmp_path: Path) -> Run:
    """A run with an item each on pages 1 to 4."""
    job = Job(tmp_path, "first")
    job.write(*map(item, (1, 2, 3, 4)))
    return job.finish(map(page, (1, 2, 3, 4)))


def test_a_kill_between_a_write_and_its_mark_leaves_each_item_once(tmp_path: Path, first: Run) -> None:
    job = Job(tmp_path, "second", since=first, changes=True)
    job.write(item(1), item(2, "changed"))
    job.write(item(3), item(5), kept=False)  # the mark did not come to the store
    job.go_on()
    job.write(item(3), item(5))
    run = job.finish(map(page, (1, 2, 3, 5)))
    assert [row.token for row in rows_of(run)] == [1, 2, 3, 5]
    assert job.changes() == [("changed", "2"), ("gone", "4"), ("new", "5")]


def test_a_kill_at_the_end_writes_the_changes_again(tmp_path: Path, first: Run) -> None:
    job = Job(tmp_path, "second", since=first, changes=True)
    job.write(item(1))
    assert job.target is not None
    job.target.write_text("half a l")
    job.finish([page(1)])
    once = job.changes()
    job.go_on()
    job.finish([page(1)])
    assert job.changes() == once == [("gone", "2"), ("gone", "3"), ("gone", "4")]


@pytest.mark.parametrize(
    ("ended", "gone"),
    [
        (page(2, "dropped", "known"), False),
        (page(2, "dropped", "robots"), False),
        (page(2, "failed", "FetchTimeout", status="FetchTimeout"), False),
        (page(2, "failed", "HttpError", status="503"), False),
        (page(2, "failed", "HttpError", status="404"), True),
        (page(2, "failed", "HttpError", status="410"), True),
        (page(2, "dropped", "duplicate"), True),  # it leads to another page now
        (page(2), True),
    ],
)
def test_what_a_page_says_of_items_that_did_not_come(tmp_path: Path, first: Run, ended: Page, gone: bool) -> None:
    job = Job(tmp_path, "second", since=first, changes=True)
    job.write(*map(item, (1, 3, 4)))
    # The token is another in this run: the fingerprint tells which page it is.
    moved = Page(77, *ended[1:])
    run = job.finish([page(1), moved, page(3), page(4)])
    assert job.changes() == ([("gone", "2")] if gone else [])
    assert [row.token for row in rows_of(run)] == [1, 3, 4, *([] if gone else [77])]  # the next run is to know it


def test_items_with_one_key_count_in_their_order(tmp_path: Path) -> None:
    one = Job(tmp_path, "one")
    one.write(item(1, "a"), item(1, "b"), item(1, "c"))
    two = Job(tmp_path, "two", since=one.finish([page(1)]), changes=True)
    two.write(item(1, "a"), item(1, "x"))
    two.finish([page(1)])
    assert two.changes() == [("changed", "1"), ("gone", "1")]


def test_the_order_of_fields_and_of_sets_is_no_change(tmp_path: Path) -> None:
    one, two = (dict(pairs) for pairs in ((("a", 1), ("b", {"x", "y", "z"})), (("b", {"z", "y", "x"}), ("a", 1))))
    first = Job(tmp_path, "one")
    first.write((one, 1, URL, 0), (two, 1, URL, 1))
    assert len({row.digest for row in rows_of(first.finish([page(1)]))}) == 1


def test_a_record_that_lost_its_end_gives_no_changes(tmp_path: Path, first: Run) -> None:
    job = Job(tmp_path, "second", since=first, changes=True)
    job.write(item(1), item(2))
    items_of(job.path).write_bytes(items_of(job.path).read_bytes()[:-1])
    job.go_on()
    job.write(item(3))
    with pytest.raises(StoreError, match="cannot be written"):
        job.finish([page(1)])


def test_a_history_that_is_gone_is_told(tmp_path: Path, first: Run) -> None:
    job = Job(tmp_path, "second", since=first, changes=True)
    job.write(item(1))
    first.path.unlink()
    with pytest.raises(StoreError, match="is not there any more"):
        job.finish([page(1)])


def test_a_run_that_becomes_a_job_again_has_its_items(tmp_path: Path, first: Run) -> None:
    job = tmp_path / "jobs" / "again.sqlite"
    revive_record(job, first)
    again = Job(tmp_path, "again")
    again.write(item(5))
    assert [row.token for row in rows_of(again.finish([page(5)]))] == [1, 2, 3, 4, 5]


def test_leaves_are_pages_that_led_nowhere(tmp_path: Path) -> None:
    pages = [
        page(1, requests=3),
        page(2),
        page(3, reason="raised"),
        page(4, "failed", "HttpError", status="404"),
        page(5, "dropped", "known"),
        page(6, "dropped", "robots"),
    ]
    assert list(leaves(Job(tmp_path, "one").finish(pages))) == [1002, 1005]
