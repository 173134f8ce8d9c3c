"""What does a user see of a feed that is stored elsewhere: kills, failures, passwords, many workers?"""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import pytest

from tests.commands.conftest import SPIDER, Crawler, Site, items, jobs
from tests.commands.failing_site import QUIET, FailingSite, expected
from tests.commands.failing_site import items as site_items

pytestmark = pytest.mark.process

STORAGE = """
import os, signal
from pathlib import Path


class Shelf:
    \"\"\"A folder, ``shelf``; the file ``trouble`` says what happens the next times something is stored.\"\"\"

    def __init__(self, options):
        pass

    def store(self, file, url):
        trouble = Path("trouble")
        said = trouble.read_text() if trouble.exists() else ""
        if said == "kill":
            trouble.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        if said == "refuse":
            error = PermissionError("no rights on this shelf")
            error.lasting = True
            raise error
        Path("shelf").mkdir(exist_ok=True)
        Path("shelf", url.rpartition("/")[2]).write_bytes(file.read_bytes())
"""
URL = "shelf://ann:sesame@shop.example/items.jsonl"
ALL = ["0", "1", "2", "3", "4", "5"]


@pytest.fixture
def spider(folder: Path, site: Site) -> Path:
    """A file with the spider and the storage."""
    path = folder / "pages.py"
    text = SPIDER.format(url=site.url).replace(
        '"ROBOTSTXT_OBEY": False', '"ROBOTSTXT_OBEY": False, "FEED_STORAGES": {"shelf": Shelf}'
    )
    path.write_text(STORAGE + text)
    return path


@pytest.mark.slow
def test_a_kill_while_the_file_is_stored(process: Crawler, folder: Path, spider: Path) -> None:
    (folder / "trouble").write_text("kill")
    assert process("run", "pages.py", "-O", URL, "--job", "mine").status == -9
    assert not (folder / "shelf").exists()
    assert process("resume", "mine").status == 0
    assert sorted(items(folder / "shelf" / "items.jsonl")) == ALL
    assert not list((folder / ".crawler" / "jobs").glob("mine*.feeds"))


@pytest.mark.parametrize("how", [("resume", "mine"), ("jobs", "close", "mine")])
def test_what_cannot_be_stored_is_kept_and_stored_later(
    how: tuple[str, ...], crawler: Crawler, folder: Path, spider: Path
) -> None:
    (folder / "trouble").write_text("refuse")
    first = crawler("run", "pages.py", "-O", URL, "--job", "mine", "--summary", "summary.json")
    assert first.status == 1
    assert (
        "shelf://ann:***@shop.example/items.jsonl could not be written: no rights on this shelf; the file is kept as"
        in first.err
    )
    assert jobs(crawler) == [("mine", "stopped")]
    kept = next((folder / ".crawler" / "jobs" / "mine.feeds").rglob("*.jsonl"))
    assert sorted(items(kept)) == ALL
    (folder / "trouble").unlink()
    assert crawler(*how).status == 0
    assert sorted(items(folder / "shelf" / "items.jsonl")) == ALL


def test_no_password_is_shown_or_kept(crawler: Crawler, folder: Path, spider: Path) -> None:
    (folder / "trouble").write_text("refuse")
    said = crawler("run", "pages.py", "-O", URL, "--job", "mine", "--summary", "summary.json", "-L", "DEBUG")
    listed = crawler("jobs", "--json")
    assert "sesame" not in said.err + said.out + listed.out + (folder / "summary.json").read_text()
    for file in (folder / ".crawler").rglob("*"):
        assert not file.is_file() or b"sesame" not in file.read_bytes(), file
    with sqlite3.connect(folder / ".crawler" / "jobs" / "mine.sqlite") as sql:
        assert "shelf://ann:***@shop.example" in str(sql.execute("SELECT * FROM feeds").fetchall())


def test_a_removed_job_takes_its_files_with_it(crawler: Crawler, folder: Path, spider: Path) -> None:
    (folder / "trouble").write_text("refuse")
    crawler("run", "pages.py", "-O", URL, "--job", "mine")
    assert (folder / ".crawler" / "jobs" / "mine.feeds").is_dir()
    assert crawler("jobs", "rm", "mine").status == 0
    assert not (folder / ".crawler" / "jobs" / "mine.feeds").exists()


def test_a_stopped_crawl_is_stored_as_far_as_it_came(crawler: Crawler, folder: Path, spider: Path) -> None:
    crawler("run", "pages.py", "-O", URL, "--job", "mine", "-s", "CLOSESPIDER_PAGECOUNT=2")
    first = items(folder / "shelf" / "items.jsonl")
    assert first == ["0", "1"]
    assert crawler("resume", "mine", "-s", "CLOSESPIDER_PAGECOUNT=0").status == 0
    assert sorted(items(folder / "shelf" / "items.jsonl")) == ALL


def test_a_crawl_that_keeps_no_job(crawler: Crawler, folder: Path, spider: Path) -> None:
    assert crawler("run", "pages.py", "-O", URL, "-s", "JOB_STORE=none").status == 0
    assert sorted(items(folder / "shelf" / "items.jsonl")) == ALL


def test_what_is_fetched_again_joins_the_file_elsewhere(crawler: Crawler, shop: FailingSite, tmp_path: Path) -> None:
    import fsspec

    url, out = "memory://again/items.jsonl.gz", tmp_path / "items.jsonl"
    assert crawler("run", "pages.py", "-O", url, "--job", "mine", *QUIET).status == 0
    shop.heal()
    again = crawler("resume", "mine", "--failed", *QUIET)
    assert again.status == 0, again.err
    out.write_bytes(gzip.decompress(fsspec.filesystem("memory").cat("/again/items.jsonl.gz")))
    assert site_items(out) == expected(shop.broken)


def test_wrong_places_are_told_before_anything_is_fetched(crawler: Crawler, spider: Path, site: Site) -> None:
    for url, said in (
        ("shlf://x/items.jsonl", "shlf:// is no place that files can be sent to"),
        ("s3://bucket/:jsonl", "it names no file"),
        ("gs://bucket/items.jsonl", "`pip install gcsfs`"),
        ("shelf://x/items.pickle", "pickle is not written"),
    ):
        told = crawler("run", "pages.py", "-O", url)
        assert told.status == 2
        assert said in told.err
    assert site.asked == []


@pytest.mark.slow
def test_many_workers(process: Crawler, folder: Path, spider: Path) -> None:
    (folder / "trouble").write_text("refuse")
    first = process("run", "pages.py", "-O", URL, "--job", "mine", "--workers", "2")
    assert first.status == 1
    assert "no rights on this shelf" in first.err
    (folder / "trouble").unlink()
    assert process("resume", "mine").status == 0
    assert sorted(items(folder / "shelf" / "items.jsonl")) == ALL
    assert not list((folder / ".crawler" / "jobs").glob("mine*"))
