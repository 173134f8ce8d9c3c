import asyncio
import json
from dataclasses import dataclass
from urllib.parse import urlencode

import scrapy
from scrapy import signals
from scrapy.downloadermiddlewares.retry import get_retry_request
from scrapy.http import JsonRequest
from scrapy.http.request import NO_CALLBACK
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.error import DNSLookupError, TCPTimedOutError, TimeoutError


@dataclass
class Thing:
    id: int
    name: str
    detail: dict | None = None


class RestSpider(scrapy.Spider):
    name = "rest"
    base = "http://api.client.example/v1"
    custom_settings = {"DEFAULT_REQUEST_HEADERS": {"Accept": "application/json", "X-Key": "k"}, "RETRY_TIMES": 1}

    async def start(self):
        yield scrapy.Request(f"{self.base}/things?{urlencode({'page': 1, 'q': 'ä b'})}", self.parse_page,
                             cb_kwargs={"number": 1})
        yield JsonRequest(f"{self.base}/query", data={"filter": {"name": "ü"}, "n": [1, 2]}, callback=self.parse_query)
        yield JsonRequest(f"{self.base}/query", data={"b": 1, "a": 2}, dumps_kwargs={"sort_keys": True}, method="PUT",
                          callback=self.parse_query)
        yield scrapy.Request(f"{self.base}/missing", self.parse_status)
        for status in (403, 500, 503):
            yield scrapy.Request(f"{self.base}/status/{status}", self.parse_status, errback=self.failed,
                                 meta={"tag": status})
        yield scrapy.Request(f"{self.base}/status/429", self.parse_status, meta={"handle_httpstatus_list": [429]})
        yield scrapy.Request(f"{self.base}/status/418", self.parse_status, meta={"handle_httpstatus_all": True})
        yield scrapy.Request(f"{self.base}/status/502", self.parse_status, errback=self.failed,
                             meta={"dont_retry": True})
        yield scrapy.Request(f"{self.base}/empty?n=0", self.parse_empty)
        yield scrapy.Request(f"{self.base}/large", self.parse_status, errback=self.failed_download)
        yield scrapy.Request(f"{self.base}/delete/1", method="DELETE", callback=self.parse_status)
        yield scrapy.Request.from_curl(
            f"curl '{self.base}/curl' -X POST -H 'X-Curl: 1' -H 'Content-Type: text/plain' --data-raw 'a=1' -b 'c=d'",
            callback=self.parse_status,
        )

    def parse_page(self, response, number):
        data = response.json()
        for row in data["things"]:
            request = scrapy.Request(f"{self.base}/things/{row['id']}", callback=self.parse_thing)
            request.cb_kwargs["thing"] = Thing(row["id"], row["name"])
            request.headers["X-Row"] = str(row["id"])
            yield request
        if data["next"]:
            yield response.follow(data["next"], self.parse_page, cb_kwargs=dict(number=number + 1), priority=number)
        yield {"page": number, "names": response.jmespath("things[*].name").getall()}

    async def parse_thing(self, response, thing):
        await asyncio.sleep(0)
        extra = scrapy.Request(f"{self.base}/things/{thing.id}/extra", headers={"X-Extra": "1"}, callback=NO_CALLBACK)
        answer = await self.crawler.engine.download_async(extra) if hasattr(
            self.crawler.engine, "download_async") else await maybe_deferred_to_future(self.crawler.engine.download(extra))
        thing.detail = {"status": answer.status, **json.loads(answer.text)}
        yield thing

    def parse_query(self, response):
        return {"sent": response.json()["got"], "method": response.request.method, "body": response.request.body.decode()}

    def parse_status(self, response):
        yield {"status": response.status, "path": response.url.split("/v1")[1], "says": response.text[:50],
               "retries": response.meta.get("retry_times", 0)}

    def parse_empty(self, response):
        if not response.json()["rows"]:
            new = get_retry_request(response.request, spider=self, reason="empty", max_retry_times=3)
            if new:
                new = new.replace(url=response.url.replace("n=", "n=1"))
                return new
        return {"rows": response.json()["rows"], "retries": response.meta["retry_times"]}

    def failed(self, failure):
        if failure.check(HttpError):
            response = failure.value.response
            yield {"failed": response.status, "tag": failure.request.meta.get("tag"), "class": failure.type.__name__}
        elif failure.check(DNSLookupError, TimeoutError, TCPTimedOutError):
            yield {"failed": "network"}

    def failed_download(self, failure):
        return {"failed": failure.request.url, "response": getattr(failure.value, "response", None)}

    @classmethod
    def from_crawler(cls, crawler, *args, **kwargs):
        spider = super().from_crawler(crawler, *args, **kwargs)
        crawler.signals.connect(spider.spider_closed, signal=signals.spider_closed)
        return spider

    def spider_closed(self, spider, reason):
        spider.logger.info("Spider closed: %s (%s)", spider.name, reason)
        self.crawler.stats.set_value("rest/closed", reason)
