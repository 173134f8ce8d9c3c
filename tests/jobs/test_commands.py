"""Do the commands beside `crawl` and `resume` do what they say, and does a failed beginning leave nothing?"""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.jobs.running import end, read_paths, start, wait_for
from tests.jobs.test_disk import run
from tests.jobs.web import Web


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
        assert (status, "there is a job k already" in said) == (2, True), said
        status, said = run(*command, log=log)
        assert status == 0, said
        assert len(read_paths(out)) == 3
        assert list((tmp_path / "jobs").iterdir()) == []
