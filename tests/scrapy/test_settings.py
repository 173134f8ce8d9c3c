"""Every setting of Scrapy is the same here, alike, mapped, ignored with one warning, or refused with the reason."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from crawler.config.schema import CoreSettings
from crawler.config.settings import Settings
from crawler.errors import SettingError
from crawler.scrapy.names.table import SCRAPY_NAMES


class First:
    def process_item(self, item: Any) -> Any:
        return item


class Second(First):
    pass


def test_a_name_that_is_the_same_is_in_the_schema() -> None:
    same = {name for name, row in SCRAPY_NAMES.items() if row.fate in ("same", "alike")}
    assert same <= set(CoreSettings.__struct_fields__)
    untranslated = {
        name for name, row in SCRAPY_NAMES.items() if row.translator is None and row.fate not in ("same", "alike")
    }
    assert not untranslated & set(CoreSettings.__struct_fields__)


def test_what_is_alike_differs_as_the_table_says() -> None:
    assert Settings.load({"RANDOMIZE_DOWNLOAD_DELAY": True, "CONCURRENT_ITEMS": 1}).warnings == []
    with pytest.raises(SettingError, match="1 or more, got 0"):
        Settings.load({"CONCURRENT_REQUESTS": 0})
    alike = {name for name, row in SCRAPY_NAMES.items() if row.fate == "alike"}
    assert {"RANDOMIZE_DOWNLOAD_DELAY", "CONCURRENT_REQUESTS", "CONCURRENT_ITEMS"} <= alike


def test_every_row_but_the_same_says_why() -> None:
    assert [name for name, row in SCRAPY_NAMES.items() if row.fate != "same" and not row.note] == []


# The upper-case names of scrapy.settings.default_settings in Scrapy 2.19.
SCRAPY_2_19 = """
    ADDONS ASYNCIO_EVENT_LOOP AUTOTHROTTLE_DEBUG AUTOTHROTTLE_ENABLED AUTOTHROTTLE_MAX_DELAY
    AUTOTHROTTLE_START_DELAY AUTOTHROTTLE_TARGET_CONCURRENCY AWS_ACCESS_KEY_ID AWS_ENDPOINT_URL
    AWS_MAX_POOL_CONNECTIONS AWS_REGION_NAME AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_USE_SSL AWS_VERIFY BOT_NAME
    CLOSESPIDER_ERRORCOUNT CLOSESPIDER_ITEMCOUNT CLOSESPIDER_PAGECOUNT CLOSESPIDER_PAGECOUNT_NO_ITEM
    CLOSESPIDER_TIMEOUT CLOSESPIDER_TIMEOUT_NO_ITEM COMMANDS_MODULE COMPRESSION_ENABLED CONCURRENT_ITEMS
    CONCURRENT_REQUESTS CONCURRENT_REQUESTS_PER_DOMAIN COOKIES_DEBUG COOKIES_ENABLED CRAWLSPIDER_FOLLOW_LINKS
    DEFAULT_DROPITEM_LOG_LEVEL DEFAULT_ITEM_CLASS DEFAULT_REQUEST_HEADERS DEPTH_LIMIT DEPTH_PRIORITY
    DEPTH_STATS_VERBOSE DNSCACHE_ENABLED DNSCACHE_SIZE DNS_RESOLVER DNS_TIMEOUT DOWNLOADER
    DOWNLOADER_CLIENTCONTEXTFACTORY DOWNLOADER_CLIENT_TLS_CIPHERS DOWNLOADER_CLIENT_TLS_METHOD
    DOWNLOADER_CLIENT_TLS_VERBOSE_LOGGING DOWNLOADER_MIDDLEWARES DOWNLOADER_MIDDLEWARES_BASE DOWNLOADER_STATS
    DOWNLOAD_BIND_ADDRESS DOWNLOAD_DELAY DOWNLOAD_DELAY_JITTER DOWNLOAD_FAIL_ON_DATALOSS DOWNLOAD_HANDLERS
    DOWNLOAD_HANDLERS_BASE DOWNLOAD_MAXSIZE DOWNLOAD_SLOTS DOWNLOAD_TIMEOUT DOWNLOAD_TLS_MAX_VERSION
    DOWNLOAD_TLS_MIN_VERSION DOWNLOAD_VERIFY_CERTIFICATES DOWNLOAD_WARNSIZE DUPEFILTER_CLASS DUPEFILTER_DEBUG EDITOR
    EXTENSIONS EXTENSIONS_BASE FEEDS FEED_EXPORTERS FEED_EXPORTERS_BASE FEED_EXPORT_BATCH_ITEM_COUNT
    FEED_EXPORT_ENCODING FEED_EXPORT_FIELDS FEED_EXPORT_INDENT FEED_FORMAT FEED_STORAGES FEED_STORAGES_BASE
    FEED_STORAGE_FTP_ACTIVE FEED_STORAGE_GCS_ACL FEED_STORAGE_S3_ACL FEED_STORE_EMPTY FEED_TEMPDIR FEED_URI
    FEED_URI_PARAMS FILES_STORE FILES_STORE_GCS_ACL FILES_STORE_S3_ACL FORCE_CRAWLER_PROCESS FTP_PASSIVE_MODE
    FTP_PASSWORD FTP_USER GCS_PROJECT_ID HTTP2_MAX_FRAME_SIZE HTTPAUTH_DOMAIN HTTPAUTH_PASS HTTPAUTH_USER
    HTTPCACHE_ALWAYS_STORE HTTPCACHE_DBM_MODULE HTTPCACHE_DIR HTTPCACHE_ENABLED HTTPCACHE_EXPIRATION_SECS
    HTTPCACHE_GZIP HTTPCACHE_IGNORE_HTTP_CODES HTTPCACHE_IGNORE_MISSING HTTPCACHE_IGNORE_RESPONSE_CACHE_CONTROLS
    HTTPCACHE_IGNORE_SCHEMES HTTPCACHE_POLICY HTTPCACHE_STORAGE HTTPERROR_ALLOWED_CODES HTTPERROR_ALLOW_ALL
    HTTPPROXY_AUTH_ENCODING HTTPPROXY_ENABLED HTTPX_HTTP2_ENABLED IMAGES_STORE IMAGES_STORE_GCS_ACL
    IMAGES_STORE_S3_ACL ITEM_PIPELINES ITEM_PIPELINES_BASE ITEM_PROCESSOR JOBDIR LOGSTATS_INTERVAL LOG_COLOR
    LOG_DATEFORMAT LOG_ENABLED LOG_ENCODING LOG_FILE LOG_FILE_APPEND LOG_FORMAT LOG_FORMATTER
    LOG_INSTALL_ROOT_HANDLER LOG_LEVEL LOG_SHORT_NAMES LOG_STDOUT LOG_VERSIONS MAIL_FROM MAIL_HOST MAIL_PASS
    MAIL_PORT MAIL_SSL MAIL_TLS MAIL_USER MEMDEBUG_ENABLED MEMUSAGE_CHECK_INTERVAL_SECONDS MEMUSAGE_ENABLED
    MEMUSAGE_LIMIT_MB MEMUSAGE_NOTIFY_MAIL MEMUSAGE_WARNING_MB METAREFRESH_ENABLED METAREFRESH_IGNORE_TAGS
    METAREFRESH_MAXDELAY NEWSPIDER_MODULE PERIODIC_LOG_DELTA PERIODIC_LOG_STATS PERIODIC_LOG_TIMING_ENABLED
    RANDOMIZE_DOWNLOAD_DELAY REACTOR_THREADPOOL_MAXSIZE REDIRECT_ENABLED REDIRECT_MAX_TIMES REDIRECT_PRIORITY_ADJUST
    REFERER_ENABLED REFERRER_POLICIES REFERRER_POLICY REMOTE_CONTROL_ENABLED REMOTE_CONTROL_JOBS_DIR
    REMOTE_CONTROL_OUTPUT_MAX_BYTES REMOTE_CONTROL_TIMEOUT_DEFAULT REMOTE_CONTROL_TIMEOUT_MAX
    REMOTE_CONTROL_TRACEBACK_MAX_BYTES REQUEST_FINGERPRINTER_CLASS RETRY_ENABLED RETRY_EXCEPTIONS
    RETRY_GIVE_UP_LOG_LEVEL RETRY_HTTP_CODES RETRY_PRIORITY_ADJUST RETRY_TIMES ROBOTSTXT_OBEY ROBOTSTXT_PARSER
    ROBOTSTXT_USER_AGENT SCHEDULER SCHEDULER_DEBUG SCHEDULER_DISK_QUEUE SCHEDULER_MEMORY_QUEUE
    SCHEDULER_PRIORITY_QUEUE SCHEDULER_START_DISK_QUEUE SCHEDULER_START_MEMORY_QUEUE SCRAPER_SLOT_MAX_ACTIVE_SIZE
    SPIDER_CONTRACTS SPIDER_CONTRACTS_BASE SPIDER_LOADER_CLASS SPIDER_LOADER_WARN_ONLY SPIDER_MIDDLEWARES
    SPIDER_MIDDLEWARES_BASE SPIDER_MODULES STATSMAILER_RCPTS STATS_CLASS STATS_DUMP TELNETCONSOLE_ENABLED
    TELNETCONSOLE_HOST TELNETCONSOLE_PASSWORD TELNETCONSOLE_PORT TELNETCONSOLE_USERNAME TEMPLATES_DIR
    TWISTED_DNS_RESOLVER TWISTED_REACTOR TWISTED_REACTOR_ENABLED URLLENGTH_LIMIT USER_AGENT
    WARN_ON_GENERATOR_RETURN_VALUE
"""


def test_the_table_has_all_names_of_scrapy() -> None:
    assert set(SCRAPY_2_19.split()) - set(SCRAPY_NAMES) == set()


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
        ({"CONCURRENT_REQUESTS_PER_IP": 3}, {"CONCURRENT_REQUESTS_PER_DOMAIN": 3}),
        ({"CONCURRENT_REQUESTS_PER_IP": 0}, {"CONCURRENT_REQUESTS_PER_DOMAIN": 8}),
        ({"LOG_FORMAT": "%(message)s"}, {"LOG_FORMAT": "%(message)s"}),
        ({"LOG_LEVEL": logging.ERROR}, {"LOG_LEVEL": "ERROR"}),
        ({"LOG_LEVEL": "WARN"}, {"LOG_LEVEL": "WARNING"}),
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
        (
            {
                "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.DownloaderAwarePriorityQueue",
                "SCHEDULER_DISK_QUEUE": "scrapy.squeues.PickleFifoDiskQueue",
                "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
            },
            {},
        ),
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
    settings = Settings.load({"LOG_COLOR": True, "MAIL_HOST": "mail", "AJAXCRAWL_ENABLED": True})
    assert settings.warnings == [
        "Settings of Scrapy without effect here: "
        "LOG_COLOR (settings.py), MAIL_HOST (settings.py), AJAXCRAWL_ENABLED (settings.py) "
        "(docs/settings.md says what there is instead)"
    ]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"SCHEDULER": "my.Scheduler"}, "the queue is the frontier"),
        ({"SCHEDULER_DISK_QUEUE": First}, "the queue is the frontier"),
        ({"DOWNLOADER_MIDDLEWARES": {"my.Proxy": 100}}, "my.Proxy is a downloader middleware of Scrapy's shape"),
        ({"SPIDER_MIDDLEWARES": {First: 100}}, "REQUEST_FILTERS"),
        ({"ITEM_PIPELINES": {"scrapy.pipelines.images.ImagesPipeline": 1}}, "is a part of Scrapy"),
        ({"ITEM_PIPELINES": {First: "first"}}, "the order of a component is a number"),
        ({"HTTPAUTH_USER": "u"}, "needs HTTPAUTH_DOMAIN"),
        ({"TWISTED_REACTOR": "twisted.internet.epollreactor.EPollReactor"}, "asyncio reactor"),
        ({"DUPEFILTER_CLASS": "scrapy.dupefilters.BaseDupeFilter"}, "FINGERPRINT"),
        ({"DOWNLOAD_HANDLERS": {"https": "my.Handler"}}, "DOWNLOADER"),
        ({"FILES_STORE": "files"}, "list the one that you need in PIPELINES"),
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


def test_scrapys_own_default_of_none_is_not_set() -> None:
    settings = Settings({"JOBDIR": None, "FEED_URI": None})
    assert settings.core.JOB_NAME is None
    assert settings.core.JOB_DIR == CoreSettings().JOB_DIR
    assert settings.core.FEEDS == {}
