"""When has a crawl done enough? Scrapy's module of that name: the crawl looks at its CLOSESPIDER_* limits by itself."""

from __future__ import annotations

from crawler.scrapy.adapters.extensions import ByItself


class CloseSpider(ByItself):
    """Ends the crawl at a limit."""
