"""Wrong usage: exit 2, one line naming it, the nearest right name, no traceback, nothing started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crawler import commands
from crawler.observe import frames
from tests.commands.conftest import SPIDER, Crawler, Site, environment


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["crwl"], 'crawler: there is no command "crwl"; did you mean "crawl"?'),
        (["help"], 'crawler: there is no command "help"; see crawler --help'),
        (["crawl"], "crawler crawl: Missing argument 'SPIDER…'"),
        (["crawl", "x", "--lgfile", "f"], "crawler crawl: No such option '--lgfile'"),
        (["crawl", "x"], "crawler: there is no project here or above"),
        (["list"], "crawler: there is no project here or above"),
        (["run", "none.py"], "crawler: no such file"),
        (["settings", "DOWNLOD_DELAY"], 'crawler: there is no setting DOWNLOD_DELAY; did you mean "DOWNLOAD_DELAY"?'),
        (["settings", "stall"], 'crawler: there is no setting stall; did you mean "STALL_SECONDS"?'),
        (
            ["settings", "memusage"],
            "crawler: there is no setting memusage; there are MEMUSAGE_ENABLED, MEMUSAGE_LIMIT_MB",
        ),
        (["startproject", "../up"], 'crawler: "../up" is no name for a project'),
        (["resume"], "can be resumed"),
        (["jobs", "rm", "none"], "no job 'none'"),
        (["jobs", "clos"], 'there is no command "jobs clos"; did you mean "close"?'),
        (["genspider", "a", "b.example"], "there is no project here or above"),
        (["fetch", "http://[/"], "cannot fetch http://[/: not a URL"),
        (["fetch", "shop.example"], 'did you mean "https://shop.example"?'),
        (["fetch", "localhost:8000/x"], 'did you mean "http://localhost:8000/x"?'),
        (["fetch", "127.0.0.1:8000"], 'did you mean "http://127.0.0.1:8000"?'),
        (["fetch", "127.0.0.1.example"], 'did you mean "https://127.0.0.1.example"?'),
        (["fetch", "page.html"], '/page.html"?'),
        (["fetch", "mailto:x"], "cannot fetch mailto:x: not a URL that can be fetched: 'mailto:x'\n"),
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
        (["--log-format", "xml"], 'LOG_FORMAT (command line): expected "text", "json" or a template'),
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
        (["--warc", "none/a.warc.gz"], "WARC_FILE: cannot write none/a.warc.gz: No such file or directory"),
        (["--summary", "none/summary.json"], "--summary: cannot write none/summary.json"),
        (["--job", "../up"], "cannot be the name of a job"),
        (["-s", "PIPELINES=no.such.Stage"], 'PIPELINES (command line): cannot import "no.such.Stage"'),
        (["-s", "PIPELINES=crawler.File"], 'module crawler has no "File"; did you mean "Files"?'),
        (["-O", "ftp://127.0.0.1:1/a.json"], "feed 'ftp://127.0.0.1:1/a.json': Connection refused"),
        (["-O", "a.json", "--summary", "a.json"], "the output a.json and --summary a.json are one file"),
        (["-O", "a:jsonl", "--warc", "./a"], "the output a and --warc ./a are one file"),
        (["-O", "a.json", "--changes", "a.json"], "the output a.json and --changes a.json are one file"),
        (["-O", "a.json", "--logfile", "a.json"], "the output a.json and --logfile a.json are one file"),
        (["--summary", "pages.py"], "--summary pages.py are one file"),
        (["-O", "pages.py:json"], "and the output pages.py are one file"),
        (["--summary", "a", "--profile", "a"], "--summary a and --profile a are one file"),
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


@pytest.mark.process
def test_a_process_ends_with_the_status(process: Crawler) -> None:
    assert process("crwl") == (2, "", 'crawler: there is no command "crwl"; did you mean "crawl"?\n')
    assert process("version").status == 0


BEGINNINGS = """\
from crawler import Pipeline, Spider


class Stage(Pipeline):
    def open_spider(self):
        raise ConnectionRefusedError("no database")

    def process_item(self, item):
        return item


class Odd:
    pass


class Opening(Spider):
    name = "opening"
    custom_settings = {"PIPELINES": [Stage]}


class Making(Spider):
    name = "making"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        {}["price"]


class Extension:
    def subscribe(self, events):
        raise OSError("no socket")


class Extending(Spider):
    name = "extending"
    custom_settings = {"EXTENSIONS": [Extension]}


class Leaving:
    @classmethod
    def from_crawler(cls, crawler):
        raise SystemExit("no licence")


class Left(Spider):
    name = "left"
    custom_settings = {"EXTENSIONS": [Leaving]}


class Staging(Spider):
    name = "staging"
    custom_settings = {"PIPELINES": [Odd]}
"""


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("opening", 1, ["crawler: the crawl failed: ConnectionRefusedError: no database", "pages.py:6 in open_spider"]),
        ("making", 2, ["crawler: the crawl cannot begin: KeyError: 'price'", "pages.py:26 in __init__"]),
        ("extending", 1, ["crawler: the crawl failed: OSError: no socket", "in subscribe"]),
        (
            "left",
            1,
            [
                "the crawl failed: RuntimeError: SystemExit('no licence') was raised",
                "from SystemExit",
                "in from_crawler",
            ],
        ),
        ("staging", 2, ["crawler: Odd in PIPELINES has neither process_item nor process_batch"]),
    ],
)
def test_what_the_user_s_code_raises_before_the_crawl_is_told_with_its_frames(
    crawler: Crawler, folder: Path, name: str, status: int, said: list[str]
) -> None:
    (folder / "pages.py").write_text(BEGINNINGS)
    result = crawler("run", f"pages.py:{name}")
    assert result.status == status
    lines = result.err.splitlines()
    assert len(lines) == len(said)
    for line, words in zip(lines, said, strict=True):
        assert words in line


def test_two_spiders_of_one_name_do_not_stop_another(crawler: Crawler, project: Path) -> None:
    for name in ("one", "two"):
        (project / "spiders" / f"{name}.py").write_text(SPIDER.format(url="http://a.example/"))
    listed = crawler("list", cwd=project)
    twice = 'two spiders are named "pages": spiders.one.Pages and spiders.two.Pages'
    assert listed == (2, "example\n", f"crawler: {twice}\n")
    assert crawler("crawl", "pages", cwd=project) == (2, "", f"crawler: {twice}\n")
    result = crawler("crawl", "example", "--nolog", cwd=project)
    assert (result.status, result.err) == (0, f"crawler: warning: {twice}\n")


def test_a_folder_is_no_summary_and_no_spider(crawler: Crawler, spider_file: Path, folder: Path, site: Site) -> None:
    assert crawler("run", "pages.py", "--summary", str(folder)).status == 2
    assert site.asked == []
    assert crawler("run", ".") == (2, "", "crawler: . is a folder; a file with a spider is expected\n")


@pytest.mark.parametrize(
    ("rest", "status", "said"),
    [
        ("run pages.py -o - >&-", 2, "crawler: feed '-': there is no standard output\n"),
        ("fetch data:,hello >&-", 0, ""),
        ("fetch data:,hello >/dev/full", 1, "crawler: OSError: [Errno 28] No space left on device\n"),
    ],
)
def test_a_standard_output_that_is_closed_or_full(
    spider_file: Path, folder: Path, rest: str, status: int, said: str
) -> None:
    shell = f"exec {sys.executable} -m crawler {rest}"
    done = subprocess.run(
        ["sh", "-c", shell], cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (status, said)


def test_an_error_of_our_own_is_told_whole(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise AssertionError("cannot be")

    monkeypatch.setattr(commands.crawler, "main", broken)
    for whose in ("is_users", "is_projects"):
        monkeypatch.setattr(frames, whose, lambda filename: False)
    assert commands.status_of(["version"]) == 1
    said = capfd.readouterr().err
    assert said.startswith("Traceback (most recent call last)")
    assert said.endswith("crawler: this is an error of crawler's own, please report it: AssertionError: cannot be\n")
