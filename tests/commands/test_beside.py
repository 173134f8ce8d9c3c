"""Do --pidfile, --profile and --pdb do what they say?"""

from __future__ import annotations

import os
import pstats
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, command, environment

FILE = """\
import os
import signal
from pathlib import Path
from crawler import Spider

class Few(Spider):
    name = "few"
    start_urls = ["data:,x", "data:,y"]
    custom_settings = {"JOB_STORE": "memory"}
    def parse(self, response):
        for path in Path(".").glob("*.pid"):
            yield {"same": int(path.read_text()) == os.getpid()}
        answer = 42
        if response.text == "x":
            1 / 0
        elif "INTERRUPT" in os.environ:
            os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.fixture
def spider(folder: Path) -> Path:
    path = folder / "few.py"
    path.write_text(FILE)
    return path


def test_the_pid_is_in_the_file_while_the_crawl_runs(crawler: Crawler, spider: Path) -> None:
    done = crawler("run", "few.py", "--pidfile", "few.pid", "-o", "-", "--nolog")
    assert done.out == '{"same":true}\n' * 2
    assert [path.name for path in spider.parent.iterdir() if "pid" in path.name] == []


def test_a_file_that_names_a_living_process_is_refused(crawler: Crawler, spider: Path) -> None:
    (spider.parent / "few.pid").write_text(str(os.getppid()))
    done = crawler("run", "few.py", "--pidfile", "few.pid")
    assert (done.status, f"few.pid names process {os.getppid()}, which is running" in done.err) == (2, True)
    assert (spider.parent / "few.pid").exists()


def test_a_crawl_that_goes_on_has_them_too(crawler: Crawler, spider: Path) -> None:
    begun = ("run", "few.py", "--job", "few", "-s", "JOB_STORE=sqlite", "--nolog")
    assert crawler(*begun, "-s", "CLOSESPIDER_PAGECOUNT=1").status == 1
    done = crawler("resume", "few", "--pidfile", "few.pid", "--profile", "-", "-s", "CLOSESPIDER_PAGECOUNT=0")
    assert "function calls" in done.err
    assert not (spider.parent / "few.pid").exists()


@pytest.mark.process
def test_a_file_of_a_dead_process_is_taken_over(crawler: Crawler, spider: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (spider.parent / "few.pid").write_text(str(dead.pid))
    assert crawler("run", "few.py", "--pidfile", "few.pid", "-o", "-", "--nolog").out == '{"same":true}\n' * 2
    assert not (spider.parent / "few.pid").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("notes.txt", "not a number", "holds no process id"), ("none/few.pid", None, "No such file")],
)
def test_what_is_no_pid_file_is_left_alone(
    crawler: Crawler, spider: Path, name: str, content: str | None, said: str
) -> None:
    if content is not None:
        (spider.parent / name).write_text(content)
    done = crawler("run", "few.py", "--pidfile", name)
    assert (done.status, said in done.err) == (2, True), done.err
    assert content is None or (spider.parent / name).read_text() == content


def test_a_profile_has_the_functions_of_the_spider(crawler: Crawler, spider: Path) -> None:
    crawler("run", "few.py", "--profile", "few.prof", "--nolog")
    profile = pstats.Stats(str(spider.parent / "few.prof"))
    assert any(function[2] == "parse" for function in profile.stats)  # type: ignore[attr-defined]
    assert "function calls" in crawler("run", "few.py", "--profile", "-", "--nolog").err


def test_a_profile_that_could_not_be_written_is_refused(crawler: Crawler, spider: Path) -> None:
    done = crawler("run", "few.py", "--profile", "none/few.prof")
    assert (done.status, "no such folder" in done.err) == (2, True)


def test_what_needs_a_terminal_or_one_process_says_so(crawler: Crawler, spider: Path) -> None:
    assert "--pdb needs a terminal" in crawler("run", "few.py", "--pdb").err
    for option in (["--pdb"], ["--profile", "x"]):
        done = crawler("run", "few.py", "--workers", "2", *option)
        assert (done.status, f"{option[0]} is for a crawl of one process" in done.err) == (2, True)


@pytest.mark.process
def test_the_debugger_opens_at_the_first_error_and_the_crawl_goes_on(spider: Path) -> None:
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(spider.parent)
        words = command("run", "few.py", "--pdb", "-L", "WARNING", "--summary", "summary.json")
        os.execve(words[0], words, environment() | {"TERM": "dumb", "INTERRUPT": "yes"})
    said, typed = b"", False
    while select.select([terminal], [], [], 20)[0]:
        try:
            said += os.read(terminal, 10_000)
        except OSError:  # the other side has ended
            break
        if b"(Pdb)" in said and not typed:
            typed = os.write(terminal, b"p answer + 1\nc\n") > 0
    _, status = os.waitpid(pid, 0)
    text = said.decode()
    assert "ZeroDivisionError: division by zero" in text
    assert "\n43" in text
    assert '"pages": 2' in (spider.parent / "summary.json").read_text()
    assert "SIGINT: finishing what is under way" in text  # Ctrl-C is the crawl's again
    assert os.waitstatus_to_exitcode(status) in (1, 130)
