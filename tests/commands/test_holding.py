"""Is code that holds the reactor named while it does, whatever it is?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, command, environment

SHAPES = """\
import asyncio
import logging
import threading
from crawler import CrawlOpened, Pipeline, Request, Spider, StepHeld

told = threading.Event()


class Told(logging.Handler):
    def emit(self, record):
        if "has held the reactor" in record.getMessage():
            told.set()


def hold():
    told.clear()
    assert told.wait(20)


class Stage(Pipeline):
    async def open_spider(self):
        logging.getLogger("crawler").addHandler(Told())
        hold()

    async def process_item(self, item):
        await asyncio.sleep(0)
        hold()
        return item


class Plain(Pipeline):
    threads = 0

    def process_item(self, item):
        hold()
        return item


async def middleware(request, fetch):
    response = await fetch(request)
    hold()
    return response


class Before:
    def before(self, request):
        hold()
        return True

    async def __call__(self, request, fetch):
        return await fetch(request)


def request_filter(request, found_on):
    if found_on is None:
        hold()
    return request


class Extension:
    @classmethod
    def from_crawler(cls, crawler):
        made = cls()
        made.crawler = crawler
        return made

    def subscribe(self, events):
        self.ticked = asyncio.Event()
        events.subscribe(CrawlOpened, self.opened)
        events.subscribe(StepHeld, self.held)

    def opened(self, event):
        hold()
        self.crawler.spider.extension = self

    def start(self):
        asyncio.get_running_loop().call_later(0.001, self.tick)

    def tick(self):
        hold()
        self.ticked.set()

    def held(self, event):
        print(event.what, event.seconds > 0.02, event.where, len(event.stack))


class Pages(Spider):
    name = "pages"
    custom_settings = {"PIPELINES": [Stage, Plain], "MIDDLEWARES": [middleware, Before],
                       "REQUEST_FILTERS": [request_filter], "EXTENSIONS": [Extension], "HOLD_WARNING_SECONDS": 0.02,
                       "ROBOTSTXT_OBEY": False, "RETRY_ENABLED": False}

    async def start(self):
        hold()
        self.extension.start()
        await self.extension.ticked.wait()
        yield Request("data:,x")

    async def parse(self, response):
        await asyncio.sleep(0)
        hold()
        yield {"n": 1}
        yield Request("http://127.0.0.1:1/", callback=self.later, errback=self.failed)

    def later(self, response):
        pass

    def failed(self, failure):
        hold()

    def closed(self, reason):
        hold()
"""


def test_code_that_holds_the_reactor_is_told_whatever_its_shape(process: Crawler, folder: Path) -> None:
    (folder / "pages.py").write_text(SHAPES)
    result = process("run", "pages.py", "-L", "WARNING")
    assert result.status == 0, result.err
    lines = [line.partition("watch: ")[2] for line in result.err.splitlines() if "held the reactor" in line]
    shapes = [line.partition(" has held the reactor for ")[0] for line in lines]
    assert shapes == [
        "stage Stage.open_spider", "subscriber Extension.opened", "start() of Pages", "extension Extension.tick",
        "filter request_filter", "middleware Before.before", "middleware middleware", "callback Pages.parse",
        "stage Stage.process_item", "stage Plain.process_item", "middleware Before.before", "errback Pages.failed",
        "closed() of Pages",
    ]  # fmt: skip
    told = [line.rsplit(" True pages.py:17 ", 1)[0] for line in result.out.splitlines()]
    assert told == shapes  # each once, when it has ended
    slow = [line.split("    ", 1)[1].strip() for line in result.err.splitlines() if line.startswith("Slow")]
    assert len(slow) == 10
    assert any(line.startswith("middleware Before.before: ") and "2 times" in line for line in slow)


C_CODE = {
    "a regular expression": ("import re", 're.match(r"(a+)+$", "a" * 40 + "b")'),
    "a sleep": ("import time", "time.sleep(60)"),
    "a loop": ("", "while True: pass"),
    "a path over a tree": (
        "from lxml import etree",
        'etree.fromstring("<a>" + "<b/>" * 40000 + "</a>").xpath("//b[count(preceding::b) > 1]")',
    ),
    "a sum of Python's own": ("", "sum(range(10**11))"),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", C_CODE)
def test_the_line_is_named_while_it_holds(outside: None, folder: Path, shape: str) -> None:
    needed, line = C_CODE[shape]
    spider = "class Pages(Spider):\n    name = 'pages'\n    start_urls = ['data:,x']\n    def parse(self, response):"
    (folder / "pages.py").write_text(f"from crawler import Spider\n{needed}\n{spider}\n        {line}\n")
    with subprocess.Popen(
        command("run", "pages.py", "-L", "WARNING"), cwd=folder, env=environment(), stderr=subprocess.PIPE, text=True
    ) as crawl:
        assert crawl.stderr is not None
        try:
            named = next(said for said in crawl.stderr if "pages.py" in said)
            assert crawl.poll() is None
        finally:
            crawl.kill()
    assert "pages.py:7 in parse" in named or 'pages.py", line 7 in parse' in named, named


@pytest.mark.slow
def test_nothing_goes_off_once_the_crawl_is_over(process: Crawler, folder: Path) -> None:
    last = "import atexit, time\nfrom crawler import Spider\natexit.register(time.sleep, 1.6)\n"
    spider = (
        "class Pages(Spider):\n    name = 'pages'\n    start_urls = ['data:,x']\n    def parse(self, response): pass\n"
    )
    (folder / "pages.py").write_text(last + spider)
    result = process("run", "pages.py", "-L", "WARNING")
    assert result.status == 0
    assert "Timeout" not in result.err
