"""Scrapy's own spider middlewares, as thin classes over the crawler's policies.

A crawl whose project has none of its own does without them: the policies work where a request is accepted.
"""
