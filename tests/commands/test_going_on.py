"""Does the same command go on with its job, and does every command work that a message recommends?"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, Result, Site, items, jobs

pytestmark = pytest.mark.process

ALL = ["0", "1", "2", "3", "4", "5"]
HALF = ("-s", "CLOSESPIDER_PAGECOUNT=2")


def recommended(said: str) -> list[str]:
    """Return the commands that a message recommends."""
    of_summary = re.findall(r"Go on with +(?:on the next line *\n)?crawler (.+?) *$", said, re.MULTILINE)
    return [*re.findall(r"`crawler ([^`]+)`", said), *of_summary]


@pytest.mark.parametrize(
    "named",
    [
        ("--job", "mine"),
        ("-s", "JOB_NAME=mine"),
        ("-s", "JOBDIR=crawls/mine"),
        ("-s", "JOB_DIR=a folder", "--job", "mine"),
        ("-s", "JOB_DIR=/{folder}/absolute", "--job", "mine"),
    ],
)
@pytest.mark.parametrize("by", ["the same command", "the command of the summary"])
def test_a_job_goes_on(
    by: str, named: tuple[str, ...], crawler: Crawler, spider_file: Path, site: Site, folder: Path
) -> None:
    given = ("run", "pages.py", "-O", "items.jsonl", *(text.replace("/{folder}", str(folder)) for text in named))
    first = crawler(*given, *HALF)
    assert first.status == 0, first.err
    [go_on] = recommended(first.err)
    if by == "the same command":
        second = crawler(*given)
    else:
        second = crawler(*shlex.split(go_on), "-s", "CLOSESPIDER_PAGECOUNT=0")
    assert second.status == 0, second.err
    assert sorted(items(folder / "items.jsonl")) == ALL
    assert len(site.asked) == 6
    assert not list(folder.rglob("mine.sqlite"))


def test_a_job_dir_of_the_spider_s_own_goes_on_too(crawler: Crawler, spider_file: Path, folder: Path) -> None:
    text = spider_file.read_text()
    spider_file.write_text(text.replace('{"ROBOTSTXT_OBEY"', '{"JOBDIR": "crawls/mine", "ROBOTSTXT_OBEY"'))
    first = crawler("run", "pages.py", "-O", "items.jsonl", *HALF)
    [go_on] = recommended(first.err)
    third = crawler(*shlex.split(go_on), *HALF[:1], "CLOSESPIDER_PAGECOUNT=3")
    assert recommended(third.err)
    assert crawler("run", "pages.py", "-O", "items.jsonl").status == 0
    assert sorted(items(folder / "items.jsonl")) == ALL


def kept(crawler: Crawler, *more: str) -> Result:
    return crawler("run", "pages.py", "-O", "items.jsonl", "--job", "news", "-s", "JOB_KEEP=true", *more)


@pytest.mark.parametrize("where", [(), ("-s", "JOB_DIR=else where")])
@pytest.mark.parametrize("command", ["run", "resume"])
def test_a_finished_job_says_how_to_begin_anew(
    command: str, where: tuple[str, ...], crawler: Crawler, spider_file: Path, site: Site, folder: Path
) -> None:
    assert kept(crawler, *where).status == 0
    refused = kept(crawler, *where) if command == "run" else crawler("resume", "news", *where)
    assert refused.status == 2
    assert "job news is finished" in refused.err
    [remove] = recommended(refused.err)
    assert "jobs" in remove
    assert crawler(*shlex.split(remove)).status == 0
    assert kept(crawler, *where).status == 0
    assert site.asked.count("/0") == 2
    assert items(folder / "items.jsonl") == ALL


def test_a_name_that_another_command_has_is_not_taken_over(
    crawler: Crawler, spider_file: Path, site: Site, folder: Path
) -> None:
    (folder / "other.py").write_text(spider_file.read_text().replace('"pages"', '"other"'))
    begun = crawler("run", "pages.py", "-a", "limit=3", "-O", "items.jsonl", "--job", "mine", *HALF)
    assert begun.status == 0, begun.err
    asked = len(site.asked)
    arguments = crawler("run", "pages.py", "-O", "items.jsonl", "--job", "mine")
    assert arguments.status == 2
    assert "was begun with -a limit=3" in arguments.err
    spider = crawler("run", "other.py", "--job", "mine")
    assert spider.status == 2
    assert "was begun with the spider pages" in spider.err
    assert len(site.asked) == asked
    resume, remove = recommended(spider.err)
    assert crawler(*shlex.split(resume), "-s", "CLOSESPIDER_PAGECOUNT=3").status == 0
    assert crawler(*shlex.split(remove)).status == 0
    assert jobs(crawler) == []


def test_errors_of_earlier_runs_are_counted(crawler: Crawler, folder: Path, site: Site) -> None:
    urls = [site.url, *(f"{site.url[:-1]}gone{number}" for number in range(4))]
    (folder / "fails.py").write_text(
        "from crawler import Spider\n\n\nclass Fails(Spider):\n    name = 'fails'\n"
        f"    start_urls = {urls!r}\n    custom_settings = {{'CONCURRENT_REQUESTS': 1, 'FAIL_ON': []}}\n\n"
        "    def parse(self, response):\n        raise ValueError(response.url)\n"
    )
    first = crawler("run", "fails.py", "--job", "e", "-s", "CLOSESPIDER_PAGECOUNT=2", "-L", "CRITICAL")
    second = crawler("resume", "e", "-s", "CLOSESPIDER_PAGECOUNT=0", "-L", "CRITICAL")
    assert re.search(r"Errors +2", first.err), first.err
    assert re.search(r"Errors +5", second.err), second.err


def test_an_answer_says_from_which_job_it_is(crawler: Crawler, spider_file: Path, site: Site) -> None:
    assert crawler("run", "pages.py", "--job", "old", *HALF).status == 0
    assert crawler("run", "pages.py", "--job", "new").status == 0
    other = crawler("explain", site.url)
    assert other.out.startswith(f"{site.url} in job new (finished)\n")
    assert "\n  This job, begun 20" in other.out
    assert "the others" in other.out
    assert "the others" not in crawler("explain", site.url, "--job", "old").out


def test_a_crawl_that_cannot_be_made_leaves_no_name_behind(crawler: Crawler, spider_file: Path, folder: Path) -> None:
    (folder / "broken.py").write_text("class Broken:\n    def __init__(self):\n        raise ValueError('no')\n")
    assert crawler("run", "pages.py", "-s", "PIPELINES=broken.Broken").status == 1
    assert not list((folder / ".crawler" / "jobs").iterdir())
