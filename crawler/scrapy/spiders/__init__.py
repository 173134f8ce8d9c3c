"""What does a spider that was written for Scrapy derive from? Scrapy's ``scrapy.spiders``."""

from crawler.scrapy.spiders.crawl import CrawlSpider, Rule
from crawler.scrapy.spiders.feed import CSVFeedSpider, XMLFeedSpider
from crawler.scrapy.spiders.plain import Spider
from crawler.scrapy.spiders.sitemap import SitemapSpider

__all__ = ["CSVFeedSpider", "CrawlSpider", "Rule", "SitemapSpider", "Spider", "XMLFeedSpider"]
