"""What does each of Scrapy's settings read as where a project does not set it?

The values of Scrapy 2.19 (docs.scrapy.org, "Settings"), one attribute each. That a few of them mean something else
here, robots.txt above all, is said in docs/settings.md.
"""

from __future__ import annotations

from typing import Any


def _paths(module: str, **numbers: int | str) -> dict[str, Any]:
    return {f"scrapy.{module}.{name.replace('__', '.')}": number for name, number in numbers.items()}


def _words(before: str, after: str = "", **words: str) -> dict[str, str]:
    return {word: f"scrapy.{before}.{name}{after}" for word, name in words.items()}


_by_value: dict[Any, str] = {
    None: "ASYNCIO_EVENT_LOOP AWS_ACCESS_KEY_ID AWS_ENDPOINT_URL AWS_MAX_POOL_CONNECTIONS AWS_REGION_NAME "
    "AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_USE_SSL AWS_VERIFY DOWNLOAD_BIND_ADDRESS DOWNLOAD_TLS_MAX_VERSION "
    "DOWNLOAD_TLS_MIN_VERSION FEED_EXPORT_ENCODING FEED_EXPORT_FIELDS FEED_TEMPDIR FEED_URI FEED_URI_PARAMS "
    "FILES_STORE GCS_PROJECT_ID HTTPAUTH_DOMAIN IMAGES_STORE JOBDIR LOG_FILE MAIL_PASS MAIL_USER PERIODIC_LOG_DELTA "
    "PERIODIC_LOG_STATS REMOTE_CONTROL_JOBS_DIR ROBOTSTXT_USER_AGENT TELNETCONSOLE_PASSWORD",
    False: "AUTOTHROTTLE_DEBUG AUTOTHROTTLE_ENABLED COOKIES_DEBUG DEPTH_STATS_VERBOSE "
    "DOWNLOADER_CLIENT_TLS_VERBOSE_LOGGING DOWNLOAD_VERIFY_CERTIFICATES DUPEFILTER_DEBUG FEED_STORAGE_FTP_ACTIVE "
    "FORCE_CRAWLER_PROCESS HTTPCACHE_ALWAYS_STORE HTTPCACHE_ENABLED HTTPCACHE_GZIP HTTPCACHE_IGNORE_MISSING "
    "HTTPERROR_ALLOW_ALL HTTPX_HTTP2_ENABLED LOG_SHORT_NAMES LOG_STDOUT MAIL_SSL MAIL_TLS MEMDEBUG_ENABLED "
    "PERIODIC_LOG_TIMING_ENABLED ROBOTSTXT_OBEY SCHEDULER_DEBUG SPIDER_LOADER_WARN_ONLY",
    True: "COMPRESSION_ENABLED COOKIES_ENABLED CRAWLSPIDER_FOLLOW_LINKS DNSCACHE_ENABLED DOWNLOADER_STATS "
    "DOWNLOAD_FAIL_ON_DATALOSS FEED_STORE_EMPTY FTP_PASSIVE_MODE HTTPPROXY_ENABLED LOG_COLOR LOG_ENABLED "
    "LOG_FILE_APPEND LOG_INSTALL_ROOT_HANDLER MEMUSAGE_ENABLED METAREFRESH_ENABLED RANDOMIZE_DOWNLOAD_DELAY "
    "REDIRECT_ENABLED REFERER_ENABLED REMOTE_CONTROL_ENABLED RETRY_ENABLED STATS_DUMP TWISTED_REACTOR_ENABLED "
    "WARN_ON_GENERATOR_RETURN_VALUE",
    "": "COMMANDS_MODULE FEED_STORAGE_GCS_ACL FEED_STORAGE_S3_ACL FILES_STORE_GCS_ACL HTTPAUTH_PASS HTTPAUTH_USER "
    "IMAGES_STORE_GCS_ACL NEWSPIDER_MODULE",
}
_zero = (
    "CLOSESPIDER_ERRORCOUNT CLOSESPIDER_ITEMCOUNT CLOSESPIDER_PAGECOUNT CLOSESPIDER_PAGECOUNT_NO_ITEM "
    "CLOSESPIDER_TIMEOUT_NO_ITEM DEPTH_LIMIT DEPTH_PRIORITY DOWNLOAD_DELAY FEED_EXPORT_BATCH_ITEM_COUNT "
    "FEED_EXPORT_INDENT HTTPCACHE_EXPIRATION_SECS MEMUSAGE_LIMIT_MB MEMUSAGE_WARNING_MB"
)
_empty_lists = (
    "HTTPCACHE_IGNORE_HTTP_CODES HTTPCACHE_IGNORE_RESPONSE_CACHE_CONTROLS HTTPERROR_ALLOWED_CODES "
    "MEMUSAGE_NOTIFY_MAIL SPIDER_MODULES STATSMAILER_RCPTS"
)
_empty_dictionaries = (
    "ADDONS DOWNLOADER_MIDDLEWARES DOWNLOAD_HANDLERS DOWNLOAD_SLOTS EXTENSIONS FEEDS FEED_EXPORTERS FEED_STORAGES "
    "ITEM_PIPELINES ITEM_PIPELINES_BASE REFERRER_POLICIES SPIDER_CONTRACTS SPIDER_MIDDLEWARES"
)
_handlers = "core.downloader.handlers"
_values: dict[str, Any] = {
    **{name: value for value, names in _by_value.items() for name in names.split()},
    **dict.fromkeys(_zero.split(), 0),
    **{name: [] for name in _empty_lists.split()},
    **{name: {} for name in _empty_dictionaries.split()},
    "AUTOTHROTTLE_MAX_DELAY": 60.0, "AUTOTHROTTLE_START_DELAY": 5.0, "AUTOTHROTTLE_TARGET_CONCURRENCY": 1.0,
    "BOT_NAME": "scrapybot", "CLOSESPIDER_TIMEOUT": 0.0, "CONCURRENT_ITEMS": 100, "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8, "DEFAULT_DROPITEM_LOG_LEVEL": "WARNING",
    "DEFAULT_ITEM_CLASS": "scrapy.item.Item",
    "DEFAULT_REQUEST_HEADERS": {
        "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language": "en",
    },
    "DNSCACHE_SIZE": 10000, "DNS_RESOLVER": "scrapy.resolver.CachingThreadedResolver",
    "TWISTED_DNS_RESOLVER": "scrapy.resolver.CachingThreadedResolver", "DNS_TIMEOUT": 60,
    "DOWNLOADER": "scrapy.core.downloader.Downloader", "DOWNLOADER_CLIENTCONTEXTFACTORY": "SENTINEL",
    "DOWNLOADER_CLIENT_TLS_CIPHERS": "DEFAULT", "DOWNLOADER_CLIENT_TLS_METHOD": "TLS",
    "DOWNLOADER_MIDDLEWARES_BASE": _paths(
        "downloadermiddlewares", offsite__OffsiteMiddleware=50, robotstxt__RobotsTxtMiddleware=100,
        httpauth__HttpAuthMiddleware=300, downloadtimeout__DownloadTimeoutMiddleware=350,
        defaultheaders__DefaultHeadersMiddleware=400, useragent__UserAgentMiddleware=500, retry__RetryMiddleware=550,
        redirect__MetaRefreshMiddleware=580, httpcompression__HttpCompressionMiddleware=590,
        redirect__RedirectMiddleware=600, cookies__CookiesMiddleware=700, httpproxy__HttpProxyMiddleware=750,
        stats__DownloaderStats=850, httpcache__HttpCacheMiddleware=900,
    ),
    "DOWNLOAD_DELAY_JITTER": 0.5,
    "DOWNLOAD_HANDLERS_BASE": _words(
        _handlers, "DownloadHandler", data="datauri.DataURI", file="file.File", http="http11.HTTP11",
        https="http11.HTTP11", s3="s3.S3", ftp="ftp.FTP",
    ),
    "DOWNLOAD_MAXSIZE": 1 << 30, "DOWNLOAD_TIMEOUT": 180, "DOWNLOAD_WARNSIZE": 1 << 25,
    "DUPEFILTER_CLASS": "scrapy.dupefilters.RFPDupeFilter", "EDITOR": "vi",
    "EXTENSIONS_BASE": _paths(
        "extensions", corestats__CoreStats=0, logcount__LogCount=0, telnet__TelnetConsole=0, memusage__MemoryUsage=0,
        memdebug__MemoryDebugger=0, closespider__CloseSpider=0, feedexport__FeedExporter=0, logstats__LogStats=0,
        spiderstate__SpiderState=0, throttle__AutoThrottle=0, remote_control__RemoteControl=0,
    ),
    "FEED_EXPORTERS_BASE": _words(
        "exporters", "ItemExporter", json="Json", jsonlines="JsonLines", jsonl="JsonLines", jl="JsonLines", csv="Csv",
        xml="Xml", marshal="Marshal", pickle="Pickle",
    ),
    "FEED_FORMAT": "jsonlines",
    "FEED_STORAGES_BASE": {
        "": "scrapy.extensions.feedexport.FileFeedStorage",
        **_words("extensions.feedexport", "FeedStorage", file="File", ftp="FTP", ftps="FTP", gs="GCS", s3="S3",
                 stdout="Stdout"),
    },
    "FILES_STORE_S3_ACL": "private", "IMAGES_STORE_S3_ACL": "private", "FTP_PASSWORD": "guest",
    "FTP_USER": "anonymous", "HTTP2_MAX_FRAME_SIZE": 16384, "HTTPCACHE_DBM_MODULE": "dbm",
    "HTTPCACHE_DIR": "httpcache", "HTTPCACHE_IGNORE_SCHEMES": ["file"],
    "HTTPCACHE_POLICY": "scrapy.extensions.httpcache.DummyPolicy",
    "HTTPCACHE_STORAGE": "scrapy.extensions.httpcache.FilesystemCacheStorage", "HTTPPROXY_AUTH_ENCODING": "latin-1",
    "ITEM_PROCESSOR": "scrapy.pipelines.ItemPipelineManager", "LOGSTATS_INTERVAL": 60.0,
    "LOG_DATEFORMAT": "%Y-%m-%d %H:%M:%S", "LOG_ENCODING": "utf-8",
    "LOG_FORMAT": "%(asctime)s [%(name)s] %(levelname)s: %(message)s",
    "LOG_FORMATTER": "scrapy.logformatter.LogFormatter", "LOG_LEVEL": "DEBUG",
    "LOG_VERSIONS": ["lxml", "libxml2", "cssselect", "parsel", "w3lib", "Twisted", "Python", "pyOpenSSL",
                     "cryptography", "Platform"],
    "MAIL_FROM": "scrapy@localhost", "MAIL_HOST": "localhost", "MAIL_PORT": 25,
    "MEMUSAGE_CHECK_INTERVAL_SECONDS": 60.0, "METAREFRESH_IGNORE_TAGS": ["noscript"], "METAREFRESH_MAXDELAY": 100,
    "REACTOR_THREADPOOL_MAXSIZE": 10, "REDIRECT_MAX_TIMES": 20, "REDIRECT_PRIORITY_ADJUST": 2,
    "REFERRER_POLICY": "scrapy.spidermiddlewares.referer.DefaultReferrerPolicy",
    "REMOTE_CONTROL_OUTPUT_MAX_BYTES": 65536, "REMOTE_CONTROL_TIMEOUT_DEFAULT": 30.0,
    "REMOTE_CONTROL_TIMEOUT_MAX": 600.0, "REMOTE_CONTROL_TRACEBACK_MAX_BYTES": 16384,
    "REQUEST_FINGERPRINTER_CLASS": "scrapy.utils.request.RequestFingerprinter",
    "RETRY_EXCEPTIONS": [
        *(f"scrapy.exceptions.{name}" for name in (
            "CannotResolveHostError", "DownloadConnectionRefusedError", "DownloadFailedError", "DownloadTimeoutError",
            "ResponseDataLossError",
        )),
        *(f"twisted.internet.error.{name}" for name in ("ConnectionDone", "ConnectError", "ConnectionLost")),
        OSError, f"scrapy.{_handlers}.http11.TunnelError",
    ],
    "RETRY_GIVE_UP_LOG_LEVEL": "ERROR", "RETRY_HTTP_CODES": [500, 502, 503, 504, 522, 524, 408, 429],
    "RETRY_PRIORITY_ADJUST": -1, "RETRY_TIMES": 2, "ROBOTSTXT_PARSER": "scrapy.robotstxt.ProtegoRobotParser",
    "SCHEDULER": "scrapy.core.scheduler.Scheduler", "SCHEDULER_DISK_QUEUE": "scrapy.squeues.PickleLifoDiskQueue",
    "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.LifoMemoryQueue",
    "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.DownloaderAwarePriorityQueue",
    "SCHEDULER_START_DISK_QUEUE": "scrapy.squeues.PickleFifoDiskQueue",
    "SCHEDULER_START_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue", "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 5_000_000,
    "SPIDER_CONTRACTS_BASE": _paths(
        "contracts.default", UrlContract=1, CallbackKeywordArgumentsContract=1, MetadataContract=1, MethodContract=1,
        BodyContract=1, HeaderContract=1, CookieContract=1, ReturnsContract=2, ScrapesContract=3,
    ),
    "SPIDER_LOADER_CLASS": "scrapy.spiderloader.SpiderLoader",
    "SPIDER_MIDDLEWARES_BASE": _paths(
        "spidermiddlewares", start__StartSpiderMiddleware=25, httperror__HttpErrorMiddleware=50,
        referer__RefererMiddleware=700, urllength__UrlLengthMiddleware=800, depth__DepthMiddleware=900,
        metacopy__MetaCopyDetectionMiddleware=1000,
    ),
    "STATS_CLASS": "scrapy.statscollectors.MemoryStatsCollector", "TELNETCONSOLE_ENABLED": 1,
    "TELNETCONSOLE_HOST": "127.0.0.1", "TELNETCONSOLE_PORT": [6023, 6073], "TELNETCONSOLE_USERNAME": "scrapy",
    "TEMPLATES_DIR": "", "TWISTED_REACTOR": "twisted.internet.asyncioreactor.AsyncioSelectorReactor",
    "URLLENGTH_LIMIT": 2083, "USER_AGENT": "Scrapy/2.19.0 (+https://scrapy.org)",
}  # fmt: skip

__all__ = sorted(_values.keys() - {"DNS_RESOLVER"})  # names made from the table
globals().update(_values)


def __getattr__(name: str) -> Any:
    """Return a default that is read by its name only; for type checkers, all of them are."""
    if name == "CONCURRENT_REQUESTS_PER_IP":
        return 0
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
