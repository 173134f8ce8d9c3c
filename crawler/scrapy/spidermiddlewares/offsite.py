"""Which hosts does a spider keep to? What is older than the downloader middleware of this name."""

from __future__ import annotations

from typing import Any

from crawler.policy.scope import SpidersDomains
from crawler.policy.verdict import Drop
from crawler.scrapy.adapters.policies import AsWritten
from crawler.scrapy.spidermiddlewares.base import BaseSpiderMiddleware


class OffsiteMiddleware(BaseSpiderMiddleware):
    """Leaves out requests to hosts outside the spider's ``allowed_domains``, by the crawler's own filter.

    The crawler does so itself, so there is a use for it only in a class derived from it.
    """

    def should_follow(self, request: Any, spider: Any) -> bool:
        """Tell whether the spider keeps to the host."""
        return not isinstance(SpidersDomains(spider, AsWritten)(request, None), Drop)

    def get_processed_request(self, request: Any, response: Any) -> Any:
        """Return None for a request to another host."""
        if response is None or request.dont_filter or self.should_follow(request, self.crawler.spider):
            return request
        self.crawler.stats.inc_value("offsite/filtered")
        return None
