"""Which hosts is a spider interested in? Scrapy's module of that name.

``allowed_domains`` are looked at when a request is accepted, before it is in any queue; this is to be derived from.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Self

from crawler.scrapy.exceptions import IgnoreRequest

logger = logging.getLogger(__name__.removeprefix("crawler."))


class OffsiteMiddleware:
    """Refuses requests that ``should_follow`` is False for."""

    crawler: Any
    host_regex: re.Pattern[str]

    def __init__(self, stats: Any) -> None:
        self.stats = stats
        self.domains_seen: set[str] = set()
        self._read: list[Any] | None = None

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        made = cls(crawler.stats)
        made.crawler = crawler
        return made

    def spider_opened(self, spider: Any) -> None:
        """Look at the spider's domains."""
        domains = list(getattr(spider, "allowed_domains", None) or ())
        if domains != self._read:
            self._read = domains
            self.host_regex = self.get_host_regex(spider)

    def request_scheduled(self, request: Any, spider: Any) -> None:
        """Refuse a request before it is queued."""
        self.process_request(request, spider)

    def process_request(self, request: Any, spider: Any = None) -> None:
        """Raise IgnoreRequest for what is off site, unless ``dont_filter`` or meta ``allow_offsite`` is set."""
        if request.dont_filter or request.meta.get("allow_offsite"):
            return
        if self.should_follow(request, self.crawler.spider):
            return
        if request.host and request.host not in self.domains_seen:
            self.domains_seen.add(request.host)
            logger.debug("Filtered offsite request to %r: %s", request.host, request)
            self.stats.inc_value("offsite/domains")
        self.stats.inc_value("offsite/filtered")
        raise IgnoreRequest(f"Filtered offsite request to {request.host!r}")

    def should_follow(self, request: Any, spider: Any) -> bool:
        """Tell whether the request's host is one of the spider's domains, or below one."""
        self.spider_opened(spider)
        return bool(self.host_regex.search(request.host or ""))

    def get_host_regex(self, spider: Any) -> re.Pattern[str]:
        """Return what the allowed hosts match."""
        domains = [re.escape(domain) for domain in getattr(spider, "allowed_domains", None) or () if domain]
        return re.compile(rf"^(.*\.)?({'|'.join(domains)})$" if domains else "")
