"""Does the process end, and rightly, whoever stops it and whatever state it is in?"""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from crawler.storage.jobs import list_jobs
from tests.commands.conftest import Crawler, command, environment

STOPS = """\
from crawler import Spider


class Pages(Spider):
    name = "pages"
    start_urls = ["data:,x"]

    async def parse(self, response):
        import asyncio
        from twisted.internet import reactor

        yield {"n": 1}
        self.task = asyncio.get_running_loop().create_task(self.leave())
        await asyncio.sleep(0.01)
        reactor.stop()
        yield {"n": 2}

    async def leave(self):
        raise SystemExit(7)
"""


@pytest.mark.process
def test_a_callback_that_stops_the_reactor_stops_the_crawl_and_a_task_of_its_own_ends_nothing(
    process: Crawler, folder: Path
) -> None:
    (folder / "pages.py").write_text(STOPS)
    result = process("run", "pages.py", "-o", "-")
    assert result.status == 130, result.err
    assert result.out == '{"n":1}\n{"n":2}\n'
    assert "A task of the spider's own ended with SystemExit(7)" in result.err


OPENS = """\
import sys
from crawler import Pipeline, Spider


class Fine(Pipeline):
    def process_item(self, item):
        return item


class Leaves(Pipeline):
    async def open_spider(self):
        sys.exit("no database")

    def process_item(self, item):
        return item


class Pages(Spider):
    name = "pages"
    start_urls = ["data:,x"]
    custom_settings = {"PIPELINES": [Fine, Leaves]}
"""


@pytest.mark.process
def test_an_exit_while_a_stage_is_opened_is_told_in_one_message_and_leaves_no_job(
    process: Crawler, folder: Path
) -> None:
    (folder / "pages.py").write_text(OPENS)
    result = process("run", "pages.py")
    assert result.status == 1
    said, cause, frame = result.err.splitlines()
    assert said == "crawler: the crawl failed: RuntimeError: SystemExit('no database') was raised"
    assert cause.strip() == "from SystemExit: no database"
    assert frame.strip() == 'pages.py:12 in open_spider: sys.exit("no database")'
    assert list_jobs(folder / ".crawler" / "jobs") == []


HANGS = """\
import threading
from crawler import Pipeline, Spider


class Hangs(Pipeline):
    def {hook}:
        print("here", flush=True)
        threading.Event().wait()

    {rest}


class Pages(Spider):
    name = "pages"
    start_urls = ["data:,x"]
    custom_settings = {{"PIPELINES": [Hangs]}}

    def parse(self, response):
        yield {{"n": 1}}
"""
PLAIN = "def process_item(self, item): return item"


@pytest.mark.slow
@pytest.mark.parametrize("hook", ["process_item(self, item)", "open_spider(self)", "close_spider(self)"])
def test_a_thread_that_hangs_holds_the_process_five_seconds_after_the_second_signal(folder: Path, hook: str) -> None:
    (folder / "pages.py").write_text(HANGS.format(hook=hook, rest="" if hook.startswith("process") else PLAIN))
    with subprocess.Popen(
        command("run", "pages.py", "-o", "items.jsonl"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        assert "finishing what is under way" in _line(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 130
    written = (folder / "items.jsonl").read_text() if (folder / "items.jsonl").exists() else ""
    assert written == ('{"n":1}\n' if hook.startswith("close") else "")


def _line(process: subprocess.Popen[str]) -> str:
    """Return the line of the log that tells of a signal."""
    assert process.stderr is not None
    return next(line for line in process.stderr if "SIGINT" in line)


LATE = """\
import asyncio, os, signal
from crawler import Spider


class Pages(Spider):
    name = "pages"
    start_urls = ["data:,x"]

    def parse(self, response):
        return {"n": 1}

    async def closed(self, reason):
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.05)
"""


@pytest.mark.process
def test_a_signal_that_comes_when_the_crawl_is_over_does_not_say_that_it_was_stopped(
    process: Crawler, folder: Path
) -> None:
    """Else whoever gives the command again because of the status begins anew, and has all items twice."""
    (folder / "pages.py").write_text(LATE)
    result = process("run", "pages.py", "-o", "-")
    assert "SIGINT" in result.err
    assert (result.status, result.out) == (0, '{"n":1}\n'), result.err
    assert not list_jobs(folder / ".crawler" / "jobs")


@pytest.mark.process
def test_one_signal_ends_a_fetch_that_nobody_answers(folder: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        subprocess.Popen(
            command("fetch", f"http://127.0.0.1:{silent.getsockname()[1]}/"),
            cwd=folder,
            env=environment(),
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        silent.settimeout(30)
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            assert process.wait(15) == 130
        assert process.stderr is not None
        assert process.stderr.read().endswith(": the crawl was stopped before one came\n")


FORGETS = """\
from crawler import Spider
from twisted.internet.defer import fail


class Pages(Spider):
    name = "pages"
    start_urls = ["data:,x"]

    def parse(self, response):
        fail(ValueError("nobody waits"))
"""


@pytest.mark.process
def test_an_error_in_a_deferred_that_nobody_waits_for_is_in_the_log_and_nowhere_else(
    process: Crawler, folder: Path
) -> None:
    (folder / "pages.py").write_text(FORGETS)
    result = process("run", "pages.py")
    told = [line for line in result.err.splitlines() if "Unhandled error" in line or "nobody waits" in line]
    assert all(" CRITICAL twisted: " in line for line in told)
    assert "ValueError: nobody waits" in told[-1]
    assert "Traceback" not in result.err
