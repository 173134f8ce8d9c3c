"""What does the command do with files over real connections, and what does it say before it starts?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import environment
from tests.docs.served import Answer, Asked, served
from tests.files.support import PDF, picture, stored

pytestmark = pytest.mark.process

SPIDER = """
from crawler import Request, Spider


class Papers(Spider):
    name = "papers"
    url: str = "http://a.test"
    custom_settings = {"PIPELINES": ["crawler.Files", "crawler.Images"], "RETRY_ENABLED": False}

    def start_requests(self):
        yield Request(f"{self.url}/")

    def parse(self, response):
        files = ["doc.pdf", "gone.pdf", "moved.pdf", "empty.pdf", "cut.pdf"]
        yield {
            "file_urls": [f"{self.url}/{name}" for name in files],
            "image_urls": [f"{self.url}/cover.jpg", f"{self.url}/sorry.jpg"],
        }
"""


def site(asked: Asked) -> Answer | str | bytes | int:
    match asked.path:
        case "/" | "/sorry.jpg":
            return "<!DOCTYPE html><title>A page</title>"
        case "/doc.pdf":
            return PDF * 10_000
        case "/moved.pdf":
            return Answer("a page that says so", 302, {"Location": "/doc.pdf"})
        case "/empty.pdf":
            return b""
        case "/cut.pdf":
            return Answer(PDF, headers={"Content-Encoding": "gzip"})
        case "/cover.jpg":
            return picture()
    return Answer("<title>404</title>not here", 404)


def run(folder: Path, *options: str, before: str = "") -> tuple[int, str]:
    """Run the spider in a process of its own; return its status and what it said on stderr."""
    (folder / "papers.py").write_text(SPIDER)
    words = ["run", "papers.py", "-O", "items.jsonl", "-L", "ERROR", *options]
    code = f"{before}\nfrom crawler.commands import main; main({words!r})"
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60
    )
    return process.returncode, process.stderr


def test_what_comes_over_the_wire_is_kept_or_named_and_nothing_is_left_over(tmp_path: Path) -> None:
    with served(site) as url:
        status, said = run(tmp_path, "-a", f"url={url}", "-s", "FILES_STORE=store", "-s", "IMAGES_STORE=store")
    assert status == 0, said
    (item,) = map(json.loads, (tmp_path / "items.jsonl").read_text().splitlines())
    good, *bad = item["files"]
    assert (tmp_path / "store" / good["path"]).read_bytes() == PDF * 10_000
    reasons = [each["reason"] for each in bad]
    assert reasons[0] == "HTTP 404"
    assert reasons[1] == "HTTP 302 to /doc.pdf; MEDIA_ALLOW_REDIRECTS = True follows it"
    assert reasons[2] == "the body is empty"
    assert reasons[3].startswith("DecodingError: ")
    assert [each.get("reason", each["status"]) for each in item["images"]] == [
        "downloaded", "no image that can be read, but HTML",
    ]  # fmt: skip
    assert stored(tmp_path / "store") == {good["path"], item["images"][0]["path"]}


@pytest.mark.parametrize(
    ("options", "before", "said"),
    [
        ((), "", "crawler: Files needs the setting FILES_STORE, and nobody gives it"),
        (
            ("-s", "FILES_STORE=/dev/null/x", "-s", "IMAGES_STORE=x"),
            "",
            "crawler: FILES_STORE: no file can be written to /dev/null/x: Not a directory; name a folder that can be "
            "written",
        ),
        (
            ("-s", "FILES_STORE=x", "-s", "IMAGES_STORE=x"),
            "import sys; sys.modules['PIL'] = None",
            "crawler: PIL is not installed, which this needs: `pip install 'surecrawl[images]'` brings it",
        ),
    ],
)
def test_what_is_missing_is_told_before_the_start(
    tmp_path: Path, options: tuple[str, ...], before: str, said: str
) -> None:
    assert run(tmp_path, *options, before=before) == (2, f"{said}\n")
    assert not (tmp_path / "items.jsonl").exists()
    assert not list((tmp_path / ".crawler").rglob("*.sqlite"))
