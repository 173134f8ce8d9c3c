"""What does a command say of a project's downloader middlewares that do not do as they should?"""

from __future__ import annotations

import pytest

from tests.commands.conftest import Crawler
from tests.scrapy.conftest import FILES, Write

pytestmark = pytest.mark.process

CRAWL = ("crawl", "words", "-o", "-", "-s", "TELNETCONSOLE_ENABLED=False")
SETTINGS = "\nDOWNLOADER_MIDDLEWARES = {'shop.middlewares.Own': 543}\nCRAWLER_HOLD_WARNING_SECONDS = 0.1\n"


def with_middleware(text: str) -> dict[str, str]:
    return {"shop/middlewares.py": text, "shop/settings.py": FILES["shop/settings.py"] + SETTINGS}


def test_one_that_blocks_is_told_by_file_and_line(project: Write, in_project: Crawler) -> None:
    blocking = "import time\n\n\nclass Own:\n    def process_request(self, request):\n        time.sleep(0.6)\n"
    project(with_middleware(blocking))
    crawled = in_project(*CRAWL)
    assert "middleware Own.process_request has held the reactor" in crawled.err
    assert "middlewares.py:6 in process_request: time.sleep(0.6)" in crawled.err
    assert '"word"' in crawled.out


def test_a_class_that_is_not_there_is_told_with_what_is(project: Write, in_project: Crawler) -> None:
    project(with_middleware("class Owm:\n    pass\n"))
    crawled = in_project(*CRAWL)
    assert crawled.status == 1
    assert "DOWNLOADER_MIDDLEWARES" in crawled.err
    assert "Own" in crawled.err
    assert "Traceback" not in crawled.err
