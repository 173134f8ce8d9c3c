"""May a stage's thread fetch, as docs/extending.md says, and is it told how?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, Site, crawler, folder, process, site  # noqa: F401  fixtures
from tests.docs.blocks import ROOT, blocks

SPIDER = """\
from crawler import Pipeline, Request, Spider
from twisted.internet.defer import ensureDeferred
{details}

class Asking(Pipeline):
    def process_item(self, item):
        said = []
        for fetch, what in ((self.spider.fetch, item["details"]), (self.crawler.fetch, Request(item["details"]))):
            try:
                fetch(what)
            except RuntimeError as error:
                said.append(str(error))
        return {{**item, "said": said}}


class Pages(Spider):
    name = "pages"
    start_urls = ["{url}0"]
    custom_settings = {{"ROBOTSTXT_OBEY": False, "PIPELINES": [Details, Asking]}}

    def parse(self, response):
        yield {{"details": "{url}1"}}
        yield Request("{url}2", self.in_deferred)

    def in_deferred(self, response):
        return ensureDeferred(self.fetch("{url}3")).addCallback(lambda page: [{{"details": page.url}}])
"""


def test_a_thread_asks_the_reactor_and_waits(process: Crawler, folder: Path, site: Site) -> None:  # noqa: F811
    (details,) = [block.text for block in blocks(ROOT / "docs/extending.md") if block.file == "pipelines/details.py"]
    (folder / "pages.py").write_text(SPIDER.format(details=details, url=site.url[:-1]))
    result = process("run", "pages.py", "-o", "-", "-L", "WARNING")
    assert result.status == 0, result.err
    one, three = sorted((json.loads(line) for line in result.out.splitlines()), key=lambda item: str(item["text"]))
    assert "<title>1</title>" in one["text"]
    assert "<title>3</title>" in three["text"]
    assert len(one["said"]) == 2
    assert all("blockingCallFromThread(reactor, self.crawler.fetch, request)" in said for said in one["said"])


STOPPED = """

    async def start(self):
        import os, signal, threading

        yield Request(self.start_urls[0])
        threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
"""


@pytest.mark.slow
def test_a_thread_that_waits_for_a_page_does_not_hold_a_stop(
    process: Crawler,  # noqa: F811
    folder: Path,  # noqa: F811
    site: Site,  # noqa: F811
) -> None:
    (details,) = [block.text for block in blocks(ROOT / "docs/extending.md") if block.file == "pipelines/details.py"]
    source = SPIDER.format(details=details, url=site.url[:-1])
    slow = source.replace('"PIPELINES"', '"DOWNLOAD_DELAY": 60, "PIPELINES"')
    (folder / "pages.py").write_text(slow + STOPPED)
    assert process("run", "pages.py", "-o", "-", "-L", "WARNING").status == 130
