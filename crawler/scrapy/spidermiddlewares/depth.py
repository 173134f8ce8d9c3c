"""How deep may a request be, and how much later do deeper ones come?"""

from __future__ import annotations

import logging
from typing import Any, Self

from crawler.scrapy.spidermiddlewares.base import BaseSpiderMiddleware

logger = logging.getLogger(__name__.removeprefix("crawler."))  # projects set its level by Scrapy's name


class DepthMiddleware(BaseSpiderMiddleware):
    """Writes meta ``depth``, lowers the priority by it, and leaves out what is deeper than DEPTH_LIMIT.

    meta ``depth_reset`` lets a request begin anew, at 0.
    """

    def __init__(self, maxdepth: int, stats: Any, verbose_stats: bool = False, prio: int = 1) -> None:
        self.maxdepth = maxdepth
        self.stats = stats
        self.verbose_stats = verbose_stats
        self.prio = prio
        self._told = False

    @classmethod
    def from_crawler(cls, crawler: Any) -> Self:
        """Make the middleware of a crawl."""
        number = crawler.settings.getint
        verbose = crawler.settings.getbool("DEPTH_STATS_VERBOSE")
        made = cls(number("DEPTH_LIMIT"), crawler.stats, verbose, number("DEPTH_PRIORITY"))
        made.crawler = crawler
        return made

    def begin(self, response: Any) -> None:
        """Let the page of start() have a depth."""
        if response is not None and "depth" not in response.meta:
            response.meta["depth"] = 0
            if self.verbose_stats:
                self.stats.inc_value("request_depth_count/0")

    def get_processed_request(self, request: Any, response: Any) -> Any:
        """Return the request with its depth; None if it is too deep."""
        begins = request.meta.pop("depth_reset", False)
        if response is None:
            return request
        depth = request.meta["depth"] = 0 if begins else response.meta["depth"] + 1
        if self.prio:
            request.priority -= depth * self.prio
        if self.maxdepth and depth > self.maxdepth:
            if not self._told:
                logger.debug("Ignoring link (depth > %d): %s; others are not logged", self.maxdepth, request.url)
                self._told = True
            self.stats.inc_value("depth/request_ignored_count")
            return None
        if self.verbose_stats:
            self.stats.inc_value(f"request_depth_count/{depth}")
        self.stats.max_value("request_depth_max", depth)
        return request
