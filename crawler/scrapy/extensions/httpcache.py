"""By which rules, and where, are pages kept in the cache? Scrapy's ``scrapy.extensions.httpcache``.

The cache is the crawler's own (docs/politeness.md): these classes name its rules. DummyPolicy keeps everything,
RFC2616Policy what HTTP allows (RFC 9111); storages are one file, whichever is named.
"""

from __future__ import annotations

import logging
from typing import Any

from crawler.scrapy.adapters.components import loaded

logger = logging.getLogger(__name__)


class DummyPolicy:
    """Keeps every page, and gives it whatever its age."""

    def __init__(self, settings: Any) -> None:
        self.ignore_schemes = settings.getlist("HTTPCACHE_IGNORE_SCHEMES")
        self.ignore_http_codes = [int(code) for code in settings.getlist("HTTPCACHE_IGNORE_HTTP_CODES")]

    def should_cache_request(self, request: Any) -> bool:
        """Tell whether a request is looked for."""
        return request.url.partition(":")[0] not in self.ignore_schemes

    def should_cache_response(self, response: Any, request: Any) -> bool:
        """Tell whether a response is kept."""
        return response.status not in self.ignore_http_codes

    def is_cached_response_fresh(self, cachedresponse: Any, request: Any) -> bool:
        """Tell whether a page is given without a question."""
        return True

    def is_cached_response_valid(self, cachedresponse: Any, response: Any, request: Any) -> bool:
        """Tell whether a page still holds, after a question."""
        return True


class RFC2616Policy(DummyPolicy):
    """Keeps what HTTP allows."""


class FilesystemCacheStorage:
    """The cache's file."""

    def __init__(self, settings: Any) -> None:
        self.cachedir = settings["HTTPCACHE_DIR"]


class DbmCacheStorage(FilesystemCacheStorage):
    """The same."""


def policy_of(settings: Any) -> str:
    """Return our HTTPCACHE_POLICY. Raises SettingError."""
    given = settings["HTTPCACHE_POLICY"]
    if settings.getbool("HTTPCACHE_IGNORE_MISSING"):
        return "replay"
    if isinstance(given, str) and "." not in given:
        return given
    policy = loaded(given, "HTTPCACHE_POLICY")
    if policy.__module__ != __name__ and settings.getbool("HTTPCACHE_ENABLED"):
        logger.warning(
            "HTTPCACHE_POLICY: %s is not asked, the cache keeps %s (docs/from_scrapy.md)",
            policy.__qualname__,
            "what HTTP allows" if issubclass(policy, RFC2616Policy) else "every page",
        )
    return "rfc9111" if issubclass(policy, RFC2616Policy) else "everything"
