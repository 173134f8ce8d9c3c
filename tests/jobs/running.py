"""Starts and kills the command in tests, and reads what it wrote."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import zstandard

from crawler.storage.jobs import Job, read_job

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
    data = file.read_bytes()
    name = file.name
    if name.endswith(".gz"):
        data, name = gzip.decompress(data), name.removesuffix(".gz")
    elif name.endswith(".zst"):
        with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
            data = reader.read()
        name = name.removesuffix(".zst")
    text = data.decode()
    if name.endswith(".jsonl"):
        return [json.loads(line)["path"] for line in text.splitlines()]
    if name.endswith(".json"):
        return [item["path"] for item in json.loads(text)]
    if name.endswith(".csv"):
        rows = list(csv.DictReader(io.StringIO(text)))
        assert all(
            (row.get("late") == "yes") == (int(row["path"][3:]) > 500 and row["path"].endswith("0")) for row in rows
        )
        return [row["path"] for row in rows]
    return [str(item.findtext("path")) for item in ET.fromstring(text)]


def job_state(file: Path) -> Job:
    """Return what a job file says of itself; fails if it is not whole."""
    with contextlib.closing(sqlite3.connect(file)) as sql:
        assert sql.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return read_job(file)
