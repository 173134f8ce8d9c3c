"""The callbacks of a spider over an archive, without the network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, Site

pytestmark = pytest.mark.process


@pytest.fixture
def archive(crawler: Crawler, spider_file: Path, site: Site, folder: Path) -> str:
    """The site, archived; its items are in old.jsonl. The server is asked no more."""
    result = crawler("run", "pages.py", "--warc", "site.warc.gz", "-O", "old.jsonl")
    assert result.status == 0, result.err
    site.asked.clear()
    return "site.warc.gz"


def test_the_same_items_and_no_request(crawler: Crawler, archive: str, site: Site, folder: Path) -> None:
    result = crawler("reparse", archive, "pages.py", "-O", "new.jsonl", "--diff", "old.jsonl")
    assert result.status == 0, result.err
    assert (folder / "new.jsonl").read_text() == (folder / "old.jsonl").read_text()
    assert result.out == "0 changed, 0 added, 0 removed, 6 the same (matched by url)\n"
    assert [line.split()[1] for line in result.err.splitlines() if line.startswith("Output")] == ["new.jsonl"]
    assert site.asked == []


def test_what_a_changed_spider_finds(
    crawler: Crawler, archive: str, spider_file: Path, site: Site, folder: Path
) -> None:
    code = spider_file.read_text().replace('"limit": self.limit', '"title": response.css("title::text").get()')
    spider_file.write_text(code.replace("yield {", "if not response.url.endswith('3'):\n            yield {"))
    result = crawler("reparse", archive, "pages.py", "--diff", "old.jsonl")
    assert result.status == 0
    lines = result.out.splitlines()
    assert lines[0] == f"~ url {json.dumps(site.url)}"
    assert lines[1:3] == ["    limit: 0 → (none)", '    title: (none) → "0"']
    assert lines[-1] == "5 changed, 0 added, 1 removed, 0 the same (matched by url)"
    assert (
        crawler("reparse", archive, "pages.py", "-o", "-", "--diff", "old.jsonl", "--key", "url").out.count("\n") == 5
    )


def test_pages_that_are_not_in_the_archive(crawler: Crawler, archive: str, spider_file: Path, site: Site) -> None:
    spider_file.write_text(spider_file.read_text() + "        yield response.follow('/new')\n")
    result = crawler("reparse", archive, "pages.py")
    assert result.status == 0
    assert "NotInCache: not in the archive site.warc.gz: <GET http" in result.err
    spider_file.write_text(spider_file.read_text().replace('/0"', '/other"'))
    result = crawler("reparse", archive, "pages.py")
    assert result.status == 1
    assert f"begins with {site.url}; is an -a missing?" in result.err
    assert site.asked == []


def test_wrong_usage(crawler: Crawler, archive: str, folder: Path) -> None:
    result = crawler("reparse", "no.warc", "pages.py")
    assert (result.status, result.err) == (2, "crawler: there is no archive no.warc\n")
    assert crawler("reparse", archive, "pages.py", "--diff", "no.jsonl").status == 2
    assert crawler("reparse", archive, "pages.py", "--key", "url").err == "crawler: --key goes with --diff\n"
    assert "there is no project here" in crawler("reparse", archive, "pages").err
    (folder / "text.warc.gz").write_text("nonsense " * 100)
    result = crawler("reparse", "text.warc.gz", "pages.py")
    assert result == (2, "", "crawler: there is no response in text.warc.gz: is it a WARC file?\n")


def test_a_damaged_archive_is_told_of_in_one_line(crawler: Crawler, spider_file: Path, folder: Path) -> None:
    assert crawler("run", "pages.py", "--warc", "site.warc").status == 0
    whole = (folder / "site.warc").read_bytes()
    before, end, last = whole.rpartition(b"\r\n\r\nWARC/")
    (folder / "site.warc").write_bytes(before + b"more than was said" + end + last)
    result = crawler("reparse", "site.warc", "pages.py", "-L", "WARNING")
    said = [line for line in result.err.splitlines() if "Offset" in line or "archive" in line]
    assert len(said) == 1, said
    assert "WARNING crawler.download.archive.reading: The archive site.warc is damaged" in said[0]


def test_the_difference_is_of_the_fields_that_are_exported(crawler: Crawler, archive: str, folder: Path) -> None:
    given = ("-s", "FEED_EXPORT_FIELDS=url", "-s", "FEED_EXPORT_ENCODING=utf-16")
    result = crawler("reparse", archive, "pages.py", "--diff", "old.jsonl", *given)
    assert result.out.startswith("~ url"), result.err
    assert "    limit: 0 → (none)" in result.out
    assert "jsonl" not in result.err


def test_a_spider_of_a_project(crawler: Crawler, project: Path, archive: str, spider_file: Path, folder: Path) -> None:
    (project / "spiders" / "pages.py").write_text(spider_file.read_text())
    result = crawler(
        "reparse",
        str(folder / archive),
        "pages",
        "-s",
        "PIPELINES=[]",
        "--diff",
        str(folder / "old.jsonl"),
        cwd=project,
    )
    assert result.status == 0, result.err
    assert "6 the same" in result.out, result.err
