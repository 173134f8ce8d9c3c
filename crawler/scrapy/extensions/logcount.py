"""How many lines of each level are in the log? Scrapy's module of that name: the log counts them by itself."""

from __future__ import annotations

from crawler.scrapy.adapters.extensions import ByItself
from crawler.scrapy.utils.log import LogCounterHandler as LogCounterHandler


class LogCount(ByItself):
    """Counts them as ``log_count/LEVEL``."""
