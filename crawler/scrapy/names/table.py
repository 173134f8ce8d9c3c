"""What becomes of each of Scrapy's settings here?

All names of Scrapy 2.19 (docs.scrapy.org, "Settings") and those its project templates wrote before:
the same, mapped to ours, ignored with one warning, or refused with the reason. docs/settings.md
shows the table.
"""

from __future__ import annotations

from crawler.config.parse import WrongValue, check
from crawler.dialect import Asked
from crawler.errors import SettingError
from crawler.scrapy.names import mapping as to
from crawler.scrapy.names.unmapped import UNMAPPED, Mapped, ScrapyName, Translator


def _mapped(note: str, translator: Translator) -> ScrapyName:
    return ScrapyName("mapped", note, translator)


def _renamed(name: str, note: str = "") -> ScrapyName:
    return ScrapyName("mapped", f"{name}{'; ' if note else ''}{note}", to.renamed(name))


_MAPPED: dict[str, ScrapyName] = {
    "AUTOTHROTTLE_DEBUG": _renamed("THROTTLE_DEBUG"),
    "AUTOTHROTTLE_ENABLED": _mapped('True: THROTTLE_BY "latency"; False: THROTTLE_ENABLED False', to.autothrottle),
    "AUTOTHROTTLE_MAX_DELAY": _renamed("THROTTLE_MAX_DELAY"),
    "AUTOTHROTTLE_START_DELAY": _renamed("THROTTLE_START_DELAY"),
    "AUTOTHROTTLE_TARGET_CONCURRENCY": _renamed("THROTTLE_TARGET_CONCURRENCY"),
    "CONCURRENT_REQUESTS_PER_IP": _mapped("CONCURRENT_REQUESTS_PER_DOMAIN: limits are per host name", to.per_address),
    "DNSCACHE_ENABLED": _mapped("False: DNS_TTL and DNS_NEGATIVE_TTL 0", to.dns_cache),
    "DNSCACHE_SIZE": _renamed("DNS_CACHE_SIZE"),
    "DNS_RESOLVER": _mapped(
        '"threads" for Scrapy\'s class',
        to.words("DNS_RESOLVER", {"scrapy.resolver.CachingThreadedResolver": "threads",
                                  "scrapy.resolver.CachingHostnameResolver": "threads"}),
    ),
    "DOWNLOADER": _mapped(
        "ours has another shape; Scrapy's class means ours",
        to.words("DOWNLOADER", {"scrapy.core.downloader.Downloader": "fast"}),
    ),
    "DOWNLOADER_MIDDLEWARES": _mapped(
        "switching off one of Scrapy's own: the setting of ours that does it; a class of yours is refused",
        to.middlewares("downloader", "write it as async __call__(request, fetch) and list it in MIDDLEWARES"),
    ),
    "DOWNLOAD_BIND_ADDRESS": _mapped("BIND_ADDRESS", to.bind_address),
    "DOWNLOAD_HANDLERS": _mapped("SCHEMES; http and https are the DOWNLOADER's", to.handlers),
    "DOWNLOAD_TLS_MIN_VERSION": _mapped(
        "TLS_MIN_VERSION",
        to.words("TLS_MIN_VERSION", {"TLSv1": "1.0", **{f"TLSv1.{minor}": f"1.{minor}" for minor in range(4)}}),
    ),
    "DOWNLOAD_VERIFY_CERTIFICATES": _renamed("TLS_VERIFY", "True by default here"),
    "DUPEFILTER_CLASS": _mapped(
        "Scrapy's default means the built-in one",
        to.only("RFPDupeFilter", reason="FINGERPRINT says what is the same request, dont_filter lets one pass"),
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
    "LOG_LEVEL": _mapped(
        "the default is INFO; the numbers and other names of logging's count, too",
        to.words(
            "LOG_LEVEL",
            {10: "DEBUG", 20: "INFO", 30: "WARNING", 40: "ERROR", 50: "CRITICAL", "NOTSET": "DEBUG", "WARN": "WARNING",
             "FATAL": "CRITICAL"},
        ),
    ),
    "REFERRER_POLICY": _mapped(
        "the same for the names of policies; Scrapy's classes are their names",
        to.words("REFERRER_POLICY", to.REFERRER_POLICIES),
    ),
    "REQUEST_FINGERPRINTER_CLASS": _mapped(
        "Scrapy's default means the built-in one",
        to.only("RequestFingerprinter", reason="FINGERPRINT is a function (request) -> int"),
    ),
    "ROBOTSTXT_PARSER": _mapped(
        "robots.txt is read by RFC 9309", to.only("ProtegoRobotParser", reason="robots.txt is read by RFC 9309")
    ),
    **dict.fromkeys(
        ("SCHEDULER", "SCHEDULER_DISK_QUEUE", "SCHEDULER_MEMORY_QUEUE", "SCHEDULER_PRIORITY_QUEUE",
         "SCHEDULER_START_DISK_QUEUE", "SCHEDULER_START_MEMORY_QUEUE"),
        _mapped(
            "Scrapy's classes mean the built-in frontier: by priority, then as found, hosts in turn",
            to.scrapys_own(reason=(
                    "the queue is the frontier with its JOB_STORE; leave it out, and where many processes share one, "
                    'set JOB_STORE to "redis://HOST"'
                )),
        ),
    ),
    "SPIDER_CONTRACTS": _mapped("a list in the order of the numbers", to.in_order("SPIDER_CONTRACTS")),
    "SPIDER_MIDDLEWARES": _mapped(
        "switching off one of Scrapy's own: the setting of ours that does it; a class of yours is refused",
        to.middlewares("spider", "what it refuses or changes belongs in REQUEST_FILTERS, what it sees in EXTENSIONS"),
    ),
    "TWISTED_REACTOR": _mapped(
        "the asyncio reactor is what is used",
        to.only("AsyncioSelectorReactor", reason="the command line runs on Twisted's asyncio reactor"),
    ),
}  # fmt: skip

SCRAPY_NAMES: dict[str, ScrapyName] = dict(sorted((_MAPPED | UNMAPPED).items()))


def in_our_words(asked: Asked) -> Mapped | None:
    """Return our settings for a mapped one; None for any other name. Raises SettingError with the reason."""
    row = SCRAPY_NAMES.get(asked.name)
    if row is None or row.translator is None:
        return None
    try:
        return row.translator(asked)
    except (ValueError, TypeError) as error:
        raise SettingError(f"{asked.name} ({asked.origin}): {error}") from error


def has_no_effect(asked: Asked) -> bool:
    """Tell whether the user should hear that an ignored setting has no effect.

    An empty or false value wants nothing and passes in silence. Raises SettingError for a refused one.
    """
    row = SCRAPY_NAMES[asked.name]
    if not _wants_something(asked) or _READ_WITH.get(asked.name) in asked.layer:
        return False
    if row.fate == "refused":
        raise SettingError(f"{asked.name} ({asked.origin}) is a setting of Scrapy that has no place here: {row.note}")
    return True


def _wants_something(asked: Asked) -> bool:
    """Tell whether a value is neither empty nor one of the words for false."""
    try:
        return bool(check(asked.value, bool))
    except WrongValue:
        return bool(asked.value)


_READ_WITH = {"FEED_FORMAT": "FEED_URI", "HTTPAUTH_DOMAIN": "HTTPAUTH_USER", "HTTPAUTH_PASS": "HTTPAUTH_USER"}
