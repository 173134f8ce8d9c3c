"""Do a project's pipelines run where Scrapy runs them, and is one that is wrong named?"""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any

import pytest

import crawler
from crawler import testing
from crawler.errors import SettingError
from crawler.events import ItemScraped, SpiderFailed
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.spiders import Spider

ROOT = "http://a.test/"


class Numbers(Spider):
    name = "numbers"
    start_urls = [ROOT]

    def parse(self, response: Any) -> Any:
        for number in range(3):
            yield {"n": number}


def run(*pipelines: Any, **settings: Any) -> testing.Result:
    numbered = {pipeline: 100 * (at + 1) for at, pipeline in enumerate(pipelines)}
    return testing.crawl(Numbers, {ROOT: "x"}, settings={"ITEM_PIPELINES": numbered, **settings})


class Database:
    """What many projects have: a connection of sqlite3 keeps to the thread that it was made in."""

    def __init__(self) -> None:
        self.database = sqlite3.connect(":memory:")
        self.database.execute("create table found (n int)")

    def process_item(self, item: Any, spider: Any) -> Any:
        self.database.execute("insert into found values (?)", [item["n"]])
        return item

    def close_spider(self, spider: Any) -> None:
        spider.found = self.database.execute("select n from found order by n").fetchall()
        spider.thread = threading.get_ident()
        self.database.close()


class Awaits:
    async def process_item(self, item: Any, spider: Any) -> Any:
        return item


class AwaitsOpening(Database):
    async def open_spider(self, spider: Any) -> None:
        pass


@pytest.mark.parametrize("in_threads", [False, True])
def test_a_database_may_be_opened_where_a_pipeline_is_made(in_threads: bool) -> None:
    result = run(Database, ITEM_PIPELINES_IN_THREADS=in_threads)
    assert result.spider.found == [(0,), (1,), (2,)]  # type: ignore[attr-defined]
    assert [item["n"] for item in result.items] == [0, 1, 2]


def test_a_pipeline_may_read_selectors_that_the_spider_leaves_in_an_item() -> None:
    class Reads:
        def process_item(self, item: Any, spider: Any) -> Any:
            return {"n": item["found"].get()}

    class Leaves(Numbers):
        def parse(self, response: Any) -> Any:
            yield {"found": response.css("p::text")}

    result = testing.crawl(Leaves, {ROOT: "<p>1</p>"}, settings={"ITEM_PIPELINES": {Reads: 1}})
    assert result.items == [{"n": "1"}]


def test_pipelines_may_be_a_list_as_long_ago() -> None:
    result = testing.crawl(Numbers, {ROOT: "x"}, settings={"ITEM_PIPELINES": [f"{__name__}.Database"]})
    assert result.spider.found == [(0,), (1,), (2,)]  # type: ignore[attr-defined]


def test_all_pipelines_have_one_thread_of_their_own() -> None:
    class Numbered(Numbers):
        start_urls = ["data:,x"]
        custom_settings = {"ITEM_PIPELINES": {Database: 1}, "ITEM_PIPELINES_IN_THREADS": True, "JOB_STORE": None}

        def closed(self, reason: str) -> None:
            seen.append((self.found, self.thread == threading.get_ident()))  # type: ignore[attr-defined]

    seen: list[Any] = []
    crawler.run_blocking(Numbered)
    assert seen == [([(0,), (1,), (2,)], False)]


@pytest.mark.parametrize("pipeline", [Awaits, AwaitsOpening])
def test_what_is_to_be_awaited_does_not_go_into_a_thread(pipeline: Any) -> None:
    with pytest.raises(SettingError, match=f"ITEM_PIPELINES_IN_THREADS: {pipeline.__name__}"):
        run(pipeline, ITEM_PIPELINES_IN_THREADS=True)


def test_a_pipeline_that_is_not_configured_is_left_out_and_one_that_is_not_made_is_named() -> None:
    class Off:
        def __init__(self) -> None:
            raise NotConfigured("no database")

    class Nothing:
        @classmethod
        def from_crawler(cls, crawler: Any) -> None:
            pass

    class NeedsMore:
        def __init__(self, address: str) -> None:
            pass

    assert len(run(Off, Database).items) == 3
    with pytest.raises(SettingError, match=r"Nothing.*from_crawler"):
        run(Nothing)
    with pytest.raises(SettingError, match=r"NeedsMore.*from_crawler\(cls, crawler\)"):
        run(NeedsMore)
    with pytest.raises(SettingError, match="ITEM_PIPELINES"):
        run("nowhere.Pipeline")
    with pytest.raises(SettingError, match="ITEM_PIPELINES: expected a dictionary"):
        testing.crawl(Numbers, {ROOT: "x"}, settings={"ITEM_PIPELINES": {Database: "first"}})


@pytest.mark.parametrize("hook", ["open_spider", "close_spider"])
def test_a_hook_that_raises_is_told_and_no_item_is_lost_for_it(hook: str) -> None:
    def raises(self: Any, spider: Any) -> None:
        raise OSError("no space")

    pipeline = type("Broken", (), {hook: raises, "process_item": lambda self, item: item})
    if hook == "open_spider":
        with pytest.raises(OSError, match="no space"):
            run(pipeline)
        return
    result = run(pipeline)
    assert len(result.items) == 3
    assert [failed.callback for failed in result.happened(SpiderFailed)] == ["Broken.close_spider"]


def test_what_is_no_item_at_the_end_is_scraped_and_in_no_feed(caplog: pytest.LogCaptureFixture) -> None:
    class Nonsense:
        def process_item(self, item: Any, spider: Any) -> Any:
            return "text" if item["n"] == 1 else item

    result = run(Nonsense)
    assert [item["n"] for item in result.items] == [0, 2]
    assert len(result.happened(ItemScraped)) == 3
    assert "str is no item, so that no feed has it: 'text'" in caplog.text


def test_a_pipeline_that_blocks_is_named(caplog: pytest.LogCaptureFixture) -> None:
    class Sleeps:
        def process_item(self, item: Any, spider: Any) -> Any:
            time.sleep(0.12)  # what the watch is to see
            return item

    class Slow(Numbers):
        start_urls = ["data:,x"]
        custom_settings = {"ITEM_PIPELINES": {Sleeps: 1}, "JOB_STORE": None, "CRAWLER_HOLD_WARNING_SECONDS": 0.03}

    crawler.run_blocking(Slow)
    held = [record for record in caplog.records if "has held the reactor" in record.message]
    assert any("in process_item: time.sleep(0.12)" in line for record in held for line in record.trace)
