"""Every setting of Scrapy is the same here, mapped, ignored with one warning, or refused with the reason."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from crawler.config.schema import CoreSettings
from crawler.config.scrapy_names import SCRAPY_NAMES
from crawler.config.settings import Settings
from crawler.errors import SettingError


class First:
    def process_item(self, item: Any) -> Any:
        return item


class Second(First):
    pass


def test_a_name_that_is_the_same_is_in_the_schema() -> None:
    same = {name for name, row in SCRAPY_NAMES.items() if row.fate == "same"}
    assert same <= set(CoreSettings.__struct_fields__)
    untranslated = {name for name, row in SCRAPY_NAMES.items() if row.translator is None and row.fate != "same"}
    assert not untranslated & set(CoreSettings.__struct_fields__)


def test_every_row_but_the_same_says_why() -> None:
    assert [name for name, row in SCRAPY_NAMES.items() if row.fate != "same" and not row.note] == []


def test_the_table_has_all_names_of_an_installed_scrapy() -> None:
    pytest.importorskip("scrapy", reason="Scrapy is installed for the benchmarks only")
    defaults = importlib.import_module("scrapy.settings.default_settings")
    assert {name for name in vars(defaults) if name.isupper()} - set(SCRAPY_NAMES) == set()


@pytest.mark.parametrize(
    ("given", "ours"),
    [
        ({"ITEM_PIPELINES": {Second: 800, First: 300}}, {"PIPELINES": [First, Second]}),
        ({"ITEM_PIPELINES": {f"{__name__}.Second": 800, First: None}}, {"PIPELINES": [Second]}),
        ({"EXTENSIONS": {"scrapy.extensions.telnet.TelnetConsole": None}}, {"EXTENSIONS": []}),
        (
            {"AUTOTHROTTLE_ENABLED": False, "AUTOTHROTTLE_MAX_DELAY": 30},
            {"THROTTLE_ENABLED": False, "THROTTLE_MAX_DELAY": 30.0},
        ),
        ({"JOBDIR": "crawls/books-1/"}, {"JOB_DIR": "crawls", "JOB_NAME": "books-1"}),
        ({"FEED_URI": "out.csv", "FEED_FORMAT": "csv"}, {"FEEDS": {"out.csv": {"format": "csv"}}}),
        ({"HTTPCACHE_DIR": "pages"}, {"HTTPCACHE_FILE": "pages/cache.sqlite"}),
        ({"HTTPCACHE_POLICY": "scrapy.extensions.httpcache.DummyPolicy"}, {"HTTPCACHE_POLICY": "everything"}),
        ({"HTTPCACHE_IGNORE_MISSING": True}, {"HTTPCACHE_POLICY": "replay"}),
        ({"DNSCACHE_ENABLED": False}, {"DNS_TTL": 0.0, "DNS_NEGATIVE_TTL": 0.0}),
        ({"DOWNLOAD_BIND_ADDRESS": ("127.0.0.2", 0)}, {"BIND_ADDRESS": "127.0.0.2"}),
        ({"DOWNLOAD_TLS_MIN_VERSION": "TLSv1.3"}, {"TLS_MIN_VERSION": "1.3"}),
        ({"DOWNLOAD_VERIFY_CERTIFICATES": False}, {"TLS_VERIFY": False}),
        ({"DOWNLOAD_DELAY_JITTER": 0}, {"RANDOMIZE_DOWNLOAD_DELAY": False}),
        ({"LOG_FORMAT": "%(message)s"}, {"LOG_FORMAT": "text"}),
        ({"FEED_EXPORT_ENCODING": None}, {"FEED_EXPORT_ENCODING": "utf-8"}),
        (
            {"DOWNLOADER_MIDDLEWARES": {"scrapy.downloadermiddlewares.retry.RetryMiddleware": None}},
            {"RETRY_ENABLED": False},
        ),
        (
            {"SPIDER_MIDDLEWARES": {"scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None}},
            {"URLLENGTH_LIMIT": 0},
        ),
        (
            {"HTTPAUTH_USER": "u", "HTTPAUTH_PASS": "p", "HTTPAUTH_DOMAIN": "x.org"},
            {"HTTP_AUTH": {"https://x.org": "u:p", "http://x.org": "u:p"}},
        ),
        ({"TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor"}, {}),
        ({"ADDONS": {}, "SCHEDULER": None, "TELNETCONSOLE_ENABLED": False}, {}),
        ({"AUTOTHROTTLE_ENABLED": True, "THROTTLE_ENABLED": False}, {"THROTTLE_ENABLED": False}),
    ],
)
def test_scrapy_s_settings_become_ours(given: dict[str, Any], ours: dict[str, Any]) -> None:
    settings = Settings.load(given)
    assert {name: settings[name] for name in ours} == ours
    assert settings.warnings == []


def test_mapped_settings_are_read_from_the_command_line_too() -> None:
    core = Settings.load({}, None, {"AUTOTHROTTLE_ENABLED": "no", "AUTOTHROTTLE_MAX_DELAY": "1.5"}).core
    assert (core.THROTTLE_ENABLED, core.THROTTLE_MAX_DELAY) == (False, 1.5)


def test_ignored_settings_make_one_warning() -> None:
    settings = Settings.load({"LOG_STDOUT": True, "MAIL_HOST": "mail"})
    assert settings.warnings == [
        "Settings of Scrapy without effect here: LOG_STDOUT (settings.py), MAIL_HOST (settings.py)"
    ]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"SCHEDULER": "my.Scheduler"}, "the queue is the frontier"),
        ({"DOWNLOADER_MIDDLEWARES": {"my.Proxy": 100}}, "my.Proxy is a downloader middleware of Scrapy's shape"),
        ({"SPIDER_MIDDLEWARES": {First: 100}}, "REQUEST_FILTERS"),
        ({"ITEM_PIPELINES": {"scrapy.pipelines.images.ImagesPipeline": 1}}, "is a part of Scrapy"),
        ({"ITEM_PIPELINES": {First: "first"}}, "the order of a component is a number"),
        ({"HTTPAUTH_USER": "u"}, "needs HTTPAUTH_DOMAIN"),
        ({"TWISTED_REACTOR": "twisted.internet.epollreactor.EPollReactor"}, "asyncio reactor"),
        ({"DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter"}, "FINGERPRINT"),
        ({"DOWNLOAD_HANDLERS": {"https": "my.Handler"}}, "DOWNLOADER"),
        ({"FILES_STORE": "files"}, "download_file"),
    ],
)
def test_refused_settings_say_why(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.load(given)
    assert reason in str(caught.value)
    assert next(iter(given)) in str(caught.value) or "PIPELINES" in str(caught.value)


def test_a_component_that_declares_one_of_scrapy_s_names_gets_it() -> None:
    class Files(First):
        FILES_STORE: str = "here"
        AWS_ACCESS_KEY_ID: str = ""

    settings = Settings.load({"PIPELINES": [Files], "FILES_STORE": "there", "AWS_ACCESS_KEY_ID": "k"})
    assert settings.of(Files) == {"FILES_STORE": "there", "AWS_ACCESS_KEY_ID": "k"}
    assert settings.warnings == []
