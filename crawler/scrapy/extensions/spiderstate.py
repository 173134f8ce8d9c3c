"""What does a spider remember? Scrapy's module of that name: a job keeps the spider's state by itself."""

from __future__ import annotations

from crawler.scrapy.adapters.extensions import ByItself


class SpiderState(ByItself):
    """Keeps ``spider.state``."""
