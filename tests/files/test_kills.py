"""Are items there once and their files whole, each fetched once but for what was in flight, when a crawl is killed?"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.docs.served import Answer, served
from tests.files.gallery import SPIDER, Gallery, crawl_killed
from tests.jobs.disks import SmallDisk
from tests.jobs.running import start

pytestmark = [pytest.mark.process, pytest.mark.slow]


def test_a_crawl_of_images_that_is_killed_twice(tmp_path: Path) -> None:
    with Gallery(images=400) as gallery:
        found = crawl_killed(gallery, tmp_path, kills=2)
    assert len(found.kills) == 2
    assert found.good, found
    assert len(found.again) <= 40, "what was in flight: 16 requests at once, twice"
    assert len(found.left_over) <= 2, "what a kill cut off between the last byte and the name; gone after a day"


def test_a_crawl_of_images_by_two_workers_that_is_killed(tmp_path: Path) -> None:
    with Gallery(images=200) as gallery:
        options = ("--workers", "2", "-s", "JOB_LEASE_SECONDS=2")
        found = crawl_killed(gallery, tmp_path, kills=1, options=options)
    assert (found.missing_items, found.double_items, found.broken) == (0, 0, [])
    assert len(found.again) <= 60, "in flight, or wanted by both at one moment"


@pytest.mark.skipif(SmallDisk.problem() is not None, reason=str(SmallDisk.problem()))
def test_a_full_disk_stops_the_crawl_and_a_resume_goes_on(tmp_path: Path) -> None:
    with Gallery(images=40) as gallery, SmallDisk(tmp_path / "disk", room=300_000) as disk:
        (tmp_path / "gallery.py").write_text(SPIDER)
        jobs = ("-s", f"JOB_DIR={tmp_path / 'jobs'}")
        first = ("-a", f"port={gallery.port}", "-a", "images=40", "-O", str(tmp_path / "items.jsonl"), "--job", "k")
        images = ("-s", 'PIPELINES=["crawler.Images"]', "-s", f"IMAGES_STORE={disk.folder}/store")
        log = tmp_path / "log"
        process = start("run", "gallery.py", *first, *images, *jobs, log=log, cwd=tmp_path)
        assert process.wait(60) == 1
        assert "No space left on device" in log.read_text()
        disk.free()
        process = start("resume", "k", *jobs, log=log, cwd=tmp_path)
        assert process.wait(60) == 0, log.read_text()
        items = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
        assert sorted(item["n"] for item in items) == list(range(40))
        for path, body in gallery.expected().items():
            assert (disk.folder / "store" / path).read_bytes() == body
        assert {each["status"] for item in items for each in item["images"]} <= {"downloaded", "uptodate"}


LARGE = 60_000_000


def test_a_large_file_never_lies_in_memory(tmp_path: Path) -> None:
    small, large = (_memory_of_one_file(tmp_path / str(size), size) for size in (1000, LARGE))
    assert large - small < LARGE / 3, f"{small / 1e6:.0f} MB, and {large / 1e6:.0f} MB with the file"


def _memory_of_one_file(folder: Path, size: int) -> int:
    """Return the most bytes of memory that a crawl of one file took."""
    folder.mkdir()
    (folder / "one.py").write_text(ONE_FILE)
    with served(lambda asked: Answer(b"x" * size) if asked.path == "/large" else "<title>page</title>") as url:
        options = ("-a", f"url={url}", "-O", "items.jsonl", "-L", "WARNING", "-s", "FILES_STORE=store")
        process = start("run", "one.py", *options, log=folder / "log", cwd=folder)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, (folder / "log").read_text()
    (item,) = map(json.loads, (folder / "items.jsonl").read_text().splitlines())
    (file,) = item["files"]
    assert (folder / "store" / file["path"]).stat().st_size == size
    return used.ru_maxrss * 1024


ONE_FILE = """
from crawler import Request, Spider


class One(Spider):
    name = "one"
    url: str
    custom_settings = {"PIPELINES": ["crawler.Files"]}

    def start_requests(self):
        yield Request(self.url)

    def parse(self, response):
        yield {"file_urls": [f"{self.url}/large"]}
"""
