"""What becomes of each of Scrapy's settings here?

All names of Scrapy 2.19 (docs.scrapy.org, "Settings") and those its project templates wrote before:
the same, mapped to ours, ignored with one warning, or refused with the reason. A name that is one of
ours with the same meaning needs no row: it is found in the schema. docs/settings.md shows the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from crawler.config import scrapy_mapping as to
from crawler.errors import SettingError

Fate = Literal["same", "mapped", "ignored", "refused"]


class ScrapyName(NamedTuple):
    """One of Scrapy's settings. ``note`` says how it is mapped, why it has no effect, or why it is refused."""

    fate: Fate
    note: str
    translator: to.Translator | None = None


def _mapped(note: str, translator: to.Translator) -> ScrapyName:
    return ScrapyName("mapped", note, translator)


def _renamed(name: str, note: str = "") -> ScrapyName:
    return ScrapyName("mapped", f"{name}{'; ' if note else ''}{note}", to.renamed(name))


def _rows(fate: Fate, note: str, names: str) -> dict[str, ScrapyName]:
    return {name: ScrapyName(fate, note) for name in names.split()}


_MAPPED: dict[str, ScrapyName] = {
    "AUTOTHROTTLE_ENABLED": _renamed("THROTTLE_ENABLED", "ours slows down on 429, 503 and time-outs, not on latency"),
    "AUTOTHROTTLE_MAX_DELAY": _renamed("THROTTLE_MAX_DELAY"),
    "DNSCACHE_ENABLED": _mapped("False: DNS_TTL and DNS_NEGATIVE_TTL 0", to.dns_cache),
    "DNSCACHE_SIZE": _renamed("DNS_CACHE_SIZE"),
    "DNS_RESOLVER": _mapped(
        '"threads" for Scrapy\'s class',
        to.words(
            "DNS_RESOLVER",
            {"scrapy.resolver.CachingThreadedResolver": "threads", "scrapy.resolver.CachingHostnameResolver": "threads",
             },
        ),
    ),
    "DOWNLOADER": _mapped(
        "ours has another shape; Scrapy's class means ours",
        to.words(
            "DOWNLOADER",
            {"scrapy.core.downloader.Downloader": "fast"},
        ),
    ),
    "DOWNLOADER_MIDDLEWARES": _mapped(
        "switching off one of Scrapy's own: the setting of ours that does it; a class of yours is refused",
        to.middlewares("downloader", "write it as async __call__(request, fetch) and list it in MIDDLEWARES"),
    ),
    "DOWNLOAD_BIND_ADDRESS": _mapped("BIND_ADDRESS", to.bind_address),
    "DOWNLOAD_DELAY_JITTER": _mapped("RANDOMIZE_DOWNLOAD_DELAY; a delay is never shortened", to.jitter),
    "DOWNLOAD_HANDLERS": _mapped("SCHEMES; http and https are the DOWNLOADER's", to.handlers),
    "DOWNLOAD_TLS_MIN_VERSION": _mapped(
        "TLS_MIN_VERSION",
        to.words(
            "TLS_MIN_VERSION",
            {"TLSv1.0": "1.0", "TLSv1": "1.0", "TLSv1.1": "1.1", "TLSv1.2": "1.2", "TLSv1.3": "1.3"},
        ),
    ),
    "DOWNLOAD_VERIFY_CERTIFICATES": _renamed("TLS_VERIFY", "True by default here"),
    "DUPEFILTER_CLASS": _mapped(
        "Scrapy's default means the built-in one",
        to.only("RFPDupeFilter", reason="FINGERPRINT changes what counts as the same request"),
    ),
    "EXTENSIONS": _mapped("a list in the order of the numbers; subscribers to typed events", to.in_order("EXTENSIONS")),
    "FEED_EXPORTERS": _renamed("FEED_FORMATS"),
    "FEED_EXPORT_ENCODING": _mapped("the same; None means utf-8, for JSON too", to.encoding),
    "FEED_URI": _mapped("FEEDS, with FEED_FORMAT", to.feed_uri),
    "HTTPAUTH_USER": _mapped("HTTP_AUTH, with HTTPAUTH_PASS and HTTPAUTH_DOMAIN", to.http_auth),
    "HTTPCACHE_DIR": _mapped("HTTPCACHE_FILE in that folder", to.cache_dir),
    "HTTPCACHE_IGNORE_MISSING": _mapped('True: HTTPCACHE_POLICY "replay"', to.replay),
    "HTTPCACHE_POLICY": _mapped(
        'DummyPolicy is "everything", RFC2616Policy "rfc9111"',
        to.words(
            "HTTPCACHE_POLICY",
            {"scrapy.extensions.httpcache.DummyPolicy": "everything",
             "scrapy.extensions.httpcache.RFC2616Policy": "rfc9111"},
        ),
    ),
    "HTTPX_HTTP2_ENABLED": _renamed("HTTP2_ENABLED"),
    "ITEM_PIPELINES": _mapped("PIPELINES, in the order of the numbers", to.in_order("PIPELINES")),
    "JOBDIR": _mapped("JOB_DIR is the folder above, JOB_NAME the last part", to.job_dir),
    "LOG_FORMAT": _mapped('"text" or "json"; a logging template has no effect', to.log_format),
    "REQUEST_FINGERPRINTER_CLASS": _mapped(
        "Scrapy's default means the built-in one",
        to.only("RequestFingerprinter", reason="FINGERPRINT is a function (request) -> int"),
    ),
    "ROBOTSTXT_PARSER": _mapped(
        "Protego is what is used", to.only("ProtegoRobotParser", reason="robots.txt is read by Protego (RFC 9309)")
    ),
    "SPIDER_MIDDLEWARES": _mapped(
        "switching off one of Scrapy's own: the setting of ours that does it; a class of yours is refused",
        to.middlewares("spider", "what it refuses or changes belongs in REQUEST_FILTERS, what it sees in EXTENSIONS"),
    ),
    "TWISTED_REACTOR": _mapped(
        "the asyncio reactor is what is used",
        to.only("AsyncioSelectorReactor", reason="the command line runs on Twisted's asyncio reactor"),
    ),
}  # fmt: skip

_UNMAPPED: dict[str, ScrapyName] = {
    **_rows(
        "ignored",
        "the throttle works by overload, not by latency",
        "AUTOTHROTTLE_DEBUG AUTOTHROTTLE_START_DELAY AUTOTHROTTLE_TARGET_CONCURRENCY",
    ),
    **_rows(
        "ignored",
        "unless the class in SCHEMES declares it",
        "AWS_ACCESS_KEY_ID AWS_ENDPOINT_URL AWS_MAX_POOL_CONNECTIONS AWS_REGION_NAME AWS_SECRET_ACCESS_KEY "
        "AWS_SESSION_TOKEN AWS_USE_SSL AWS_VERIFY FTP_PASSIVE_MODE FTP_PASSWORD FTP_USER",
    ),
    **_rows("ignored", "read together with FEED_URI", "FEED_FORMAT"),
    **_rows("ignored", "read together with HTTPAUTH_USER", "HTTPAUTH_DOMAIN HTTPAUTH_PASS"),
    **_rows("ignored", "limits are per host name: CONCURRENT_REQUESTS_PER_DOMAIN", "CONCURRENT_REQUESTS_PER_IP"),
    **_rows(
        "ignored",
        "the event loop is asyncio's own",
        "ASYNCIO_EVENT_LOOP FORCE_CRAWLER_PROCESS REACTOR_THREADPOOL_MAXSIZE TWISTED_DNS_RESOLVER "
        "TWISTED_REACTOR_ENABLED",
    ),
    **_rows("ignored", "what is dropped is logged", "DEFAULT_DROPITEM_LOG_LEVEL DUPEFILTER_DEBUG"),
    **_rows("ignored", "an item is what the callback yields", "DEFAULT_ITEM_CLASS"),
    **_rows(
        "ignored",
        "stats are always kept; --summary FILE writes them",
        "DEPTH_STATS_VERBOSE DOWNLOADER_STATS PERIODIC_LOG_DELTA PERIODIC_LOG_STATS PERIODIC_LOG_TIMING_ENABLED "
        "STATS_CLASS STATS_DUMP",
    ),
    **_rows(
        "ignored",
        "TLS is set by TLS_VERIFY, TLS_MIN_VERSION and TLS_HOSTS",
        "DOWNLOADER_CLIENT_TLS_CIPHERS DOWNLOADER_CLIENT_TLS_METHOD DOWNLOADER_CLIENT_TLS_VERBOSE_LOGGING "
        "DOWNLOAD_TLS_MAX_VERSION",
    ),
    **_rows(
        "ignored",
        "there is no such thing here",
        "COMMANDS_MODULE CRAWLSPIDER_FOLLOW_LINKS EDITOR GCS_PROJECT_ID META_COPY_WARN_SKIP_KEYS NEWSPIDER_MODULE "
        "REQUEST_FINGERPRINTER_IMPLEMENTATION SPIDER_CONTRACTS SPIDER_LOADER_WARN_ONLY TEMPLATES_DIR "
        "WARN_ON_GENERATOR_RETURN_VALUE",
    ),
    **_rows(
        "ignored",
        "feeds are written to files and stdout",
        "FEED_STORAGE_FTP_ACTIVE FEED_STORAGE_GCS_ACL FEED_STORAGE_S3_ACL FEED_TEMPDIR",
    ),
    **_rows("ignored", "frames have h2's default size", "HTTP2_MAX_FRAME_SIZE"),
    **_rows(
        "ignored",
        "the cache is one SQLite file that keeps what its policy allows",
        "HTTPCACHE_ALWAYS_STORE HTTPCACHE_DBM_MODULE HTTPCACHE_GZIP HTTPCACHE_IGNORE_RESPONSE_CACHE_CONTROLS "
        "HTTPCACHE_IGNORE_SCHEMES HTTPCACHE_STORAGE",
    ),
    **_rows("ignored", "proxy credentials have one encoding", "HTTPPROXY_AUTH_ENCODING"),
    **_rows(
        "ignored",
        "log lines have one form, or are JSON",
        "LOG_COLOR LOG_DATEFORMAT LOG_ENCODING LOG_FILE_APPEND LOG_FORMATTER LOG_INSTALL_ROOT_HANDLER LOG_SHORT_NAMES "
        "LOG_STDOUT LOG_VERSIONS",
    ),
    **_rows(
        "ignored",
        "no mail is sent",
        "MAIL_FROM MAIL_HOST MAIL_PASS MAIL_PORT MAIL_SSL MAIL_TLS MAIL_USER MEMUSAGE_NOTIFY_MAIL STATSMAILER_RCPTS",
    ),
    **_rows(
        "ignored",
        "memory is bounded by the job store; a hard limit is the system's (ulimit)",
        "MEMDEBUG_ENABLED MEMUSAGE_CHECK_INTERVAL_SECONDS MEMUSAGE_ENABLED MEMUSAGE_LIMIT_MB MEMUSAGE_WARNING_MB",
    ),
    **_rows("ignored", "a policy is a name of the Referrer-Policy standard", "REFERRER_POLICIES"),
    **_rows(
        "ignored",
        "nothing listens on a port",
        "REMOTE_CONTROL_ENABLED REMOTE_CONTROL_JOBS_DIR REMOTE_CONTROL_OUTPUT_MAX_BYTES REMOTE_CONTROL_TIMEOUT_DEFAULT "
        "REMOTE_CONTROL_TIMEOUT_MAX REMOTE_CONTROL_TRACEBACK_MAX_BYTES TELNETCONSOLE_ENABLED TELNETCONSOLE_HOST "
        "TELNETCONSOLE_PASSWORD TELNETCONSOLE_PORT TELNETCONSOLE_USERNAME",
    ),
    **_rows("ignored", "a request that is given up is logged", "RETRY_GIVE_UP_LOG_LEVEL"),
    **_rows("ignored", "LOG_LEVEL DEBUG tells more", "SCHEDULER_DEBUG"),
    **_rows("refused", "add-ons change Scrapy's own classes", "ADDONS"),
    **_rows(
        "refused",
        "lists are written out whole: set the one without _BASE",
        "DOWNLOADER_MIDDLEWARES_BASE DOWNLOAD_HANDLERS_BASE EXTENSIONS_BASE FEED_EXPORTERS_BASE FEED_STORAGES_BASE "
        "ITEM_PIPELINES_BASE SPIDER_CONTRACTS_BASE SPIDER_MIDDLEWARES_BASE",
    ),
    **_rows(
        "refused",
        "certificates are set by TLS_VERIFY, TLS_CA_FILE and TLS_HOSTS",
        "DOWNLOADER_CLIENTCONTEXTFACTORY",
    ),
    **_rows("refused", "feeds go to files and stdout: write the file, then upload it", "FEED_STORAGES FEED_URI_PARAMS"),
    **_rows(
        "refused",
        'a file is downloaded by a request with meta["download_file"]',
        "FILES_EXPIRES FILES_RESULT_FIELD FILES_STORE FILES_STORE_GCS_ACL FILES_STORE_S3_ACL FILES_URLS_FIELD "
        "IMAGES_EXPIRES IMAGES_MIN_HEIGHT IMAGES_MIN_WIDTH IMAGES_RESULT_FIELD IMAGES_STORE IMAGES_STORE_GCS_ACL "
        "IMAGES_STORE_S3_ACL IMAGES_THUMBS IMAGES_URLS_FIELD MEDIA_ALLOW_REDIRECTS",
    ),
    **_rows("refused", "stages are PIPELINES", "ITEM_PROCESSOR"),
    **_rows(
        "refused",
        "what is tried again is decided by the error's meaning; statuses are RETRY_HTTP_CODES",
        "RETRY_EXCEPTIONS",
    ),
    **_rows(
        "refused",
        "the queue is the frontier with its JOB_STORE",
        "SCHEDULER SCHEDULER_DISK_QUEUE SCHEDULER_MEMORY_QUEUE SCHEDULER_PRIORITY_QUEUE SCHEDULER_START_DISK_QUEUE "
        "SCHEDULER_START_MEMORY_QUEUE",
    ),
    **_rows("refused", "spiders are found in SPIDER_MODULES", "SPIDER_LOADER_CLASS"),
    **_rows(
        "same",
        "",
        "BOT_NAME CLOSESPIDER_ERRORCOUNT CLOSESPIDER_ITEMCOUNT CLOSESPIDER_PAGECOUNT CLOSESPIDER_PAGECOUNT_NO_ITEM "
        "CLOSESPIDER_TIMEOUT CLOSESPIDER_TIMEOUT_NO_ITEM COMPRESSION_ENABLED CONCURRENT_ITEMS CONCURRENT_REQUESTS "
        "CONCURRENT_REQUESTS_PER_DOMAIN COOKIES_DEBUG COOKIES_ENABLED DEFAULT_REQUEST_HEADERS DEPTH_LIMIT "
        "DEPTH_PRIORITY DNS_TIMEOUT DOWNLOAD_DELAY DOWNLOAD_FAIL_ON_DATALOSS DOWNLOAD_MAXSIZE DOWNLOAD_SLOTS "
        "DOWNLOAD_TIMEOUT DOWNLOAD_WARNSIZE FEEDS FEED_EXPORT_BATCH_ITEM_COUNT FEED_EXPORT_FIELDS FEED_EXPORT_INDENT "
        "FEED_STORE_EMPTY HTTPCACHE_ENABLED HTTPCACHE_EXPIRATION_SECS HTTPCACHE_IGNORE_HTTP_CODES "
        "HTTPERROR_ALLOWED_CODES HTTPERROR_ALLOW_ALL HTTPPROXY_ENABLED LOGSTATS_INTERVAL LOG_ENABLED LOG_FILE "
        "LOG_LEVEL METAREFRESH_ENABLED METAREFRESH_IGNORE_TAGS METAREFRESH_MAXDELAY RANDOMIZE_DOWNLOAD_DELAY "
        "REDIRECT_ENABLED REDIRECT_MAX_TIMES REDIRECT_PRIORITY_ADJUST REFERER_ENABLED REFERRER_POLICY RETRY_ENABLED "
        "RETRY_HTTP_CODES RETRY_PRIORITY_ADJUST RETRY_TIMES ROBOTSTXT_OBEY ROBOTSTXT_USER_AGENT "
        "SCRAPER_SLOT_MAX_ACTIVE_SIZE SPIDER_MODULES URLLENGTH_LIMIT USER_AGENT",
    ),
}

SCRAPY_NAMES: dict[str, ScrapyName] = dict(sorted((_MAPPED | _UNMAPPED).items()))


def in_our_words(name: str, value: Any, layer: Mapping[str, Any], *, origin: str) -> dict[str, Any] | None:
    """Return our settings for a mapped one; None for any other name. Raises SettingError with the reason."""
    row = SCRAPY_NAMES.get(name)
    if row is None or row.translator is None:
        return None
    try:
        return row.translator(value, layer)
    except (ValueError, TypeError) as error:
        raise SettingError(f"{name} ({origin}): {error}") from error


def has_no_effect(name: str, value: Any, layer: Mapping[str, Any], *, origin: str) -> bool:
    """Tell whether the user should hear that an ignored setting has no effect.

    An empty or false value asks for nothing and passes in silence. Raises SettingError for a refused one.
    """
    row = SCRAPY_NAMES[name]
    if not value or _READ_WITH.get(name) in layer:
        return False
    if row.fate == "refused":
        raise SettingError(f"{name} ({origin}) is a setting of Scrapy that has no place here: {row.note}")
    return True


_READ_WITH = {"FEED_FORMAT": "FEED_URI", "HTTPAUTH_DOMAIN": "HTTPAUTH_USER", "HTTPAUTH_PASS": "HTTPAUTH_USER"}
