"""Is nothing lost or doubled if the process dies at any one step it takes on the disk?

Real files and a real job file in virtual time; a child process ends itself before, amid or after the n-th
write, truncation, renaming, removal, sync or transaction. (At any moment of a real process: tests/jobs.)
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crawler import testing
from tests.engine.forked import in_a_process
from tests.engine.virtual import ROOT, Request, Response, crawl, spider
from tests.feeds.readers import read
from tests.feeds.worlds import feed_for, write_all

pytestmark = pytest.mark.spread

PAGES = 14
STEP = 5
"""Each run dies this many steps later than the one before."""


def parse(_: Any, response: Response) -> Iterator[Any]:
    number = int(response.url.rpartition("/")[2] or 0)
    late = {"late": "yes"} if number % 5 == 4 else {}
    yield {"page": str(number), **late}
    for child in range(number * 2 + 1, min(number * 2 + 3, PAGES)):
        yield Request(f"{ROOT}{child}")


class Dying:
    """Counts steps on the disk, and ends this process at the given one."""

    def __init__(self, at: int, how: str, die: Callable[[Any], None]) -> None:
        self.steps = 0
        self._at = at
        self._how = how
        self._die = die

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **more: Any) -> Any:
            self.steps += 1
            here = self.steps == self._at
            if here and self._how == "amid" and name == "pwrite":
                descriptor, data, place = arguments
                function(descriptor, bytes(data)[: len(data) // 2], place)
            if here and self._how != "after":
                self._die(None)
            result = function(*arguments, **more)
            if here:
                self._die(None)
            return result

        return step

    def install(self) -> None:
        """For the rest of this process."""
        for name in ("pwrite", "ftruncate", "replace", "rename", "unlink", "fsync"):
            setattr(os, name, self.wrap(name, getattr(os, name)))
        dying = self

        class Connection(sqlite3.Connection):
            def execute(self, sql: str, *arguments: Any) -> Any:
                run = super().execute
                return (dying.wrap("sql", run) if sql.startswith(("BEGIN", "COMMIT", "PRAGMA")) else run)(
                    sql, *arguments
                )

        connect = sqlite3.connect
        sqlite3.connect = lambda *given, **more: connect(*given, factory=Connection, **more)  # type: ignore[assignment,misc]


def run_once(folder: Path, name: str, options: dict[str, Any], dying: Dying, hour: int = 0) -> tuple[str, int]:
    """Begin or resume the crawl at an hour of its own; return how it ended, and after how many steps."""
    feed = feed_for(folder / name, options)
    feed.now = lambda: datetime(2026, 1, 2, hour, tzinfo=UTC)
    feed.items = []
    testing.ListFeed = lambda: feed  # type: ignore[assignment, misc]  # in the child only
    dying.install()
    result = crawl(spider(parse=parse), lambda request: "page", job=folder / "job.sqlite", latency=0.05)
    return result.summary.reason, dying.steps


@pytest.mark.process
@pytest.mark.filterwarnings("ignore:.*fork")
@pytest.mark.parametrize(
    "how", ["amid", pytest.param("before", marks=pytest.mark.slow), pytest.param("after", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize(
    ("name", "options", "old"),
    [
        ("items.csv", {"overwrite": True}, ["items.csv"]),
        pytest.param("items.json", {}, ["items.json"], marks=pytest.mark.slow),
        pytest.param("items.csv.gz", {}, ["items.csv.gz"], marks=pytest.mark.slow),
        ("%(batch_id)d.xml", {"batch_item_count": 3}, ["1.xml", "3.xml"]),
        ("%(batch_time)s-%(batch_id)d.jsonl.zst", {"batch_item_count": 3}, []),
    ],
)
def test_a_crawl_that_dies_at_any_step_on_the_disk(
    tmp_path: Path, name: str, options: dict[str, Any], old: list[str], how: str
) -> None:
    (tmp_path / "whole").mkdir()
    _, steps = in_a_process(lambda die: run_once(tmp_path / "whole", name, options, Dying(0, how, die)))
    assert steps > 40
    for at in range(1, steps, STEP):
        folder = tmp_path / str(at)
        folder.mkdir()
        for number, before in enumerate(old):
            write_all(folder / before, [{"page": f"old{number}"}])
        for again in range(3):  # it dies at this step, and at the same step of its first resume
            ended = in_a_process(
                lambda die, at=at, again=again, folder=folder: run_once(
                    folder, name, options, Dying(at if again < 2 else 0, how, die), again
                )
            )
            if ended is not None:
                break
        assert ended[0] == "finished"
        files = [file for file in folder.iterdir() if not file.name.startswith("job.sqlite")]
        found = Counter(item["page"] for file in files for item in read(file))
        kept = [] if options.get("overwrite") else [f"old{number}" for number in range(len(old))]
        assert found == Counter([str(number) for number in range(PAGES)] + kept), at
