"""Does what runs beside a crawl open before it, close after it, and leave it unharmed?"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crawler import Spider, UsageError, testing
from crawler.assembly.companions import Kind, Watched
from crawler.config.settings import Settings
from crawler.events import CrawlClosed, CrawlOpened, Event
from crawler.summary import Summary
from tests.engine.virtual import ROOT, any_page, crawl, page_item, spider

Told = list[str]


class Beside:
    """A companion that notes what happens to it; ``wrong`` raises in that method."""

    def __init__(self, name: str, told: Told, watched: Watched, wrong: str = "") -> None:
        self.name, self.told, self.wrong = name, told, wrong
        watched.events.subscribe(Event, self.hear)

    def hear(self, event: Event) -> None:
        if isinstance(event, CrawlOpened | CrawlClosed):
            self.told.append(f"{self.name}: {type(event).__name__}")

    async def open(self) -> None:
        self.told.append(f"{self.name}: open")
        if self.wrong == "open":
            raise UsageError("port 80 is in use")

    async def close(self, summary: Summary | None) -> None:
        self.told.append(f"{self.name}: close, {summary and summary.reason}")
        if self.wrong == "close":
            raise OSError("the socket has gone")


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    """Put companions of these names beside the crawls of a test; return what they note."""

    def put(*names: str, wrong: dict[str, str] | None = None) -> Told:
        told: Told = []
        kinds = []
        for name in names:

            def companion(watched: Watched, name: str = name) -> Beside:
                return Beside(name, told, watched, (wrong or {}).get(name, ""))

            monkeypatch.setitem(sys.modules, f"beside_{name}", SimpleNamespace(companion=companion))  # type: ignore[arg-type]
            kinds.append(Kind(lambda core: core.STATUS_ENABLED, f"beside_{name}"))
        monkeypatch.setattr("crawler.assembly.KINDS", tuple(kinds))
        return told

    return put


ON = {"STATUS_ENABLED": True}


def test_they_are_open_before_the_crawl_and_close_when_it_is_closed(beside: Callable[..., Told]) -> None:
    told = beside("page")
    crawl(spider(), any_page, settings=ON)
    assert told == ["page: open", "page: CrawlOpened", "page: CrawlClosed", "page: close, finished"]


def test_none_is_even_imported_unless_settings_ask_for_it(beside: Callable[..., Told]) -> None:
    beside("page")
    del sys.modules["beside_page"]
    assert crawl(spider(), any_page).summary.reason == "finished"


def test_one_that_cannot_be_opened_leaves_nothing_of_a_new_job(beside: Callable[..., Told], tmp_path: Path) -> None:
    told = beside("page", "console", wrong={"console": "open"})
    job = tmp_path / "made.job"
    with pytest.raises(UsageError, match="port 80 is in use"):
        crawl(spider(parse=page_item), any_page, job=job, settings=ON)
    assert (told, list(tmp_path.iterdir())) == (["page: open", "console: open", "page: close, None"], [])


def test_one_that_cannot_be_closed_harms_neither_the_crawl_nor_the_others(
    beside: Callable[..., Told], caplog: pytest.LogCaptureFixture
) -> None:
    told = beside("page", "console", wrong={"console": "close"})
    with caplog.at_level(logging.ERROR):
        result = crawl(spider(parse=page_item), any_page, settings=ON)
    assert (len(result.items), result.summary.exit_status) == (1, 0)
    assert told[-2:] == ["console: close, finished", "page: close, finished"]
    assert "could not be closed" in caplog.text


def test_they_close_when_the_crawl_could_not_begin(beside: Callable[..., Told]) -> None:
    told = beside("page")

    class Stage:
        async def open_spider(self) -> None:
            raise OSError("no database")

        async def process_item(self, item: Any) -> Any:
            return item

    with pytest.raises(OSError, match="no database"):
        testing.crawl(spider(), {ROOT: "x"}, settings={**ON, "PIPELINES": [Stage]})
    assert told == ["page: open", "page: close, None"]


def test_a_crawl_hands_its_control_to_them_and_to_its_spider(beside: Callable[..., Told]) -> None:
    beside("page")
    seen: list[Any] = []

    def during(ready: Any) -> None:
        seen.extend([ready.companions.watched.control, ready.crawler.control])

    crawl(spider(), any_page, settings=ON, during=during)
    assert seen[0] is seen[1]


def test_everything_is_off_until_asked_for() -> None:
    core = Settings.load({}, Spider).core
    assert not (core.STATUS_ENABLED)
    assert not (core.STATUS_CONTROL)
    assert not (core.CONSOLE_ENABLED)
    assert not (core.NOTICES)
    assert core.CONSOLE_PORT is None
    assert (core.MEMUSAGE_LIMIT_MB, core.MEMUSAGE_WARNING_MB) == (0, 0)
