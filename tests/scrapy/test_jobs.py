"""Is a crawl of a Scrapy project that is killed gone on with, and can many processes do one?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import environment
from tests.scrapy.conftest import FILES, Write

pytestmark = [pytest.mark.process, pytest.mark.slow]

KILLED = """\
import os
import signal
from pathlib import Path

import scrapy


class Pages(scrapy.Spider):
    name = "pages"
    start_urls = [f"data:text/html,<p>{number}</p>" for number in range(20)]

    def parse(self, response):
        number = response.css("p::text").get()
        if number == "7" and not Path("killed").exists():
            Path("killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield {"number": number}
"""


def ran(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command; ``-P``: what is in the folder is not imported in the place of the crawler."""
    return subprocess.run(
        [sys.executable, "-P", "-m", "crawler", *arguments],
        cwd=root, env=environment(), capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip


def numbers(file: Path) -> list[int]:
    return sorted(int(json.loads(line)["number"]) for line in file.read_text().splitlines())


def test_a_crawl_that_is_killed_goes_on_and_every_item_is_there_once(project: Write) -> None:
    root = project({"shop/spiders/pages.py": KILLED})

    assert ran(root, "crawl", "pages", "--job", "first", "-o", "items.jsonl").returncode == -9
    resumed = ran(root, "resume", "first")

    assert resumed.returncode == 0, resumed.stderr
    assert numbers(root / "items.jsonl") == list(range(20))


@pytest.mark.parametrize("package", ["shop", "crawler"])
def test_many_processes_do_a_crawl_of_a_project(project: Write, package: str) -> None:
    files = {name.replace("shop/", f"{package}/"): text.replace("shop", package) for name, text in FILES.items()}
    root = project({**files, f"{package}/spiders/pages.py": KILLED.replace('== "7"', "is None")})

    done = ran(root, "crawl", "pages", "--workers", "2", "-o", "items.jsonl")

    assert done.returncode == 0, done.stderr
    assert numbers(root / "items.jsonl") == list(range(20))
