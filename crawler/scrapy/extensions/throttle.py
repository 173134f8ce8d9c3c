"""How is a host's delay chosen? Scrapy's module of that name.

The crawl is slowed down by latency by itself, with AUTOTHROTTLE_ENABLED.
"""

from __future__ import annotations

from crawler.scrapy.adapters.extensions import ByItself


class AutoThrottle(ByItself):
    """Chooses each host's delay by its latency."""
