"""Whole Scrapy projects, each run by the real Scrapy and by us on one fake web; what they ask and find must be equal.

`projects/` has them as their users would have written them, `sites/` what they crawl, and `table.py` which part of
Scrapy's documentation each is there for.
"""
