"""What a user gets wrong in the first hours is answered by the one sentence that helps."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.commands import status_of
from tests.commands.conftest import Crawler, Site, command, environment

OF_SCRAPY = """\
import scrapy


class Pure(scrapy.Spider):
    name = "pure"
"""


@pytest.mark.parametrize("arguments", [["books.py"], ["spiders/books.py", "-o", "x.jsonl"], ["books.py:books"]])
def test_crawl_of_a_file_says_how_it_is_run(crawler: Crawler, arguments: list[str]) -> None:
    result = crawler("crawl", *arguments)
    assert result.status == 2
    assert result.err == f'crawler: "{arguments[0]}" is a file; its spider is run by `crawler run {arguments[0]}`\n'


def test_run_of_a_name_says_how_a_spider_of_a_project_is_run(crawler: Crawler) -> None:
    said = "crawler: no such file: books; a spider of a project is run by `crawler crawl books`\n"
    assert crawler("run", "books").err == said
    assert crawler("run", "books.py").err == "crawler: no such file: books.py\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--token", "x"], "No such option '--token'; an argument of the spider is given as -a token=x"),
        (["--token=x y"], "No such option '--token'; an argument of the spider is given as -a token='x y'"),
        (["--token"], "-a token=…"),
        (["--token", "-o", "x.csv"], "-a token=…"),
        (["--lgfile", "x"], "No such option '--lgfile'. (Did you mean"),
    ],
)
@pytest.mark.parametrize("name", ["crawl", "run"])
def test_an_option_that_is_meant_as_an_argument(crawler: Crawler, name: str, arguments: list[str], said: str) -> None:
    result = crawler(name, "x", *arguments)
    assert result.status == 2
    assert said in result.err
    assert len(result.err.splitlines()) == 1


def test_other_commands_take_no_arguments_for_a_spider(crawler: Crawler) -> None:
    assert crawler("fetch", "x", "--token", "y").err == "crawler fetch: No such option '--token'\n"


def test_an_option_of_a_crawl_is_no_argument_where_it_is_not_taken(crawler: Crawler) -> None:
    assert crawler("resume", "x", "-O", "y.jsonl").err == "crawler resume: No such option '-O'\n"


@pytest.mark.parametrize("downloader", ["fast", "twisted"])
def test_https_to_a_plain_port(crawler: Crawler, site: Site, downloader: str) -> None:
    url = site.url.replace("http:", "https:")
    result = crawler("fetch", url, "-s", "ROBOTSTXT_OBEY=0", "-s", "RETRY_ENABLED=0", "-s", f"DOWNLOADER={downloader}")
    assert result.status == 1
    assert "wrong version number; it seems that the port speaks plain HTTP: try http://" in result.err


def test_a_leftover_import_of_scrapy_says_what_to_import(crawler: Crawler, project: Path) -> None:
    (project / "spiders" / "pure.py").write_text("import scrapy.not_there\n")
    assert 'write "import crawler as scrapy"' in crawler("crawl", "pure", cwd=project).err


def test_a_project_s_spider_of_scrapy_s_says_it_too(crawler: Crawler, project: Path) -> None:
    (project / "scrapy").mkdir()
    (project / "scrapy" / "__init__.py").write_text("class Spider:\n    pass\n")
    (project / "spiders" / "pure.py").write_text(OF_SCRAPY)
    said = crawler("crawl", "pure", cwd=project).err
    assert said.startswith("crawler: in spiders.pure, Pure is one of Scrapy's")


PRINTING = [["settings", "--json"], ["version"], ["--help"], ["fetch", "data:,x"], ["list"], ["jobs", "--json"]]


def unread(*arguments: str, cwd: Path, stream: str = "stdout") -> tuple[int, str]:
    """Return the exit status of a command whose output nobody reads, and what it says on the other stream."""
    reading, writing = os.pipe()
    os.close(reading)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writing}
    done = subprocess.run(command(*arguments), cwd=cwd, env=environment(), **streams, timeout=30, check=False)  # type: ignore[call-overload]
    os.close(writing)
    return done.returncode, ((done.stderr if stream == "stdout" else done.stdout) or b"").decode()


@pytest.mark.process
@pytest.mark.parametrize(
    "arguments",
    [
        ["settings"],
        *(
            pytest.param(arguments, marks=pytest.mark.slow)
            for arguments in (
                ["settings", "--json"],
                ["version"],
                ["--help"],
                ["fetch", "data:,x"],
                ["list"],
                ["jobs", "--json"],
                ["shell", "data:,x", "-c", "response"],
                ["parse", "data:,x", "--spider", "example"],
                ["check", "-l", "-v"],
            )
        ),
    ],
)
def test_nobody_reads_what_a_command_prints(project: Path, arguments: list[str]) -> None:
    assert unread(*arguments, cwd=project) == (0, "")


@pytest.mark.parametrize("more", [[], pytest.param(["-s", "JOB_STORE=none"], marks=pytest.mark.slow)])
def test_nobody_reads_the_items(spider_file: Path, site: Site, more: list[str]) -> None:
    status, said = unread("run", spider_file.name, "-o", "-", *more, cwd=spider_file.parent)
    assert status == 0, said
    assert "nobody reads the standard output any more" in said
    assert "stopped: nobody reads the output" in said
    for word in ("ERROR", "Traceback", "Broken"):
        assert word not in said


@pytest.mark.slow
def test_nobody_reads_the_log(spider_file: Path, site: Site) -> None:
    status, said = unread("run", spider_file.name, "-o", "-", cwd=spider_file.parent, stream="stderr")
    assert status == 0
    assert len(said.splitlines()) == site.pages + 1


def test_what_an_extra_would_bring_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "redis" or ".cluster." in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "redis", None)
    assert status_of(["work", "redis://127.0.0.1:1/0", "a-job"]) == 2
    said = capsys.readouterr().err
    assert said == "crawler: redis is not installed, which this needs: `pip install 'surecrawl[cluster]'` brings it\n"
