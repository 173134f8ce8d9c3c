"""Which names does a script of Scrapy's import from ``scrapy.crawler``?"""

from __future__ import annotations

from crawler.scrapy.adapters.crawls import Crawler
from crawler.scrapy.adapters.runners import AsyncCrawlerProcess, AsyncCrawlerRunner, CrawlerProcess, CrawlerRunner

__all__ = ["AsyncCrawlerProcess", "AsyncCrawlerRunner", "Crawler", "CrawlerProcess", "CrawlerRunner"]
