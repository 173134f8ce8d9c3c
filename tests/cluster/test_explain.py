"""`crawler explain` of a job on a server, as of one in a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from crawler.commands.cluster.ground import jobs_at
from crawler.commands.options import RunOptions, remember
from crawler.frontier.host import Attempt
from crawler.frontier.store import Finished
from crawler.storage.cluster import library
from crawler.storage.cluster.client import Connection
from tests.cluster.worker import KEY, Workers
from tests.storage.support import offer

pytestmark = pytest.mark.process


def test_explain_finds_a_url_on_a_server(
    connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pages.py").write_text('from crawler import Spider\n\n\nclass Pages(Spider):\n    name = "pages"\n')
    workers = Workers(connection.address)
    prefix, _, name = KEY.partition(":")
    about = remember("pages", RunOptions({}, {}, None), file="pages.py")
    jobs_at(workers.connection, prefix).make(name, about, wall=0.0, library=library.NAME)
    one = workers.worker()
    one.starts("http://a.example/1")
    [entry] = one.takes("a.example")
    children = [offer("http://b.example/2", found_on="http://a.example/1")]
    attempts = [Attempt(5.0, "http://a.example/1", "200", "")]
    one.wait(one.store.commit([Finished(entry.token, children=children, items=["item"], attempts=attempts)]))

    def explained(url: str) -> str:
        where = ["--job", name, "-s", f"JOB_STORE={connection.address.url}", "-s", f"JOB_PREFIX={prefix}"]
        return subprocess.run(
            [sys.executable, "-m", "crawler", "explain", url, *where], capture_output=True, text=True, check=True
        ).stdout

    answered = explained("http://a.example/1")
    assert "Accepted, from start().\n" in answered
    assert "http://a.example/1 gave 200\n  Answered: its callback yielded 1 item and 1 request." in answered
    assert "Accepted, found on http://a.example/1.\n  It is queued." in explained("http://b.example/2")
    workers.close()
