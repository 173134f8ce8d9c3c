"""Does a job survive SIGKILL at any moment, whole?"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from crawler.errors import StoreError
from tests.storage.support import Stores

ROOT = Path(__file__).parents[2]


def run_and_kill(path: Path, run: int, dice: random.Random) -> int:
    """Let a process commit for a random while and kill it; return the last count that it was told of."""
    command = [sys.executable, "-m", "tests.storage.killed", str(path), str(run)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        lines = dice.randrange(1, 30)
        told = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)  # it is within the next commit by now
        told += process.stdout.readlines()
    return max(int(line) for line in told if line.endswith("\n"))


def check(stores: Stores, path: Path, told: int) -> None:
    """Everything of each commit is there, or nothing of it."""
    store = stores.make(path)
    resumed = stores.wait(store.open())
    done = resumed.done
    assert done >= told, "a commit that was answered is gone"
    assert resumed.facts["done"] == done
    assert resumed.items == done
    assert resumed.accepted == 5 + 2 * done
    assert resumed.queued == {"a": 5 + done}
    assert len(resumed.memory["stage", "seen"]) == done
    items = stores.wait(store.unfed_items(0, 10**6))
    assert [number for number, _ in items] == list(range(1, done + 1))
    assert {item["of"] for _, item in items} == set(resumed.memory["stage", "seen"])
    queued = stores.wait(store.lease("a", 10**6, None))
    assert len(queued) == 5 + done
    stores.finish(store)
    with sqlite3.connect(path) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    sql.close()


@pytest.mark.process
@pytest.mark.parametrize("kills", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_what_was_answered_is_kept_and_no_commit_is_torn(sqlite: Stores, kills: int) -> None:
    dice = random.Random(kills)
    path = sqlite.path.with_name("killed.sqlite")
    for run in range(kills):
        check(sqlite, path, run_and_kill(path, run, dice))


def test_a_job_file_that_cannot_be_written_is_a_clear_error(sqlite: Stores, pragmas: list[str]) -> None:
    store = sqlite.open()
    sqlite.finish(store)
    store = sqlite.open()
    pragmas.append("query_only = ON")
    with pytest.raises(StoreError, match=r"it is read-only; what was committed is intact"):
        sqlite.wait(store.commit([], facts={"a": 1}))
    sqlite.finish(store)
    sqlite.path.chmod(0o400)
    if os.geteuid() != 0:  # root may write anyway
        with pytest.raises(StoreError, match="cannot be used"):
            sqlite.open()
