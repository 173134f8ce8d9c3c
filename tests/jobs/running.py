"""Starts and kills the command in tests, and reads what it wrote."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crawler.storage.jobs import Job, read_job
from tests.feeds.readers import read

PROJECT = Path(__file__).parent / "project"
OUTPUTS = ("out.jsonl", "out.json", "out.csv", "out.xml", "gz.jsonl.gz", "zst.csv.zst")


def command(*arguments: str) -> list[str]:
    """Return the command line of the crawler with these arguments."""
    return [sys.executable, "-m", "crawler", *arguments]


def start(*arguments: str, log: Path, cwd: Path = PROJECT) -> subprocess.Popen[bytes]:
    """Start the command; what it prints is added to ``log``."""
    with log.open("ab") as file:
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        return subprocess.Popen(command(*arguments), cwd=cwd, stdout=file, stderr=file, env=environment)


def run(*arguments: str, log: Path) -> tuple[int, str]:
    """Run the command to its end; return its status and what it printed."""
    log.unlink(missing_ok=True)
    process = start(*arguments, log=log)
    try:
        return process.wait(60), log.read_text()
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"it hangs: {log.read_text()[-3000:]}")


def end(process: subprocess.Popen[bytes], how: signal.Signals, *, timeout: float = 30) -> int:
    """Send a signal and wait for the end."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


def wait_for(condition: object, *, timeout: float = 30) -> None:
    """Wait until ``condition()`` is true."""
    assert callable(condition)
    until = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < until, "this did not happen in time"
        time.sleep(0.005)


def read_paths(file: Path) -> list[str]:
    """Return the ``path`` field of every item in an output of any format; the file must be valid."""
    items = read(file)
    if ".csv" in file.suffixes:  # every row has the late column
        assert all(
            (item.get("late") == "yes") == (int(item["path"][3:]) > 500 and item["path"].endswith("0"))
            for item in items
        )
    return [item["path"] for item in items]


def job_state(file: Path) -> Job:
    """Return what a job file says of itself; fails if it is not whole."""
    with contextlib.closing(sqlite3.connect(file)) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return read_job(file)
