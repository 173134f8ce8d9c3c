"""Do the scripts of docs/from_scrapy.md run, and say what is wrong where something is?"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SCRIPTS = re.findall(
    r"```python\n(.*?)```",
    (PROJECT / "docs" / "from_scrapy.md").read_text(encoding="utf-8").partition("\n## Scripts\n")[2],
    re.DOTALL,
)

SPIDERS = """
import asyncio
from pathlib import Path

from crawler import Spider

class Base(Spider):
    start_urls = ["{root}"]
    tag: str = ""

    @classmethod
    def update_settings(cls, settings):
        super().update_settings(settings)
        settings.set("FEEDS", {{}})

    def closed(self, reason):
        Path(f"{{self.name}}.txt").write_text(f"{{reason}} {{self.tag}} {{self.stats.get_value('item_scraped_count')}}")

class Quotes(Base):
    name = "quotes"

    async def parse(self, response):
        other = await self.fetch(response.urljoin("two.html"))
        yield {{"title": response.css("h1::text").get() + other.css("h1::text").get()}}
        yield response.follow("two.html", self.two)

    def two(self, response):
        yield {{"title": response.css("h1::text").get()}}

class Authors(Quotes):
    name = "authors"

class Sleepy(Base):
    name = "sleepy"

    async def parse(self, response):
        await asyncio.sleep(0.001)
        yield {{"title": response.css("h1::text").get()}}
"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves the files of a folder."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def folder(tmp_path: Path, outside: None) -> Iterator[Path]:
    """Make a folder with spiders, and serve their site from another one."""
    site = tmp_path / "site"
    site.mkdir()
    for name, title in (("index.html", "one"), ("two.html", "two")):
        (site / name).write_text(f"<h1>{title}</h1>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    (tmp_path / "spiders.py").write_text(SPIDERS.format(root=f"http://127.0.0.1:{server.server_port}/"))
    yield tmp_path
    server.shutdown()
    thread.join()
    server.server_close()


def run(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(script)
    return subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder, env={"PYTHONPATH": str(PROJECT), "PATH": ""}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def closed(folder: Path) -> dict[str, str]:
    return {path.stem: path.read_text() for path in folder.glob("*.txt")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "ends"),
    list(
        zip(
            SCRIPTS,
            [
                {"quotes": "finished  2", "authors": "finished  2"},
                {"quotes": "finished  2", "authors": "closespider_itemcount life 2"},
                {"sleepy": "finished  1"},
                {"sleepy": "finished  1", "authors": "finished  2"},
            ],
            strict=True,
        )
    ),
)
def test_a_script_of_the_document(folder: Path, script: str, ends: dict[str, str]) -> None:
    done = run(folder, script)
    assert (done.returncode, closed(folder)) == (0, ends), done.stderr


def test_a_wrong_setting_argument_or_spider_fails_the_deferred(folder: Path) -> None:
    script = """
        from crawler import UsageError, crawl
        from spiders import Quotes
        from twisted.internet.task import react

        async def main(reactor):
            print(type(reactor).__name__)
            for spider, settings, arguments in (
                (Quotes, {"DOWNLOAD_DELY": 1}, {}),
                (Quotes, {"DOWNLOAD_DELAY": "fast"}, {}),
                (Quotes, None, {"tags": "x"}),
                (Quotes, [1], {}),
                ("quotes", None, {}),
            ):
                try:
                    await crawl(spider, settings, reactor=reactor, arguments=arguments)
                except UsageError as error:
                    print(error)

        react(main)
    """
    done = run(folder, textwrap.dedent(script))
    assert done.returncode == 0, done.stderr
    reactor, misspelt, mistyped, argument, no_mapping, no_class = done.stdout.splitlines()
    assert reactor != "AsyncioSelectorReactor"
    assert "DOWNLOAD_DELAY" in misspelt
    assert "DOWNLOAD_DELAY (script)" in mistyped
    assert "no argument tags" in argument
    assert "must be a dict" in no_mapping
    assert "takes a class derived from Spider, got 'quotes'" in no_class
    assert closed(folder) == {}


@pytest.mark.slow
def test_a_stage_in_its_thread_ends_the_crawl(folder: Path) -> None:
    script = """
        import threading
        from crawler import crawl
        from spiders import Quotes
        from twisted.internet.task import react

        class Full:
            def process_item(self, item, spider):
                assert threading.current_thread() is not threading.main_thread()
                spider.crawler.engine.close_spider(spider, "full")
                return item

        react(lambda reactor: crawl(Quotes, {"PIPELINES": [Full]}, reactor=reactor))
    """
    done = run(folder, textwrap.dedent(script))
    assert done.returncode == 0, done.stderr
    assert closed(folder)["quotes"].startswith("full ")
