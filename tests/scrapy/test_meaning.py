"""A setting of a Scrapy project means what it means in Scrapy."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from crawler.assembly.making import load_settings, make
from crawler.config.settings import OnlyFeeds
from crawler.errors import SettingError
from crawler.scrapy.adapters.making import Making
from crawler.scrapy.names.layers import NO_LIMIT
from crawler.scrapy.settings import Settings
from crawler.scrapy.spiders import Spider


class Shop(Spider):
    name = "shop"
    custom_settings: ClassVar[dict[str, Any] | None] = None


def core_of(settings: dict[str, Any], **command_line: Any) -> Any:
    loaded = Making.load(settings, Shop, command_line)
    return make(Shop, loaded, {}).settings.core


def warnings_of(settings: dict[str, Any]) -> list[str]:
    return Making.load(settings, Shop).warnings


@pytest.mark.parametrize(
    ("given", "name", "means"),
    [
        ({"DOWNLOAD_DELAY": "0.5"}, "DOWNLOAD_DELAY", 0.5),
        ({"CONCURRENT_REQUESTS": "32"}, "CONCURRENT_REQUESTS", 32),
        ({"CONCURRENT_REQUESTS": 0}, "CONCURRENT_REQUESTS", NO_LIMIT),
        ({"CONCURRENT_REQUESTS_PER_IP": 2}, "CONCURRENT_REQUESTS_PER_DOMAIN", 2),
        ({"COOKIES_ENABLED": "0"}, "COOKIES_ENABLED", False),
        ({"RETRY_ENABLED": 0}, "RETRY_ENABLED", False),
        ({"RETRY_HTTP_CODES": "500,502"}, "RETRY_HTTP_CODES", [500, 502]),
        ({"FEEDS": '{"out.json": {"format": "json"}}'}, "FEEDS", {"out.json": {"format": "json"}}),
        ({}, "DOWNLOAD_DELAY_JITTER", 0.5),
        ({"DOWNLOAD_DELAY_JITTER": 0.2}, "DOWNLOAD_DELAY_JITTER", 0.2),
        ({"RANDOMIZE_DOWNLOAD_DELAY": False}, "DOWNLOAD_DELAY_JITTER", 0.0),
        ({"RANDOMIZE_DOWNLOAD_DELAY": False, "DOWNLOAD_DELAY_JITTER": 0.1}, "DOWNLOAD_DELAY_JITTER", 0.1),
        ({"HTTPCACHE_ENABLED": True}, "HTTPCACHE_POLICY", "everything"),
        ({}, "REFERRER_POLICY", "scrapy-default"),
        ({}, "ROBOTSTXT_OBEY", True),
        ({"ROBOTSTXT_OBEY": "False"}, "ROBOTSTXT_OBEY", False),
        ({"LOG_LEVEL": "WARN"}, "LOG_LEVEL", "WARNING"),
        ({"JOBDIR": "crawls/shop-1"}, "JOB_NAME", "shop-1"),
        ({"CLOSESPIDER_TIMEOUT": "90"}, "CLOSESPIDER_TIMEOUT", 90.0),
        ({"DOWNLOAD_TLS_MIN_VERSION": None}, "TLS_MIN_VERSION", "1.2"),
        ({"CRAWLER_JOB_KEEP": True}, "JOB_KEEP", True),
        ({"JOB_KEEP": True}, "JOB_KEEP", False),
    ],
)
def test_a_value_means_what_scrapy_reads_it_as(given: dict[str, Any], name: str, means: Any) -> None:
    assert getattr(core_of(given), name) == means


def test_the_command_line_may_name_what_only_the_crawler_knows() -> None:
    made = make(Shop, Making.load({"JOB_KEEP": "mine", "MY_OWN": 1}, Shop, {"JOB_KEEP": "yes", "MY_OWN": "2"}), {})
    settings: Any = made.crawler.settings
    assert (made.settings.core.JOB_KEEP, settings["JOB_KEEP"], settings.getint("MY_OWN")) == (True, "mine", 2)


@pytest.mark.parametrize(
    "name", ["NEWSPIDER_MODULE", "FILES_STORE", "MAIL_HOST", "RETRY_EXCEPTIONS", "SPIDER_LOADER_CLASS", "HTTPAUTH_USER"]
)
def test_what_the_dialect_reads_itself_is_nothing_to_warn_of(name: str) -> None:
    assert warnings_of({name: "x"}) == []


def test_what_has_no_counterpart_is_told_and_left_out() -> None:
    (warning,) = warnings_of({"ROBOTSTXT_PARSER": "my.Parser"})
    assert warning == "ROBOTSTXT_PARSER (project) has no effect here: robots.txt is read by RFC 9309"


def test_a_name_that_is_nearly_one_of_scrapy_s_is_told() -> None:
    assert warnings_of({"DOWNLOD_DELAY": 1, "MY_OWN": 2}) == [
        'The setting DOWNLOD_DELAY is the project\'s own; did you mean "DOWNLOAD_DELAY"?'
    ]


def test_a_scheduler_of_the_project_is_refused_with_the_reason() -> None:
    with pytest.raises(SettingError, match=r"SCHEDULER \(project\): the queue is the frontier .* JOB_STORE"):
        Making.load({"SCHEDULER": "my.Scheduler"}, Shop)
    queues = {f"SCHEDULER_{kind}_QUEUE": "scrapy.squeues.FifoMemoryQueue" for kind in ("MEMORY", "START_MEMORY")}
    assert warnings_of({"SCHEDULER": "scrapy.core.scheduler.Scheduler", **queues}) == []


def test_a_wrong_value_is_an_error_that_names_the_setting() -> None:
    with pytest.raises(SettingError, match=r"CONCURRENT_REQUESTS \(project\): expected a whole number.*many"):
        core_of({"CONCURRENT_REQUESTS": "many"})


def test_the_projects_feeds_are_written_beside_those_of_the_command() -> None:
    project = {"FEEDS": {"all.json": {"format": "json"}}}
    assert {*core_of(project, FEEDS={"one.csv": {}}).FEEDS} == {"one.csv", "all.json"}
    assert {*core_of(project, FEEDS=OnlyFeeds({"one.csv": {}})).FEEDS} == {"one.csv"}


def test_attributes_of_a_spider_count_as_settings_as_late_as_in_scrapy() -> None:
    class Late(Shop):
        user_agent = "of the class"

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.download_timeout = 7

    made = make(Late, load_settings(Late, Settings({"USER_AGENT": "of the project"})), {})
    assert (made.settings.core.USER_AGENT, made.settings.core.DOWNLOAD_TIMEOUT) == ("of the class", 7)
    settings: Any = made.crawler.settings
    assert settings["USER_AGENT"] == "of the project"
