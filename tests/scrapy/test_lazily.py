"""Does a crawl that uses no name of Scrapy's do without the modules that know them?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.layers import PACKAGE, imports, room_of, sources

NATIVE = """
from crawler import Pipeline, Spider

class Shout(Pipeline):
    def process_item(self, item):
        return {"url": item["url"].upper()}

class Native(Spider):
    name = "native"
    start_urls = ["data:text/html,<p>one</p>"]
    custom_settings = {"PIPELINES": [Shout], "DOWNLOAD_DELAY": 0.1, "LOG_LEVEL": "DEBUG"}
    pages: int = 0

    def parse(self, response):
        yield {"url": response.url}
"""

RUN = """
import sys
from crawler.commands import main
try:
    main(["run", "native.py", "-o", "-", "-s", "JOB_STORE=memory", "-a", "pages=3", *sys.argv[1:]])
except SystemExit as end:
    assert not end.code, end.code
print([name for name in sys.modules if name.startswith("crawler.scrapy")], file=sys.stderr)
"""


def _run(folder: Path, code: str, *options: str) -> subprocess.CompletedProcess[str]:
    (folder / "native.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-c", RUN, *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=True)


@pytest.mark.process
def test_a_native_crawl_loads_none_of_them(tmp_path: Path) -> None:
    ended = _run(tmp_path, NATIVE)
    assert "DATA:TEXT" in ended.stdout
    assert ended.stderr.splitlines()[-1] == "[]"


@pytest.mark.process
@pytest.mark.parametrize(
    ("ours", "scrapys"),
    [
        ("pages: int = 0", "pages: int = 0; download_delay = 0.1"),
        ('"LOG_LEVEL": "DEBUG"', '"LOG_LEVEL": 10'),
        ('"LOG_LEVEL": "DEBUG"', '"CONCURRENT_REQUESTS_PER_IP": 1'),
        ("yield {", "self.crawler.engine.close_spider(self); yield {"),
    ],
)
def test_one_of_scrapy_s_names_is_enough(tmp_path: Path, ours: str, scrapys: str) -> None:
    ended = _run(tmp_path, NATIVE.replace(ours, scrapys))
    assert "crawler.scrapy.names.table" in ended.stderr.splitlines()[-1]


def test_only_what_puts_a_crawl_together_and_the_public_face_import_them() -> None:
    importing = {
        room_of(module)
        for module, source in sources(Path(__file__).parents[2] / PACKAGE).items()
        for found in imports(module, source, is_package=False)
        if f"{found.module}.".startswith("crawler.scrapy.")
    }
    assert importing <= {"", "assembly", "commands", "scrapy"}
