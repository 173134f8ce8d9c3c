"""Do --since, --only-new and --changes hold where many workers crawl?"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.second_runs import SPIDERS, Shop, shop
from tests.commands.conftest import command, environment

pytestmark = pytest.mark.process


@pytest.fixture
def served(outside: None) -> Iterator[Shop]:
    with shop(range(120)) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, served: Shop, program: str) -> Path:
    (tmp_path / "pages.py").write_text(SPIDERS.replace("URL", served.url))
    return tmp_path


def crawl(folder: Path, *options: str) -> None:
    words = ["run", "pages.py:shop", "-O", "items.jsonl", "-s", "HTTPCACHE_ENABLED=true", *options]
    done = subprocess.run(command(*words), cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def changes(folder: Path) -> list[tuple[str, str]]:
    return sorted((line["change"], line["key"].rpartition("/")[2]) for line in lines(folder / "changes.jsonl"))


def test_workers_share_what_an_earlier_run_kept(folder: Path, served: Shop) -> None:
    crawl(folder)
    served.revisions[1] += 1
    served.books = [*range(119), 500]
    served.requests.clear()
    crawl(folder, "--workers", "2", "--since", "LAST", "--changes", "changes.jsonl")
    assert served.requests == {304: 121, 200: 3}  # whichever worker asks finds what another process has kept
    assert len(lines(folder / "items.jsonl")) == 120
    assert changes(folder) == [("changed", "1"), ("gone", "119"), ("new", "500")]
    assert list((folder / ".crawler/jobs").iterdir()) == []


@pytest.mark.slow
def test_workers_leave_out_what_an_earlier_run_of_workers_knew(folder: Path, served: Shop) -> None:
    crawl(folder, "--workers", "2")
    for gone, new in (0, 500), (1, 501):
        served.books = [*served.books, new]
        served.books.remove(gone)
        served.paths.clear()
        crawl(folder, "--workers", "2", "--since", "LAST", "--only-new", "--changes", "changes.jsonl")
        assert [path for path in served.paths if path.startswith("/book/")] == [f"/book/{new}"]
        assert changes(folder) == [("gone", str(gone)), ("new", str(new))]


@pytest.mark.slow
def test_a_starter_that_is_killed_loses_no_change(folder: Path, served: Shop) -> None:
    crawl(folder, "--workers", "2")
    served.revisions.update(range(0, 120, 2))
    words = ["run", "pages.py:shop", "--workers", "2", "-O", "items.jsonl", "--job", "second"]
    words += ["--since", "LAST", "--changes", "changes.jsonl", "-s", "DOWNLOAD_DELAY=0.01"]
    for kill in (0.4, 0.8, None):
        served.paths.clear()
        running = subprocess.Popen(command(*words), cwd=folder, env=environment(), stderr=subprocess.DEVNULL)
        while kill is not None and not served.paths:
            time.sleep(0.02)
        if kill is not None:
            time.sleep(kill)
            assert running.poll() is None
            running.send_signal(signal.SIGKILL)
        status = running.wait(60)
        words = ["resume", "second"]
    assert status == 0
    assert len(lines(folder / "items.jsonl")) == 120
    assert changes(folder) == sorted(("changed", str(number)) for number in range(0, 120, 2))
