"""Which names does a script of Scrapy's import from ``scrapy.crawler``?"""

from __future__ import annotations

from crawler.scrapy.adapters.crawls import Crawler as Crawler

__all__ = ["Crawler"]
