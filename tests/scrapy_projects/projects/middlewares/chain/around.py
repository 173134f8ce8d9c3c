from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.spidermiddlewares.base import BaseSpiderMiddleware
from scrapy.spidermiddlewares.httperror import HttpErrorMiddleware


class CountMiddleware:
    def __init__(self, stats):
        self.stats = stats

    @classmethod
    def from_crawler(cls, crawler):
        return cls(crawler.stats)

    def process_spider_input(self, response, spider):
        self.stats.inc_value("around/input")
        if "/unwanted" in response.url:
            raise IgnoreRequest("unwanted")
        if "/input-error" in response.url:
            raise KeyError("in process_spider_input")

    async def process_spider_output(self, response, result):
        async for each in result:
            self.stats.inc_value("around/output")
            if isinstance(each, Request):
                each.meta.setdefault("from", response.url)
            yield each

    async def process_start(self, start):
        async for each in start:
            if isinstance(each, Request):
                each.headers["X-Start"] = "yes"
            yield each
        yield {"start": "ended"}


class ErrorsMiddleware:
    def process_spider_exception(self, response, exception, spider):
        if isinstance(exception, ZeroDivisionError):
            return [{"error": str(exception), "url": response.url}]
        return None


class AsyncOutputMiddleware(BaseSpiderMiddleware):
    def get_processed_item(self, item, response):
        if isinstance(item, dict) and item.get("drop"):
            return None
        item["through"] = "base"
        return item

    def get_processed_request(self, request, response):
        if "/never" in request.url:
            return None
        return request.replace(headers={**request.headers, "X-Through": "base"})


class OwnHttpErrorMiddleware(HttpErrorMiddleware):
    def process_spider_input(self, response, spider=None):
        if response.status == 404:
            return None
        return super().process_spider_input(response)
