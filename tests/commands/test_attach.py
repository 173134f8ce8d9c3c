"""What `crawler attach` does at a running crawl, and what it says where there is none."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler.console.sockets import connected
from crawler.storage.jobs import console_socket
from tests.commands.conftest import SPIDER, Crawler, Site, command, environment


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no job in {jobs} has a console open: start one with --console"),
        (("books",), "no job 'books' in {jobs}"),
        (("pause", "a.example"), 'there is no job "pause"; the job comes first: `crawler attach JOB pause a.example`'),
        (
            ("../up",),
            "'../up' cannot be the name of a job: use up to 100 letters, digits, '-', '_' and '.', not '.' first",
        ),
    ],
)
def test_where_nothing_runs_it_says_what_to_do(
    crawler: Crawler, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = crawler("attach", *arguments)
    assert (result.status, result.out) == (2, "")
    assert result.err == f"crawler: {message.format(jobs=folder / '.crawler' / 'jobs')}\n"


def test_a_job_that_has_no_console_says_how_it_gets_one(crawler: Crawler, folder: Path, site: Site) -> None:
    (folder / "pages.py").write_text(SPIDER.format(url=site.url))
    assert crawler("run", "pages.py", "--job", "p", "-s", "CLOSESPIDER_PAGECOUNT=1").status == 0
    assert "`crawler resume p --console` goes on with it, with a console" in crawler("attach", "p").err


@pytest.fixture
def crawl(folder: Path, site: Site, outside: None) -> Iterator[subprocess.Popen[str]]:
    """A crawl that waits for the site, with a console."""
    (folder / "pages.py").write_text(SPIDER.format(url=site.url))
    site.hold.clear()
    started = subprocess.Popen(
        command("run", "pages.py", "--job", "books", "--console", "-o", "-"),
        cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    until = time.monotonic() + 20
    while not _is_open(folder):
        assert started.poll() is None, started.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    yield started
    site.hold.set()
    if started.poll() is None:
        started.kill()
    started.communicate()


def _is_open(folder: Path) -> bool:
    try:
        connected(console_socket(folder / ".crawler" / "jobs", "books")).close()
    except OSError:
        return False
    return True


@pytest.mark.slow
def test_words_of_a_script_act_on_the_crawl_and_have_a_status(
    crawl: subprocess.Popen[str], process: Crawler, folder: Path, site: Site
) -> None:
    paused = process("attach", "books", "pause")
    assert (paused.status, paused.err) == (0, "")
    wrong = process("attach", "books", "pasue")
    assert (wrong.status, wrong.out) == (2, "")
    assert wrong.err == 'there is no "pasue" here; did you mean "pause"?; `help` lists what there is\n'
    assert (
        process("attach", "books", os.fsdecode(b"p\xff")).err == 'there is no "p?" here; `help` lists what there is\n'
    )
    lines = subprocess.run(
        command("attach"), cwd=folder, env=environment(), capture_output=True, text=True, timeout=60, check=False,
        input="python spider.name\nnothing\npython print(await __import__('asyncio').sleep(0, 7))",
    )  # fmt: skip
    assert (lines.returncode, lines.stdout) == (2, "'pages'\n7\n")
    site.hold.set()
    assert process("attach", "books", "resume").status == 0
    out, log = crawl.communicate(timeout=30)
    assert crawl.returncode == 0
    assert out.count("\n") == site.pages + 1  # and nothing that was printed at the console
    assert re.search(r'WARNING crawler: Refused for attach \w+: there is no "pasue" here', log)
    assert not console_socket(folder / ".crawler" / "jobs", "books").exists()


@pytest.mark.slow
def test_a_prompt_completes_interrupts_and_ends_with_the_crawl(
    crawl: subprocess.Popen[str], folder: Path, site: Site, tmp_path: Path
) -> None:
    terminal = Terminal(folder, tmp_path / "state")
    terminal.until("crawler> ")
    terminal.types("stat\t\r", "lag")
    terminal.until("crawler> ")
    terminal.types("pause nonsense", "pause nonsense")
    terminal.presses("\x03", "crawler> ")
    terminal.types("python\r", ">>> ")
    terminal.types("spider.na\t\r", "'pages'\r\n>>> ")
    terminal.types("import asyncio; await asyncio.sleep(1000)\r", "sleep(1000)\r\n")
    time.sleep(0.3)  # until it is asked for: nothing tells that
    terminal.presses("\x03", "interrupted\r\n>>> ")  # what is typed before that is not read by the prompt
    terminal.types("\x04", "crawler> ")
    site.hold.set()
    terminal.until("the crawl has ended (finished): 6 pages, 6 items")
    assert terminal.status() == 0
    assert "spider.name\n" in (tmp_path / "state" / "crawler" / "console_history").read_text()


class Terminal:
    """`crawler attach` at a terminal."""

    def __init__(self, folder: Path, state: Path) -> None:
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(sys.executable, command("attach", "books"), {**environment(), "XDG_STATE_HOME": str(state)})
        self.shown = ""

    def types(self, keys: str, answer: str) -> None:
        self.shown = ""
        os.write(self.descriptor, keys.encode())
        self.until(answer)

    def presses(self, key: str, answer: str) -> None:
        """Press Ctrl-C, and again as a person would: readline misses one that comes just before it waits for keys."""
        self.shown = ""
        again, limit = 0.0, time.monotonic() + 20
        while answer not in self.shown:
            assert time.monotonic() < limit, self.shown
            if time.monotonic() > again:
                os.write(self.descriptor, key.encode())
                again = time.monotonic() + 1
            self._read()

    def until(self, answer: str) -> None:
        limit = time.monotonic() + 20
        while answer not in self.shown:
            assert time.monotonic() < limit, self.shown
            self._read()

    def _read(self) -> None:
        if select.select([self.descriptor], [], [], 0.1)[0]:
            self.shown += os.read(self.descriptor, 65536).decode()

    def status(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        os.close(self.descriptor)
        return os.waitstatus_to_exitcode(status)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("--console", "-s", "JOB_STORE=none"), "CONSOLE_ENABLED puts its socket beside the job, and there is none"),
        (("-s", "CONSOLE_PORT=0"), "CONSOLE_KEYS says nobody, so nobody could come in by CONSOLE_PORT"),
        (("-s", "CONSOLE_PORT=0", "-s", "CONSOLE_KEYS=/nowhere"), "/nowhere: No such file or directory"),
        (("-s", "CONSOLE_PORT=70000"), "CONSOLE_PORT"),
    ],
)
def test_a_console_that_cannot_be_opened_is_said_before_anything_is_made(
    crawler: Crawler, folder: Path, settings: tuple[str, ...], message: str
) -> None:
    (folder / "pages.py").write_text(SPIDER.format(url="data:,x"))
    result = crawler("run", "pages.py", "--job", "p", *settings)
    assert result.status == 2
    assert message in result.err
    assert not list(folder.glob(".crawler/jobs/p*"))


def test_without_its_extra_a_console_over_ssh_says_how_to_get_it(
    crawler: Crawler, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "crawler.console.ssh.door", raising=False)
    monkeypatch.setitem(sys.modules, "twisted.conch.avatar", None)
    (folder / "pages.py").write_text(SPIDER.format(url="data:,x"))
    result = crawler("run", "pages.py", "-s", "CONSOLE_PORT=0", "-s", "CONSOLE_KEYS=/nowhere")
    assert result.status == 2
    assert "which is not installed: `pip install 'surecrawl[console]'`" in result.err


def test_in_a_scrapy_project_the_setting_has_its_prefix(crawler: Crawler, folder: Path) -> None:
    (folder / "words.py").write_text(
        "import scrapy\n\n\nclass Words(scrapy.Spider):\n    name = 'words'\n    start_urls = ['data:,x']\n"
        "    custom_settings = {'CRAWLER_CONSOLE_ENABLED': True, 'CRAWLER_JOB_STORE': None}\n"
    )
    result = crawler("run", "words.py")
    assert result.status != 0
    assert "CONSOLE_ENABLED puts its socket beside the job" in result.err
