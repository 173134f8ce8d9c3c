"""What lives when a crawl ends? Scrapy's module of that name: nothing is looked at when a crawl ends."""

from __future__ import annotations

from crawler.scrapy.adapters.extensions import NotHere


class MemoryDebugger(NotHere):
    """Counts live objects."""

    INSTEAD = ("MEMDEBUG_ENABLED", "tracemalloc of Python tells what lives")
