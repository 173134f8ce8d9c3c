"""Is a whole crawl told of, once, also after a kill and a resume? In virtual time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawler import Request, Spider, testing
from crawler.testing import Result
from tests.engine.virtual import ROOT, any_page, crawl
from tests.notices.support import MemoryNetwork

Run = Callable[..., tuple[list[str], Result]]


class Failing(Spider):
    """Its callback fails on some pages."""

    name = "failing"

    async def start(self):  # type: ignore[no-untyped-def]
        for number in range(40):
            yield Request(f"{ROOT}{number}")

    def parse(self, response):  # type: ignore[no-untyped-def]
        number = int(response.url.rpartition("/")[2])
        if number % 10 == 3:
            raise ValueError("a\r\nBcc: all@example.com")
        if number == 35:
            raise KeyError("late")
        yield {"url": response.url}


def killed(job: Path | None, copy: Path) -> None:
    """Copy a job as a kill would leave it now."""
    for end in ("", "-wal", "-shm"):
        shutil.copyfile(f"{job}{end}", f"{copy}{end}")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Crawl, and return the titles that a hook got, and what came of the crawl."""

    def crawled(job: Path | None = None, *, copy_to: Path | None = None, **settings: Any) -> tuple[list[str], Result]:
        network = MemoryNetwork()
        posting = network.post

        async def post(url: str, body: bytes) -> int:
            if copy_to is not None and len(network.posted) == 0:
                killed(job, copy_to)
            return await posting(url, body)

        monkeypatch.setattr(network, "post", post)
        monkeypatch.setattr("crawler.notices.companion.RealNetwork", lambda *_: network)
        given = {
            "NOTICES": [{"to": "https://hooks.example/"}],
            "DOWNLOAD_DELAY": 3.0,
            "ROBOTSTXT_OBEY": False,
            **settings,
        }
        result = crawl(Failing, any_page, job=job, settings=given)
        return [json.loads(body)["title"] for _, body in network.posted], result

    return crawled


VALUE, KEY = "failing: first ValueError in parse", "failing: first KeyError in parse"


def test_each_kind_of_error_is_told_once_and_then_the_end(run: Run) -> None:
    told, result = run()
    assert told[:-1] == [VALUE, KEY]
    assert told[-1].startswith("failing: failed after")
    assert told[-1].endswith("35 items, 5 errors")
    assert result.summary.items == 35


def test_a_run_that_goes_on_tells_only_what_is_new(run: Run, tmp_path: Path) -> None:
    told, result = run(tmp_path / "job", CLOSESPIDER_PAGECOUNT=20)
    assert told[:-1] == [VALUE]
    assert "stopped (closespider_pagecount)" in told[-1]
    told, result = run(tmp_path / "job")
    assert told[:-1] == [KEY]
    assert result.summary.items == 35


def test_a_kill_while_it_is_told_does_not_have_it_told_again(run: Run, tmp_path: Path) -> None:
    told, _ = run(tmp_path / "job", copy_to=tmp_path / "killed")
    assert told[:-1] == [VALUE, KEY]
    told, result = run(tmp_path / "killed")
    assert told[:-1] == [KEY]
    assert result.summary.items == 35


def test_nobody_is_told_without_places(run: Run) -> None:
    assert run(NOTICES=[])[0] == []


def test_a_crawl_is_the_same_with_and_without_notices(run: Run) -> None:
    _, told = run()
    _, untold = run(NOTICES=[])
    assert told.items == untold.items
    assert told.seconds == pytest.approx(untold.seconds, abs=0.1)


def test_a_test_of_the_users_tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    network = MemoryNetwork()
    monkeypatch.setattr("crawler.notices.companion.RealNetwork", lambda *_: network)
    monkeypatch.setattr(Failing, "custom_settings", {"NOTICES": [{"to": "https://hooks.example/"}]})
    testing.crawl(Failing, any_page)
    assert network.posted == []
