"""Does a request carry on what the crawler noted in the meta of another one?"""

from __future__ import annotations

import logging
from typing import Any

from crawler.scrapy.spidermiddlewares.base import BaseSpiderMiddleware

logger = logging.getLogger(__name__.removeprefix("crawler."))  # projects set its level by Scrapy's name

_NOTED = """
_auth_proxy _dont_cache _scheme_proxy cache_timestamp download_latency redirect_reasons redirect_times redirect_ttl
redirect_urls retry_times
"""


class MetaCopyDetectionMiddleware(BaseSpiderMiddleware):
    """Warns once of a request with keys that belong to the response's; META_COPY_WARN_SKIP_KEYS may be copied."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self._keys = set(_NOTED.split()) - set(crawler.settings.getlist("META_COPY_WARN_SKIP_KEYS", []))

    def get_processed_request(self, request: Any, response: Any) -> Any:
        """Look at the keys."""
        if response is not None and self._keys and (found := self._keys & request.meta.keys()):
            self._keys = set()
            logger.warning(
                "%s yielded a request with internal meta keys, which were likely copied from response.meta and should"
                " not be: %s (of %s, on %s)",
                type(self.crawler.spider).__name__, sorted(found), request, response,
            )  # fmt: skip
        return request
