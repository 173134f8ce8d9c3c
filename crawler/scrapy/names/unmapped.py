"""Which of Scrapy's settings are the same here, which have no effect, and which are refused?

All names of Scrapy 2.19 (docs.scrapy.org, "Settings") that need no translation, and those its project
templates wrote before; the ones that are translated are in ``settings``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from crawler.dialect import Asked

Fate = Literal["same", "alike", "mapped", "ignored", "refused"]
Mapped = dict[str, Any]
Translator = Callable[[Asked], Mapped]


class ScrapyName(NamedTuple):
    """One of Scrapy's settings. ``note`` says how it is mapped, why it has no effect, or why it is refused."""

    fate: Fate
    note: str
    translator: Translator | None = None


_ROWS: dict[Fate, dict[str, str]] = {
    "ignored": {
        "unless the class in SCHEMES declares it": "AWS_MAX_POOL_CONNECTIONS FTP_PASSIVE_MODE FTP_PASSWORD FTP_USER",
        "read together with FEED_URI": "FEED_FORMAT",
        "read together with HTTPAUTH_USER": "HTTPAUTH_DOMAIN HTTPAUTH_PASS",
        "the event loop is asyncio's own": (
            "ASYNCIO_EVENT_LOOP FORCE_CRAWLER_PROCESS TWISTED_DNS_RESOLVER TWISTED_REACTOR_ENABLED"
        ),
        "what is dropped is logged": "DEFAULT_DROPITEM_LOG_LEVEL DUPEFILTER_DEBUG",
        "an item is what the callback yields": "DEFAULT_ITEM_CLASS",
        "stats are always kept; --summary FILE writes them": (
            "DEPTH_STATS_VERBOSE DOWNLOADER_STATS PERIODIC_LOG_DELTA PERIODIC_LOG_STATS PERIODIC_LOG_TIMING_ENABLED "
            "STATS_CLASS STATS_DUMP"
        ),
        "TLS is set by TLS_VERIFY, TLS_MIN_VERSION and TLS_HOSTS": (
            "DOWNLOADER_CLIENT_TLS_CIPHERS DOWNLOADER_CLIENT_TLS_METHOD DOWNLOADER_CLIENT_TLS_VERBOSE_LOGGING "
            "DOWNLOAD_TLS_MAX_VERSION"
        ),
        "there is no such thing here": (
            "AJAXCRAWL_ENABLED AJAXCRAWL_MAXSIZE COMMANDS_MODULE CRAWLSPIDER_FOLLOW_LINKS "
            "META_COPY_WARN_SKIP_KEYS NEWSPIDER_MODULE REQUEST_FINGERPRINTER_IMPLEMENTATION "
            "SPIDER_LOADER_WARN_ONLY WARN_ON_GENERATOR_RETURN_VALUE"
        ),
        "give the feed its storage_options": "FEED_STORAGE_GCS_ACL",
        "frames have h2's default size": "HTTP2_MAX_FRAME_SIZE",
        "the cache is one SQLite file that keeps what its policy allows": (
            "HTTPCACHE_ALWAYS_STORE HTTPCACHE_DBM_MODULE HTTPCACHE_GZIP HTTPCACHE_IGNORE_RESPONSE_CACHE_CONTROLS "
            "HTTPCACHE_IGNORE_SCHEMES HTTPCACHE_STORAGE"
        ),
        "proxy credentials have one encoding": "HTTPPROXY_AUTH_ENCODING",
        "log lines have one form, unless LOG_FORMAT is a template": (
            "LOG_COLOR LOG_FORMATTER LOG_INSTALL_ROOT_HANDLER LOG_VERSIONS"
        ),
        "NOTICES says who is told of a crawl, and by which server": (
            "MAIL_FROM MAIL_HOST MAIL_PASS MAIL_PORT MAIL_SSL MAIL_TLS MAIL_USER MEMUSAGE_NOTIFY_MAIL STATSMAILER_RCPTS"
        ),
        "memory is bounded by the job store; MEMUSAGE_ENABLED watches it": "MEMDEBUG_ENABLED",
        "a policy is a name of the Referrer-Policy standard": "REFERRER_POLICIES",
        "--status-control and --console let a crawl be steered": (
            "REMOTE_CONTROL_ENABLED REMOTE_CONTROL_JOBS_DIR REMOTE_CONTROL_OUTPUT_MAX_BYTES "
            "REMOTE_CONTROL_TIMEOUT_DEFAULT REMOTE_CONTROL_TIMEOUT_MAX REMOTE_CONTROL_TRACEBACK_MAX_BYTES"
        ),
        "no telnet; --console (CRAWLER_CONSOLE_ENABLED) opens a prompt for `crawler attach`": (
            "TELNETCONSOLE_ENABLED TELNETCONSOLE_HOST TELNETCONSOLE_PASSWORD TELNETCONSOLE_PORT TELNETCONSOLE_USERNAME"
        ),
        "a request that is given up is logged": "RETRY_GIVE_UP_LOG_LEVEL",
        "LOG_LEVEL DEBUG tells more": "SCHEDULER_DEBUG",
    },
    "refused": {
        "add-ons change Scrapy's own classes": "ADDONS",
        "lists are written out whole: set the one without _BASE": (
            "DOWNLOADER_MIDDLEWARES_BASE DOWNLOAD_HANDLERS_BASE EXTENSIONS_BASE FEED_EXPORTERS_BASE "
            "FEED_STORAGES_BASE ITEM_PIPELINES_BASE SPIDER_CONTRACTS_BASE SPIDER_MIDDLEWARES_BASE"
        ),
        "certificates are set by TLS_VERIFY, TLS_CA_FILE and TLS_HOSTS": "DOWNLOADER_CLIENTCONTEXTFACTORY",
        "settings of the stages crawler.Files and crawler.Images: list the one that you need in PIPELINES": (
            "FILES_EXPIRES FILES_RESULT_FIELD FILES_STORE FILES_STORE_S3_ACL FILES_URLS_FIELD "
            "IMAGES_EXPIRES IMAGES_MIN_HEIGHT IMAGES_MIN_WIDTH IMAGES_RESULT_FIELD IMAGES_STORE "
            "IMAGES_STORE_S3_ACL IMAGES_THUMBS IMAGES_URLS_FIELD MEDIA_ALLOW_REDIRECTS"
        ),
        "access to a bucket of Google's is that of the bucket": "FILES_STORE_GCS_ACL IMAGES_STORE_GCS_ACL",
        "stages are PIPELINES": "ITEM_PROCESSOR",
        "what is tried again is decided by the error's meaning; statuses are RETRY_HTTP_CODES": "RETRY_EXCEPTIONS",
        "spiders are found in SPIDER_MODULES": "SPIDER_LOADER_CLASS",
    },
    "alike": {
        "has no effect: say who you are in USER_AGENT": "BOT_NAME",
        'the default is "crawler/0.1"': "USER_AGENT",
        "items of all responses; Scrapy counts those of one response": "CONCURRENT_ITEMS",
        "1 or more; Scrapy's 0, no limit, is an error: give a large number": "CONCURRENT_REQUESTS",
        "1 or more": "CONCURRENT_REQUESTS_PER_DOMAIN SCRAPER_SLOT_MAX_ACTIVE_SIZE",
        "lengthens each delay by 0 to 50 %; in Scrapy it may be shorter, too": "RANDOMIZE_DOWNLOAD_DELAY",
        "the default, None, never shortens a delay; Scrapy's is 0.5": "DOWNLOAD_DELAY_JITTER",
        "keys are checked": "DOWNLOAD_SLOTS",
        "the time of one fetch from the connection to the last byte": "DOWNLOAD_TIMEOUT",
        "a URL is overwritten unless overwrite is False, by ftp too": "FEEDS",
        "a class is made with the storage_options of the feed, and has store(file, url)": "FEED_STORAGES",
        "of a crawl without job; a job keeps them beside its own file": "FEED_TEMPDIR",
        "for all policies: what is older is removed": "HTTPCACHE_EXPIRATION_SECS",
        "the default is True": "ROBOTSTXT_OBEY",
        "the default, None, writes an item a line; Scrapy's 0 is the same for JSON": "FEED_EXPORT_INDENT",
        'the default is "text"; one record is one line, whatever it holds': "LOG_FORMAT",
    },
    "same": {
        "": (
            "CLOSESPIDER_ERRORCOUNT CLOSESPIDER_ITEMCOUNT CLOSESPIDER_PAGECOUNT CLOSESPIDER_PAGECOUNT_NO_ITEM "
            "CLOSESPIDER_TIMEOUT CLOSESPIDER_TIMEOUT_NO_ITEM COMPRESSION_ENABLED COOKIES_DEBUG COOKIES_ENABLED "
            "AWS_ACCESS_KEY_ID AWS_ENDPOINT_URL AWS_REGION_NAME AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_USE_SSL "
            "AWS_VERIFY DEFAULT_REQUEST_HEADERS DEPTH_LIMIT DEPTH_PRIORITY DNS_TIMEOUT DOWNLOAD_DELAY "
            "DOWNLOAD_FAIL_ON_DATALOSS DOWNLOAD_MAXSIZE DOWNLOAD_WARNSIZE FEED_EXPORT_BATCH_ITEM_COUNT "
            "FEED_EXPORT_FIELDS FEED_STORAGE_FTP_ACTIVE FEED_STORAGE_S3_ACL FEED_STORE_EMPTY "
            "FEED_URI_PARAMS GCS_PROJECT_ID "
            "HTTPCACHE_ENABLED HTTPCACHE_IGNORE_HTTP_CODES HTTPERROR_ALLOWED_CODES HTTPERROR_ALLOW_ALL "
            "EDITOR HTTPPROXY_ENABLED LOGSTATS_INTERVAL TEMPLATES_DIR "
            "LOG_DATEFORMAT LOG_ENABLED LOG_ENCODING LOG_FILE LOG_FILE_APPEND LOG_SHORT_NAMES LOG_STDOUT "
            "MEMUSAGE_CHECK_INTERVAL_SECONDS MEMUSAGE_ENABLED MEMUSAGE_LIMIT_MB MEMUSAGE_WARNING_MB "
            "METAREFRESH_ENABLED METAREFRESH_IGNORE_TAGS METAREFRESH_MAXDELAY "
            "REACTOR_THREADPOOL_MAXSIZE REDIRECT_ENABLED REDIRECT_MAX_TIMES REDIRECT_PRIORITY_ADJUST REFERER_ENABLED "
            "RETRY_ENABLED RETRY_HTTP_CODES RETRY_PRIORITY_ADJUST RETRY_TIMES ROBOTSTXT_USER_AGENT SPIDER_MODULES "
            "URLLENGTH_LIMIT"
        ),
    },
}
"""By fate and note the names that have it."""

UNMAPPED: dict[str, ScrapyName] = {
    name: ScrapyName(fate, note)
    for fate, notes in _ROWS.items()
    for note, names in notes.items()
    for name in names.split()
}
