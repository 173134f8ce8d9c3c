"""Add-ons change settings, and the components of a crawl can be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from crawler.assembly.making import load_settings, make
from crawler.errors import NotConfigured, SettingError
from crawler.scrapy.adapters.crawls import Crawler
from crawler.scrapy.settings import Settings
from crawler.scrapy.spiders import Spider


class Shop(Spider):
    name = "shop"


class Slow:
    def update_settings(self, settings: Any) -> None:
        settings.set("DOWNLOAD_DELAY", 3, priority="addon")
        settings.set("RETRY_TIMES", 9, priority="addon")

    @classmethod
    def update_pre_crawler_settings(cls, settings: Any) -> None:
        settings.set("SPIDER_MODULES", ["shop.spiders"], priority="addon")


class Off:
    def __init__(self) -> None:
        raise NotConfigured("not today")


class Formatter:
    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Any) -> Formatter:
        return cls(crawler)


def made_with(**settings: Any) -> Any:
    return make(Shop, load_settings(Shop, Settings(settings)), {})


def test_an_addon_changes_what_the_project_does_not_set(caplog: pytest.LogCaptureFixture) -> None:
    made = made_with(ADDONS={Slow: 1, Off: 2}, RETRY_TIMES=1)
    assert (made.settings.core.DOWNLOAD_DELAY, made.settings.core.RETRY_TIMES) == (3, 1)
    assert made.crawler.settings["SPIDER_MODULES"] == ["shop.spiders"]
    assert isinstance(made.crawler.get_addon(Slow), Slow)
    assert made.crawler.get_addon(Off) is None
    assert "Disabled" in caplog.text
    assert "not today" in caplog.text


def test_the_classes_that_settings_name_are_made_by_their_from_crawler() -> None:
    made = made_with(LOG_FORMATTER=Formatter)
    assert made.crawler.logformatter.crawler is made.crawler
    assert made.crawler.request_fingerprinter is not None


def nothing(*arguments: Any) -> None:
    """Make nothing."""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"ADDONS": {"no.such.Thing": 1}}, 'ADDONS: cannot import "no.such.Thing"|ADDONS: No module named'),
        ({"ADDONS": {"math.pi": 1}}, "ADDONS: expected a class or a dotted path to one, got 3.14"),
        ({"ADDONS": {Slow: "first"}}, "ADDONS: expected a dictionary of classes and numbers"),
        ({"LOG_FORMATTER": "math.no_such"}, "LOG_FORMATTER: module math has no"),
        ({"LOG_FORMATTER": type("Bad", (), {"from_crawler": nothing})}, "must return what it made, and returned None"),
    ],
)
def test_what_cannot_be_made_is_an_error_that_names_the_setting(given: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        made_with(**given)


def test_components_can_be_asked_for_once_they_are_made() -> None:
    crawler = Crawler(Shop)
    with pytest.raises(RuntimeError, match="spider_opened"):
        crawler.get_item_pipeline(Slow)
    with pytest.raises(RuntimeError, match="spider_opened"):
        crawler.get_extension(Slow)
    with pytest.raises(ValueError, match="must be a class"):
        Crawler(Shop())  # type: ignore[arg-type]
