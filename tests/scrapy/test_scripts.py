"""Do scripts that start their crawls by Scrapy's own names run, several of them, one after the other, on any loop?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import command, environment
from tests.scrapy.conftest import FILES, Write

pytestmark = pytest.mark.process

SPIDERS = """\
import json
import scrapy


class A(scrapy.Spider):
    name = "a"
    start_urls = ["data:text/html,<p>hello</p>"]

    def __init__(self, *args, **kwargs):
        super().__init__(**kwargs)
        self.tags = args

    def parse(self, response):
        print(self.name, response.css("p::text").get(), *self.tags, getattr(self, "tag", ""))
        yield {"spider": self.name}


class B(A):
    name = "b"


class Broken(A):
    name = "broken"

    def __init__(self):
        raise ValueError("it cannot be made")


QUIET = {"LOG_LEVEL": "ERROR", "TELNETCONSOLE_ENABLED": False}
"""


def run(folder: Path, script: str, *words: str, by: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a script beside the spiders, by ``crawler run`` if not ``by`` another."""
    (folder / "parts.py").write_text(SPIDERS)
    (folder / "main.py").write_text(script)
    return subprocess.run(
        [*(by or command("run")), "main.py", *words],
        cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_signal_ends_crawls_of_a_process_those_that_wait_too(folder: Path) -> None:
    done = run(
        folder,
        "import os, signal\n"
        "from scrapy.crawler import CrawlerProcess\n"
        "from parts import A, QUIET\n\n\n"
        "class Endless(A):\n"
        "    start_urls = [f'data:text/html,{number}' for number in range(50_000)]\n\n"
        "    def parse(self, response):\n"
        "        if response.text == '0':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n\n\n"
        "process = CrawlerProcess({**QUIET, 'FEEDS': {'all.jl': {'format': 'jsonlines'}}})\n"
        "crawlers = [process.create_crawler(Endless) for _ in 'ab']\n"
        "for crawler in crawlers:\n    process.crawl(crawler, tag='x')\n"
        "process.start()\n"
        "print(*(crawler.stats.get_value('finish_reason') for crawler in crawlers))\n",
    )

    assert done.stdout.split() == ["shutdown", "shutdown"], done


def test_crawls_that_write_to_one_file_run_one_after_the_other(folder: Path) -> None:
    done = run(
        folder,
        "from scrapy.crawler import CrawlerProcess\n"
        "from parts import A, B, QUIET\n"
        "process = CrawlerProcess({**QUIET, 'FEEDS': {'all.csv': {'format': 'csv'}}})\n"
        "for spider in (A, B, A):\n    process.crawl(spider)\n"
        "process.start()\n",
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "all.csv").read_text().split() == ["spider", "a", "b", "a"]


def test_a_process_runs_crawls_at_once_and_by_deferreds_one_after_the_other(folder: Path) -> None:
    done = run(folder, """\
import sys
from scrapy import signals
from scrapy.crawler import CrawlerProcess
from parts import QUIET, A, B

seen = []
process = CrawlerProcess(QUIET)
first = process.create_crawler(A)
def scraped(item):  # held weakly
    seen.append(item)
first.signals.connect(scraped, signal=signals.item_scraped)
begun = process.crawl(first, "positional", tag="tag")
begun.addCallback(lambda _: process.crawl(B))
assert process.crawlers == {first}
process.start()
assert process.crawlers == set()
print(seen, first.stats.get_value("item_scraped_count"), process.bootstrap_failed, __name__, sys.argv[1:])
sys.exit(4)
""", "one", "two")  # fmt: skip

    assert done.stdout.splitlines() == [
        "a hello positional tag",
        "b hello ",
        "[{'spider': 'a'}] 1 False __main__ ['one', 'two']",
    ], done.stderr
    assert done.returncode == 4


def test_a_plain_python_runs_a_script_whose_first_line_opens_the_door(folder: Path) -> None:
    done = run(folder, """\
import crawler.scrapy.door
from scrapy.crawler import AsyncCrawlerProcess
from parts import QUIET, A, B

process = AsyncCrawlerProcess(QUIET)
print(type(process.crawl(A)).__name__)
process.crawl(B)
process.start()
print("over")
""", by=(sys.executable,))  # fmt: skip

    assert done.stdout.splitlines()[0] == "Task", done.stderr
    assert sorted(done.stdout.splitlines()[1:]) == ["a hello ", "b hello ", "over"]


def test_runners_work_on_a_reactor_and_on_an_asyncio_loop_that_others_run(folder: Path) -> None:
    on_reactor = run(folder, """\
from twisted.internet import reactor
from scrapy.crawler import CrawlerRunner
from scrapy.utils.project import get_project_settings
from parts import QUIET, A, B

settings = get_project_settings()
settings.setdict(QUIET)
runner = CrawlerRunner(settings)
runner.crawl(A)
runner.crawl(B)
runner.join().addBoth(lambda _: reactor.stop())
reactor.run()
""")  # fmt: skip
    on_asyncio = run(folder, """\
import asyncio
from scrapy.crawler import AsyncCrawlerRunner
from parts import QUIET, A, B


async def main():
    runner = AsyncCrawlerRunner(QUIET)
    await runner.crawl(A)
    runner.crawl(B)
    await runner.join()


asyncio.run(main())
""")  # fmt: skip

    assert sorted(on_reactor.stdout.splitlines()) == ["a hello ", "b hello "], on_reactor.stderr
    assert on_asyncio.stdout.splitlines() == ["a hello ", "b hello "], on_asyncio.stderr


def test_a_crawl_that_cannot_begin_is_told_and_the_others_run(folder: Path) -> None:
    done = run(folder, """\
from scrapy.crawler import CrawlerProcess
from parts import QUIET, A, Broken

process = CrawlerProcess(QUIET)
process.crawl(Broken)
process.crawl(Broken).addErrback(lambda failure: print("errback:", failure.value))
process.crawl(A)
process.start()
print(process.bootstrap_failed)
for odd in (A(), "nobody"):
    try:
        process.crawl(odd)
    except (ValueError, KeyError) as error:
        print(type(error).__name__)
""")  # fmt: skip

    assert sorted(done.stdout.splitlines()) == [
        "KeyError", "True", "ValueError", "a hello ", "errback: it cannot be made",
    ], done.stderr  # fmt: skip
    assert "The crawl of broken failed: ValueError: it cannot be made" in done.stderr
    assert done.returncode == 0


def test_a_script_that_raises_shows_its_own_frames_and_is_status_1(folder: Path) -> None:
    done = run(folder, "from scrapy.crawler import CrawlerProcess\n\ndef f():\n    1 / 0\n\nf()\n")

    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "Traceback (most recent call last):"
    assert "runpy" not in done.stderr
    assert done.stderr.splitlines()[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("by", ["crawler", "python"])
def test_a_command_line_is_run_by_cmdline_with_the_exit_status_of_the_command(project: Write, by: str) -> None:
    root = project()
    script = "from scrapy import cmdline\ncmdline.execute(['scrapy', 'crawl', NAME, '-o', 'items.jsonl'])\n"
    way: tuple[str, ...] = ()
    if by == "python":
        script, way = f"import crawler.scrapy.door\n{script}", (sys.executable,)

    good = run(root, script.replace("NAME", "'words'"), by=way)
    bad = run(root, script.replace("NAME", "'nobody'"), by=way)

    assert good.returncode == 0, good.stderr
    assert [json.loads(line) for line in (root / "items.jsonl").read_text().splitlines()] == [{"word": "hello"}]
    assert (bad.returncode, 'no spider is named "nobody"' in bad.stderr) == (1, True)


def test_a_script_finds_the_spiders_of_its_project_by_name_and_its_settings(project: Write) -> None:
    root = project({"shop/settings.py": FILES["shop/settings.py"] + "LOG_LEVEL = 'ERROR'\n"})
    done = run(root, """\
from scrapy.crawler import CrawlerProcess
from scrapy.utils.project import get_project_settings

process = CrawlerProcess(get_project_settings())
print(process.spider_loader.list(), process.settings["BOT_NAME"])
for name in process.spider_loader.list():
    process.crawl(name)
process.start()
""")  # fmt: skip

    assert done.stdout.splitlines() == ["['words'] shop"], done.stderr
    assert done.returncode == 0


def test_a_file_with_a_spider_and_a_guarded_start_is_either(folder: Path) -> None:
    script = (
        FILES["shop/spiders/words.py"]
        + """

if __name__ == "__main__":
    from scrapy.crawler import CrawlerProcess
    process = CrawlerProcess({"LOG_ENABLED": False})
    process.crawl(Words)
    process.start()
    print("the script's end")
"""
    )

    as_script = run(folder, script)
    as_spider = run(folder, script, "-o", "-", "-L", "ERROR")

    assert as_script.stdout.splitlines() == ["the script's end"], as_script.stderr
    assert json.loads(as_spider.stdout) == {"word": "hello"}, as_spider.stderr


def test_a_script_takes_words_and_no_options_of_a_crawl(folder: Path) -> None:
    script = "import scrapy.crawler\nfrom scrapy.crawler import CrawlerProcess\nimport sys\nprint(sys.argv[1:])\n"

    assert run(folder, script, "--", "-o", "x").stdout == "['-o', 'x']\n"
    refused = run(folder, script, "-o", "x.json")
    assert (refused.returncode, "it takes no options here" in refused.stderr) == (2, True)


def test_the_settings_that_execute_is_given_are_in_the_place_of_the_projects(project: Write) -> None:
    done = run(project(), """\
from scrapy.cmdline import execute
from scrapy.utils.project import get_project_settings

settings = get_project_settings()
settings.set("BOT_NAME", "given")
execute(["scrapy", "settings", "--get", "BOT_NAME"], settings)
""")  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "given\n"), done.stderr
