"""Wrong usage: exit 2, one line naming it, the nearest right name, no traceback, nothing started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, Site


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["crwl"], 'crawler: there is no command "crwl"; did you mean "crawl"?'),
        (["crawl"], "crawler crawl: Missing argument 'SPIDER'"),
        (["crawl", "x", "--lgfile", "f"], "crawler crawl: No such option '--lgfile'"),
        (["crawl", "x"], "crawler: there is no project here or above"),
        (["list"], "crawler: there is no project here or above"),
        (["run", "none.py"], "crawler: no such file"),
        (["settings", "DOWNLOD_DELAY"], 'crawler: there is no setting DOWNLOD_DELAY; did you mean "DOWNLOAD_DELAY"?'),
        (["startproject", "../up"], 'crawler: "../up" is no name for a project'),
        (["resume"], "can be resumed"),
        (["jobs", "rm", "none"], "no job 'none'"),
        (["jobs", "clos"], 'there is no command "jobs clos"; did you mean "close"?'),
        (["genspider", "a", "b.example"], "there is no project here or above"),
        (["fetch", "http://[/"], "cannot fetch http://[/: not a URL"),
        (["fetch", "shop.example"], 'did you mean "https://shop.example"?'),
        (["jobs", "rm", "../x"], "cannot be the name of a job"),
    ],
)
def test_without_a_project(crawler: Crawler, arguments: list[str], said: str) -> None:
    result = crawler(*arguments)
    assert result.status == 2
    assert said in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-s", "DOWNLOD_DELAY=1"], 'DOWNLOD_DELAY (command line) is not a setting; did you mean "DOWNLOAD_DELAY"?'),
        (["-s", "DOWNLOAD_DELAY=fast"], 'DOWNLOAD_DELAY (command line): expected a number, 0 or more, got "fast"'),
        (["-s", "DOWNLOAD_DELAY"], '-s "DOWNLOAD_DELAY": expected NAME=VALUE'),
        (["-L", "DEBUGG"], 'did you mean "DEBUG"?'),
        (["--log-format", "xml"], "LOG_FORMAT (command line): expected one of text, json"),
        (["--fail-on", "start,itm"], "FAIL_ON (command line): expected a list of words among start, callback"),
        (["-a", "limt=3"], 'spider pages has no argument limt; did you mean "limit"?'),
        (["-a", "limit=three"], 'argument limit of spider pages: expected a whole number, got "three"'),
        (["-a", "limit"], '-a "limit": expected NAME=VALUE'),
        (["-o", "items.jsno"], "jsno"),
        (["-o", "items:jsno"], "jsno"),
        (["-o", "a.csv", "-O", "a.csv"], "a.csv is given twice as output"),
        (["-o", "none/items.csv"], "none"),
        (["-o", "-:nope"], "nope"),
        (["--logfile", "none/log"], "LOG_FILE: cannot write none/log"),
        (["--summary", "none/summary.json"], "--summary: cannot write none/summary.json"),
        (["--job", "../up"], "cannot be the name of a job"),
        (["-s", "PIPELINES=no.such.Stage"], 'PIPELINES (command line): cannot import "no.such.Stage"'),
    ],
)
def test_with_a_spider(crawler: Crawler, spider_file: Path, site: Site, arguments: list[str], said: str) -> None:
    result = crawler("run", spider_file.name, *arguments)
    assert result.status == 2
    assert said in result.err
    assert len(result.err.splitlines()) == 1, result.err
    assert result.out == ""
    assert site.asked == []


def test_an_unknown_spider(crawler: Crawler, project: Path) -> None:
    result = crawler("crawl", "exmple", cwd=project)
    assert result == (2, "", 'crawler: no spider is named "exmple"; did you mean "example"?\n')


def test_a_spider_file_that_does_not_import(crawler: Crawler, project: Path) -> None:
    (project / "spiders" / "broken.py").write_text("def load():\n    import no_such_module\n\n\nload()\n")
    result = crawler("crawl", "broken", cwd=project)
    assert result.status == 2
    assert result.err.splitlines()[0] == "crawler: spiders/broken.py does not import:"
    assert '  File "spiders/broken.py", line 5, in <module>' in result.err
    assert result.err.splitlines()[-1] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert "importlib" not in result.err


def test_a_broken_file_does_not_stop_another_spider(crawler: Crawler, project: Path) -> None:
    (project / "spiders" / "broken.py").write_text("1 / 0\n")
    listed = crawler("list", cwd=project)
    assert (listed.status, listed.out) == (2, "example\n")
    assert "ZeroDivisionError" in listed.err
    result = crawler("settings", "--spider", "example", "--get", "DOWNLOAD_DELAY", cwd=project)
    assert (result.status, result.out) == (0, "1.0\n")
    assert result.err == ("crawler: warning: spiders/broken.py does not import: ZeroDivisionError: division by zero\n")


def test_settings_that_do_not_import_or_hold(crawler: Crawler, project: Path) -> None:
    (project / "settings.py").write_text("CONCURRENT_REQUESTS = 'many'\n")
    result = crawler("crawl", "example", cwd=project)
    assert result.status == 2
    assert result.err == (
        'crawler: CONCURRENT_REQUESTS (settings.py): expected a whole number, 1 or more, got "many"\n'
    )
    (project / "settings.py").write_text("import nothing_here\n")
    result = crawler("crawl", "example", cwd=project)
    assert result.status == 2
    assert result.err.startswith("crawler: settings.py does not import:\n")


def test_a_process_ends_with_the_status(process: Crawler) -> None:
    assert process("crwl") == (2, "", 'crawler: there is no command "crwl"; did you mean "crawl"?\n')
    assert process("version").status == 0
