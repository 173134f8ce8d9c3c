"""Do spiders that import a reactor, or go to another folder, leave the crawl where it should be?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler

pytestmark = pytest.mark.process

REACTOR = """\
from twisted.internet import reactor
import asyncio
from crawler import Spider


class Pages(Spider):
    name = "pages"
    start_urls = ["data:,x"]

    async def parse(self, response):
        await asyncio.sleep(0.001)
        yield {"reactor": type(reactor).__name__}
"""


def test_a_reactor_that_a_spider_imports_first_is_the_crawls(process: Crawler, folder: Path) -> None:
    (folder / "pages.py").write_text(REACTOR)
    result = process("run", "pages.py", "-o", "-")
    assert (result.status, result.out) == (0, '{"reactor":"AsyncioSelectorReactor"}\n')


MOVES = """\
import os
from crawler import Spider


class Pages(Spider):
    name = "pages"
    start_urls = ["data:,x", "data:,y", "data:,z"]
    custom_settings = {"FEED_EXPORT_BATCH_ITEM_COUNT": 1}

    def parse(self, response):
        os.chdir("elsewhere" if os.path.exists("elsewhere") else ".")
        yield {"url": response.url}
"""


def test_a_callback_may_go_to_another_folder(process: Crawler, folder: Path) -> None:
    (folder / "pages.py").write_text(MOVES)
    (folder / "elsewhere").mkdir()
    (folder / "out").mkdir()
    arguments = ["-o", "out/%(batch_id)d.jsonl", "--summary", "summary.json", "--logfile", "log"]
    result = process("run", "pages.py", *arguments)
    assert result.status == 0, result.err
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["1.jsonl", "2.jsonl", "3.jsonl"]
    assert json.loads((folder / "summary.json").read_text())["items"] == 3
    assert "Closing (finished)" in (folder / "log").read_text()
    assert list((folder / ".crawler" / "jobs").glob("*.sqlite")) == []
    assert list((folder / "elsewhere").iterdir()) == []
