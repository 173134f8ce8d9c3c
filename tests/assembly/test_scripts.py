"""Does crawl() in a script of the user's end as it should?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crawler import Spider, crawl
from crawler.errors import SettingError
from tests.commands.conftest import environment
from tests.download.reactor import reactor, run


class Few(Spider):
    name = "few"
    start_urls = ["data:text/html,<p>x</p>"]

    def parse(self, response: Any) -> Any:
        yield {"a": 1}


def test_it_is_never_over_before_it_returns() -> None:
    done = crawl(Few, {"JOB_STORE": "memory"}, reactor=reactor)
    assert not done.called
    assert run(done).items == 1


def test_what_is_wrong_is_told_in_the_next_turn_too() -> None:
    done = crawl(Few, {"DOWNLOAD_DELY": 1}, reactor=reactor)
    assert not done.called
    with pytest.raises(SettingError, match="DOWNLOAD_DELY"):
        run(done)


BAD = """\
import sys
from crawler import Spider, crawl
from twisted.internet.task import react

{before}


class Bad(Spider):
    name = "bad"
    start_urls = ["data:,x"]
    custom_settings = {settings}

    def parse(self, response):
        self.logger.debug("seen")
        1 / 0


react(lambda reactor: crawl(Bad, {{"JOB_STORE": "memory"}}, reactor=reactor))
"""
BASIC = "import logging; logging.basicConfig(format='%(levelname)s own %(message)s')"


@pytest.mark.process
@pytest.mark.parametrize(
    ("before", "settings", "said", "filed"),
    [
        ("", {}, ["ERROR crawler: parse on data:,x failed: ZeroDivisionError: division by zero"], []),
        ("", {"LOG_LEVEL": "DEBUG"}, ["DEBUG bad: seen", "ERROR crawler: parse", "INFO crawler: Closing"], []),
        ("", {"LOG_FILE": "log"}, [], ["INFO crawler: Crawling with bad", "ERROR crawler: parse"]),
        ("", {"LOG_ENABLED": False}, [], []),
        (BASIC, {}, ["ERROR own parse on data:,x failed"], []),
        (BASIC, {"LOG_FILE": "log"}, ["ERROR own parse on data:,x failed"], ["ERROR crawler: parse"]),
    ],
)
def test_errors_are_shown_and_the_settings_of_the_log_count(
    tmp_path: Path, before: str, settings: dict[str, Any], said: list[str], filed: list[str]
) -> None:
    (tmp_path / "script.py").write_text(BAD.format(before=before, settings=settings))
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (0, "")
    log = (tmp_path / "log").read_text() if filed else ""
    assert [words for words in said if words not in done.stderr] == [], done.stderr
    assert [words for words in filed if words not in log] == [], log
    assert bool(said) == bool(done.stderr), done.stderr
    assert (tmp_path / "log").exists() == bool(filed)


def test_it_may_be_cancelled_before_it_has_begun() -> None:
    done = crawl(Few, {"JOB_STORE": "memory"}, reactor=reactor)
    failures: list[Any] = []
    done.addErrback(failures.append)
    done.cancel()
    assert len(failures) == 1


NOTEBOOK = """\
import asyncio
import sys
from twisted.internet import asyncioreactor


async def cell():
    loop = asyncio.get_running_loop()
    if "twisted.internet.reactor" not in sys.modules:
        asyncioreactor.install(loop)
    from crawler import Spider, crawl
    from twisted.internet import reactor

    class Few(Spider):
        name = "few"
        start_urls = ["data:,x"]

        async def parse(self, response):
            await asyncio.sleep(0.001)
            yield {"a": 1}

    return (await crawl(Few, {"JOB_STORE": "memory"}, reactor=reactor).asFuture(loop)).items


async def main():
    print(await cell(), await cell())


asyncio.run(main())
"""


@pytest.mark.process
def test_a_living_asyncio_loop_runs_one_crawl_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(NOTEBOOK)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert (done.stdout, done.stderr) == ("1 1\n", "")
