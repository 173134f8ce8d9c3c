"""How long may the URL of a request be?"""

from __future__ import annotations

import logging
from typing import Any, Self

from crawler.policy.scope import UrlLengthFilter
from crawler.policy.verdict import Drop
from crawler.scrapy.exceptions import NotConfigured
from crawler.scrapy.spidermiddlewares.base import BaseSpiderMiddleware

logger = logging.getLogger(__name__.removeprefix("crawler."))  # projects set its level by Scrapy's name


class UrlLengthMiddleware(BaseSpiderMiddleware):
    """Leaves out requests with longer URLs than URLLENGTH_LIMIT."""

    def __init__(self, maxlength: int) -> None:
        self.maxlength = maxlength

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl; raises NotConfigured where there is no limit."""
        limit = crawler.settings.getint("URLLENGTH_LIMIT")
        if not limit:
            raise NotConfigured
        made = cls(limit)
        made.crawler = crawler
        return made

    def get_processed_request(self, request: Any, response: Any) -> Any:
        """Return None for a URL that is too long."""
        if not isinstance(UrlLengthFilter(self.maxlength)(request, response), Drop):
            return request
        logger.info("Ignoring link (url length > %d): %s", self.maxlength, request.url)
        self.crawler.stats.inc_value("urllength/request_ignored_count")
        return None
