"""A kill at any moment costs neither the history of a finished crawl nor an item of what is fetched again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.conftest import Crawler, command, environment, jobs
from tests.commands.failing_site import FAILING, PAGES, QUIET, WORDS, FailingSite, expected, failed, items


@pytest.mark.process
def test_a_kill_in_the_middle_of_fetching_again_costs_no_item_and_doubles_none(
    crawler: Crawler, shop: FailingSite, folder: Path
) -> None:
    assert crawler("run", "pages.py", "-O", "items.jsonl", "--job", "mine", *QUIET).status == 0
    before = shop.broken
    shop.heal()
    words = command("resume", "mine", "--failed", "-s", "CONCURRENT_REQUESTS=2", "-s", "JOB_COMMIT_SECONDS=0", *QUIET)
    killed = subprocess.Popen(words, cwd=folder, env=environment(), stderr=subprocess.DEVNULL)
    shop.on_page = lambda path: os.kill(killed.pid, signal.SIGKILL) if len(shop.asked) == FAILING // 2 else None
    assert killed.wait(60) == -signal.SIGKILL
    assert jobs(crawler)[0] == ("mine", "stopped")
    assert set(failed(crawler)) < {str(number) for number in before}
    assert crawler("resume", "mine", *QUIET).status == 0
    assert items(folder / "items.jsonl") == expected(shop.broken)
    assert failed(crawler) == [str(number) for number in sorted(shop.broken)]
    assert set(shop.asked) == {str(number) for number in before} | {f"more{each}" for each in before - shop.broken}


@pytest.mark.process
@pytest.mark.slow
def test_what_failed_is_listed_while_the_crawl_runs(crawler: Crawler, shop: FailingSite, folder: Path) -> None:
    reached, go_on = threading.Event(), threading.Event()

    def wait(path: str) -> None:
        if len(shop.asked) == PAGES // 2:
            reached.set()
            go_on.wait(60)

    shop.on_page = wait
    running = subprocess.Popen(command(*WORDS, "-s", "RETRY_TIMES=0"), cwd=folder, env=environment())
    assert reached.wait(60)
    found = until(lambda: failed(crawler))
    assert jobs(crawler) == [("mine", "running")]
    busy = crawler("resume", "mine", "--failed")
    assert (busy.status, "in use by process" in busy.err) == (2, True)
    go_on.set()
    assert running.wait(60) == 0
    assert set(found) < {str(number) for number in shop.broken}


def until(found: Callable[[], list[str]]) -> list[str]:
    """Return what is found when there is something: a commit has its time."""
    deadline = time.monotonic() + 30
    while not (those := found()):
        assert time.monotonic() < deadline
    return those


KILLED = """\
    import os, signal, sys
    import {module} as module
    from crawler.commands import main

    kept = module.{name}

    def kill(*arguments, **names):
        {before}
        os.kill(os.getpid(), signal.SIGKILL)

    module.{name} = kill
    main({words})
"""


def killed_at(folder: Path, words: list[str], module: str, name: str, before: str) -> None:
    """Run a command that is killed where a function of ours is called."""
    script = textwrap.dedent(KILLED).format(module=module, name=name, before=before, words=words)
    killed = subprocess.run([sys.executable, "-c", script], cwd=folder, env=environment(), check=False)
    assert killed.returncode == -signal.SIGKILL


@pytest.mark.process
@pytest.mark.slow
def test_the_first_command_again_appends_to_what_a_killed_one_was_to_mend(
    crawler: Crawler, shop: FailingSite, folder: Path
) -> None:
    assert crawler(*WORDS).status == 0
    shop.heal()
    again = ["resume", "mine", "--failed", *QUIET]
    killed_at(folder, again, "crawler.commands.again", "put_back_failed", "kept(*arguments, **names)")
    assert jobs(crawler)[0] == ("mine", "stopped")
    assert crawler(*WORDS).status == 0
    assert items(folder / "items.jsonl") == expected(shop.broken)


@pytest.mark.process
@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "name", "before", "there"),
    [
        ("crawler.storage.historyfile", "sync_folder", "pass", ["jobs", "history"]),
        ("crawler.assembly.job", "leave_history", "pass", ["jobs"]),
        ("crawler.assembly.job", "remove_job", "pass", ["jobs", "history"]),
        ("crawler.assembly.job", "remove_job", "kept(*arguments)", ["history"]),
    ],
)
def test_a_kill_at_the_end_leaves_the_job_or_its_history_or_both(
    crawler: Crawler, shop: FailingSite, folder: Path, module: str, name: str, before: str, there: list[str]
) -> None:
    killed_at(folder, WORDS, module, name, before)
    suffixes = {path.suffix for path in (folder / ".crawler").rglob("*") if path.is_file()}
    assert {"jobs": ".sqlite" in suffixes, "history": ".history" in suffixes} == {
        place: place in there for place in ("jobs", "history")
    }
    assert jobs(crawler) == [("mine", "finished")]
    shop.heal()
    assert crawler("resume", "mine", "--failed", *QUIET).status == 0
    assert items(folder / "items.jsonl") == expected(shop.broken)
    assert jobs(crawler) == [("mine", "finished")]
