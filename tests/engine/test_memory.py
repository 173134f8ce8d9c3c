"""Does a crawl keep to a limit of memory: does it warn, wait, and then stop so that it can be resumed?"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crawler import testing
from crawler.events import MemoryHigh
from crawler.scrapy import signals
from crawler.scrapy.spiders import Spider as ScrapySpider
from tests.engine.virtual import any_page, ask, crawl, numbers, page_item, spider

MIB = 2**20
SETTINGS: dict[str, Any] = {"MEMUSAGE_CHECK_INTERVAL_SECONDS": 20.0, "DOWNLOAD_DELAY": 1.0}

Uses = Callable[[Callable[[float], int]], None]


class Process:
    """A process whose memory is a function of the crawl's time, in MiB."""

    def __init__(self) -> None:
        self.clock: Any = None
        self.used: Callable[[float], int] = lambda seconds: 100

    def size(self) -> int:
        return self.used(self.clock.seconds()) * MIB

    def see(self, ready: Any) -> None:
        self.clock = ready.world.clock


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Process:
    made = Process()
    monkeypatch.setattr("crawler.engine.memory.resident_bytes", made.size)
    return made


def walk(process: Process, job: Path | None = None, **settings: Any) -> testing.Result:
    made = spider(start=ask(*numbers(100)), parse=page_item)
    return crawl(made, any_page, job=job, settings=SETTINGS | settings, during=process.see)


def done(result: testing.Result) -> list[str]:
    return [event.done for event in result.happened(MemoryHigh)]


def test_a_warning_is_told_once(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    process.used = lambda seconds: 300 if seconds > 30 else 100
    result = walk(process, MEMUSAGE_WARNING_MB=200)
    assert done(result) == ["warning"]
    assert caplog.text.count("The process uses 300 MiB of memory, more than MEMUSAGE_WARNING_MB") == 1
    stats = result.summary.stats
    assert (stats["memusage/startup"], stats["memusage/max"]) == (100 * MIB, 300 * MIB)
    assert stats["memusage/warning_reached"] == 1
    assert "memusage/limit_reached" not in stats
    assert len(result.items) == 100


def test_at_the_limit_nothing_is_sent_until_it_is_less(process: Process, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    process.used = lambda seconds: 300 if 35 < seconds < 45 else 100
    result = walk(process, MEMUSAGE_LIMIT_MB=200)
    assert done(result) == ["paused"]
    sent = [each.when for each in result.sent]
    assert not [when for when in sent if 40 < when < 50]
    assert [when for when in sent if when >= 50]
    assert "the crawl goes on" in caplog.text
    assert (result.summary.reason, len(result.items)) == ("finished", 100)


def test_one_that_goes_on_to_use_too_much_stops_and_can_be_resumed(
    process: Process, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process.used = lambda seconds: 300 if seconds > 30 else 100
    first = walk(process, tmp_path / "job.sqlite", MEMUSAGE_LIMIT_MB=200)
    assert done(first) == ["paused", "stopped"]
    assert (first.summary.reason, first.summary.resumable) == ("memusage_exceeded", True)
    assert first.summary.stats["memusage/limit_reached"] == 1
    assert "The process still uses 300 MiB of memory, more than MEMUSAGE_LIMIT_MB: the crawl stops; it can be" in (
        caplog.text
    )
    assert first.seconds < 60
    process.used = lambda seconds: 100
    second = walk(process, tmp_path / "job.sqlite", MEMUSAGE_LIMIT_MB=200)
    assert second.summary.reason == "finished"
    urls = [item["url"] for item in first.items + second.items]
    assert sorted(urls) == sorted(numbers(100))


def test_without_a_limit_or_when_it_is_switched_off_nothing_is_looked_at(process: Process) -> None:
    def size() -> int:
        raise AssertionError

    process.size = size  # type: ignore[method-assign]
    assert done(walk(process)) == []
    assert done(walk(process, MEMUSAGE_LIMIT_MB=1, MEMUSAGE_ENABLED=False)) == []


class Projects(ScrapySpider):
    name = "projects"
    start_urls = numbers(100)
    heard = 0

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> Any:
        made = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(made.warned, signal=signals.memusage_warning_reached)
        return made

    def warned(self) -> None:
        self.heard += 1

    def parse(self, response: Any) -> Any:
        yield {"url": response.url}


@pytest.mark.parametrize("extensions", [{}, {"scrapy.extensions.memusage.MemoryUsage": None}])
def test_a_scrapy_project_has_it_by_its_extension(process: Process, extensions: dict[str, Any]) -> None:
    process.used = lambda seconds: 300 if seconds > 30 else 100
    settings = SETTINGS | {
        "MEMUSAGE_WARNING_MB": "150", "MEMUSAGE_LIMIT_MB": "200", "EXTENSIONS": extensions, "ROBOTSTXT_OBEY": False,
    }  # fmt: skip
    result = testing.crawl(Projects, any_page, settings=settings, during=process.see)
    spider: Any = result.spider
    if extensions:
        assert (result.summary.reason, spider.heard, done(result)) == ("finished", 0, [])
    else:
        assert (result.summary.reason, spider.heard) == ("memusage_exceeded", 1)
        assert done(result) == ["warning", "paused", "stopped"]
