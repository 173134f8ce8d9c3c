"""Does a crawl of any kind have its page when that is asked for, and nothing that listens when not? In processes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import command, environment
from tests.status.shop import SPIDER

pytestmark = pytest.mark.process

NATIVE = """\
from twisted.internet import asyncioreactor
asyncioreactor.install()
from twisted.internet import reactor
from crawler import crawl
from shop import Shop
done = crawl(Shop, {"STATUS_ENABLED": True, "JOB_NAME": "mine", "FEEDS": {"out.jsonl": {}}}, reactor=reactor)
done.addBoth(lambda result: reactor.callLater(0, reactor.stop))
reactor.run()
"""

SCRAPY = """\
import scrapy
from scrapy.crawler import CrawlerProcess
import shop

class Shop(scrapy.Spider):
    name = "shop"
    start_urls = ["data:text/html,x"]
    parse = shop.Shop.parse

feeds = {"out.jsonl": {"format": "jsonlines"}}
process = CrawlerProcess({"CRAWLER_STATUS_ENABLED": True, "JOBDIR": "job", "FEEDS": feeds})
process.crawl(Shop)
process.start()
"""


class Ran:
    """A crawl that was run to its end. ``item``: what the spider saw of its own process."""

    def __init__(self, folder: Path, *words: str, python: list[str] | None = None, status: int = 0) -> None:
        ran = subprocess.run(
            [sys.executable, *python] if python else command(*words),
            cwd=folder,
            env=environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        self.out, self.err = ran.stdout, ran.stderr
        assert ran.returncode == status, self.err
        output = folder / "out.jsonl"
        self.item: dict[str, Any] = json.loads(output.read_text()) if output.exists() else {}

    @property
    def printed(self) -> list[str]:
        """The addresses that were printed."""
        return re.findall(r"(?m)^status page: (http\S+\?token=\S+)$", self.err)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.py").write_text(SPIDER)
    return tmp_path


def left(folder: Path) -> list[str]:
    """What is left of jobs that have ended."""
    return [file.name for file in folder.glob(".crawler/jobs/*")]


def test_nothing_listens_unless_it_is_asked_for(folder: Path) -> None:
    ran = Ran(folder, "run", "shop.py", "-O", "out.jsonl")
    assert (ran.item["listening"], ran.item["entries"], ran.printed) == ([], [], [])
    assert ran.item["imported"] == []


@pytest.mark.slow
def test_what_listens_is_one_port_of_loopback(folder: Path) -> None:
    ran = Ran(folder, "run", "shop.py", "-O", "out.jsonl", "--status")
    assert ran.item["listening"] == [["tcp", "0100007F"]]


def script(folder: Path, text: str, *words: str) -> Ran:
    """Run a script by Python with these words and its file."""
    (folder / "main.py").write_text(text)
    return Ran(folder, python=[*words, "main.py"])


@pytest.mark.slow
def test_a_crawl_of_a_script_has_its_page(folder: Path) -> None:
    ran = script(folder, NATIVE)
    assert ran.printed == [ran.item["entries"][0]["url"]]
    assert ran.item["seen"]["now"]["job"]["name"] == "mine"


@pytest.mark.slow
def test_a_crawl_of_a_scrapy_script_has_its_page(folder: Path) -> None:
    ran = script(folder, SCRAPY, "-m", "crawler", "run")
    assert len(ran.printed) == 1
    assert ran.item["listening"] == [["tcp", "0100007F"]]


@pytest.mark.slow
def test_what_a_killed_crawl_leaves_is_no_hindrance_and_goes_with_its_job(folder: Path) -> None:
    with (folder / "shop.py").open("a") as spider:
        spider.write("\n        if not Path('again').exists():\n            os.kill(os.getpid(), 9)\n")
    subprocess.run(
        command("run", "shop.py", "--status", "--job", "mine"), cwd=folder, env=environment(), capture_output=True,
        timeout=60, check=False,
    )  # fmt: skip
    file = folder / ".crawler" / "jobs" / "mine.status"
    before = json.loads(file.read_text())
    (folder / "again").touch()
    ran = Ran(folder, "resume", "mine", "--status")
    assert ran.printed != [before["url"]]
    assert not file.exists()
