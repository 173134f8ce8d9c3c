"""Which middlewares does a new Scrapy project have? They pass everything on."""

from __future__ import annotations

from scrapy import signals


class ShopSpiderMiddleware:
    """Passes on what a spider gets and gives."""

    @classmethod
    def from_crawler(cls, crawler):
        """Make it."""
        s = cls()
        crawler.signals.connect(s.spider_opened, signal=signals.spider_opened)
        return s

    def process_spider_input(self, response, spider):
        """Let it pass."""
        return None

    async def process_spider_output(self, response, result, spider):
        """Let all pass."""
        async for i in result:
            yield i

    def process_spider_exception(self, response, exception, spider):
        """Let it pass."""
        pass

    async def process_start(self, start):
        """Let all pass."""
        async for item_or_request in start:
            yield item_or_request

    def spider_opened(self, spider):
        """Say so."""
        spider.logger.info("Spider opened: %s" % spider.name)


class ShopDownloaderMiddleware:
    """Passes on what is asked and answered."""

    @classmethod
    def from_crawler(cls, crawler):
        """Make it."""
        s = cls()
        crawler.signals.connect(s.spider_opened, signal=signals.spider_opened)
        return s

    def process_request(self, request, spider):
        """Let it pass."""
        return None

    def process_response(self, request, response, spider):
        """Let it pass."""
        return response

    def process_exception(self, request, exception, spider):
        """Let it pass."""
        pass

    def spider_opened(self, spider):
        """Say so."""
        spider.logger.info("Spider opened: %s" % spider.name)
