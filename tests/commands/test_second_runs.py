"""What do --since, --only-new and --changes do, and what if they cannot?"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.second_runs import SPIDERS, Shop, shop
from tests.commands.conftest import Crawler, Result, command, environment

CACHED = ("-s", "HTTPCACHE_ENABLED=true", "-s", "ROBOTSTXT_OBEY=false")


@pytest.fixture
def served(outside: None) -> Iterator[Shop]:
    with shop(range(6)) as server:
        yield server


@pytest.fixture
def project(folder: Path, served: Shop) -> Path:
    (folder / "pages.py").write_text(SPIDERS.replace("URL", served.url))
    return folder


class Runs:
    """Runs of a spider of the shop; ``asked`` are the books that the server was asked for by the last one."""

    def __init__(self, crawler: Crawler, folder: Path, served: Shop) -> None:
        self._crawler = crawler
        self._served = served
        self.folder = folder
        self.asked: list[str] = []

    def __call__(self, *options: str, spider: str = "shop", status: int = 0) -> Result:
        self._served.paths.clear()
        self._served.requests.clear()
        result = self._crawler("run", f"pages.py:{spider}", "-O", "items.jsonl", *CACHED, *options)
        self.asked = sorted(path for path in self._served.paths if path.startswith("/book/"))
        assert result.status == status, result.err
        return result

    @property
    def statuses(self) -> dict[int, int]:
        return dict(self._served.requests)

    def items(self) -> list[str]:
        return sorted(item["title"] for item in lines(self.folder / "items.jsonl"))

    def changes(self) -> list[tuple[str, str, Any]]:
        """Return change, the book, and the new price."""
        return sorted(
            (line["change"], line["key"].rpartition("/")[2], line["item"] and line["item"]["price"])
            for line in lines(self.folder / "changes.jsonl")
        )


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def runs(crawler: Crawler, project: Path, served: Shop) -> Runs:
    return Runs(crawler, project, served)


def change(served: Shop) -> None:
    """Book 1 is changed, book 5 gone, book 9 new."""
    served.revisions[1] += 1
    served.books = [0, 1, 2, 3, 4, 9]


def test_what_has_not_changed_is_not_sent_again(runs: Runs, served: Shop) -> None:
    runs()
    change(served)
    said = runs("--since", "LAST", "--changes", "changes.jsonl").err
    assert runs.statuses == {304: 5, 200: 3}  # the root and 4 books; the list, the changed one, the new one
    assert runs.items() == ["Book 0", "Book 1", "Book 2", "Book 3", "Book 4", "Book 9"]
    assert runs.changes() == [("changed", "1", "£1.00"), ("gone", "5", None), ("new", "9", "£0.00")]
    assert "1 new, 1 changed, 1 gone, 4 the same" in said


def test_only_new_leaves_out_what_led_nowhere(runs: Runs, served: Shop) -> None:
    runs()
    change(served)
    said = runs("--since", "LAST", "--only-new", "--changes", "changes.jsonl").err
    assert runs.asked == ["/book/9"]
    assert "5 known" in said
    assert runs.items() == ["Book 9"]
    assert runs.changes() == [("gone", "5", None), ("new", "9", "£0.00")]


def test_what_was_left_out_is_known_to_the_run_after_that(runs: Runs, served: Shop) -> None:
    runs()
    change(served)
    runs("--since", "LAST", "--only-new")
    served.books = [0, 1, 2, 3, 9]
    runs("--since", "LAST", "--only-new", "--changes", "changes.jsonl")
    assert runs.asked == []
    assert runs.changes() == [("gone", "4", None)]
    served.books = [0, 1, 2, 3, 9, 10]
    runs("--since", "LAST", "--changes", "changes.jsonl")
    assert runs.changes() == [("changed", "1", "£1.00"), ("new", "10", "£0.00")]


def test_a_sitemap_says_what_need_not_be_asked_for(runs: Runs, served: Shop) -> None:
    runs(spider="map")
    change(served)
    runs("--since", "LAST", "--changes", "changes.jsonl", spider="map")
    assert runs.asked == ["/book/1", "/book/9"]
    assert runs.changes() == [("changed", "1", "£1.00"), ("gone", "5", None), ("new", "9", "£0.00")]


def test_a_page_that_fails_for_now_has_lost_no_items(runs: Runs, served: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    runs()
    page = served.page
    monkeypatch.setattr(served, "page", lambda path: 1 / 0 if path == "/book/3" else page(path))
    monkeypatch.setattr(served, "handle_error", lambda *_: None)  # it closes the connection
    quick = ("-s", "RETRY_ENABLED=false", "--fail-on", "none")
    runs("--since", "LAST", "--changes", "changes.jsonl", *quick)
    assert runs.changes() == []
    monkeypatch.undo()
    runs("--since", "LAST", "--changes", "changes.jsonl")
    assert runs.changes() == []  # nor is it new, now that it is there again


def test_changes_without_an_earlier_run_are_all_new(runs: Runs) -> None:
    runs("--changes", "changes.jsonl")
    assert [kind for kind, *_ in runs.changes()] == ["new"] * 6


def test_items_are_found_again_by_a_key_and_kept_whole_if_wished(runs: Runs, served: Shop) -> None:
    key = ("-s", "ITEM_KEY=title", "-s", "JOB_HISTORY_ITEMS=whole")
    runs(*key)
    change(served)
    runs("--since", "LAST", "--changes", "changes.jsonl", *key)
    told = {line["key"]: line for line in lines(runs.folder / "changes.jsonl")}
    assert sorted(told) == ["Book 1", "Book 5", "Book 9"]
    assert told["Book 1"]["before"]["price"] == "£0.00"
    assert told["Book 1"]["item"]["price"] == "£1.00"
    assert told["Book 5"]["before"]["title"] == "Book 5"


def test_fields_that_do_not_count(runs: Runs, served: Shop) -> None:
    runs("-s", "CHANGES_IGNORE=price")
    change(served)
    runs("--since", "LAST", "--changes", "changes.jsonl", "-s", "CHANGES_IGNORE=price")
    assert [kind for kind, *_ in runs.changes()] == ["gone", "new"]


def test_last_is_that_of_the_same_arguments(runs: Runs, crawler: Crawler) -> None:
    runs("-a", "shelf=1", "--job", "other")
    said = runs("--since", "LAST", status=2).err
    assert "with these arguments" in said
    assert "--since other" in said
    runs("--since", "other")


def test_a_secret_among_the_arguments_does_not_make_it_another(runs: Runs, folder: Path) -> None:
    file = folder / "pages.py"
    file.write_text(file.read_text().replace("shelf: int = 0", 'api_token: str = ""'))
    runs("-a", "api_token=hush")
    runs("--since", "LAST", "-a", "api_token=hush")


def test_each_of_several_spiders_looks_back_to_its_own_run(crawler: Crawler, project: Path, served: Shop) -> None:
    (project / "settings.py").write_text("HTTPCACHE_ENABLED = True\nROBOTSTXT_OBEY = False\n")
    (project / "spiders").mkdir()
    (project / "spiders/__init__.py").touch()
    (project / "pages.py").rename(project / "spiders/pages.py")
    several = ("crawl", "shop", "map", "-O", "%(name)s.jsonl")
    assert crawler(*several).status == 0
    change(served)
    assert crawler(*several, "--since", "LAST", "--changes", "%(name)s.changes").status == 0
    for name in ("shop", "map"):
        assert sorted(line["change"] for line in lines(project / f"{name}.changes")) == ["changed", "gone", "new"]
    assert "would both have --changes x" in crawler(*several, "--changes", "x").err


def test_no_run_to_look_back_to(runs: Runs, crawler: Crawler) -> None:
    said = runs("--since", "LAST", status=2).err
    assert runs.statuses == {}
    assert "no finished run of shop" in said
    command = said.partition("`")[2].partition("`")[0].split()
    assert crawler(*command[1:]).status == 0  # what it recommends makes one
    runs("--since", "LAST")
    assert runs.statuses == {304: 8}


def test_a_run_that_is_not_there(runs: Runs) -> None:
    runs("--job", "monday")
    said = runs("--since", "tuesday", status=2).err
    assert "no finished run of shop by this name; there are monday" in said
    assert len(runs.items()) == 6  # the output is as the first run left it


@pytest.mark.parametrize("option", ["--only-new", "--changes=changes.jsonl"])
def test_a_run_whose_history_is_damaged(runs: Runs, option: str) -> None:
    runs()
    (file,) = (runs.folder / ".crawler/jobs.history").iterdir()
    file.write_bytes(file.read_bytes()[:-40])
    assert "is damaged" in runs("--since", "LAST", option, status=2).err
    assert len(runs.items()) == 6
    assert runs.statuses == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--only-new",), "name it with --since"),
        (("--since", "LAST", "-s", "HTTPCACHE_POLICY=replay"), 'leave it at "rfc9111"'),
        (("--changes", "x.jsonl", "-s", "JOB_STORE=none"), "needs a job"),
        (("--changes", "x.jsonl", "-s", "JOB_HISTORY_RUNS=0"), "needs the history"),
        (("--changes", "nowhere/x.jsonl"), "no such folder"),
        (("--changes", "."), "it is a folder"),
        (("-s", "ITEM_KEY=3.5"), "ITEM_KEY"),
    ],
)
def test_what_does_not_go_together(runs: Runs, options: tuple[str, ...], said: str) -> None:
    assert said in runs(*options, status=2).err
    assert runs.statuses == {}


def test_a_run_that_kept_nothing_of_its_items(runs: Runs) -> None:
    runs("-s", "JOB_HISTORY_ITEMS=none")
    assert "kept nothing of its 6 items" in runs("--since", "LAST", "--changes", "changes.jsonl", status=2).err


def test_a_resume_knows_the_run_and_writes_the_changes_at_the_end(runs: Runs, served: Shop, crawler: Crawler) -> None:
    runs("--job", "first")
    change(served)
    runs("--since", "LAST", "--changes", "changes.jsonl", "-s", "CLOSESPIDER_PAGECOUNT=4", "--job", "second")
    assert not (runs.folder / "changes.jsonl").exists()
    crawler("run", "pages.py:shop", *CACHED, "--job", "third")  # LAST is another now
    assert crawler("resume", "second", "-s", "CLOSESPIDER_PAGECOUNT=0").status == 0
    assert runs.changes() == [("changed", "1", "£1.00"), ("gone", "5", None), ("new", "9", "£0.00")]
    assert list((runs.folder / ".crawler/jobs").iterdir()) == []


@pytest.mark.process
def test_a_killed_run_tells_each_change_once(runs: Runs, served: Shop, process: Crawler) -> None:
    served.books = list(range(60))
    runs()
    served.revisions.update(range(30))
    served.paths.clear()
    words = ["run", "pages.py:shop", "-O", "items.jsonl", *CACHED, "-s", "DOWNLOAD_DELAY=0.01", "--job", "second"]
    words += ["--since", "LAST", "--changes", "changes.jsonl", "-s", "JOB_COMMIT_SECONDS=0"]
    running = subprocess.Popen(command(*words), cwd=runs.folder, env=environment(), stderr=subprocess.DEVNULL)
    while len(served.paths) < 30:
        time.sleep(0.01)
    running.kill()
    running.wait()
    assert process("resume", "second", "-s", "DOWNLOAD_DELAY=0").status == 0
    assert len(lines(runs.folder / "items.jsonl")) == 60
    assert runs.changes() == sorted(("changed", str(number), "£1.00") for number in range(30))


def test_what_is_fetched_again_after_it_failed_is_no_news(
    runs: Runs, served: Shop, crawler: Crawler, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = served.page
    monkeypatch.setattr(served, "page", lambda path: None if path == "/book/3" else page(path))
    runs("--job", "first", "--fail-on", "none")
    monkeypatch.undo()
    assert crawler("resume", "first", "--failed").status == 0
    assert len(runs.items()) == 6
    change(served)
    runs("--since", "LAST", "--changes", "changes.jsonl")
    assert runs.changes() == [("changed", "1", "£1.00"), ("gone", "5", None), ("new", "9", "£0.00")]


def test_a_project_whose_runs_are_second_ones_can_fetch_a_page(crawler: Crawler, project: Path, served: Shop) -> None:
    (project / "settings.py").write_text('SINCE = "LAST"\nONLY_NEW = True\nCHANGES_FILE = "changes.jsonl"\n')
    (project / "spiders").mkdir()
    assert "Book 1" in crawler("fetch", f"{served.url}/book/1").out


def test_changes_that_cannot_be_written_are_no_success(runs: Runs, crawler: Crawler) -> None:
    """The job stays then, and a resume writes them."""
    runs()
    history = runs.folder / ".crawler" / "jobs.history"
    aside = history.rename(history.with_name("aside"))
    history.write_text("")
    said = runs("--changes", "changes.jsonl", "--job", "mine", status=1).err
    assert "changes.jsonl is not written" in said
    history.unlink()
    aside.rename(history)
    resumed = crawler("resume", "mine")
    assert (resumed.status, "what is kept of it is written" in resumed.err) == (2, True), resumed.err
    assert len(runs.changes()) == 6
    assert not (runs.folder / ".crawler" / "jobs" / "mine.sqlite").exists()


FORGETFUL = """
from pathlib import Path

class Forgetful(Shop):
    name = "forgetful"

    def closed(self, reason):
        for each in Path(".crawler/jobs.history").glob("*"):
            each.unlink()
"""


def test_a_run_that_is_gone_at_the_end_is_named(runs: Runs, crawler: Crawler) -> None:
    with (runs.folder / "pages.py").open("a") as file:
        file.write(FORGETFUL)
    runs(spider="forgetful")
    options = ("--since", "LAST", "--changes", "changes.jsonl", "--job", "mine")
    assert "is not there any more" in runs(*options, spider="forgetful", status=1).err
    assert "`crawler jobs rm mine` removes it all the same" in runs("--job", "mine", spider="forgetful", status=2).err
    assert crawler("jobs", "rm", "mine").status == 0


@pytest.mark.parametrize("target", ["items.jsonl", "../empty/items.jsonl", "-"])
def test_changes_take_the_place_of_no_output(runs: Runs, target: str) -> None:
    runs("--changes", target, status=2)
    assert not (runs.folder / "items.jsonl").exists()


def test_a_stopped_crawl_goes_on_without_the_run_that_is_gone(runs: Runs, crawler: Crawler) -> None:
    runs("--job", "first")
    runs("--since", "first", "--changes", "changes.jsonl", "-s", "CLOSESPIDER_PAGECOUNT=2", "--job", "second")
    crawler("jobs", "rm", "first")
    crawler("run", "pages.py:shop", "-O", "others.jsonl", *CACHED, "--job", "third")
    said = crawler("resume", "second").err
    assert "which -s SINCE=NAME takes instead" in said
    resumed = crawler("resume", "second", "-s", "SINCE=third", "-s", "CLOSESPIDER_PAGECOUNT=0")
    assert (resumed.status, "changes.jsonl is not written" in resumed.err) == (1, True), resumed.err
    assert len(runs.items()) == len(set(runs.items())) == 6
