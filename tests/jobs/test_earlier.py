"""Does a job that an earlier version of the program left go on to its end?

``earlier/versionN.tar.gz`` is the folder of a crawl of earlier/village.py that was killed in its middle under
version N of the job format: of start() the last result had not come, requests of four classes waited, one page
was held open by a lambda, three items were committed and in no output yet, cookies and robots.txt were known.
"""

from __future__ import annotations

import csv
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from crawler.storage.values import Values
from tests.jobs.running import command, job_state, read_paths

pytestmark = pytest.mark.process

EARLIER = Path(__file__).parent / "earlier"
BEGUN_IN = "/earlier"
"""What stands in the packed jobs for the folder they were begun in."""


def unpacked(version: str, folder: Path) -> Path:
    """Return the job's file, in a folder that is made to look as if the job had been begun there."""
    shutil.unpack_archive(EARLIER / f"{version}.tar.gz", folder, filter="data")
    shutil.copy(EARLIER / "village.py", folder)
    job = folder / ".crawler" / "jobs" / "k.sqlite"
    with closing(sqlite3.connect(job)) as sql, sql:
        [begun] = sql.execute("SELECT value FROM job WHERE name = 'command'").fetchone()
        sql.execute("UPDATE job SET value = ? WHERE name = 'command'", [moved(begun, folder)])
        for name, mark in sql.execute("SELECT name, mark FROM feeds").fetchall():
            sql.execute("UPDATE feeds SET mark = ? WHERE name = ?", [moved(mark, folder), name])
    return job


def moved(stored: bytes, folder: Path) -> bytes:
    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: walk(part) for key, part in value.items()}
        return value.replace(BEGUN_IN, str(folder)) if isinstance(value, str) else value

    return Values().encode(walk(Values().decode(stored)))


@pytest.mark.parametrize("version", sorted(path.name.removesuffix(".tar.gz") for path in EARLIER.glob("*.tar.gz")))
def test_a_job_that_an_earlier_version_left_goes_on_with_every_item_once(version: str, tmp_path: Path) -> None:
    job = unpacked(version, tmp_path)
    before = (tmp_path / "out.jsonl").read_bytes()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    resumed = subprocess.run(
        command("resume", "k"), cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    pages = {f"/p/{number}" for number in (*range(31), *range(100, 104), 110)}
    expected = sorted({"an item of start()", "/form", "/json", "/signed", *pages})
    assert sorted(read_paths(tmp_path / "out.jsonl")) == expected
    with (tmp_path / "out.csv").open(newline="") as table:
        assert sorted(row["path"] for row in csv.DictReader(table)) == expected
    text = (tmp_path / "out.jsonl").read_text()
    assert text.startswith(before.decode())
    assert '"key":"k"' in text  # the field of a request class of the project's own
    assert '"body":"q=%C3%A9"' in text
    assert text.count("seen=zero") == 30  # all pages of its host but the first, which set the cookie
    assert '"number":40' in text  # the stage's memory went on counting
    assert (job_state(job).state, job_state(job).done) == ("finished", 38)
