"""Does ``crawler migrate`` tell, before the first run, what of a project will differ or not work?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Crawler
from tests.scrapy.conftest import FILES, Write

PROJECTS = Path(__file__).parents[1] / "scrapy_projects" / "projects"
SETTINGS = FILES["shop/settings.py"]
SPIDER = FILES["shop/spiders/words.py"]


def test_a_project_without_anything_odd_is_told_so_and_is_status_0(project: Write, in_project: Crawler) -> None:
    project({"shop/settings.py": SETTINGS + "ROBOTSTXT_OBEY = True\n"})

    told = in_project("migrate")

    assert (told.status, told.err) == (0, "")
    assert told.out == "Files: 4; nothing was found that differs: `crawler list` names the spiders\n"


def test_the_error_of_proxies_that_is_lent_is_nothing_to_tell_of(project: Write, in_project: Crawler) -> None:
    imported = "from scrapy.core.downloader.handlers.http11 import TunnelError\n"
    project({"shop/settings.py": SETTINGS + "ROBOTSTXT_OBEY = True\n", "shop/middlewares.py": imported})

    told = in_project("migrate")

    assert (told.status, "TunnelError" in told.out) == (0, False)


@pytest.mark.parametrize(
    ("file", "text", "place", "said"),
    [
        (
            "shop/spiders/words.py",
            "from scrapy.core.engine import ExecutionEngine\n",
            "1: does not work",
            "core.engine is",
        ),
        (
            "shop/spiders/words.py",
            "import scrapy\nfrom scrapy.contrib.spiders import Rule\n",
            "2: does",
            "scrapy.spiders",
        ),
        ("shop/spiders/words.py", "from scrapy import log\n", "1: does not work", "scrapy has no log any more"),
        (
            "shop/spiders/words.py",
            "from scrapy.signals import odd_thing\n",
            "1: does not work",
            "no scrapy.signals.odd",
        ),
        ("shop/spiders/words.py", "import scrapy_playwright.page\n", "1: does not work", "docs/schemes.md"),
        (
            "shop/spiders/words.py",
            "def parse(self, r):\n    self.crawler.engine.slot.x\n",
            "2: does not work",
            "no slot",
        ),
        ("shop/spiders/words.py", "x = signals.odd_thing\n", "1: does not work", "there is no signal odd_thing"),
        ("shop/spiders/words.py", "def f(:\n", "1: does not work", "this Python does not read it"),
        ("shop/spiders/words.py", 'y = dict(meta={"zyte_api": True})\n', "1: differs", 'meta "zyte_api" is not read'),
        ("shop/spiders/again.py", SPIDER, "4: does not work", 'a spider named "words" is in'),
        ("shop/settings.py", 'ITEM_PIPELINES = {"nothing.like.It": 1}\n', "1: does not work", "there is no nothing"),
        ("shop/settings.py", 'SCHEDULER = "shop.queue.Queue"\n', "1: does not work", "SCHEDULER"),
        ("shop/settings.py", "\n", "1: differs", "robots.txt is obeyed unless"),
        ("crawler/errors.py", "", ": does not work", "crawler/errors is hidden"),
    ],
)
def test_what_differs_or_does_not_work_is_told_by_file_and_line(
    project: Write, in_project: Crawler, file: str, text: str, place: str, said: str
) -> None:
    project({file: text})

    told = in_project("migrate")

    lines = [line for line in told.out.splitlines() if said in line]
    assert len(lines) == 1, told
    assert (f"{file}:{place}" in lines[0]) or (place in lines[0] and file.removesuffix(".py") in lines[0])
    assert told.status == ("does not work" in lines[0])


def test_the_files_are_not_run(project: Write, in_project: Crawler) -> None:
    project({"shop/spiders/words.py": SPIDER + "\nraise SystemExit(7)\n"})

    assert in_project("migrate").status == 0


def test_an_import_that_is_not_used_and_does_no_harm_is_not_told(project: Write, in_project: Crawler) -> None:
    project({"shop/spiders/words.py": "from scrapy.commands import parse\nimport scrapy.squeues\n" + SPIDER})

    assert in_project("migrate").status == 0


@pytest.mark.parametrize("name", sorted(path.parent.name for path in PROJECTS.glob("*/scrapy.cfg")))
def test_nothing_is_said_not_to_work_of_projects_that_work(in_project: Crawler, name: str) -> None:
    told = in_project("migrate", cwd=PROJECTS / name)

    assert told.status == 0, told.out
