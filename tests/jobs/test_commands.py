"""Do the commands beside `crawl` and `resume` do what they say, and does a failed beginning leave nothing?"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.jobs.running import command, end, job_state, read_paths, run, start, wait_for
from tests.jobs.web import Web

pytestmark = pytest.mark.process


def test_a_command_that_could_not_begin_can_be_given_again(tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    out.write_text('{"this": "is no array"}')
    with Web(pages=3) as web:
        command = ("crawl", "walk", "--job", "k", "-a", f"base={web.base}", "-s", f"JOB_DIR={tmp_path / 'jobs'}")
        status, said = run(*command, "-o", str(out), log=tmp_path / "log.txt")
        assert (status, list((tmp_path / "jobs").iterdir())) == (2, []), said
        assert not web.log
        out.unlink()
        status, said = run(*command, "-o", str(out), log=tmp_path / "log.txt")
        assert status == 0, said
        assert len(read_paths(out)) == 3


def test_closing_a_job_knows_the_places_of_its_feeds(tmp_path: Path) -> None:
    store, log = ("-s", f"JOB_DIR={tmp_path / 'jobs'}"), tmp_path / "log.txt"
    feeds = {
        f"{tmp_path}/%(tag)s-%(time)s.json": {},
        f"{tmp_path}/parts/%(tag)s%(batch_id)d.csv": {"batch_item_count": 9},
    }
    (tmp_path / "parts").mkdir()
    given = ("-a", "tag=x", "-s", f"FEEDS={json.dumps(feeds)}", "-s", "DOWNLOAD_DELAY=0.02")
    with Web(pages=300) as web:
        process = start("crawl", "walk", "--job", "k", "-a", f"base={web.base}", *store, *given, log=log)
        wait_for(lambda: process.poll() is not None or len(web.log) > 60)
        end(process, signal.SIGKILL)
        status, said = run("jobs", *store, "close", "k", log=log)
        assert status == 0, said
        [whole] = tmp_path.glob("x-*.json")
        paths = read_paths(whole)
        assert 0 < len(paths) == len(set(paths))
        parts = [path for part in (tmp_path / "parts").iterdir() for path in read_paths(part)]
        assert sorted(parts) == sorted(paths)


def test_a_finished_job_whose_file_a_kill_left_is_no_obstacle(tmp_path: Path) -> None:
    out, log, store = tmp_path / "out.jsonl", tmp_path / "log.txt", ("-s", f"JOB_DIR={tmp_path / 'jobs'}")
    with Web(pages=3) as web:
        command = ("crawl", "walk", "--job", "k", "-a", f"base={web.base}", *store, "-O", str(out))
        assert run(*command, "-s", "JOB_KEEP=True", log=log)[0] == 0  # what is left of a kill after the end
        status, said = run(*command, "-s", "JOB_KEEP=True", log=log)
        assert (status, "job k is finished" in said) == (2, True), said
        status, said = run(*command, log=log)
        assert status == 0, said
        assert len(read_paths(out)) == 3
        assert list((tmp_path / "jobs").iterdir()) == []


def test_a_feed_named_by_the_time_is_one_file_from_the_first_moment(tmp_path: Path) -> None:
    """A kill between the making of the feed's file and its first mark leaves no second one."""
    log, store = tmp_path / "log.txt", ("-s", f"JOB_DIR={tmp_path / 'jobs'}")
    feeds = {f"{tmp_path}/out-%(time)s.jsonl": {}}
    file = tmp_path / "jobs" / "k.sqlite"
    with Web(pages=5) as web:
        given = ("-a", f"base={web.base}", *store, "-s", f"FEEDS={json.dumps(feeds)}", "-s", "CONCURRENT_REQUESTS=1")
        web.slow = 5.0  # so that it cannot be done before it is killed
        process = start("crawl", "walk", "--job", "k", *given, log=log)
        wait_for(lambda: process.poll() is not None or list(tmp_path.glob("out-*")))
        end(process, signal.SIGKILL)
        began = job_state(file).created
        with closing(sqlite3.connect(file)) as sql, sql:
            sql.execute("UPDATE feeds SET mark = NULL")  # as if it had been killed a moment earlier
        wait_for(lambda: time.time() > began + 1.1)  # the name has seconds
        web.slow = 0.0
        status, said = run("resume", "k", *store, log=log)
        assert status == 0, said
        [out] = tmp_path.glob("out-*")
        assert len(read_paths(out)) == 5


def test_an_item_that_a_filter_raises_for_is_an_error_and_the_crawl_ends_well(tmp_path: Path) -> None:
    (tmp_path / "filtered.py").write_text(
        "from crawler import Spider\n"
        "def three(item):\n"
        "    return 6 // (item['n'] - 3)\n"
        "class Filtered(Spider):\n"
        "    name = 'filtered'\n"
        "    start_urls = ['data:,page']\n"
        "    custom_settings = {'FEEDS': {'some.jl': {'item_filter': three}, 'all.jl': {}}}\n"
        "    def parse(self, response):\n"
        "        yield from ({'n': n} for n in range(6))\n"
    )
    log = tmp_path / "log.txt"
    with log.open("wb") as file:
        status = subprocess.run(command("run", "filtered.py"), cwd=tmp_path, stderr=file, timeout=30).returncode
    said = log.read_text()
    assert (status, "some.jl lost an item: ZeroDivisionError" in said) == (1, True), said
    assert [(tmp_path / name).read_text().count("\n") for name in ("some.jl", "all.jl")] == [5, 6]
    assert not list((tmp_path / ".crawler" / "jobs").glob("*.sqlite*"))
