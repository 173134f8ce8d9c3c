"""What do the stats say now and then? Scrapy's module of that name: the crawl tells how far it is by itself."""

from __future__ import annotations

from crawler.scrapy.adapters.extensions import NotHere


class PeriodicLog(NotHere):
    """Logs stats now and then."""

    INSTEAD = ("PERIODIC_LOG_STATS", "the stats are in the log at the end, and in --summary")
