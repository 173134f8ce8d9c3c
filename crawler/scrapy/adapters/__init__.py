"""Scrapy's objects as parts of our crawl."""
