"""Are pages that an earlier run knew as leaves left out?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from crawler import Request, Response, Spider
from crawler.events import RequestEnded
from crawler.model.url import fingerprint
from crawler.storage import history
from crawler.storage.history import Kept, Page, Run
from crawler.testing import Result, crawl

ROOT = "http://a.test/"
LEAVES = (ROOT + "1", ROOT + "2", ROOT + "3")
SITE = {ROOT: "".join(f'<a href="{number}">x</a>' for number in range(1, 5)), **dict.fromkeys(LEAVES, "leaf")}


class Walk(Spider):
    name = "walk"
    start_urls = (ROOT,)

    def parse(self, response: Response) -> Any:
        yield {"url": response.url}
        yield from response.follow_all(css="a")


@pytest.fixture
def known(tmp_path: Path) -> dict[str, Any]:
    """Settings of a second run that knows the leaves."""
    urls = (ROOT, *LEAVES)
    pages = [
        Page(n, url, (fingerprint(Request(url)),), "answered", "", "200", 1, int(url == ROOT), 0, -1, "")
        for n, url in enumerate(urls)
    ]
    jobs = tmp_path / "jobs"
    history.write(jobs, Run("first", "walk", 0.0, 1.0, 4, 0, 4), Kept(pages))
    return {"SINCE": "LAST", "ONLY_NEW": True, "JOB_DIR": str(jobs), "HTTPCACHE_FILE": str(tmp_path / "cache")}


def dropped(result: Result) -> list[str]:
    return [end.request.url for end in result.happened(RequestEnded) if end.reason == "known"]


def test_known_leaves_end_without_being_sent(known: dict[str, Any]) -> None:
    result = crawl(Walk, SITE | {ROOT + "4": "new"}, settings=known)
    assert result.urls == [ROOT, ROOT + "4"]
    assert dropped(result) == list(LEAVES)
    assert result.summary.stats["request_dropped/known"] == 3


def test_no_delay_is_owed_for_them(known: dict[str, Any]) -> None:
    delay = {"DOWNLOAD_DELAY": 60, "RANDOMIZE_DOWNLOAD_DELAY": False, "ROBOTSTXT_OBEY": False}
    result = crawl(Walk, SITE | {ROOT + "4": "new"}, settings={**known, **delay})
    assert result.seconds < 61


def test_one_of_start_is_left_out_too(known: dict[str, Any]) -> None:
    class Pages(Walk):
        start_urls = LEAVES

    assert crawl(Pages, SITE, settings=known).urls == []


def test_a_redirect_to_one_ends_there(known: dict[str, Any]) -> None:
    moved = Response(ROOT + "4", 302, {"Location": LEAVES[0]})
    site = {ROOT: '<a href="4">x</a>', ROOT + "4": moved}
    result = crawl(Walk, site, settings=known)
    assert result.urls == [ROOT, ROOT + "4"]
    assert dropped(result) == [LEAVES[0]]


def test_an_inline_fetch_gets_its_page(known: dict[str, Any]) -> None:
    class Inline(Walk):
        async def parse(self, response: Response) -> AsyncIterator[Any]:
            yield {"text": (await self.fetch(LEAVES[0])).text}

    assert crawl(Inline, SITE, settings=known).items == [{"text": "leaf"}]


def test_a_callback_that_raises_is_remembered(known: dict[str, Any]) -> None:
    class Raises(Walk):
        def parse(self, response: Response) -> Any:
            raise ValueError("of the spider")

    (end,) = crawl(Raises, SITE).happened(RequestEnded)
    assert (end.outcome, end.reason) == ("answered", "raised")
