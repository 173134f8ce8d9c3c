"""Which of Scrapy's settings does a crawl of a Scrapy spider read in Scrapy's own words?

In such a crawl they mean what they mean in Scrapy (docs.scrapy.org, "Settings"); nothing of ours is made of them.
"""

from __future__ import annotations

from typing import Final

_COMPONENTS = ("DOWNLOADER_MIDDLEWARES", "DOWNLOAD_HANDLERS", "EXTENSIONS", "ITEM_PIPELINES", "SPIDER_MIDDLEWARES")
_ROWS: Final = {
    "classes of the project's, made and called as Scrapy does": " ".join(
        (
            *_COMPONENTS,
            *(f"{name}_BASE" for name in _COMPONENTS),
            "ADDONS",
            "DEFAULT_ITEM_CLASS",
            "DUPEFILTER_CLASS",
            "ITEM_PROCESSOR",
            "LOG_FORMATTER",
            "REFERRER_POLICIES",
            "REQUEST_FINGERPRINTER_CLASS",
            "SPIDER_LOADER_CLASS",
            "STATS_CLASS",
        )
    ),
    "read by the middlewares, pipelines and extensions that have Scrapy's names": (
        "AJAXCRAWL_ENABLED AJAXCRAWL_MAXSIZE CRAWLSPIDER_FOLLOW_LINKS DEFAULT_DROPITEM_LOG_LEVEL DEPTH_STATS_VERBOSE "
        "DOWNLOADER_STATS DUPEFILTER_DEBUG FEED_STORAGE_GCS_ACL FILES_EXPIRES FILES_RESULT_FIELD FILES_STORE "
        "FILES_STORE_GCS_ACL FILES_STORE_S3_ACL FILES_URLS_FIELD FTP_PASSIVE_MODE FTP_PASSWORD FTP_USER "
        "HTTPAUTH_DOMAIN HTTPAUTH_PASS HTTPAUTH_USER HTTPPROXY_AUTH_ENCODING IMAGES_EXPIRES IMAGES_MIN_HEIGHT "
        "IMAGES_MIN_WIDTH IMAGES_RESULT_FIELD IMAGES_STORE IMAGES_STORE_GCS_ACL IMAGES_STORE_S3_ACL IMAGES_THUMBS "
        "IMAGES_URLS_FIELD MAIL_FROM MAIL_HOST MAIL_PASS MAIL_PORT MAIL_SSL MAIL_TLS MAIL_USER MEDIA_ALLOW_REDIRECTS "
        "META_COPY_WARN_SKIP_KEYS PERIODIC_LOG_DELTA PERIODIC_LOG_STATS PERIODIC_LOG_TIMING_ENABLED RETRY_EXCEPTIONS "
        "RETRY_GIVE_UP_LOG_LEVEL STATSMAILER_RCPTS STATS_DUMP"
    ),
    "of the project and its scripts": (
        "COMMANDS_MODULE FORCE_CRAWLER_PROCESS LOG_INSTALL_ROOT_HANDLER NEWSPIDER_MODULE SPIDER_LOADER_WARN_ONLY"
    ),
    "there is nothing that it would change": (
        "LOG_COLOR LOG_VERSIONS REQUEST_FINGERPRINTER_IMPLEMENTATION TWISTED_REACTOR_ENABLED "
        "WARN_ON_GENERATOR_RETURN_VALUE"
    ),
}
THEIRS: Final = {name: note for note, names in _ROWS.items() for name in names.split()}
"""The names, each with what it is."""

UNSET_TOO: Final = ("DEFAULT_REQUEST_HEADERS", "HTTPCACHE_POLICY", "REFERRER_POLICY")
"""Where Scrapy's default is not ours, and a project counts on what it means."""

REFUSED: Final = frozenset({"SCHEDULER"})
"""What cannot be left out with a warning: the crawl would be another one."""
